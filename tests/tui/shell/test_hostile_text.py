"""Hostile text in every place of the screen that shows foreign text: nothing in it is obeyed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from textual.widget import Widget

from syndisco_tui.discussion import DiscussionRecord, DiscussionSetup, Message, Parent, Persona
from syndisco_tui.engine.base import EngineError, LoadProgress
from syndisco_tui.engine.model import EngineInfo
from syndisco_tui.session import Condition, ErrorRaised, ModelReady
from syndisco_tui.store.discussion_format import to_bytes
from syndisco_tui.tui.library.screen import LibraryScreen
from syndisco_tui.tui.transcript.reading import ReadingScreen, SafeMarkdown
from syndisco_tui.tui.transcript.searched_words import SearchedWords
from syndisco_tui.tui.widgets.dialogs import ConfirmDialog
from tests.support.bench import Bench, OpenBench
from tests.support.frames import Frames, watched
from tests.support.hostile_text import ATOMS, giants, names, payloads

CAST = 200
QUICK_GIANTS = ("5,000 marks", "100,000 lines")


@dataclass(frozen=True)
class Amount:
    """How much hostile text a test brings, and how thoroughly it looks at it."""

    texts: int
    cast: int = CAST
    size: tuple[int, int] = (80, 24)
    page: int = 400
    """Lines of a terminal in which a long transcript is looked through."""
    pages_down: int = 8
    saved: int = 40
    further_keys: tuple[str, ...] = ("down", "down", "pagedown")
    """Keys in each dialog, after those that reach its parts."""


EACH_ONCE = Amount(len(ATOMS), cast=20, pages_down=2, saved=6, further_keys=("pagedown",))
"""Every kind of hostile text once."""
EVERYTHING = [Amount(1000, page=60), Amount(1000, size=(120, 40)), Amount(1000, size=(60, 20))]


def amounts(*campaigns: Amount) -> pytest.MarkDecorator:
    """``EACH_ONCE`` in every run of the tests, and ``campaigns`` in campaigns."""
    more = [
        pytest.param(each, marks=pytest.mark.campaign, id=f"{each.texts} at {each.size}")
        for each in campaigns
    ]
    return pytest.mark.parametrize("amount", [pytest.param(EACH_ONCE, id="each once"), *more])


@pytest.fixture
def frames(monkeypatch: pytest.MonkeyPatch) -> Iterator[Frames]:
    with watched(monkeypatch) as frames:
        yield frames
    assert frames.count
    assert not frames.faults, "\n".join(frames.faults[:20])
    assert not frames.actions


def hostile_personas(count: int = CAST) -> tuple[Persona, ...]:
    texts = iter(payloads(count * 3))
    return tuple(
        Persona(
            username=name,
            age=next(texts),
            special_instructions=next(texts),
            personality_characteristics=(next(texts), name),
            **{f"own {name[:20]}": {"[/b]\x1b[31m": [name, None]}},
        )
        for name in names(count)
    )


def hostile_setup(count: int = 8, **more: object) -> DiscussionSetup:
    texts = payloads(40, seed=3)
    values: dict[str, object] = {
        "title": "\x1b]0;t\x07[@click=app.hostile]title[/]\u202e\ud800[/b]",
        "personas": hostile_personas(count),
        "moderator": Persona(username="[/b][@click=app.hostile]Mod"),
        "context": "\n".join(texts),
        "instructions": "\n".join(texts[20:]),
        "moderator_instructions": texts[7],
        "seed_opinions": tuple(texts[:8]),
        "seed_opinion_usernames": tuple(texts[8:16]),
        "model": "\x9bm[/b]\u202e[link=http://evil]org/model",
        "conv_len": 6,
    }
    return DiscussionSetup.model_validate(values | more)


def hostile_record(number: int, texts: list[str], setup: DiscussionSetup) -> DiscussionRecord:
    """A discussion in which everything that a file may hold is hostile."""
    said = [
        Message(texts[-1 - i], text, "user", i + 1, texts[i], texts[i], texts[i], "length")
        for i, text in enumerate(texts)
    ]
    return DiscussionRecord(
        id=f"{number}",
        started_at=f"2024-03-{number % 28 + 1:02}T12:00:00+00:00",
        setup=setup,
        entries=tuple(said),
        status="paused",
        title=texts[0],
        engine={"model": texts[1], "device": texts[2], "versions": {texts[3]: texts[4]}},
        parent=Parent(texts[5], 2) if number else None,
    )


def save(at: Bench, record: DiscussionRecord, name: str) -> Path:
    path = at.folders.discussions / name
    path.write_bytes(to_bytes(record))
    return path


async def look_through(at: Bench, transcript_height: int) -> None:
    """Page by page over the whole transcript."""
    transcript = at.laboratory.transcript
    for top in range(0, transcript.lines.total, transcript_height):
        transcript.scroll_to(y=top, animate=False, force=True)
        await at.pilot.pause()


@amounts(EVERYTHING[0])
async def test_many_messages_posted(bench: OpenBench, frames: Frames, amount: Amount) -> None:
    texts, height = payloads(amount.texts), amount.page
    async with bench((100, height)) as at:
        transcript = at.laboratory.transcript
        transcript.show(
            tuple(Message(text, text, "user", n) for n, text in enumerate(texts, start=1))
        )
        await at.press("3")
        await look_through(at, height - 20)
    shown = frames.shown
    assert all(f"p{number}q" in shown for number in range(amount.texts))


@amounts(EVERYTHING[0])
async def test_many_messages_growing(bench: OpenBench, frames: Frames, amount: Amount) -> None:
    async with bench((60, 60)) as at:
        transcript = at.laboratory.transcript
        await at.press("3")
        transcript.begin_reply("[/b]\x1bAnn", "user")
        said = ""
        for number, text in enumerate(payloads(amount.texts)):
            said = f"{said}\n{text}" if number % 100 else text
            transcript.grow_reply(said)
            if number % 20 == 19 or number == amount.texts - 1:
                await at.pilot.pause()
    assert f"p{amount.texts - 1}q" in frames.shown


@pytest.mark.parametrize(
    "what",
    [
        what if what in QUICK_GIANTS else pytest.param(what, marks=pytest.mark.campaign)
        for what in giants()
    ],
)
async def test_sheer_size_is_shown_too(bench: OpenBench, frames: Frames, what: str) -> None:
    async with bench((80, 24)) as at:
        transcript = at.laboratory.transcript
        transcript.show((Message("Ann", giants()[what], "user", 1), Message("Bob", "x", "user", 2)))
        await at.press("3", "up", "home", "end", "pageup")
        assert "Bob" in frames.shown


@amounts(EVERYTHING[0])
async def test_many_messages_as_markdown(bench: OpenBench, frames: Frames, amount: Amount) -> None:
    """The reading view renders them: no link, no action, no character that an entity spells."""
    texts = payloads(amount.texts)
    async with bench((120, 40)) as at:
        for start in range(0, amount.texts, 125):
            page = SafeMarkdown("\n\n---\n\n".join(texts[start : start + 125]))
            await at.laboratory.mount(page)
            page.styles.height = 4000
            page.styles.dock = "top"
            await at.pilot.pause()
            for node in page.walk_children(Widget):
                for line in range(node.size.height):
                    frames.look(iter(node.render_line(line)), edited=False)
            await at.pilot.pause()
            await page.remove()
    frames.slowest.clear()  # pages of a hundred messages, thousands of lines high: nobody sees such
    assert f"p{amount.texts - 1}q" in frames.shown


@amounts(*EVERYTHING[1:])
async def test_the_laboratory_and_its_dialogs(
    bench: OpenBench, frames: Frames, amount: Amount
) -> None:
    everybody = hostile_personas(amount.cast)
    replies = tuple(payloads(30, seed=5))
    async with bench(amount.size, setup=hostile_setup(), personas=everybody, replies=replies) as at:
        await at.press("1", *["pagedown"] * amount.pages_down, "home")
        for opened in ("e", "f", "F", "T", "L", "G", "S", "O"):
            await at.press(opened)
            await at.press_ahead("tab", "down", *amount.further_keys)
            await leave(at)
        await at.press("2", *["down"] * (3 * amount.pages_down))
        await at.press("home", "enter", "x", "escape", "y")
        await at.press("r")
        await at.until_state("finished")
        await at.press("3")
        await at.press_ahead(*["up"] * 6)
        for opened in ("enter", "t", "z", "w", "i", "E", "f", "v", "question_mark"):
            await at.press("3", opened)
            await at.press_ahead("right", "tab", *amount.further_keys)
            await leave(at)
        await at.press("3", "G", "enter")
        await at.until(lambda: at.app.screen is not at.laboratory)
        await at.press("right", "right")
        await leave(at)
        for opened in ("ctrl+p", "comma", "ctrl+o", "ctrl+s"):
            await at.press(opened, "down")
            await leave(at)


async def leave(at: Bench) -> None:
    """Back to the laboratory, out of whatever is open."""
    for _ in range(6):
        if at.app.screen is at.laboratory:
            break
        await at.press("y" if isinstance(at.app.screen, ConfirmDialog) else "escape")
    assert at.app.screen is at.laboratory, at.text()
    await at.press("escape")


@amounts(*EVERYTHING[1:])
async def test_the_library_reader_and_compare(
    bench: OpenBench, frames: Frames, amount: Amount
) -> None:
    texts = payloads(amount.texts, seed=9)
    each = len(texts) // amount.saved
    setup = hostile_setup(3)
    async with bench(amount.size) as at:
        for number in range(amount.saved):
            record = hostile_record(number, texts[number * each : number * each + each], setup)
            save(at, record, f"2024030{number % 9 + 1}T12000{number % 7}000Z-{number:08}.json")
        for number, name in enumerate(("[b]\x1b[31m.json", "[@click=app.hostile]\u202e.json")):
            save(at, hostile_record(50 + number, texts[:25], setup), name)
        (at.folders.discussions / "\x9b[b]cut.json").write_text('{"logs": "\x1b[31m[/b]')
        await at.press("o")
        await at.until(lambda: isinstance(at.app.screen, LibraryScreen))
        await at.until(lambda: f"{amount.saved + 3} discussions" in at.text())
        for _ in range(amount.saved + 3):
            await at.press("down")
        await at.press("e", "escape")
        await at.press("home", "enter")
        await at.until(lambda: at.app.screen is at.laboratory or at.app.screen.id != "library")
        await leave(at)
        if at.laboratory.transcript.lines.entries:
            await at.press("3", "home", "enter", "v", "right", "left", "down")
            await leave(at)
            await at.press("c")
            await at.until(lambda: "Reading the saved" not in at.text())
            await at.press("down", "enter", *["pagedown"] * 5)
            await leave(at)
            await at.press("t", *["pagedown"] * 4)
            await leave(at)


async def test_many_at_once(bench: OpenBench, frames: Frames) -> None:
    replies = (*payloads(40, seed=11), EngineError("\x1b[31m[/b] no \u202e\ud800"))
    async with bench(setup=hostile_setup(4), replies=replies) as at:
        await at.press("ctrl+r", "ctrl+u", "6", "enter")
        await at.until(lambda: "of 6 finished" in at.text())
        await at.press("enter", "escape", "t", "escape", "x")
        await at.press("escape", "y")


@amounts(EVERYTHING[0])
async def test_what_the_session_tells(bench: OpenBench, frames: Frames, amount: Amount) -> None:
    """Toasts, the banner, the status line: sentences with foreign words in them."""
    async with bench((120, 60)) as at:
        for text in payloads(amount.texts // 4, seed=13):
            info = EngineInfo(text, name=text, device=text, dtype=text, path=text, context_length=9)
            for event in (
                ErrorRaised(text),
                Condition("saving", text, text),
                Condition("engine", text, text),
                ModelReady(info),
                LoadProgress(text, 1, 2),
            ):
                at.laboratory.handle(event)
            await at.pilot.pause()
            at.app.clear_notifications()
        at.app.say(payloads(40, seed=14))
        await at.pilot.pause()


@amounts(EVERYTHING[0])
async def test_reading_view(bench: OpenBench, frames: Frames, amount: Amount) -> None:
    texts = payloads(amount.texts // 5, seed=17)
    async with bench() as at:
        messages = tuple(Message(text, text, "user", n) for n, text in enumerate(texts, 1))
        at.laboratory.transcript.show(messages)
        await at.press("3", "home", "z")
        assert isinstance(at.app.screen, ReadingScreen)
        for _ in range(6):
            await at.press("pagedown")
        await at.press("m", "pageup", "escape")


async def test_searching_for_hostile_words(bench: OpenBench, frames: Frames) -> None:
    async with bench() as at:
        at.laboratory.transcript.show((Message("Ann", "[/b] \x1b[31m x", "user", 1),))
        at.laboratory.transcript.highlighted_words = SearchedWords.of("[31m")
        at.laboratory.transcript.refresh()
        await at.press("3", "slash", "[", "/", "b", "]", "enter", "escape")
