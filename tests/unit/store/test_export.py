"""Exports: what SynDisco reads, what cannot become markup or a formula, and nothing lost."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from pyarrow import parquet

from syndisco_tui.discussion import (
    Discussion,
    DiscussionRecord,
    EarlierSetup,
    ExperimentMembership,
    Message,
    Parent,
    Persona,
    Reply,
    Shortened,
)
from syndisco_tui.store.discussion_format import from_json
from syndisco_tui.store.discussions import read_discussion
from syndisco_tui.store.export import FORMAT_NAMES, convokit, exported, inspect_log, sharegpt
from syndisco_tui.store.export.csv_rows import as_csv as rows_as_csv
from syndisco_tui.store.export.markdown import escaped
from syndisco_tui.text import safe
from tests.support.saved_discussions import FULL, KEYS_OF_2_0_1, SETUP, record, said, silence
from tests.support.syndisco_files import RUNS, each_run

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=80)


def ran(**changes: Any) -> DiscussionRecord:
    """A discussion that was really asked for, turn by turn, with one silence."""
    setup = SETUP.model_copy(update={"history_context_len": 2, "conv_len": 3, **changes})
    discussion = Discussion(setup)
    for number in range(20):
        request = discussion.next_request()
        if request is None:
            break
        discussion.post(request, Reply('""' if number == 1 else f"Comment {number}."))
    return record(*discussion.entries, setup=setup, engine={"model": "starter"})


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def chats(text: str) -> list[list[dict[str, str]]]:
    return [json.loads(line)["messages"] for line in text.splitlines()]


class TestSeveralModels:
    """Each message's model is in every format."""

    RECORD = record(
        replace(said("Ann", "One.", 1), model="org/a"),
        replace(said("Bob", "Two.", 2), model="b"),
        setup=SETUP.model_validate(
            {
                **SETUP.model_dump(),
                "models": {"Bob": {"model": "b", "server": "http://x/v1", "dtype": "float16"}},
            }
        ),
        engine={"name": "a", "participants": {"Bob": {"name": "b"}}},
    )

    def test_markdown_names_it_above_the_message_and_in_the_setup(self) -> None:
        text = exported(self.RECORD, "markdown")
        assert "**Ann** · turn 1 · org/a" in text
        assert "**Bob** · turn 2 · b" in text
        assert "| Model of Bob | b, http\\://x/v1 |" in text
        alone = exported(record(said("Ann", "One.", 1)), "markdown")
        assert "**Ann** · turn 1\n" in alone

    def test_chat_lines_have_it_only_there(self) -> None:
        lines = [json.loads(line) for line in exported(self.RECORD, "jsonl").splitlines()]
        assert [line["model"] for line in lines] == ["org/a", "b"]
        alone = record(said("Ann", "One.", 1))
        assert set(json.loads(exported(alone, "jsonl"))) == {"messages"}

    def test_rows_say_how_it_ran(self) -> None:
        rows = table(exported(self.RECORD, "csv"))
        cells = [(row["model"], row["dtype"], row["server"]) for row in rows]
        assert cells == [("org/a", "auto", ""), ("b", "float16", "http://x/v1")]

    def test_syndisco_has_it_with_each_message(self) -> None:
        for form in ("syndisco-2.0", "syndisco-2.2"):
            logs = json.loads(exported(self.RECORD, form))["logs"]
            assert [log["model"] for log in logs] == ["org/a", "b"]


