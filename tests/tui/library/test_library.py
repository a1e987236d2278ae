"""The library on the screen: finding, opening, and all that is done to a saved discussion."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.events import Paste
from textual.widgets import Input, Static

from syndisco_tui.discussion import (
    BatchMembership,
    DiscussionRecord,
    DiscussionSetup,
    Message,
    Parent,
    Persona,
)
from syndisco_tui.store.discussion_format import to_bytes
from syndisco_tui.store.discussions import DiscussionFile, read_discussion
from syndisco_tui.store.export import csv_rows, exported
from syndisco_tui.store.library import LibraryEntry
from syndisco_tui.store.summary import Summary
from syndisco_tui.tui.inspect.compare import Compare
from syndisco_tui.tui.inspect.turn_lab import TurnLab
from syndisco_tui.tui.interventions.fork import ForkScreen
from syndisco_tui.tui.laboratory.screen import Laboratory
from syndisco_tui.tui.library.rows import identity, rows_of
from syndisco_tui.tui.library.screen import LibraryScreen
from syndisco_tui.tui.transcript.read_only import ReadOnlyScreen
from tests.support.bench import SIZES, TINY, Bench, OpenBench

NOON = datetime(2024, 3, 4, 12, tzinfo=UTC)


def discussion(number: int, title: str, text: str, **more: object) -> DiscussionRecord:
    """The newer, the higher its number."""
    setup = DiscussionSetup(
        title=title,
        personas=(Persona(username="Ann"), Persona(username="Bob")),
        model="org/small-model",
        conv_len=4,
    )
    values: dict[str, object] = {
        "id": f"id-{number}",
        "started_at": (NOON + timedelta(days=number)).isoformat(),
        "setup": setup,
        "entries": (
            Message("Ann", text, "user", 1, "small-model"),
            Message("Bob", "I see it in another way.", "user", 2, "small-model"),
        ),
        "status": "finished",
        "title": title,
        "engine": {"model": "org/small-model"},
    } | more
    return DiscussionRecord(**values)  # type: ignore[arg-type]


def save(folder: Path, record: DiscussionRecord) -> Path:
    folder.mkdir(exist_ok=True)
    started_at = datetime.fromisoformat(record.started_at)
    path = folder / f"{started_at:%Y%m%dT%H%M%S}000Z-00000000.json"
    path.write_bytes(to_bytes(record))
    return path


def save_four(folder: Path) -> list[Path]:
    """Oldest first: finished, paused, interrupted, and SynDisco's."""
    paths = [
        save(folder, discussion(1, "On cheese", "Cheese is milk's leap.")),
        save(folder, discussion(2, "On trains", "They are late.", status="paused")),
        save(
            folder,
            discussion(3, "On the sea", "It is wide.", status="running", parent=Parent("id-1", 1)),
        ),
    ]
    own = json.loads(exported(discussion(4, "x", "Made elsewhere."), "syndisco-2.0"))
    paths.append(folder / "20240308T120000000Z-syndisco.json")
    paths[-1].write_text(json.dumps(own))
    return paths


@pytest.fixture
def four(tmp_path: Path) -> list[Path]:
    return save_four(tmp_path / "discussions")


@pytest.fixture
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths are shown as those of the user's home: they are the same in every run."""
    monkeypatch.setenv("HOME", str(tmp_path))


async def go_to_library(at: Bench, count: int) -> LibraryScreen:
    await at.press("o")
    await at.until(lambda: isinstance(at.app.screen, LibraryScreen))
    screen = at.app.screen
    assert isinstance(screen, LibraryScreen)
    await at.until(lambda: not screen._is_loading and screen.discussions.counts[1] == count)
    return screen


def shown(screen: LibraryScreen) -> list[str]:
    return [entry.summary.heading for entry in screen.discussions.listed]


def shown_result(at: Bench) -> str:
    return str(at.app.screen.query_one("#library-result", Static).visual)


async def until_shown(at: Bench, screen: LibraryScreen, *headings: str) -> None:
    await at.until(lambda: shown(screen) == list(headings))


