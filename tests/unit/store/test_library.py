"""The library: every file in its list, newest first; what is kept of them is only a help."""

from __future__ import annotations

import json
import os
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from syndisco_tui.discussion import IMPORTED_FROM, DiscussionRecord
from syndisco_tui.discussion.marks import Mark
from syndisco_tui.store import library as module
from syndisco_tui.store.discussion_format import to_bytes, to_json
from syndisco_tui.store.discussions import read_discussion
from syndisco_tui.store.export import exported
from syndisco_tui.store.inputs import InputError
from syndisco_tui.store.library import Library, LibraryEntry
from syndisco_tui.store.lock import WriterLock
from syndisco_tui.store.summary import Summary, summarize_file
from tests.support.saved_discussions import FULL, record, said, silence
from tests.support.syndisco_files import each_export


class Place:
    def __init__(self, root: Path) -> None:
        self.folder = root / "discussions"
        self.folder.mkdir()
        self.cache = root / "cache" / "library.sqlite"

    def put(self, number: int, value: DiscussionRecord | str = FULL) -> Path:
        path = self.folder / f"2026{number:04}T000000000Z-00000000.json"
        content = value.encode() if isinstance(value, str) else to_bytes(value)
        path.write_bytes(content)
        return path

    def open(self) -> Library:
        return Library(self.folder, self.cache)

    def entries(self) -> list[LibraryEntry]:
        library = self.open()
        try:
            return [entry for slice_ in library.entries() for entry in slice_]
        finally:
            library.close()

    def matching(self, words: str) -> set[str] | None:
        library = self.open()
        list(library.entries())
        try:
            return library.matching(words)
        finally:
            library.close()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def count_readings(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    read: list[Path] = []

    def counted(path: Path) -> Any:
        read.append(path)
        return summarize_file(path)

    monkeypatch.setattr(module, "summarize_file", counted)
    return read


class TestSummaries:
    def test_says_what_a_list_shows(self, place: Place) -> None:
        (entry,) = [place.put(1)] and place.entries()
        assert entry.summary == Summary(
            id=FULL.id,
            status="running",
            heading="On “quotes”",
            started_at=FULL.started_at,
            names=("Ann", "Bob", "Guest"),
            moderator="Mod",
            model="auto",
            turn=2,
            turns=10,
            messages=5,
            fork_of="parent-id",
            batch="batch-id",
            number=2,
            count=8,
            first=("Ann", "Hello."),
            last=("Ann", "Half a sen"),
        )

    def test_a_silence_counts_as_a_turn(self, place: Place) -> None:
        path = place.put(1, record(said("Ann", "Hi", 1), silence("Bob", 2)))
        assert summarize_file(path)[0].turn == 2

    @pytest.mark.parametrize("to", ["syndisco-2.0", "syndisco-2.2"])
    def test_syndisco_s_own(self, place: Place, to: Any) -> None:
        path = place.put(1, exported(FULL, to))
        summary, words = summarize_file(path)
        assert (summary.status, summary.own_format) == ("syndisco", False)
        assert "Ann: Half a sen" in words.splitlines()
        assert summary.id == read_discussion(path).id

    @each_export
    def test_agrees_with_the_whole_record(self, path: Path) -> None:
        whole, (summary, _) = read_discussion(path), summarize_file(path)
        assert summary.id == whole.id
        assert summary.started_at == whole.started_at
        assert set(summary.names) == {persona.name for persona in whole.setup.personas}
        assert summary.model == whole.setup.model
        assert summary.heading == whole.heading

    @pytest.mark.parametrize(
        "content",
        [
            "",
            "{",
            "[]",
            '{"logs": 3}',
            '{"logs": [], "seconds": NaN}',
            "\ud800".encode("utf-8", "surrogatepass"),
            "[" * 100_000,
        ],
    )
    def test_a_file_that_cannot_be_read_is_listed_as_such(
        self, place: Place, content: str | bytes
    ) -> None:
        path = place.folder / "x.json"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        summary, _ = summarize_file(path)
        assert summary.status == "unreadable"
        assert summary.error
        assert summary.heading == "x.json"

    def test_a_fork_is_ours_whoever_made_its_parent(self, place: Place) -> None:
        fork = replace(FULL, status="finished", engine={IMPORTED_FROM: "SynDisco 2.0"})
        path = place.put(1, fork)
        assert summarize_file(path)[0].status == "finished"
        assert not read_discussion(path).is_foreign

    @pytest.mark.parametrize(
        ("old", "new", "fault"),
        [
            ('"text": "Half a sen"', '"text": null', "logs, entry 5, text: must be text, not None"),
            ('"name": "Guest"', '"name": null', "logs, entry 4, name: must be text, not None"),
            ('"logs": [', '"logs": ["hello",', "logs, entry 1: must be a table of fields, not"),
            ('"format": 1', '"format": 2', "in format 2; this version reads format 1: upgrade"),
            ('"conv_len": 10', '"conv_len": 0', "setup, conv_len: must be at least 1, not 0"),
            ('"status": "running"', '"status": "done"', "status: must be 'running'"),
        ],
    )
    def test_what_cannot_be_opened_is_listed_with_its_fault(
        self, place: Place, old: str, new: str, fault: str
    ) -> None:
        text = to_bytes(FULL).decode()
        assert old in text
        path = place.put(1, text.replace(old, new, 1))
        with pytest.raises(InputError):
            read_discussion(path)
        (entry,) = place.entries()
        assert entry.summary.status == "unreadable"
        assert fault in entry.summary.error
        assert str(path) not in entry.summary.error
        assert (entry.summary.heading, entry.summary.id) == ("On “quotes”", FULL.id)
        assert entry.summary.started_at == FULL.started_at  # it stays in its row of the list

    @pytest.mark.parametrize(
        "value",
        [
            {"logs": [3, None, {"name": 1, "text": {}, "turn": "x"}], "users": [1, None]},
            {"logs": [], "syndisco_tui": {"setup": 3, "silences": [None], "parent": "x"}},
            {"logs": [], "users": 5, "syndisco_tui": {"silences": True}},
            {"logs": [], "users": ["Ann", "ann"]},
            {"logs": [], "annotator_model": "m"},
        ],
    )
    def test_odd_values_are_faults_and_no_end(self, place: Place, value: Any) -> None:
        path = place.put(1, json.dumps(value))
        with pytest.raises(InputError) as caught:
            read_discussion(path)
        assert summarize_file(path)[0].error == str(caught.value).removeprefix(f"{path}: ")

    def test_a_whole_copy_of_a_damaged_one_can_be_imported(self, place: Place) -> None:
        place.put(1, to_bytes(FULL).decode().replace('"text": "Hello."', '"text": 3'))
        library = place.open()
        assert library.ids() == set()
        place.put(2, FULL)
        assert library.ids() == {FULL.id}
        library.close()

    def test_a_fault_that_shows_only_when_it_is_opened_is_noted(self, place: Place) -> None:
        twice = to_bytes(FULL).decode().replace('"title": "On', '"title": "", "title": "On', 1)
        path = place.put(1, twice)
        (entry,) = place.entries()
        assert not entry.summary.error
        with pytest.raises(InputError) as caught:
            read_discussion(path)
        library = place.open()
        noted = library.note_error(path, str(caught.value))
        assert "the key “title” appears twice" in noted.summary.error
        assert [entry for slice_ in library.entries() for entry in slice_] == [noted]
        library.close()
        assert place.entries() == [noted]  # in the next start too
        place.put(1, FULL)
        assert not place.entries()[0].summary.error


class TestTheList:
    def test_newest_first(self, place: Place) -> None:
        paths = [place.put(number) for number in (3, 1, 2)]
        assert [entry.path for entry in place.entries()] == [paths[0], paths[2], paths[1]]

    def test_the_first_page_comes_before_the_rest_is_read(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for number in range(module.FIRST_SLICE + 30):
            place.put(number)
        read = count_readings(monkeypatch)
        slices = place.open().entries()
        assert len(next(slices)) == len(read) == module.FIRST_SLICE
        assert sum(map(len, slices)) == 30

    def test_what_is_known_is_not_read_again(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for number in range(5):
            place.put(number)
        before = place.entries()
        read = count_readings(monkeypatch)
        assert place.entries() == before
        assert read == []

    def test_what_has_changed_is(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        place.put(1)
        place.put(2)
        place.entries()
        read = count_readings(monkeypatch)
        path = place.put(1, replace(FULL, title="Another title"))
        assert place.entries()[1].summary.heading == "Another title"
        assert read == [path]

    def test_a_writer_is_seen(self, place: Place) -> None:
        path = place.put(1)
        lock = WriterLock(path)
        assert place.entries()[0].has_writer
        lock.release()
        assert not place.entries()[0].has_writer

    def test_an_empty_folder_and_none(self, place: Place, tmp_path: Path) -> None:
        assert place.entries() == []
        assert list(Library(tmp_path / "nowhere", place.cache).entries()) == [[]]


class TestTheWords:
    def test_title_names_model_and_text(self, place: Place) -> None:
        path = place.put(1, replace(FULL, title="A fork"))
        place.put(2, record(said("Ann", "Nothing to see", 1)))
        for words in ("fork", "GUEST", "let me in", "ünïcödé", "be kind half"):
            assert place.matching(words) == {path.name}, words

    def test_marks_of_messages_and_of_silences(self, place: Place) -> None:
        refused = replace(said("Ann", "I cannot", 1), marks=(Mark("refusal"),))
        nothing = replace(silence("Bob", 2), marks=(Mark("left_out", "Ann"),))
        place.put(1, record(refused))
        place.put(2, record(said("Ann", "Hi", 1), nothing))
        place.put(3, record(said("Ann", "Hi", 1)))
        older = to_json(record(said("Ann", "Bob: Hi", 1)))
        older["logs"][0]["speaks_as"] = "Bob"
        place.put(4, json.dumps(older))
        for words, numbers in {
            "mark:refusal": (1,),
            "mark:left_out": (2,),
            "mark:": (1, 2, 4),
            "mark:speaks_as hi": (4,),
        }.items():
            assert place.matching(words) == {
                f"2026{n:04}T000000000Z-00000000.json" for n in numbers
            }

    def test_every_word_must_occur(self, place: Place) -> None:
        place.put(1)
        assert place.matching("kind unheard-of") == set()
        assert place.matching("  ") is None

    def test_no_word_is_a_pattern(self, place: Place) -> None:
        place.put(1)
        assert place.matching("k%d") == set()
        assert place.matching("k_nd") == set()

    def test_what_was_deleted_leaves_nothing_behind(self, place: Place) -> None:
        path = place.put(1, record(said("Ann", "a secret word", 1)))
        assert place.matching("secret")
        path.unlink()
        assert place.matching("secret") == set()
        assert b"secret" not in place.cache.read_bytes()

    def test_the_message_that_matched_is_told_with_its_speaker(self, place: Place) -> None:
        first = place.put(1, record(said("Ann", "One.", 1), said("Bob", "A\nsecond WORD.", 2)))
        place.put(2, record(said("Ann", "Nothing", 1)))
        library = place.open()
        list(library.entries())
        names = library.matching("second word")
        assert names == {first.name}
        assert library.matching_lines(names, "second word") == {first.name: "Bob: A second WORD."}
        library.close()


class TestTheCache:
    def test_it_is_its_owner_s_alone(self, place: Place) -> None:
        place.entries()
        assert place.cache.stat().st_mode & 0o777 == 0o600

    @pytest.mark.parametrize(
        "content", [b"not a database", b"", b"SQLite format 3\0" + b"x" * 5000]
    )
    def test_a_broken_one_is_made_again(self, place: Place, content: bytes) -> None:
        place.put(1)
        place.cache.parent.mkdir()
        place.cache.write_bytes(content)
        assert len(place.entries()) == 1
        assert place.matching("kind")

    def test_one_that_breaks_in_its_middle_too(self, place: Place) -> None:
        for number in range(100):
            place.put(number)
        place.entries()
        size = place.cache.stat().st_size
        with place.cache.open("r+b") as file:
            file.seek(4096)
            file.write(os.urandom(size - 4096))
        assert len(place.entries()) == 100
        assert len(place.matching("kind") or ()) == 100

    def test_an_older_layout_is_thrown_away(self, place: Place) -> None:
        place.cache.parent.mkdir()
        with sqlite3.connect(place.cache) as database:
            database.execute("CREATE TABLE summaries (x)")
            database.execute("PRAGMA user_version = 99")
        place.put(1)
        assert len(place.entries()) == 1

    def test_where_none_can_be_kept_it_works_all_the_same(self, place: Place) -> None:
        place.put(1)
        place.cache.parent.touch()
        assert len(place.entries()) == 1
        assert place.matching("kind")

    def test_two_at_once(self, place: Place) -> None:
        place.put(1)
        one, other = place.open(), place.open()
        assert list(one.entries()) == list(other.entries())
        assert one.matching("kind") == other.matching("kind") != set()