class TestSynDisco:
    def test_2_0_1_has_its_keys_and_no_others(self) -> None:
        value = json.loads(exported(FULL, "syndisco-2.0"))
        assert set(value) == KEYS_OF_2_0_1
        assert all(set(log) == {"name", "text", "model"} for log in value["logs"])
        assert value["users"] == ["Ann", "Bob", "Guest"]
        assert value["user_prompts"][0]["persona"]["shoe_size"] == 38

    def test_2_2_1_has_its_keys_and_no_others(self) -> None:
        value = json.loads(exported(FULL, "syndisco-2.2"))
        assert set(value) == {"timestamp", "logs"}
        assert all(set(log) == {"name", "text", "model", "prompt"} for log in value["logs"])

    @pytest.mark.parametrize("to", ["syndisco-2.0", "syndisco-2.2"])
    def test_what_from_file_of_2_2_1_asks_for(self, to: Any) -> None:
        value = json.loads(exported(FULL, to))
        assert isinstance(value["logs"], list)
        for log, message in zip(value["logs"], FULL.messages, strict=True):
            assert isinstance(log["name"], str)
            assert isinstance(log["model"], str)
            assert (log["name"], log["text"]) == (message.name, message.text)

    @pytest.mark.campaign
    @pytest.mark.parametrize("to", ["syndisco-2.0", "syndisco-2.2"])
    def test_syndisco_s_own_loader_reads_it(self, to: Any, tmp_path: Path) -> None:
        jobs = pytest.importorskip("syndisco.jobs")
        file = tmp_path / "export.json"
        file.write_text(exported(FULL, to), encoding="utf-8")
        logs = jobs.Logs.from_file(file)
        assert [(log["name"], log["text"], log["model"]) for log in logs] == [
            (message.name, message.text, message.model) for message in FULL.messages
        ]

    def test_we_read_it_back(self) -> None:
        again = from_json(json.loads(exported(FULL, "syndisco-2.0")), "export")
        assert [(m.name, m.text) for m in again.messages] == [
            (m.name, m.text) for m in FULL.messages
        ]
        assert again.setup.personas[0].model_extra == {"shoe_size": 38}
        assert again.id == FULL.id

    @each_run
    def test_a_run_of_2026_comes_out_as_it_came_in(self, path: Path) -> None:
        there = json.loads(path.read_text())
        here = json.loads(exported(read_discussion(path), "syndisco-2.0"))
        said_there = [log for log in there["logs"] if log["text"]]
        assert here["logs"] == said_there
        assert (here["id"], here["timestamp"]) == (there["id"], there["timestamp"])
        assert (here["users"], here["moderator"]) == (there["users"], there["moderator"])
        prompts = [
            [json.loads(p) if isinstance(p, str) else p for p in each["user_prompts"]]
            for each in (here, there)
        ]
        told = [[prompt["instructions"] for prompt in each] for each in prompts]
        assert told[0] == told[1]  # trolls and all


class TestMarkdown:
    def test_title_participants_setup_and_transcript(self) -> None:
        text = exported(ran(), "markdown")
        html = MarkdownIt("commonmark").enable("table").render(text)
        assert html.startswith("<h1>On “quotes”</h1>")
        assert "<strong>Ann</strong>. age: 40; " in html
        assert "shoe size: 38" in html
        assert "<td>Turn manager</td>\n<td>RoundRobin</td>" in html
        assert "<strong>Ann</strong> · turn 1" in html
        assert "<blockquote>\n<p>Comment 0.</p>\n</blockquote>" in html
        assert "<strong>Mod</strong> · moderator · <em>stays silent</em>" in html

    def test_what_people_did_is_told(self) -> None:
        engine = {"name": "A-Model", "revision": "abc"}
        text = exported(replace(FULL, engine=engine, parent=Parent("elsewhere", 3)), "markdown")
        assert "| Model | A-Model, revision abc |" in text
        assert "| Forked from | elsewhere |" in text
        before = text.index("*From here on: context: Before → You are taking part in")
        assert text.index("**Bob** · turn 1") < before < text.index("Please be kind")
        assert "**Ann** · turn 2 · chosen by a person to speak next · edited by a person\n" in text

    def test_a_reply_cut_at_the_limit_is_marked(self) -> None:
        cut = replace(said("Ann", "Half a sen", 1), finish_reason="length")
        assert "> Half a sen […]\n" in exported(record(cut), "markdown").replace("\\", "")

    def test_what_syndisco_does_not_say_is_not_claimed(self) -> None:
        own = from_json(json.loads(exported(FULL, "syndisco-2.0")), "export")
        assert "RoundRobin" not in exported(own, "markdown")

    @pytest.mark.parametrize(
        "text",
        [
            "# not a title",
            "- no list\n+ nor this\n* nor this\n3. nor this\n12) nor this",
            "    not code\n\tnor this",
            "```\nnot code\n```\n~~~\nnor this",
            "<b>not bold</b> <script>alert(1)</script> <!-- gone? -->",
            "[not a link](https://evil.example) ![no picture](x.png) <https://evil.example>",
            "https://evil.example www.evil.example me@evil.example evil.example mailto:a@b.example",
            "**not bold** _nor this_ `nor that` ~~nor this~~",
            "title?\n===\ntitle?\n---",
            "a | b\n---|---\n1 | 2",
            "> no quotation\n>> at all",
            "&amp; &lt;b&gt; &#42;x&#42; &copy;",
            "[1]: https://evil.example\n[^1]: footnote\n$x^2$",
            "ends with a backslash \\\nand goes on\\",
            "***\n___\n- - -",
            "one\n\ntwo  \nthree",
        ],
    )
    def test_nothing_becomes_markup(self, text: str) -> None:
        assert shown(text) == as_seen(text)

    @settings(max_examples=300, deadline=None)
    @given(
        st.lists(
            st.sampled_from([*"\\`*_{}[]<>()#+-.!|~&$:/@=\"' \n\tab1é", "www.", "https://"]),
            min_size=1,
            max_size=30,
        ).map("".join)
    )
    def test_nothing_at_all_becomes_markup(self, text: str) -> None:
        assert shown(text) == as_seen(text)

    def test_no_terminal_obeys_it(self) -> None:
        evil = "\x1b]0;x\x07\x9b2J\u202e"
        text = exported(record(said("Ann", evil, 1), title=evil), "markdown")
        assert not set(text) & {"\x1b", "\x07", "\x9b", "\u202e"}

    def test_names_and_titles_are_escaped_too(self) -> None:
        entry = said("<b>*Ann*</b>", "x", 1)
        html = MarkdownIt("commonmark").render(
            exported(record(entry, title="# <i> `x`"), "markdown")
        )
        assert "<strong>&lt;b&gt;*Ann*&lt;/b&gt;</strong>" in html
        assert html.startswith("<h1># &lt;i&gt; `x`</h1>")


