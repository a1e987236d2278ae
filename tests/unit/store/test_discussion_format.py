"""A discussion's file: all of the record, all that SynDisco writes, and all that SynDisco reads."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndisco_tui.discussion import (
    Discussion,
    DiscussionRecord,
    EarlierSetup,
    Message,
    Persona,
    Reply,
)
from syndisco_tui.discussion.marks import Mark
from syndisco_tui.store.discussion_format import FORMAT, from_json, to_bytes, to_json
from syndisco_tui.store.discussions import read_discussion
from syndisco_tui.store.inputs import InputError
from tests.support.saved_discussions import (
    FULL,
    KEYS_OF_2_0_1,
    KEYS_OF_A_LOG,
    SETUP,
    record,
    said,
    silence,
)
from tests.support.syndisco_files import OWN, each_export, each_run, files_in, name_of


def written(value: DiscussionRecord) -> Any:
    """What stands in the file, as a JSON reader sees it."""
    return json.loads(to_bytes(value))


def refusal(value: object) -> str:
    with pytest.raises(InputError) as caught:
        from_json(value, "file.json")
    return str(caught.value)


class TestRoundTrip:
    def test_everything_comes_back(self) -> None:
        assert from_json(written(FULL), "f") == FULL

    def test_a_discussion_that_has_not_begun_comes_back(self) -> None:
        assert from_json(written(record()), "f") == record()

    @pytest.mark.parametrize(
        "silent", [(0,), (1,), (3,), (0, 1), (2, 3), (1, 2), (0, 3), (0, 1, 2, 3)]
    )
    def test_silences_keep_their_places(self, silent: tuple[int, ...]) -> None:
        entries = [
            silence(name, turn + 1) if turn in silent else said(name, f"I say {turn}", turn + 1)
            for turn, name in enumerate(["Ann", "Bob", "Ann", "Bob"])
        ]
        assert from_json(written(record(*entries)), "f").entries == tuple(entries)

    @given(st.lists(st.sampled_from(["", "Well.", '"', "\u2028", "\x00"]), max_size=12))
    def test_any_order_of_silences_and_messages_comes_back(self, texts: list[str]) -> None:
        entries = [said("Ann", text, turn) for turn, text in enumerate(texts, start=1)]
        assert from_json(written(record(*entries)), "f").entries == tuple(entries)

    @given(st.text(min_size=1), st.text())
    def test_any_text_comes_back(self, text: str, raw: str) -> None:
        spoken = record(said("Ann", text, 1, raw_text=raw))
        assert from_json(written(spoken), "f") == spoken

    def test_what_the_guard_noted_comes_back_of_messages_and_silences(self) -> None:
        message = Message("Ann", "Hi", "user", 1, raw_text="User Bob posted: Hi")
        message = replace(message, marks=(Mark("speaks_as", "Bob"), Mark("refusal")))
        nothing = Message("Ann", "", "user", 2, original_text="Hi")
        nothing = replace(nothing, marks=(Mark("left_out", "Bob"),))
        marked = replace(FULL, entries=(message, nothing), changes=())
        assert from_json(written(marked), "f").entries == (message, nothing)
        log = to_json(marked)["logs"][0]
        assert log["marks"] == [{"kind": "speaks_as", "name": "Bob"}, {"kind": "refusal"}]
        assert message.mark_labels == ("speaks as Bob", "refusal")
        assert nothing.mark_labels == ("what followed as Bob was left out",)

    def test_marks_of_older_files_are_read(self) -> None:
        value = written(record(said("Ann", "Hi", 1), silence("Bob", 2)))
        value["logs"][0]["speaks_as"] = "Bob"
        value["syndisco_tui"]["silences"][0]["went_on_as"] = "Ann"
        entries = from_json(value, "f").entries
        assert [each.marks for each in entries] == [
            (Mark("speaks_as", "Bob"),),
            (Mark("left_out", "Ann"),),
        ]

    def test_a_lone_surrogate_becomes_a_question_mark(self) -> None:
        back = from_json(written(record(said("Ann", "a\ud800b", 1))), "f")
        assert back.entries[0].text == "a?b"

    def test_free_fields_of_a_persona_are_kept(self) -> None:
        back = from_json(written(FULL), "f")
        assert back.setup.personas[0].as_dict()["shoe_size"] == 38

    def test_writing_what_was_read_gives_the_same_bytes(self) -> None:
        assert to_bytes(from_json(written(FULL), "f")) == to_bytes(FULL)


class TestForSyndisco:
    def test_every_key_of_2_0_1_is_there(self) -> None:
        assert set(to_json(FULL)) == KEYS_OF_2_0_1 | {"syndisco_tui"}
        for log in to_json(FULL)["logs"]:
            assert set(log) >= KEYS_OF_A_LOG

    @pytest.mark.parametrize(
        "path",
        [path for path in files_in("formats") if path.stem == "discussion-2.0.1"],
        ids=name_of,
    )
    def test_the_keys_are_those_of_an_export_of_2_0_1(self, path: Path) -> None:
        real = json.loads(path.read_text())
        assert set(real) == KEYS_OF_2_0_1
        ours = to_json(FULL)
        for key, value in real.items():
            assert isinstance(ours[key], type(value)) or None in (ours[key], value), key
        assert set(real["logs"][0]) <= set(ours["logs"][1])
        assert set(real["user_prompts"][0]) == set(ours["user_prompts"][0])
        assert set(real["moderator_prompt"]) == set(ours["moderator_prompt"])

    def test_the_values_are_in_its_words(self) -> None:
        value = to_json(FULL)
        assert value["timestamp"] == "26-03-04-05-06"
        assert value["users"] == ["Ann", "Bob", "Guest"]
        assert value["moderator"] == "Mod"
        assert value["ctx_length"] is None
        assert value["user_prompts"][0]["persona"]["username"] == "Ann"
        assert value["user_prompts"][0]["type"] == "1"
        assert value["moderator_prompt"]["instructions"] == SETUP.moderator_instructions
        assert value["logs"][0] | {"prompt": ""} == value["logs"][0]
        assert value["logs"][0]["model"] == "hardcoded"

    def test_who_spoke_is_named_though_they_have_left(self) -> None:
        now = SETUP.model_copy(update={"personas": (Persona(username="Zoe"),), "moderator": None})
        left = replace(FULL, setup=now, earlier_setups=(EarlierSetup(2, SETUP, 5),))
        value = to_json(left)
        assert value["users"] == ["Zoe", "Ann", "Bob", "Guest"]
        assert [each["persona"]["username"] for each in value["user_prompts"]] == value["users"]
        assert value["user_prompts"][1] == to_json(FULL)["user_prompts"][0]
        assert value["moderator"] == "Mod"
        assert value["moderator_prompt"] == to_json(FULL)["moderator_prompt"]

    def test_a_moderator_who_was_replaced_is_named(self) -> None:
        chair = SETUP.model_copy(update={"moderator": Persona(username="Chair")})
        value = to_json(replace(FULL, setup=chair, earlier_setups=(EarlierSetup(2, SETUP, 5),)))
        assert value["moderator"] == "Chair"
        assert value["users"] == ["Ann", "Bob", "Mod", "Guest"]

    def test_without_a_moderator_there_is_none(self) -> None:
        value = to_json(record(setup=SETUP.model_copy(update={"moderator": None})))
        assert value["moderator"] is None
        assert value["moderator_prompt"] is None

    def test_2_2_1_can_load_the_logs(self) -> None:
        """Its Logs.from_file wants a list ``logs``; of each entry name, text, model and prompt."""
        value = written(replace(FULL, entries=(*FULL.entries, silence("Bob", 3))))
        assert isinstance(value["logs"], list)
        assert len(value["logs"]) == len(FULL.entries)
        for log in value["logs"]:
            assert all(isinstance(log[key], str) for key in KEYS_OF_A_LOG)
            assert log["text"].strip()

    def test_it_is_strict_json_in_utf_8(self) -> None:
        content = to_bytes(FULL).decode("utf-8")
        assert "Ünïcödé 🙂" in content
        assert json.loads(content, parse_constant=pytest.fail) == to_json(FULL)


class TestFromSyndisco:
    @each_run
    def test_a_run_of_2026_is_read(self, path: Path) -> None:
        value = json.loads(path.read_text())
        read = read_discussion(path)
        assert read.status == "finished"
        assert [(m.name, m.text, m.model) for m in read.entries] == [
            (log["name"], log["text"], log["model"]) for log in value["logs"]
        ]
        moderator = value["moderator"]
        assert [persona.name for persona in read.setup.personas] == [
            name for name in value["users"] if name != moderator
        ]
        assert (read.setup.moderator.name if read.setup.moderator else None) == moderator
        assert read.setup.history_context_len == value["ctx_length"]
        prompts = {p["persona"]["username"]: p for p in map(json.loads, value["user_prompts"])}
        for persona in read.setup.personas:
            assert persona.as_dict() == prompts[persona.username]["persona"]
        assert all(m.role == "seed" for m in read.entries if m.model == "hardcoded")
        assert all(m.role == "moderator" for m in read.entries if m.name == moderator)

    @each_export
    def test_every_layout_can_be_saved_as_ours(self, path: Path) -> None:
        read = read_discussion(path)
        assert from_json(written(read), path) == read

    def test_2_0_1_is_read_with_its_prompts_as_objects(self) -> None:
        read = read_discussion(OWN / "formats" / "discussion-2.0.1.json")
        assert [persona.name for persona in read.setup.personas] == ["Ada", "Tomas"]
        assert read.setup.personas[0].age == 52
        assert read.setup.moderator is not None
        assert read.setup.moderator.name == "Chair"
        assert read.started_at.startswith("2026-04-12T20:41")
        assert len(read.entries) == 6

    def test_2_2_1_is_read_from_its_logs_alone(self) -> None:
        read = read_discussion(OWN / "formats" / "logs-2.2.1.json")
        assert [(entry.name, entry.turn) for entry in read.entries] == [("Ada", 1), ("Tomas", 2)]
        assert [persona.name for persona in read.setup.personas] == ["Ada", "Tomas"]
        assert read.setup.moderator is None
        assert read.entries[0].prompt.startswith('{"context"')


class TestWhatPeopleChanged:
    def test_a_file_from_before_people_could_change_things_is_read(self) -> None:
        value = written(replace(FULL, changes=(), speaker_override=None))
        assert "changes" not in value["syndisco_tui"]
        assert "floor" not in value["syndisco_tui"]
        del value["syndisco_tui"]["earlier_setups"][0]["length"]
        read = from_json(value, "f")
        assert (read.changes, read.speaker_override) == ((), None)
        assert read.earlier_setups[0].length == 4, "the entries of its last turn and before"

    def test_syndisco_finds_in_the_logs_what_stands_now(self) -> None:
        discussion = Discussion(SETUP.model_copy(update={"moderator": None}))
        for text in ("one", "two", "three"):
            request = discussion.next_request()
            assert request is not None
            discussion.post(request, Reply(text))
        discussion.edit(1, "edited")
        discussion.delete()
        value = written(
            record(
                *discussion.entries,
                setup=discussion.setup,
                changes=discussion.changes,
            )
        )
        assert [log["text"] for log in value["logs"]] == ["Hello.", "edited", "two"]
        assert value["logs"][1]["original_text"] == "one"
        assert [change["kind"] for change in value["syndisco_tui"]["changes"]] == [
            "edited",
            "deleted",
        ]
        resumed = Discussion.from_record(from_json(value, "f"))
        resumed.undo()
        resumed.undo()
        assert [entry.text for entry in resumed.entries] == ["Hello.", "one", "two", "three"]

    def test_setups_that_are_the_records_own_are_not_written_again(self) -> None:
        change = replace(FULL.changes[2], earlier_setups=FULL.earlier_setups, setup=SETUP)
        (value,) = written(replace(FULL, changes=(change,)))["syndisco_tui"]["changes"]
        assert not {"setup", "earlier_setups"} & set(value)


class TestRefusals:
    def test_a_newer_format_asks_for_an_upgrade(self) -> None:
        value = written(FULL)
        value["syndisco_tui"] |= {"format": FORMAT + 1, "version": "9.0"}
        assert refusal(value) == (
            "file.json: written by syndisco-tui 9.0 in format 2; this version reads format 1: "
            "upgrade syndisco-tui"
        )

    def test_a_newer_format_may_look_like_nothing_we_know(self) -> None:
        value = {"syndisco_tui": {"format": 7, "setup": "elsewhere", "status": "dreaming"}}
        assert "in format 7" in refusal(value)

    @pytest.mark.parametrize(
        ("value", "sentence"),
        [
            ([], "must be a table of fields, not list"),
            ("text", "must be a table of fields, not 'text'"),
            ({}, "logs: is missing"),
            ({"logs": {}}, "logs: must be a list, not dict"),
            ({"logs": ["text"]}, "logs, entry 1: must be a table of fields"),
            ({"logs": [{"name": "Ann"}]}, "logs, entry 1, text: is missing"),
            ({"logs": [{"name": 1, "text": ""}]}, "logs, entry 1, name: must be text, not 1"),
            ({"logs": [], "users": [1]}, "users, entry 1: must be text, not 1"),
            ({"logs": [], "ctx_length": -1}, "ctx_length: must be at least 0, not -1"),
            ({"logs": [], "syndisco_tui": 1}, "syndisco_tui: must be a table of fields, not 1"),
            ({"logs": [], "syndisco_tui": {}}, "syndisco_tui, format: is missing"),
        ],
    )
    def test_the_field_is_named(self, value: object, sentence: str) -> None:
        assert refusal(value).startswith(f"file.json: not a discussion: {sentence}")

    def test_two_users_of_one_name(self) -> None:
        value = {"logs": [], "users": ["Ann", "Bob", "ann "]}
        assert refusal(value) == "file.json: the usernames “Ann” and “ann” are the same"

    @pytest.mark.parametrize(
        ("field", "value", "sentence"),
        [
            ("status", "dreaming", "status: must be 'running', 'paused', 'finished' or 'failed'"),
            ("started_at", "yesterday", "started_at: must be a time such as"),
            ("setup", {"conv_len": 0}, "setup, conv_len: must be at least 1, not 0"),
            ("setup", {"tempo": 1}, "setup: there is no key “tempo”"),
            ("silences", [{"name": "Ann"}], "silences, entry 1, text: is missing"),
            ("parent", {"id": "x"}, "parent, turn: is missing"),
            ("floor", {"turn": 1}, "floor, name: is missing"),
            ("changes", {}, "changes: must be a list"),
            ("changes", [{"kind": "x"}], "changes, entry 1, kind: must be 'injected', 'edited'"),
            (
                "changes",
                [{"kind": "edited", "position": -1, "length": 1}],
                "changes, entry 1, position: must be at least 0",
            ),
            (
                "changes",
                [{"kind": "edited", "position": 0, "length": 1, "before": [{"name": "Ann"}]}],
                "changes, entry 1, before, entry 1, text: is missing",
            ),
        ],
    )
    def test_our_own_fields_are_named(self, field: str, value: object, sentence: str) -> None:
        broken = written(FULL)
        broken["syndisco_tui"][field] = value
        assert refusal(broken).startswith(f"file.json: not a discussion: syndisco_tui, {sentence}")

    def test_a_prompt_that_is_no_json_is_passed_over(self) -> None:
        logs = [{"name": "Ann", "text": "Hello."}]
        for prompt in ("plain text", "[" * 100_000, "1" * 5_000, '{"persona": 3}'):
            read = from_json({"logs": logs, "user_prompts": [prompt]}, "f")
            assert [persona.name for persona in read.setup.personas] == ["Ann"]

    @settings(deadline=None)
    @given(st.data())
    def test_whatever_is_changed_it_is_refused_or_can_be_saved_again(self, data: Any) -> None:
        value = written(FULL)
        place: Any = value
        while True:
            key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else [0]))
            if (
                not isinstance(place[key], (dict, list))
                or not place[key]
                or data.draw(st.booleans())
            ):
                break
            place = place[key]
        junk = st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(-9, 9) | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2)
            ),
            max_leaves=4,
        )
        place[key] = data.draw(junk)
        try:
            read = from_json(value, "f")
        except InputError as error:
            told = str(error)
            assert told.startswith("f: ")
        else:
            again = from_json(written(read), "f")
            assert len(again.entries) == len(read.entries)