async def test_newest_first_each_with_its_state(bench: OpenBench, four: list[Path]) -> None:
    async with bench((80, 24)) as at:
        screen = await go_to_library(at, 4)
        assert shown(screen) == ["Ann and Bob", "On the sea", "On trains", "On cheese"]
        text = at.text()
        for words in (
            "imported · 2 turns · small-model · Ann and Bob",
            "interrupted · turn 2 of 4 · fork · small-model",
            "paused · turn 2 of 4",
            "finished · 2 turns",
            "8 Mar 2024",
            "4 discussions",
        ):
            assert words in text, words


async def test_a_wide_screen_shows_first_and_last_words(bench: OpenBench, four: list[Path]) -> None:
    async with bench() as at:
        await go_to_library(at, 4)
        await at.press("end")
        assert "Cheese is milk's leap." in at.text()
        assert "I see it in another way." in at.text()
        await at.pilot.resize_terminal(80, 24)
        await at.until(lambda: "milk's leap" not in at.text())


async def test_its_keys_fit_on_two_lines(bench: OpenBench, four: list[Path]) -> None:
    async with bench((80, 24)) as at:
        screen = await go_to_library(at, 4)
        await at.press("end", "delete")
        await until_shown(at, screen, "Ann and Bob", "On the sea", "On trains")
        await at.until(lambda: "u undo" in at.text())
        assert at.text().splitlines()[-2:] == [
            "  space mark  ⏎ open  r continue  f fork  / filter  e export  y copy path",
            "  del delete  u undo  esc back  ? help",
        ]