def shown(text: str) -> list[str]:
    """What a reader of the export sees of a message with that text, line by line.

    Anything but quoted paragraphs is a fault.
    """
    markdown = exported(record(said("Ann", f"x\n\n{text}\n\nx", 1)), "markdown")
    transcript = markdown.partition("## Transcript")[2]
    lines: list[str] = []
    for token in MarkdownIt("gfm-like").parse(transcript):
        assert token.type.removesuffix("_open").removesuffix("_close") in (
            "blockquote",
            "paragraph",
            "inline",
        ), token
        if token.type != "inline" or token.level < 2:
            continue
        line = ""
        for part in token.children or ():
            assert part.type in ("text", "hardbreak"), part
            if part.type == "hardbreak":
                lines.append(line)
                line = ""
            line += part.content
        lines.append(line)
    assert (lines[0], lines[-1]) == ("x", "x")
    return lines[1:-1]


def as_seen(text: str) -> list[str]:
    """The lines of the text itself, without those that are empty."""
    lines = [line.strip() for line in safe(text).split("\n")]
    return [line for line in lines if line]


class TestRows:
    def test_a_row_a_message_silences_too(self) -> None:
        whole = ran()
        rows = table(exported(whole, "csv"))
        assert [(row["name"], row["text"]) for row in rows] == [
            (entry.name, entry.text) for entry in whole.entries
        ]
        assert [row["position"] for row in rows] == ["1", "2", "3", "4", "5", "6", "7"][: len(rows)]
        assert {row["discussion"] for row in rows} == {whole.id}

    @given(TEXTS, TEXTS)
    def test_texts_come_back(self, text: str, name: str) -> None:
        (row,) = table(exported(record(replace(said("x", text, 1), name=name)), "csv"))
        assert row["text"].removeprefix("'") == text.removeprefix("'")
        assert row["name"].removeprefix("'") == name.removeprefix("'")

    @pytest.mark.parametrize(
        "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "＝1", "\xa0=1"]
    )
    def test_no_spreadsheet_calculates(self, text: str) -> None:
        (row,) = table(exported(record(said("Ann", text, 1, raw_text=text)), "csv"))
        assert row["text"] == row["raw_text"] == f"'{text}"

    def test_numbers_stay_numbers(self) -> None:
        (row,) = table(exported(record(said("Ann", "Hi", 1)), "csv"))
        assert (row["turn"], row["seconds"], row["seed"]) == ("1", "1.25", str(2**53 - 1))

    def test_every_row_has_the_conditions_and_who_spoke(self) -> None:
        setup = {"turn_manager": "RandomWeighted", "p_respond": 0.25, "temperature": 0.7}
        rows = {row["name"]: row for row in table(exported(ran(**setup), "csv"))}
        for row in rows.values():
            assert row["title"] == "On “quotes”"
            assert (row["moderator"], row["turn_manager"]) == ("Mod", "RandomWeighted")
            assert (row["p_respond"], row["temperature"], row["top_k"]) == ("0.25", "0.7", "50")
            assert (row["conv_len"], row["history_context_len"]) == ("3", "2")
            assert (row["prompt_style"], row["run_seed"]) == ("syndisco-2.0", "0")
        ann, bob, mod = rows["Ann"], rows["Bob"], rows["Mod"]
        assert (ann["persona_age"], ann["persona_shoe_size"]) == ("40", "38")
        assert ann["persona_personality_characteristics"] == "calm"
        assert (bob["persona_age"], bob["persona_sex"]) == ("Under 18", "")
        assert mod["persona_age"] == ""

    def test_the_conditions_are_those_of_the_message(self) -> None:
        before = SETUP.model_copy(update={"temperature": 0.1, "history_context_len": 7})
        cut = said("Bob", "Hi", 1, shortened=Shortened(1, 30))
        whole = record(cut, said("Ann", "Ho", 2), earlier_setups=(EarlierSetup(1, before, 1),))
        first, second = table(exported(whole, "csv"))
        assert (first["temperature"], second["temperature"]) == ("0.1", "0.8")
        assert (first["history_context_len"], second["history_context_len"]) == ("1", "all")
        assert (first["max_out_tokens"], second["max_out_tokens"]) == ("30", "200")

    def test_who_is_in_no_setup_has_no_fields_and_a_later_one_is_asked(self) -> None:
        cyd = Persona(username="Cyd", hobbies=["=1+1", "tea"], pets={"dog": 1})
        now = SETUP.model_copy(update={"personas": (cyd,)})
        parts = said("Guest", "Hi", 0, role="human"), said("CYD", "Ho", 1), said("Ann", "Hu", 2)
        rows = table(exported(record(*parts, setup=now), "csv"))
        assert [row["persona_hobbies"] for row in rows] == ["", "'=1+1; tea", ""]
        assert rows[1]["persona_pets"] == '{"dog": 1}'

    def test_of_several_discussions_every_field_has_a_column(self) -> None:
        other = SETUP.model_copy(update={"personas": (Persona(username="Ann", height=170),)})
        records = [record(said("Ann", "Hi", 1)), record(said("Ann", "Ho", 1), setup=other)]
        rows = table(rows_as_csv(records))
        assert [row["persona_shoe_size"] for row in rows] == ["38", ""]
        assert [row["persona_height"] for row in rows] == ["", "170"]

    def test_what_syndisco_does_not_say_is_empty(self) -> None:
        foreign = from_json(json.loads(exported(FULL, "syndisco-2.0")), "export")
        row = table(exported(foreign, "csv"))[1]
        assert (row["moderator"], row["history_context_len"]) == ("Mod", "all")
        assert (row["turn_manager"], row["temperature"], row["run_seed"]) == ("", "", "")
        assert row["persona_age"] == "Under 18"


