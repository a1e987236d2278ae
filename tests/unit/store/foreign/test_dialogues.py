"""ConvoKit corpora and SillyTavern chats: who said what, and that it can be continued."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndisco_tui.discussion import Discussion, DiscussionRecord
from syndisco_tui.store.export.convokit import as_convokit
from syndisco_tui.store.foreign.content import read_content
from syndisco_tui.workspace.importing import Importer, importable
from tests.support.foreign_files import file_with, lines, refusal
from tests.support.saved_discussions import FULL, record, said

THREAD = [
    {"id": "a", "conversation_id": "a", "text": "Who is right?", "speaker": "u/ann", "meta": {},
     "reply-to": None, "timestamp": 1_500_000_000, "vectors": []},
    {"id": "c", "conversation_id": "a", "text": "Neither.", "speaker": "u/ann", "meta": {},
     "reply_to": "b", "timestamp": 1_500_000_200, "vectors": []},
    {"id": "b", "conversation_id": "a", "text": "Bob is.", "speaker": "[deleted]", "meta": {},
     "reply-to": "a", "timestamp": "1500000100", "vectors": []},
    {"id": "d", "conversation_id": "d", "text": "Another one.", "speaker": "u/cyd", "meta": {},
     "reply-to": None, "timestamp": None, "vectors": []},
]  # fmt: skip


def corpus(folder: Path, utterances: Any = THREAD) -> Path:
    folder.mkdir(exist_ok=True)
    speakers = {"u/ann": {"meta": {"karma": 12, "age": {"odd": 1}}, "vectors": []}}
    file_with(folder, "speakers.json", speakers)
    file_with(folder, "conversations.json", {"a": {"meta": {"title": "A quarrel"}, "vectors": []}})
    file_with(folder, "index.json", {"version": 1})
    return file_with(folder, "utterances.jsonl", lines(*utterances))


def posts(record: DiscussionRecord) -> list[tuple[str, str]]:
    return [(entry.name, entry.text) for entry in record.entries]


class TestConvoKit:
    def test_a_conversation_is_a_discussion_in_order_of_time(self, tmp_path: Path) -> None:
        quarrel, other = read_content(corpus(tmp_path)).discussions
        assert quarrel.title == "A quarrel"
        assert quarrel.started_at == "2017-07-14T02:40:00+00:00"
        assert posts(quarrel) == [
            ("u/ann", "Who is right?"), ("[deleted]", "Bob is."), ("u/ann", "Neither.")
        ]  # fmt: skip
        assert {entry.role for entry in quarrel.entries} == {"human"}
        assert other.title == "Another one."

    def test_speakers_are_personas_with_their_metadata(self, tmp_path: Path) -> None:
        quarrel = read_content(corpus(tmp_path)).discussions[0]
        ann, _ = quarrel.setup.personas
        assert ann.model_extra == {"karma": 12, "meta_age": {"odd": 1}}

    def test_it_can_be_gone_on_with_from_any_message(self, tmp_path: Path) -> None:
        quarrel = read_content(corpus(tmp_path)).discussions[0]
        fork = Discussion(quarrel.setup, quarrel.entries).fork(2)
        request = fork.next_request()
        assert request is not None
        assert request.name in quarrel.setup.names
        assert "Bob is." in request.chat[-1].content

    def test_the_folder_is_one_import(self, tmp_path: Path) -> None:
        path = corpus(tmp_path / "corpus")
        assert importable([tmp_path]) == [path]
        saved = tmp_path / "saved"
        saved.mkdir()
        importer = Importer(saved, (), ())
        result = importer.import_file(path)
        assert (result.kind, result.new_discussions, len(result.files)) == ("discussion", 2, 2)
        assert importer.import_file(path).kind == "known"

    def test_older_corpora(self, tmp_path: Path) -> None:
        old = [{"id": "1", "root": "1", "user": "Ann", "text": "Hi", "reply-to": None}]
        (one,) = read_content(file_with(tmp_path, "utterances.json", old)).discussions
        assert posts(one) == [("Ann", "Hi")]

    def test_names_that_clash_or_are_none(self, tmp_path: Path) -> None:
        said = [
            {"conversation_id": "1", "text": "x", "speaker": name}
            for name in ("Ann", "ann", "", "\u200b", "Ann ")
        ]
        (one,) = read_content(corpus(tmp_path, said)).discussions
        assert len({name.casefold() for name in one.setup.names}) == 5

    @pytest.mark.parametrize(
        "line", [{"conversation_id": "1"}, {"text": "x"}, {"text": 3, "conversation_id": "1"}]
    )
    def test_a_broken_line_is_named(self, tmp_path: Path, line: Any) -> None:
        path = corpus(tmp_path, [THREAD[0], line, line])
        assert refusal(read_content, path).startswith(f"{path}: line 2: an utterance needs")

    def test_what_we_exported_comes_back(self, tmp_path: Path) -> None:
        for name, text in as_convokit([FULL]).items():
            (tmp_path / name).write_text(text, encoding="ascii")
        (back,) = read_content(tmp_path / "utterances.jsonl").discussions
        assert posts(back) == [(each.name, each.text) for each in FULL.messages]
        assert [(e.role, e.turn, e.model, e.prompt) for e in back.entries] == [
            (e.role, e.turn, e.model, e.prompt) for e in FULL.messages
        ]
        assert back.title == FULL.title
        by_name = {persona.name: persona for persona in back.setup.personas}
        assert by_name["Ann"] == FULL.setup.personas[0]

    NAMES = st.sampled_from(["Ann", "Bob", "Lin Ü", "確認", "x/y"])
    TEXTS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=40)

    @given(st.lists(st.tuples(NAMES, TEXTS), min_size=1, max_size=6))
    def test_nothing_is_lost_or_invented(
        self, tmp_path_factory: pytest.TempPathFactory, turns: list[tuple[str, str]]
    ) -> None:
        turns = [(name, text) for name, text in turns if text.strip()]
        if not turns:
            return
        folder = tmp_path_factory.mktemp("corpus")
        whole = record(*(said(name, text, n) for n, (name, text) in enumerate(turns, start=1)))
        for name, text in as_convokit([whole]).items():
            (folder / name).write_text(text, encoding="ascii")
        (back,) = read_content(folder / "utterances.jsonl").discussions
        assert posts(back) == turns


CHAT = [
    {"user_name": "Me", "character_name": "Mira", "chat_metadata": {}},
    {"name": "Mira", "is_user": False, "mes": "Hello.", "send_date": "July 14, 2017 2:40am"},
    {"name": "Me", "is_user": True, "mes": "Flour?", "send_date": 1500000100000},
    {"name": "Mira", "is_user": False, "mes": "Yes.", "send_date": "2017-07-14T02:43:20Z",
     "extra": {"model": "m-1", "reasoning": "She wants flour."}, "swipes": ["Yes.", "No."]},
    {"name": "System", "is_system": True, "mes": "hidden"},
]  # fmt: skip


class TestSillyTavern:
    def test_who_said_what(self, tmp_path: Path) -> None:
        content = read_content(file_with(tmp_path, "Mira - 2017.jsonl", lines(*CHAT)))
        (chat,) = content.discussions
        assert posts(chat) == [("Mira", "Hello."), ("Me", "Flour?"), ("Mira", "Yes.")]
        assert [each.role for each in chat.entries] == ["user", "human", "user"]
        assert [each.model for each in chat.entries] == ["unknown", "hardcoded", "m-1"]
        assert chat.entries[2].reasoning == "She wants flour."
        assert [each.created_at[:19] for each in chat.entries] == [
            "2017-07-14T02:40:00", "2017-07-14T02:41:40", "2017-07-14T02:43:20"
        ]  # fmt: skip
        assert chat.title == "Mira - 2017"
        assert content.notes == (
            "1 hidden system line left out", "1 alternative that nobody chose left out"
        )  # fmt: skip

    def test_without_a_header(self, tmp_path: Path) -> None:
        (chat,) = read_content(file_with(tmp_path, "c.jsonl", lines(*CHAT[1:3]))).discussions
        assert len(chat.entries) == 2

    def test_a_chat_of_nothing_is_refused(self, tmp_path: Path) -> None:
        path = file_with(tmp_path, "c.jsonl", lines(CHAT[0], {"name": "A", "mes": " "}))
        assert refusal(read_content, path) == f"{path}: has no messages"

    def test_a_broken_line_is_named(self, tmp_path: Path) -> None:
        content = lines(*CHAT[:2]) + b"{not json}\n"
        path = file_with(tmp_path, "c.jsonl", content)
        assert refusal(read_content, path).startswith(f"{path}: ")

    def test_it_is_finished_and_can_be_forked(self, tmp_path: Path) -> None:
        (chat,) = read_content(file_with(tmp_path, "c.jsonl", lines(*CHAT))).discussions
        assert chat.is_foreign
        assert json.dumps(chat.engine) == '{"imported_from": "SillyTavern"}'
        assert Discussion(chat.setup, chat.entries).fork(1).next_request() is not None