@pytest.mark.parametrize("started_at", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00"])
async def test_a_date_off_the_calendar_is_left_out(
    bench: OpenBench, tmp_path: Path, started_at: str
) -> None:
    save(tmp_path / "discussions", discussion(1, "On time", "Late.", started_at=started_at))
    async with bench() as at:
        await go_to_library(at, 1)
        assert "On time" in at.text()
        assert "started" not in at.text()


@pytest.mark.parametrize("size", SIZES)
async def test_nothing_saved_yet(bench: OpenBench, size: tuple[int, int]) -> None:
    async with bench(size=size) as at:
        await go_to_library(at, 0)
        shown = " ".join(at.text().split())
        assert "Nothing is saved yet. r in the laboratory runs a discussion; i imports" in shown
        assert "files." in shown
        await at.press("enter", "r", "e", "t", "delete", "u", "up", "pagedown", "end")
        await at.press("escape")
        assert isinstance(at.app.screen, Laboratory)


class TestFilter:
    @pytest.mark.parametrize(
        ("words", "headings"),
        [
            ("CHEESE", ["On cheese"]),
            ("late", ["On trains"]),
            ("on ann", ["On the sea", "On trains", "On cheese"]),
            ("small-model sea", ["On the sea"]),
            ("CHÉESE", ["On cheese"]),
            ("nowhere to be found", []),
        ],
    )
    async def test_as_you_type(
        self, bench: OpenBench, four: list[Path], words: str, headings: list[str]
    ) -> None:
        async with bench() as at:
            screen = await go_to_library(at, 4)
            await at.press("slash")
            await at.type(words)
            await until_shown(at, screen, *headings)
            assert f"{len(headings)} of 4" in at.text() or len(headings) == 4

    async def test_letters_are_letters_and_arrows_move(
        self, bench: OpenBench, four: list[Path]
    ) -> None:
        async with bench() as at:
            screen = await go_to_library(at, 4)
            await at.press("slash")
            await at.type("trequi")
            assert screen.filter_line.value == "trequi"
            await until_shown(at, screen)
            for _ in range(6):
                await at.press("backspace")
            await until_shown(at, screen, "Ann and Bob", "On the sea", "On trains", "On cheese")
            await at.press("down")
            assert at.app.focused is screen.discussions, "↓ leads into the results"
            assert screen.discussions.highlighted is not None
            assert screen.discussions.highlighted.path == four[3]
            await at.press("down", "down")
            assert screen.discussions.highlighted.path == four[1]

    async def test_escape_clears_then_leaves(self, bench: OpenBench, four: list[Path]) -> None:
        async with bench() as at:
            screen = await go_to_library(at, 4)
            await at.press("slash")
            await at.type("cheese")
            await until_shown(at, screen, "On cheese")
            await at.press("escape")
            await at.until(lambda: screen.discussions.counts == (4, 4))
            assert at.app.focused is screen.discussions
            highlighted = screen.discussions.highlighted
            assert highlighted is not None
            assert highlighted.path == four[0]  # where one was stays where one is
            await at.press("escape")
            assert isinstance(at.app.screen, Laboratory)

    async def test_what_is_saved_meanwhile_comes_in(
        self, bench: OpenBench, four: list[Path]
    ) -> None:
        async with bench() as at:
            screen = await go_to_library(at, 4)
            await at.press("slash")
            await at.type("leap")
            await until_shown(at, screen, "On cheese")
            save(at.folders.discussions, discussion(9, "On leaping", "One leap more."))
            await until_shown(at, screen, "On leaping", "On cheese")

    async def test_the_message_that_matched_is_shown(
        self, bench: OpenBench, four: list[Path]
    ) -> None:
        for size in [(120, 40), (80, 24)]:
            async with bench(size) as at:
                screen = await go_to_library(at, 4)
                assert "Ann: Cheese" not in at.text()
                await at.press("slash")
                await at.type("leap")
                await until_shown(at, screen, "On cheese")
                shown_times = at.text().count("Ann: Cheese is milk's leap.")
                assert shown_times == (2 if size[0] == 120 else 1), "in the row, in the preview"
                assert "↓ results" in at.text()
                await at.press("down", "up")
                assert at.app.focused is screen.filter_line, "up from the first leads back"


def of_batch(number: int, seed: int, **more: object) -> DiscussionRecord:
    record = discussion(number, "On ships", f"Ship number {seed}.", **more)
    setup = record.setup.model_copy(update={"seed": seed})
    return replace(record, setup=setup, batch=BatchMembership("batch", seed + 1, 4))


class TestBatches:
    @pytest.fixture
    def batch(self, four: list[Path]) -> list[Path]:
        """Three of four discussions: one is missing, one is paused."""
        states = ("finished", "paused", "finished")
        return [
            save(four[0].parent, of_batch(10 + seed, seed, status=status))
            for seed, status in enumerate(states)
        ]

    async def test_they_stand_below_one_row(self, bench: OpenBench, batch: list[Path]) -> None:
        async with bench() as at:
            screen = await go_to_library(at, 7)
            assert "batch · 2 of 4 finished" in at.text()
            assert "Batch of 4 discussions" in at.text()
            for state in ("2 finished", "1 paused", "1 not started"):
                assert state in at.text()
            assert "1 of 4   seed 0" not in at.text()
            await at.press("right", "down", "down")
            assert [f"{n} of 4   seed {n - 1}" in at.text() for n in (1, 2, 3, 4)] == [
                True,
                True,
                True,
                False,
            ]
            assert screen.discussions.highlighted
            assert screen.discussions.highlighted.path == batch[1]
            await at.press("left")
            assert screen.discussions.group, "the batch is highlighted where it is folded"
            assert "seed 0" not in at.text()
            await at.press("down")
            assert screen.discussions.highlighted.summary.heading == "Ann and Bob"

    async def test_a_filter_opens_them(self, bench: OpenBench, batch: list[Path]) -> None:
        async with bench() as at:
            screen = await go_to_library(at, 7)
            await at.press("slash")
            await at.type("number 2")
            await until_shown(at, screen, "On ships")
            assert "Ann: Ship number 2." in at.text()
            assert screen.discussions.highlighted
            assert screen.discussions.highlighted.path == batch[2]

    async def test_a_click_on_the_triangle_unfolds(
        self, bench: OpenBench, batch: list[Path]
    ) -> None:
        async with bench() as at:
            await go_to_library(at, 7)
            await at.pilot.click("DiscussionList", offset=(1, 0))
            assert "1 of 4   seed 0" in at.text()
            await at.pilot.click("DiscussionList", offset=(1, 0))
            assert "1 of 4   seed 0" not in at.text()

    async def test_a_whole_batch_is_exported_and_deleted(
        self, bench: OpenBench, batch: list[Path]
    ) -> None:
        async with bench() as at:
            screen = await go_to_library(at, 7)
            await at.press("e", "down", "down", "enter")
            await at.until(lambda: "3 discussions exported" in shown_result(at))
            assert sorted(path.name for path in at.folders.exports.iterdir()) == [
                f"On ships, {n} of 4, seed {n - 1}.md" for n in (1, 2, 3)
            ]
            assert at.app.clipboard == str(at.folders.exports)
            await at.press("e", "down", "down", "down", "enter")
            file = at.folders.exports / "On ships, 3 discussions.csv"
            await at.until(file.exists)
            text = csv_rows.as_csv([read_discussion(path) for path in batch])
            assert file.read_bytes().decode() == text
            await at.press("delete")
            await at.until(lambda: screen.discussions.counts == (4, 4))
            assert not any(path.exists() for path in batch)
            await at.press("u")
            await at.until(lambda: screen.discussions.counts == (7, 7))
            assert all(path.exists() for path in batch)

    def test_a_batch_stands_where_its_newest_discussion_is(self) -> None:
        def entry(name: str, batch: str = "", number: int = 0) -> LibraryEntry:
            return LibraryEntry(Path(name), Summary(name, "finished", batch=batch, number=number))

        entries = [entry("d"), entry("c", "x", 2), entry("b"), entry("a", "x", 1)]
        folded = rows_of(entries, (), all_open=False)
        assert [identity(row) for row in folded] == ["d", "x", "b"]
        unfolded = rows_of(entries, ("x",), all_open=False)
        assert [identity(row) for row in unfolded] == ["d", "x", "a", "c", "b"]


class TestMarks:
    async def test_several_at_once(self, bench: OpenBench, four: list[Path]) -> None:
        async with bench() as at:
            screen = await go_to_library(at, 4)
            await at.press("down", "space", "space", "space")
            assert "3 marked" in at.text()
            assert [entry.path for entry in screen.discussions.chosen] == four[2::-1]
            await at.press("end", "space")
            assert "2 marked" in at.text()
            assert "f fork" not in at.text(), "only what can be done with both is offered"
            await at.press("t")
            await at.until(lambda: isinstance(at.app.screen, TurnLab))
            await at.until(lambda: "2 discussions" in at.text())
            await at.press("escape", "c")
            await at.until(lambda: isinstance(at.app.screen, Compare))
            await at.until(lambda: "On the sea" in at.text() and "On trains" in at.text())
            await at.press("escape", "delete")
            await until_shown(at, screen, "Ann and Bob", "On cheese")
            assert "2 discussions are in the trash; u brings them back." in at.toasts()
            await at.press("u")
            await at.until(lambda: screen.discussions.counts == (4, 4))
            await at.until(lambda: "2 discussions are back." in at.toasts())

    async def test_escape_takes_the_marks_away_first(
        self, bench: OpenBench, four: list[Path]
    ) -> None:
        async with bench() as at:
            screen = await go_to_library(at, 4)
            await at.press("space", "escape")
            assert screen.discussions.marked == []
            assert at.app.screen is screen
            await at.press("escape")
            assert at.laboratory.is_current

    async def test_what_a_filter_hides_is_not_acted_on(
        self, bench: OpenBench, four: list[Path]
    ) -> None:
        async with bench() as at:
            screen = await go_to_library(at, 4)
            await at.press("end", "space", "slash")
            await at.type("late")
            await until_shown(at, screen, "On trains")
            await at.press("down", "delete")
            await at.until(lambda: screen.discussions.counts == (0, 3))
            assert four[0].exists(), "it is marked, but not shown"


class TestOpening:
    async def test_a_paused_one_is_shown_where_it_was_left(
        self, bench: OpenBench, four: list[Path]
    ) -> None:
        async with bench() as at:
            await go_to_library(at, 4)
            await at.press("down", "down", "enter")
            await at.until_state("paused")
            assert at.laboratory.is_current
            assert "They are late." in at.text()
            assert at.laboratory.setup.title == "On trains"
            assert read_discussion(four[1]).status == "paused"

    async def test_going_on_goes_on(self, bench: OpenBench, four: list[Path]) -> None:
        async with bench() as at:
            await go_to_library(at, 4)
            await at.press("down", "r")  # the interrupted one
            await at.until_state("finished")
            assert read_discussion(four[2]).turns_taken == 4

    async def test_a_finished_one_is_shown_and_not_gone_on_with(
        self, bench: OpenBench, four: list[Path]
    ) -> None:
        async with bench() as at:
            await go_to_library(at, 4)
            await at.press("end")
            assert "r continue" not in at.text()
            await at.press("r")
            assert isinstance(at.app.screen, LibraryScreen)
            await at.press("enter")
            await at.until(lambda: "milk's leap" in at.text())
            assert at.laboratory.is_current

    async def test_syndisco_s_own_is_only_read(self, bench: OpenBench, four: list[Path]) -> None:
        before = four[3].read_bytes()
        async with bench() as at:
            await go_to_library(at, 4)
            await at.press("enter")
            await at.until(lambda: "Made elsewhere." in at.text())
            assert isinstance(at.app.screen, ReadOnlyScreen)
            assert "read only" in at.text()
            await at.press("escape")
            assert isinstance(at.app.screen, LibraryScreen)
        assert four[3].read_bytes() == before

    async def test_the_open_one_is_marked_and_opens_as_it_is(
        self, bench: OpenBench, four: list[Path]
    ) -> None:
        async with bench() as at:
            at.laboratory._session.resume(four[1], run=False)
            await at.until_state("paused")
            await go_to_library(at, 4)
            assert "open here, paused" in at.text()
            await at.press("down", "down", "delete")
            assert four[1].exists()
            await at.press("enter")
            await at.until(lambda: at.laboratory.is_current)
            assert at.laboratory.view.phase == "paused"

    async def test_a_running_one_is_left_only_after_a_question(
        self, bench: OpenBench, four: list[Path]
    ) -> None:
        async with bench(delay=0.05) as at:
            await at.press("r")
            await at.until(lambda: "▌" in at.text())
            screen = await go_to_library(at, 5)
            assert "open here, running" in at.text()
            await at.press("end", "enter")
            assert "Open another discussion?" in at.text()
            await at.press("n")
            assert at.laboratory.view.phase == "running"
            screen = await go_to_library(at, 5)
            assert screen.discussions.highlighted
            await at.press("end", "enter", "y")
            await at.until(lambda: at.laboratory.setup.title == "On cheese")
            newest = max(at.folders.discussions.glob("*.json"))
            assert read_discussion(newest).status == "paused"

    async def test_a_fork_goes_on_from_its_last_message(
        self, bench: OpenBench, four: list[Path]
    ) -> None:
        before = four[1].read_bytes()
        async with bench() as at:
            screen = await go_to_library(at, 4)
            await at.press("down", "down", "f")
            await at.until(lambda: isinstance(at.app.screen, ForkScreen))
            assert "Begins with all messages so far." in at.text()
            await at.press("escape")
            assert at.app.screen is screen, "nothing was forked"
            await at.press("f")
            await at.until(lambda: isinstance(at.app.screen, ForkScreen))
            await at.press("enter")
            await at.until(lambda: at.laboratory.setup.title == "On trains (fork)")
            await at.until_state("paused")
            fork, parent = at.records()[0], read_discussion(four[1])
            assert fork.parent == Parent(parent.id, 2)
            assert (fork.entries, fork.status) == (parent.entries, "paused")
            await at.press("r")
            await at.until_state("finished")
        assert four[1].read_bytes() == before

    async def test_what_is_syndisco_s_or_cannot_be_read_is_not_forked(
        self, bench: OpenBench, four: list[Path]
    ) -> None:
        (four[0].parent / "29990101T000000000Z-00000000.json").write_text("{")
        async with bench() as at:
            screen = await go_to_library(at, 5)
            for place in ("home", "end"):
                await at.press(place)
                assert "f fork" not in at.text()
                await at.press("f")
            assert at.app.screen is screen
            await at.press("up")
            assert "f fork" in at.text()

    async def test_a_file_that_cannot_be_read_says_why(
        self, bench: OpenBench, four: list[Path]
    ) -> None:
        (four[0].parent / "29990101T000000000Z-00000000.json").write_text("{")
        async with bench() as at:
            screen = await go_to_library(at, 5)
            assert "not valid JSON" in at.text()
            await at.press("end", "enter")
            await at.until(lambda: "not valid JSON" in at.toasts())
            assert at.app.screen is screen


class TestRunningElsewhere:
    async def test_it_is_followed_read_only(self, bench: OpenBench, tmp_path: Path) -> None:
        record = discussion(1, "Elsewhere", "First words.", status="running")
        folder = tmp_path / "discussions"
        folder.mkdir()
        file = DiscussionFile.create(folder, NOON)
        file.write(record)
        async with bench() as at:
            await go_to_library(at, 1)
            assert "running elsewhere" in at.text()
            assert "del delete" not in at.text()
            await at.press("delete", "n")
            assert isinstance(at.app.screen, LibraryScreen)
            await at.press("enter")
            await at.until(lambda: "First words." in at.text())
            assert "running elsewhere · read only" in at.text()
            more = Message("Ann", "Said meanwhile.", "user", 3)
            file.write(replace(record, entries=(*record.entries, more)))
            await at.until(lambda: "Said meanwhile." in at.text())
            shorter = replace(record, entries=record.entries[:1])
            file.write(shorter)
            await at.until(lambda: "Said meanwhile." not in at.text())
            file.write(replace(record, status="paused"))
            file.close()
            await at.until(lambda: "running elsewhere" not in at.text())
            assert "read only" in at.text()
            await at.press("escape")
            await at.until(lambda: "paused · turn 2 of 4" in at.text())

    async def test_a_broken_file_does_not_end_it(self, bench: OpenBench, tmp_path: Path) -> None:
        folder = tmp_path / "discussions"
        path = save(folder, discussion(1, "Elsewhere", "First words."))
        path.write_text(exported(discussion(1, "x", "First words."), "syndisco-2.2"))
        async with bench() as at:
            await go_to_library(at, 1)
            await at.press("enter")
            await at.until(lambda: "First words." in at.text())
            path.write_text("{")
            await at.until(lambda: "not valid JSON" in at.text())
            assert "First words." in at.text()


class TestPuttingInOrder:
    async def test_delete_and_undo(self, bench: OpenBench, four: list[Path]) -> None:
        async with bench() as at:
            screen = await go_to_library(at, 4)
            assert "u undo" not in at.text()
            await at.press("end", "delete")
            await until_shown(at, screen, "Ann and Bob", "On the sea", "On trains")
            assert "u brings it back" in at.toasts()
            assert not four[0].exists()
            await at.press("u")
            await at.until(lambda: screen.discussions.counts == (4, 4))
            assert read_discussion(four[0]).title == "On cheese"

    async def test_undo_reaches_back_one_after_the_other(
        self, bench: OpenBench, four: list[Path]
    ) -> None:
        async with bench() as at:
            screen = await go_to_library(at, 4)
            for left in (3, 2):
                await at.press("end", "delete")
                await at.until(lambda left=left: screen.discussions.counts == (left, left))
            await at.press("u")
            await until_shown(at, screen, "Ann and Bob", "On the sea", "On trains")

    async def test_rename(self, bench: OpenBench, four: list[Path]) -> None:
        async with bench() as at:
            screen = await go_to_library(at, 4)
            await at.press("end", "n")
            await at.until(lambda: "The title of this discussion" in at.text())
            await at.press("ctrl+u")
            await at.type("On bread")
            await at.press("enter")
            await at.until(lambda: "On bread" in shown(screen))
            assert read_discussion(four[0]).title == "On bread"
            await at.press("enter")
            await at.until(lambda: "On bread" in at.text().splitlines()[0])

    async def test_the_open_one_is_renamed_through_its_session(
        self, bench: OpenBench, four: list[Path]
    ) -> None:
        async with bench() as at:
            at.laboratory._session.resume(four[1], run=False)
            await at.until_state("paused")
            screen = await go_to_library(at, 4)
            await at.press("down", "down", "n", "ctrl+u")
            await at.type("On buses")
            await at.press("enter")
            await at.until(lambda: "On buses" in shown(screen))
            await at.press("escape")
            await at.until(lambda: "On buses" in at.text().splitlines()[0])
            at.laboratory._session.run()
            await at.until_state("finished")
            assert read_discussion(four[1]).title == "On buses"

    async def test_syndisco_s_own_keeps_its_title(self, bench: OpenBench, four: list[Path]) -> None:
        async with bench() as at:
            screen = await go_to_library(at, 4)
            await at.press("n")
            assert at.app.screen is screen

    async def test_export_says_where(self, bench: OpenBench, four: list[Path]) -> None:
        async with bench() as at:
            screen = await go_to_library(at, 4)
            for name in ("On cheese.md", "On cheese (2).md"):
                await at.press("end", "e", "down", "down", "enter")
                file = at.folders.exports / name
                await at.until(file.exists)
                await at.until(lambda file=file: shown_result(at) == f"Exported: {file}")
                assert at.app.clipboard == str(file)
                assert file.read_text() == exported(read_discussion(four[0]), "markdown")
            assert at.app.screen is screen

    async def test_where_a_file_is_can_be_copied(
        self, bench: OpenBench, four: list[Path], at_home: None
    ) -> None:
        async with bench((80, 24)) as at:
            await go_to_library(at, 4)
            await at.press("end", "y")
            await at.until(lambda: at.app.clipboard == str(four[0]))
            assert "~/discussions/20240305T120000000Z-00000000.json" in shown_result(at)
            await at.until(lambda: "copied" in at.toasts())
            assert f"~/discussions/{four[0].name}" in at.text(), "in one piece, and not covered"
            await at.press("up")
            assert not at.app.screen.query_one("#library-result").display


class TestImport:
    async def test_discussions_and_personas(
        self, bench: OpenBench, four: list[Path], tmp_path: Path
    ) -> None:
        source = tmp_path / "theirs"
        source.mkdir()
        (source / "run.json").write_text(exported(discussion(7, "x", "Hi!"), "syndisco-2.2"))
        (source / "people.csv").write_text("username,age\nZoe,30\n")
        (source / "bad.json").write_text("{")
        async with bench() as at:
            screen = await go_to_library(at, 4)
            await at.press("i")
            await at.type(str(source))
            await at.press("enter")
            await at.until(lambda: "Would import 1 discussion and 1 persona" in at.text())
            assert "bad.json: line 1" in at.text()
            await at.press("y")
            await at.until(lambda: "theirs/run" in shown(screen))
            await at.until(lambda: "Imported 1 discussion and 1 persona" in at.toasts())
            assert "bad.json: line 1" in at.toasts()
            await at.press("escape")
            pane = at.laboratory.personas_pane
            assert pane.selection.personas[pane.list.highlighted or 0].name == "Zoe"
            assert "Zoe" in at.folders.personas_file.read_text()

    async def test_a_preview_says_what_becomes_what(
        self, bench: OpenBench, four: list[Path], tmp_path: Path, snapshot: SnapshotAssertion
    ) -> None:
        card = {"name": "Mira", "description": "A miller.", "personality": "calm", "scenario": "x"}
        (tmp_path / "mira.card.json").write_text(
            json.dumps({"spec": "chara_card_v2", "data": card})
        )
        async with bench((80, 24)) as at:
            screen = await go_to_library(at, 4)
            await at.press("i")
            await at.type(str(tmp_path / "mi"))
            await at.press("tab")
            assert at.app.screen.query_one(Input).value == str(tmp_path / "mira.card.json")
            await at.press("enter")
            await at.until(lambda: "Would import 1 persona." in at.text())
            assert at.text() == snapshot
            await at.press("escape")
            assert at.app.screen is screen
            assert not at.folders.personas_file.exists()

    async def test_pasted_json_is_imported(self, bench: OpenBench, four: list[Path]) -> None:
        async with bench() as at:
            await go_to_library(at, 4)
            await at.press("i")
            at.app.screen.query_one(Input).post_message(Paste('[{\n "username": "Zoe"\n}]'))
            await at.until(lambda: "Would import 1 persona." in at.text())
            await at.press("y")
            await at.until(lambda: "Imported 1 persona" in at.toasts())
            assert "Zoe" in at.folders.personas_file.read_text()

    async def test_tab_shows_what_a_path_may_go_on_with(
        self, bench: OpenBench, four: list[Path], tmp_path: Path
    ) -> None:
        for name in ("run-1.json", "run-2.json"):
            (tmp_path / name).touch()
        async with bench() as at:
            await go_to_library(at, 4)
            await at.press("i")
            await at.type(f"{tmp_path}/r")
            await at.press("tab")
            assert at.app.screen.query_one(Input).value == f"{tmp_path}/run-"
            assert "run-1.json  run-2.json" in at.text()
            await at.type("9")
            await at.press("tab")
            assert "Nothing is called like that." in at.text()

    @pytest.mark.parametrize("path", ["nowhere.json", "~nobody-of-that-name/x"])
    async def test_a_path_that_is_not_there(
        self, bench: OpenBench, four: list[Path], path: str
    ) -> None:
        async with bench() as at:
            await go_to_library(at, 4)
            await at.press("i")
            await at.type(path)
            await at.press("enter")
            await at.until(lambda: "there is no such file" in at.toasts())


async def test_foreign_text_is_neither_obeyed_nor_drawn_raw(
    bench: OpenBench, tmp_path: Path
) -> None:
    evil = "[/b][@click=app.quit]x[/] \x1b]0;t\x07\x9b2J\u202e [bold"
    record = discussion(1, evil, evil, status="paused")
    save(tmp_path / "discussions", record)
    (tmp_path / "discussions" / "[@click].json").write_text(json.dumps({"logs": evil}))
    async with bench() as at:
        await go_to_library(at, 2)
        text = at.text()
        assert "[@click=app.quit]" in text
        await at.press("e")
        assert "Export" in at.text()
        await at.press("escape", "n")
        text += at.text()
        await at.press("escape", "delete")
        await at.until(lambda: "in the trash" in at.toasts())
        text += at.text()
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(text)


async def test_no_size_crashes_an_empty_library(bench: OpenBench) -> None:
    async with bench() as at:
        await go_to_library(at, 0)
        for size in [(1, 1), (2, 30), (20, 12), (30, 12), (120, 40)]:
            await at.pilot.resize_terminal(*size)
        await at.until(lambda: "Nothing is saved yet" in at.text())


async def test_no_size_crashes(bench: OpenBench, four: list[Path]) -> None:
    async with bench() as at:
        await go_to_library(at, 4)
        for size in [(1, 1), (2, 30), (200, 2), (20, 5), (300, 100), (61, 19), (120, 40)]:
            await at.pilot.resize_terminal(*size)
            if size in TINY:
                await at.press("end", "pageup", "pagedown", "home", "slash", "a", "escape")
        await at.until(lambda: "On cheese" in at.text())


async def test_thousands_scroll(bench: OpenBench, tmp_path: Path) -> None:
    folder = tmp_path / "discussions"
    folder.mkdir()
    content = json.dumps({"logs": [{"name": "Ann", "text": "Hi", "model": "m"}]})
    for number in range(1500):
        (folder / f"{number:06}.json").write_text(content)
    async with bench() as at:
        screen = await go_to_library(at, 1500)
        await at.press("end")
        assert screen.discussions.highlighted is not None
        assert screen.discussions.highlighted.path.name == "000000.json"
        assert "1,500 discussions" in at.text()


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_picture_of_the_library(
    bench: OpenBench,
    four: list[Path],
    size: tuple[int, int],
    snapshot: SnapshotAssertion,
    at_home: None,
) -> None:
    async with bench(size) as at:
        await go_to_library(at, 4)
        await at.press("down")
        at.app.clear_notifications()
        assert at.text() == snapshot


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("keys", ["e", "i"])
async def test_picture_of_its_forms(
    bench: OpenBench,
    four: list[Path],
    size: tuple[int, int],
    keys: str,
    snapshot: SnapshotAssertion,
    at_home: None,
) -> None:
    async with bench(size) as at:
        await go_to_library(at, 4)
        await at.press(keys)
        assert at.text() == snapshot


async def test_a_title_that_was_discarded_comes_back(bench: OpenBench) -> None:
    async with bench() as at:
        await at.press("s")
        await at.until_state("paused")
        await at.press("o")
        await at.until(lambda: "space mark" in at.text())
        await at.press("n", "X", "escape", "y")
        await at.until(lambda: "The title of this discussion." not in at.text())
        await at.press("u")
        await at.until(lambda: "The title of this discussion." in at.text())
        assert at.app.screen.query_one(Input).value == "X"