class TestChat:
    @pytest.mark.parametrize("style", ["syndisco-2.0", "syndisco-2.2", "chat"])
    def test_every_line_is_what_the_model_was_asked_and_what_was_posted(self, style: str) -> None:
        whole = ran(prompt_style=style)
        lines = iter(chats(exported(whole, "jsonl")))
        for position, entry in enumerate(whole.entries):
            if not entry.is_prompted or entry.is_silence:
                continue
            asked = Discussion(whole.setup, whole.entries[:position]).next_request()
            assert asked is not None
            *prompt, answer = next(lines)
            assert prompt == [vars(turn) for turn in asked.chat]
            assert answer == {"role": "assistant", "content": entry.text}
        assert next(lines, None) is None

    def test_a_changed_setup_counts_from_its_turn(self) -> None:
        discussion = Discussion(SETUP.model_copy(update={"moderator": None}))
        for number, context in ((1, None), (2, "Quite another place")):
            if context:
                discussion.change_setup(discussion.setup.model_copy(update={"context": context}))
            request = discussion.next_request()
            assert request is not None
            discussion.post(request, Reply(f"Comment {number}."))
        whole = record(
            *discussion.entries,
            setup=discussion.setup,
            earlier_setups=discussion.earlier_setups,
        )
        first, second = chats(exported(whole, "jsonl"))
        assert "Quite another place" not in first[0]["content"]
        assert "Quite another place" in second[0]["content"]

    def test_an_edit_leaves_the_prompts_before_it_as_they_were(self) -> None:
        discussion = Discussion(SETUP.model_copy(update={"moderator": None, "conv_len": 3}))
        asked = []
        for text in ("As it was.", "Hm.", "Well."):
            if text == "Well.":
                discussion.edit(len(discussion.entries) - 2, "As it is now.")
            request = discussion.next_request()
            assert request is not None
            asked.append([vars(turn) for turn in request.chat])
            discussion.post(request, Reply(text))
        whole = record(*discussion.entries, setup=discussion.setup, changes=discussion.changes)
        lines = chats(exported(whole, "jsonl"))
        assert [prompt for *prompt, _ in lines] == asked
        assert lines[0][-1]["content"] == "As it is now."

    def test_syndisco_s_own_get_their_prompts_made(self) -> None:
        own = read_discussion(RUNS[0])
        for system, *_, answer in chats(exported(own, "jsonl")):
            assert json.loads(system["content"])["persona"]
            assert answer["content"]

    def test_silences_and_seeds_are_no_lines(self) -> None:
        whole = record(
            Message(name="Ann", text="Hello.", role="seed"), silence("Bob", 1), said("Ann", "Hm", 2)
        )
        assert len(chats(exported(whole, "jsonl"))) == 1

    def test_a_history_without_measure_is_all_of_it(self) -> None:
        endless, whole = ran(history_context_len=10**39), ran(history_context_len=None)
        assert exported(endless, "jsonl") == exported(whole, "jsonl")


