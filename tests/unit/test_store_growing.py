"""A growing discussion's file has the very bytes of one that is written anew."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndisco_tui.discussion import DiscussionRecord, DiscussionSetup, Message, Persona
from syndisco_tui.store import growing
from syndisco_tui.store.discussions import DiscussionFile, read_discussion
from syndisco_tui.store.format import to_bytes
from syndisco_tui.store.growing import GrowingFile

# Names and fields that look like the places where the entries go.
SETUP = DiscussionSetup(
    personas=(
        Persona.model_validate({"username": "Ann", "logs": [], "x": {"silences": []}}),
        Persona(username='  "logs": []'),
    ),
    context='\n  "logs": [],\n    "silences": []',
)
EMPTY = DiscussionRecord(id='"logs": []', started_at="2026-03-04T12:00:00+00:00", setup=SETUP)

entries = st.builds(
    Message,
    name=st.sampled_from(["Ann", "Bob"]),
    text=st.sampled_from(["", "a\nb", '"logs": []', "\ud800", "é🙂\u2028"]) | st.text(max_size=9),
    role=st.sampled_from(["user", "moderator", "human"]),
    turn=st.integers(0, 9),
    raw_text=st.none() | st.text(max_size=5),
)
histories = st.lists(st.lists(entries, max_size=5).map(tuple), max_size=5)


def content(file: GrowingFile, record: DiscussionRecord) -> bytes:
    return b"".join(file.parts(record))


@settings(deadline=None)
@given(histories=histories)
def test_the_bytes_are_the_same_whatever_was_written_before(
    histories: list[tuple[Message, ...]],
) -> None:
    file = GrowingFile()
    for said in histories:
        record = replace(EMPTY, entries=said, status="paused")
        assert content(file, record) == to_bytes(record)
        longer = replace(record, entries=(*said, Message("Cem", "More.", "user", 10)))
        assert content(file, longer) == to_bytes(longer)
        json.loads(content(file, longer))


def test_an_entry_is_put_into_words_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Message] = []
    really = growing.format.entry_to_json

    def noted(entry: Message) -> dict[str, Any]:
        asked.append(entry)
        return really(entry)

    monkeypatch.setattr(growing.format, "entry_to_json", noted)
    file, record = GrowingFile(), EMPTY
    for turn in range(1, 101):
        record = replace(record, entries=(*record.entries, Message("Ann", "Hi.", "user", turn)))
        content(file, record)
    assert len(asked) == 100


def test_what_is_saved_is_read_again(tmp_path: Path) -> None:
    file = DiscussionFile.create(tmp_path, datetime.now(UTC))
    record = EMPTY
    for turn in range(1, 6):
        text = "" if turn % 2 else f"Comment {turn}."
        record = replace(record, entries=(*record.entries, Message("Ann", text, "user", turn)))
        file.write(record)
        assert read_discussion(file.path) == record
    file.close()
