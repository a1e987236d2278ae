"""Two discussions side by side."""

from __future__ import annotations

import re
import time
from dataclasses import replace

import pytest
from rich.cells import cell_len
from syrupy.assertion import SnapshotAssertion

from syndisco_tui.analysis.compare import align, setup_differences
from syndisco_tui.analysis.recorded_changes import RecordedChange
from syndisco_tui.discussion import (
    DiscussionRecord,
    DiscussionSetup,
    EarlierSetup,
    Message,
    Parent,
)
from syndisco_tui.store.discussion_format import to_bytes
from syndisco_tui.store.discussions import discussion_files
from syndisco_tui.tui.inspect.change_text import describe_change, differing_parts
from syndisco_tui.tui.inspect.compare import Compare, CompareWith
from syndisco_tui.tui.inspect.comparison_lines import ComparisonLayout, lay_out
from syndisco_tui.tui.inspect.xray_pages import figures
from tests.support.bench import SIZES, Bench, OpenBench, finished


def fork_of(at: Bench, turn: int = 5) -> DiscussionRecord:
    """Save a fork of the open discussion that goes on in other words, with an older Emma35."""
    record = at.records()[0]
    setup = record.setup
    emma = next(each for each in setup.personas if each.name == "Emma35")
    personas = [
        each.model_copy(update={"age": 83}) if each == emma else each for each in setup.personas
    ]
    others = [
        replace(entry, text=f"I see it otherwise: {entry.text.lower()}" if entry.text else "")
        for entry in record.entries[turn:]
    ]
    fork = replace(
        record,
        id="fork",
        started_at="2026-01-31T09:30:00+00:00",
        setup=setup.model_copy(update={"temperature": 1.3, "personas": tuple(personas)}),
        entries=(*record.entries[:turn], *others),
        parent=Parent(record.id, turn),
    )
    (at.folders.discussions / "20260131T093000000Z-00000000.json").write_bytes(to_bytes(fork))
    return fork


async def compare(at: Bench) -> None:
    await at.press("c")
    await at.until(lambda: isinstance(at.app.screen, CompareWith))
    await at.until(lambda: "fork of this one" in at.text())
    await at.press("enter")
    await at.until(lambda: isinstance(at.app.screen, Compare))
    await at.until(lambda: "Setup differences" in at.text())


async def test_forks_stand_first_and_differences_on_top(bench: OpenBench) -> None:
    async with bench() as at:
        await finished(at)
        await at.press("ctrl+n", "r")
        await at.until(lambda: len(discussion_files(at.folders.discussions)) == 2)
        await at.until_state("finished")
        fork_of(at)  # the oldest by its name
        await at.press("c")
        await at.until(lambda: "fork of this one" in at.text())
        rows = [line for line in at.text().splitlines() if "turn 8 of 8   scripted" in line]
        assert "fork of this one" in rows[0]
        assert len(rows) == 2
        await at.press("enter")
        await at.until(lambda: "Setup differences" in at.text())
        assert re.search(r"Temperature +0\.6 +1\.3", at.text())
        assert re.search(r"Emma35: age +38 +83", at.text())
        await at.press("escape")
        assert at.app.screen is at.laboratory


async def test_a_forks_title_keeps_the_word_that_tells_it(bench: OpenBench) -> None:
    async with bench((80, 24)) as at:
        await finished(at)
        fork_of(at)
        await at.press("3", "f", "ctrl+s")
        await at.until(lambda: at.laboratory.setup.title.endswith("(fork)"))
        await at.press("c")
        await at.until(lambda: isinstance(at.app.screen, CompareWith))
        await at.until(lambda: "this one forks it" in at.text())
        await at.press("enter")
        await at.until(lambda: "… (fork)" in at.text().splitlines()[0])


async def test_the_open_one_is_followed_while_it_runs(bench: OpenBench) -> None:
    async with bench(replies=[f"Comment {n}." for n in range(60)]) as at:
        await finished(at)
        fork_of(at)
        at.engine.may_speak.clear()
        await at.press("ctrl+n", "r")
        await at.until(lambda: len(discussion_files(at.folders.discussions)) == 3)
        await at.until_state("running")
        await at.press("c")
        await at.until(lambda: "turn 8 of 8" in at.text())
        await at.press("enter")
        await at.until(lambda: "0 turns" in at.text())
        await at.press("end")
        at.engine.may_speak.set()
        await at.until_state("finished")
        last = at.records()[0].entries[-1].text
        await at.until(lambda: at.text().count("8 turns") == 2 and last in at.text())