@pytest.mark.parametrize("to", FORMAT_NAMES)
def test_a_discussion_that_has_not_begun_can_be_exported(to: Any) -> None:
    assert exported(record(), to) is not None


def test_escaping_leaves_plain_text_alone() -> None:
    plain = "Working from home, e.g. on Fridays: 3.5 hours (at most) – isn't that “enough”?"
    assert unescape(escaped(plain)).replace("\\.", ".") == plain


IN_AN_EXPERIMENT = ExperimentMembership({"turns": "robin", "moderation": "none"}, 3)
EVIL_TEXTS = st.text(min_size=1, max_size=40)


class TestTable:
    def test_parquet_keeps_types_where_a_column_is_empty(self) -> None:
        content = exported(record(said("Ann", "Hi", 1)), "parquet")
        assert isinstance(content, bytes)
        table = parquet.read_table(io.BytesIO(content))
        assert str(table.schema.field("repeat").type) == "int64"
        assert str(table.schema.field("reasoning").type) == "string"
        assert str(table.schema.field("is_silence").type) == "bool"

    def test_factors_are_columns_in_parquet_and_csv(self) -> None:
        whole = replace(ran(), experiment=IN_AN_EXPERIMENT)
        rows = parquet.read_table(io.BytesIO(exported(whole, "parquet"))).to_pylist()  # type: ignore[arg-type]
        assert [row["condition_turns"] for row in rows] == ["robin"] * len(whole.entries)
        assert {row["repeat"] for row in rows} == {3}
        first = table(exported(whole, "csv"))[0]  # type: ignore[arg-type]
        assert (first["condition_moderation"], first["repeat"]) == ("none", "3")

    @given(st.lists(st.tuples(EVIL_TEXTS, EVIL_TEXTS), min_size=1, max_size=5))
    def test_texts_and_names_come_back_from_parquet(self, posts: list[tuple[str, str]]) -> None:
        whole = record(*(replace(said("x", text, 1), name=name) for name, text in posts))
        rows = parquet.read_table(io.BytesIO(exported(whole, "parquet"))).to_pylist()  # type: ignore[arg-type]
        assert [(row["name"], row["text"]) for row in rows] == [
            (as_utf_8(name), as_utf_8(text)) for name, text in posts
        ]


