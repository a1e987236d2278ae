"""A growing discussion's file has the very bytes of one that is written anew."""

from __future__ import annotations

import errno
import gc
import os
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndisco_tui.discussion import DiscussionRecord, DiscussionSetup, Entries, Message, Persona
from syndisco_tui.store import growing_file as growing
from syndisco_tui.store.atomic import write_atomic
from syndisco_tui.store.discussion_format import to_bytes
from syndisco_tui.store.discussions import DiscussionFile, read_discussion
from syndisco_tui.store.growing_file import GrowingFile

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


def longer(record: DiscussionRecord, *messages: Message) -> DiscussionRecord:
    return replace(record, entries=Entries.of(record.entries).plus(*messages))


def write(file: GrowingFile, record: DiscussionRecord, path: Path) -> None:
    write_atomic(path, file.parts(record))
    file.saved(path)


@settings(deadline=None)
@given(histories=histories, kept=st.booleans())
def test_the_bytes_are_the_same_whatever_was_written_before(
    tmp_path_factory: pytest.TempPathFactory, histories: list[tuple[Message, ...]], kept: bool
) -> None:
    path = tmp_path_factory.mktemp("growing") / "discussion.json"
    file = GrowingFile()
    for said in histories:
        record = replace(EMPTY, entries=Entries(said), status="paused")
        write(file, record, path)
        assert path.read_bytes() == to_bytes(record)
        if not kept:
            assert b"".join(file.parts(record)) == to_bytes(record)  # and written nowhere
        record = longer(record, Message("Cem", "More.", "user", 10), Message("Ann", "", "user", 11))
        for title in ("", "Another, and longer"):
            record = replace(record, title=title)
            write(file, record, path)
            assert path.read_bytes() == to_bytes(record)
    file.close()


def _rewritten(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content.replace(b"Hi.", b"Ho."))
    os.utime(path, ns=(1, 1))


SPOILT = {
    "cut short": lambda path: os.truncate(path, 100),
    "rewritten": _rewritten,
    "replaced": lambda path: write_atomic(path, b"{}"),
    "gone": lambda path: path.unlink(),
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT.keys())
def test_what_others_do_to_the_saved_file_does_not_spread(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    path, file = tmp_path / "discussion.json", GrowingFile()
    record = replace(EMPTY, entries=tuple(Message("Ann", "Hi.", "user", n) for n in range(9)))
    write(file, record, path)
    spoil(path)
    record = longer(record, Message("Bob", "More.", "user", 10))
    write(file, record, path)
    assert path.read_bytes() == to_bytes(record)


def test_a_saved_file_that_cannot_be_read_holds_nothing_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, file = tmp_path / "discussion.json", GrowingFile()
    record = replace(EMPTY, entries=(Message("Ann", "Hi.", "user", 1),))
    write(file, record, path)
    before = path.read_bytes()

    def broken(*_: object) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    record = longer(record, Message("Bob", "More.", "user", 2))
    monkeypatch.setattr(os, "pread", broken)
    with pytest.raises(OSError, match="Input/output"):
        write(file, record, path)
    assert path.read_bytes() == before
    write(file, record, path)  # the next try asks nothing of it
    assert path.read_bytes() == to_bytes(record)


def test_an_entry_is_put_into_words_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Message] = []
    really = growing.format.entry_to_json

    def noted(entry: Message) -> dict[str, Any]:
        asked.append(entry)
        return really(entry)

    monkeypatch.setattr(growing.format, "entry_to_json", noted)
    file, record = GrowingFile(), EMPTY
    for turn in range(1, 101):
        record = longer(record, Message("Ann", "Hi.", "user", turn))
        write(file, record, tmp_path / "discussion.json")
    assert len(asked) == 100
    file.close()


def test_what_was_saved_is_kept_in_the_file_alone(tmp_path: Path) -> None:
    path, file = tmp_path / "discussion.json", GrowingFile()
    said = (Message("Ann", "Hi." * 500, "user", turn) for turn in range(2000))
    record = replace(EMPTY, entries=tuple(said))
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        write(file, record, path)
        write(file, longer(record, Message("Ann", "More.", "user", 2000)), path)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert path.stat().st_size > 3_000_000
    assert after - before < 300_000
    file.close()


def test_what_is_saved_is_read_again(tmp_path: Path) -> None:
    file = DiscussionFile.create(tmp_path, datetime.now(UTC))
    record = EMPTY
    for turn in range(1, 6):
        text = "" if turn % 2 else f"Comment {turn}."
        record = replace(record, entries=(*record.entries, Message("Ann", text, "user", turn)))
        file.write(record)
        assert read_discussion(file.path) == record
    file.close()