async def test_the_first_difference_is_marked_and_one_key_away(bench: OpenBench) -> None:
    async with bench((80, 24)) as at:
        await finished(at)
        fork_of(at, turn=11)
        await compare(at)
        assert "first difference," not in at.text()
        await at.press("d")
        assert "first difference," in at.text()
        assert "I see it otherwise" in at.text()
        await at.press("home")
        await at.until(lambda: "Setup differences" in at.text())
        await at.press("end")
        await at.until(lambda: "Setup differences" not in at.text())


async def test_identical_discussions_have_no_first_difference(bench: OpenBench) -> None:
    async with bench() as at:
        await finished(at)
        record = replace(at.records()[0], id="other", parent=Parent(at.records()[0].id, 3))
        (at.folders.discussions / "2026.json").write_bytes(to_bytes(record))
        await at.press("c")
        await at.until(lambda: "fork of this one" in at.text())
        await at.press("enter")
        await at.until(lambda: "The setups are identical" in at.text())
        await at.press("end")
        await at.until(lambda: "All messages are identical." in at.text())


@pytest.mark.parametrize("size", SIZES[:2], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_changes_on_either_side_are_listed(bench: OpenBench, size: tuple[int, int]) -> None:
    async with bench(size) as at:
        await finished(at)
        parent = at.records()[0]
        edited = replace(parent.entries[1], text="Another word.", original_text="What was said.")
        fork = replace(
            parent,
            id="fork",
            setup=parent.setup.model_copy(update={"temperature": 1.3, "moderator": None}),
            entries=(parent.entries[0], edited, *parent.entries[2:6]),
            earlier_setups=(EarlierSetup(2, parent.setup, 4),),
            parent=Parent(parent.id, 2),
        )
        (at.folders.discussions / "20260131T093000000Z-00000000.json").write_bytes(to_bytes(fork))
        await compare(at)
        await at.until(lambda: "Changes during the discussion" in at.text())
        text = " ".join(at.text().split())
        assert "from turn 3: Temperature: 0.6 → 1.3" in text
        assert "from turn 3: Moderator leaves" in text
        assert f"turn 1: {edited.name} edited: “What was said.” → “Another" in text


async def test_dates_are_local_as_in_the_library(
    bench: OpenBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        async with bench() as at:
            await finished(at)
            record = replace(at.records()[0], id="other", started_at="2026-01-31T20:00:00+00:00")
            (at.folders.discussions / "2026.json").write_bytes(to_bytes(record))
            await at.press("c")
            await at.until(lambda: "2026-02-01 05:00" in at.text())
            await at.press("enter")
            await at.until(lambda: "2026-02-01 05:00" in at.text())
        message = replace(record.entries[-1], created_at="2026-01-31T20:00:00+00:00")
        assert ("finished", "2026-02-01 05:00:00") in figures(message, None)


async def test_one_that_is_gone_meanwhile_is_said_to_be(bench: OpenBench) -> None:
    async with bench() as at:
        await finished(at)
        fork_of(at)
        await at.press("c")
        await at.until(lambda: "fork of this one" in at.text())
        (at.folders.discussions / "20260131T093000000Z-00000000.json").unlink()
        await at.press("enter")
        await at.until(lambda: "there is no such file" in at.toasts())
        assert isinstance(at.app.screen, CompareWith)


async def test_alone_there_is_nothing_to_compare_with(bench: OpenBench) -> None:
    async with bench() as at:
        await at.press("c")
        assert "“compare” does not apply now." in at.toasts()
        await finished(at)
        (at.folders.discussions / "broken.json").write_text("{")
        await at.press("c")
        await at.until(lambda: "There is no other saved discussion yet." in at.text())
        await at.press("enter", "escape")
        assert at.app.screen is at.laboratory


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_picture_of_a_comparison(
    bench: OpenBench, size: tuple[int, int], snapshot: SnapshotAssertion
) -> None:
    async with bench(size) as at:
        await finished(at)
        fork_of(at)
        await compare(at)
        assert re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "2026-01-31 00:00", at.text()) == snapshot


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_picture_of_the_choice(
    bench: OpenBench, size: tuple[int, int], snapshot: SnapshotAssertion
) -> None:
    async with bench(size) as at:
        await finished(at)
        fork_of(at)
        await at.press("c")
        await at.until(lambda: "fork of this one" in at.text())
        box = at.app.screen.query_one(".dialog").region  # what is behind it is no concern here
        lines = at.text().splitlines()[box.y : box.bottom]
        assert "\n".join(line[box.x : box.right].rstrip() for line in lines) == snapshot


def plain(layout: ComparisonLayout) -> list[str]:
    return ["".join(text for text, _ in line) for line in layout.lines]


@pytest.mark.parametrize("width", [8, 20, 38, 76, 116])
@pytest.mark.parametrize("stacked", [False, True])
def test_lines_fit_their_width(demonstration: DiscussionSetup, width: int, stacked: bool) -> None:
    long = Message("Ann" * 20, "北京 " * 40 + "word " * 40 + "x" * 200, "user", turn=1)
    other = replace(long, text="short\n\nlines\x1b[31m", name="Bob")
    differences = setup_differences(
        demonstration, demonstration.model_copy(update={"context": "y" * 300, "seed": 2**40})
    )
    layout = lay_out(differences, align([long, long], [other]), width, stacked=stacked)
    for line in plain(layout):
        assert "\x1b" not in line
        if width >= 38:
            assert cell_len(line) <= width


def test_a_change_of_both_is_dimmed_and_one_s_own_is_not() -> None:
    common = RecordedChange(2, "setup", "temperature", "0.6", "1.3")
    own = RecordedChange(3, "injected", "Guest", new="Hello!")
    layout = lay_out([], [], 116, stacked=False, changes=((common,), (common, own)))
    styles = {text: style for line in layout.lines for text, style in line}
    assert styles["from turn 2: Temperature: 0.6 → 1.3"] == "quiet"
    assert styles["turn 3: you posted as Guest: “Hello!”"] == "text"
    nothing = lay_out([], [], 116, stacked=False, changes=((), ()))
    assert "Changes during the discussion" not in plain(nothing)


def test_long_texts_are_cut_to_where_they_differ() -> None:
    same = "You are taking part in an online conversation about work. " * 5
    old, new = differing_parts(f"{same}Be kind.", f"{same}Be rude.")
    assert old == "…conversation about work. Be kind."
    assert new == "…conversation about work. Be rude."
    assert differing_parts("a\nb", "c") == ("a b", "c")


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (RecordedChange(3, "setup", "Lin", "—", "user"), "from turn 3: Lin joins as user"),
        (
            RecordedChange(3, "setup", "Lin: role", "user", "moderator"),
            "from turn 3: Lin: role: user → moderator",
        ),
        (RecordedChange(3, "edited", "Lin", "a", "b"), "turn 3: Lin edited: “a” → “b”"),
        (RecordedChange(3, "regenerated", "Lin", "a", "b"), "turn 3: Lin regenerated: “a” → “b”"),
        (
            RecordedChange(3, "chosen", "Lin", "a", "b"),
            "turn 3: another reply of Lin chosen: “a” → “b”",
        ),
        (RecordedChange(3, "deleted", "Lin", "a"), "turn 3: a message of Lin deleted: “a”"),
        (
            RecordedChange(3, "deleted", "Lin", "a", count=2),
            "turn 3: 2 messages deleted, from Lin: “a”",
        ),
        (RecordedChange(3, "next speaker", "Lin"), "turn 3: Lin chosen to speak"),
        (
            RecordedChange(0, "injected", "Me\x1b[31m", new="[b]hi"),
            "before turn 1: you posted as Me␛[31m: “[b]hi”",
        ),
    ],
)
def test_every_change_in_words(change: RecordedChange, line: str) -> None:
    assert describe_change(change) == line


def test_ten_thousand_messages_are_laid_out() -> None:
    a = [Message("Ann", f"Comment {turn}. " * 20, "user", turn=turn) for turn in range(1, 10_001)]
    b = [*a[:5000], *(replace(each, text=each.text.upper()) for each in a[5000:])]
    layout = lay_out([], align(a, b), 116, stacked=False)
    assert "turn 5001" in plain(layout)[layout.first_difference]