def as_utf_8(text: str) -> str:
    return text.encode("utf-8", errors="replace").decode()


class TestConvoKit:
    def test_every_file_is_ascii_and_ids_are_unique(self) -> None:
        files = convokit.as_convokit([FULL, FULL, ran()])
        assert set(files) == {
            "utterances.jsonl", "speakers.json", "conversations.json", "corpus.json", "index.json"
        }  # fmt: skip
        assert all(text.isascii() for text in files.values())
        utterances = [json.loads(line) for line in files["utterances.jsonl"].splitlines()]
        assert len({each["id"] for each in utterances}) == len(utterances)
        assert {each["conversation_id"] for each in utterances} <= {
            each["id"] for each in utterances if each["reply-to"] is None
        }
        assert {each["speaker"] for each in utterances} == set(json.loads(files["speakers.json"]))

    def test_each_utterance_replies_to_the_one_before(self) -> None:
        lines = convokit.as_convokit([FULL])["utterances.jsonl"].splitlines()
        utterances = [json.loads(line) for line in lines]
        assert [each["text"] for each in utterances] == [each.text for each in FULL.messages]
        assert [each["reply-to"] for each in utterances[1:]] == [e["id"] for e in utterances[:-1]]

    @pytest.mark.campaign
    def test_convokit_reads_it(self, tmp_path: Path) -> None:
        corpora = pytest.importorskip("convokit")
        for name, text in convokit.as_convokit([FULL]).items():
            (tmp_path / name).write_text(text, encoding="ascii")
        corpus = corpora.Corpus(filename=str(tmp_path))
        assert [each.text for each in corpus.iter_utterances()] == [e.text for e in FULL.messages]


class TestShareGPT:
    def test_a_line_per_speaker_with_own_turns_as_gpt(self) -> None:
        whole = record(said("Ann", "One", 1), said("Bob", "Two", 2), said("Ann", "Three", 3))
        lines = [json.loads(line) for line in sharegpt.as_sharegpt([whole]).splitlines()]
        assert [line["speaker"] for line in lines] == ["Ann", "Bob"]
        turns = [
            (turn["from"], turn["value"])
            for turn in lines[0]["conversations"]
            if turn["from"] != "system"
        ]
        assert turns == [("gpt", "One"), ("human", "Bob: Two"), ("gpt", "Three")]

    def test_neighbours_are_joined_and_nothing_is_lost(self) -> None:
        whole = record(said("Ann", "One", 1), said("Bob", "Two", 2), said("Cyd", "Three", 3))
        first, *_ = (json.loads(line) for line in sharegpt.as_sharegpt([whole]).splitlines())
        assert first["conversations"][-1] == {
            "from": "human", "value": "Bob: Two\n\nCyd: Three"
        }  # fmt: skip


class TestInspect:
    def test_a_sample_per_discussion_with_levels_and_epochs(self) -> None:
        whole = replace(ran(), experiment=IN_AN_EXPERIMENT)
        log = json.loads(inspect_log.as_inspect([whole, FULL]))
        first, second = log["samples"]
        assert (first["id"], first["epoch"]) == ("robin,none", 3)
        assert first["metadata"]["turns"] == "robin"
        assert (second["id"], second["epoch"]) == (FULL.id, 1)
        assert len(first["messages"]) == len(whole.entries)
        assert log["eval"]["config"] == {"epochs": 3}

    @pytest.mark.campaign
    def test_inspect_reads_it(self, tmp_path: Path) -> None:
        logs = pytest.importorskip("inspect_ai.log")
        file = tmp_path / f"{inspect_log.log_name([FULL])}.json"
        file.write_text(inspect_log.as_inspect([FULL]), encoding="utf-8")
        assert [entry.name for entry in logs.list_eval_logs(str(tmp_path))]
        (sample,) = logs.read_eval_log(str(file)).samples
        assert len(sample.messages) == len(FULL.entries)
