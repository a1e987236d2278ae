"""The transcript: the current message, what is drawn, what is found, what is copied."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input

from syndisco_tui.discussion import Message
from syndisco_tui.tui.laboratory import screen as laboratory
from syndisco_tui.tui.transcript.transcript import Transcript
from tests.support.bench import OpenBench


class Pane(App[None]):
    """A transcript alone, and something else to focus."""

    CSS_PATH = Path(laboratory.__file__).with_name("laboratory.tcss")

    def get_css_variables(self) -> dict[str, str]:
        return {"quiet": "#888888", **super().get_css_variables()}

    def compose(self) -> ComposeResult:
        yield Transcript()
        yield Input()

    @property
    def transcript(self) -> Transcript:
        return self.query_one(Transcript)

    def text(self) -> str:
        strips = self.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in strips)


def message(number: int, text: str = "", name: str = "") -> Message:
    return Message(name or f"Name{number % 3}", text or f"Message {number}.", "user", number)


def messages(count: int) -> tuple[Message, ...]:
    return tuple(message(number) for number in range(count))


@asynccontextmanager
async def pane(
    entries: tuple[Message, ...] = (), size: tuple[int, int] = (60, 20)
) -> AsyncIterator[tuple[Pane, Transcript, Pilot[None]]]:
    app = Pane()
    async with app.run_test(size=size) as pilot:
        app.transcript.show(entries)
        app.transcript.focus()
        await pilot.pause()
        yield app, app.transcript, pilot


def marked(app: Pane) -> str:
    """The name beside the mark of the current message."""
    return next((line[2:] for line in app.text().splitlines() if line.startswith("▋ ")), "")


async def test_nobody_is_current_while_nothing_is_said() -> None:
    async with pane() as (_, transcript, pilot):
        await pilot.press("up", "down", "j", "k", "home", "end", "pageup", "pagedown")
        assert transcript.current is None


async def test_up_and_down_go_from_message_to_message_and_bring_it_into_sight() -> None:
    async with pane(messages(30)) as (app, transcript, pilot):
        assert transcript.current == 29
        await pilot.press("up")
        assert transcript.current == 28
        assert not transcript.cursor.follows
        await pilot.press(*["k"] * 18)
        assert transcript.current == 10
        assert "Message 10." in app.text()
        assert marked(app) == "Name1" + " " * (len(marked(app)) - 7) + "10"
        await pilot.press("j", "down")
        assert transcript.current == 12


async def test_moving_down_past_the_newest_follows_again() -> None:
    async with pane(messages(30)) as (_, transcript, pilot):
        await pilot.press("up", "up")
        assert not transcript.cursor.follows
        await pilot.press("down", "down")
        assert transcript.cursor.follows
        transcript.post(message(30))
        assert transcript.current == 30


async def test_home_end_and_the_page_keys_take_the_current_message_along() -> None:
    async with pane(messages(50)) as (app, transcript, pilot):
        await pilot.press("home")
        assert transcript.current == 0
        await pilot.press("pagedown")
        await pilot.pause()
        page = transcript.current
        assert page is not None
        assert 3 <= page <= 8
        assert f"Message {page}." in app.text()
        await pilot.press("pageup", "pageup")
        await pilot.pause()
        assert transcript.current == 0
        await pilot.press("end")
        await pilot.pause()
        assert (transcript.current, transcript.cursor.follows) == (49, True)


async def test_the_current_message_stays_while_a_reply_grows_below() -> None:
    async with pane(messages(5)) as (_, transcript, pilot):
        await pilot.press("up")
        transcript.begin_reply("Name1", "user")
        for length in range(1, 60):
            transcript.grow_reply("word " * length)
        assert transcript.current == 3
        transcript.post(message(5, "word " * 60))
        assert transcript.current == 3


async def test_a_growing_reply_is_no_entry() -> None:
    async with pane(messages(3)) as (_, transcript, pilot):
        transcript.begin_reply("Name0", "user")
        assert transcript.current == 2
        transcript.drop_reply()
        assert transcript.current == 2
        transcript.begin_reply("Name0", "user")
        await pilot.press("up", "down", "down")
        assert transcript.cursor.follows
        transcript.post(message(3))
        assert transcript.current == 3


async def test_a_change_above_leaves_the_growing_reply_and_the_current_message() -> None:
    async with pane(messages(20)) as (app, transcript, pilot):
        transcript.begin_reply("Name1", "user")
        transcript.grow_reply("still growing")
        transcript.show_changed((*messages(18), message(18, "edited")))
        transcript.grow_reply("still growing and growing")
        await pilot.pause()
        assert "edited" in app.text()
        assert "still growing and growing ▌" in app.text()
        await pilot.press("up")
        transcript.show_changed(messages(19))
        assert transcript.current == 17


async def test_a_tall_message_scrolls_inside_before_it_is_left() -> None:
    tall = message(1, "\n".join(f"line {number}" for number in range(60)))
    async with pane((message(0), tall, message(2))) as (app, transcript, pilot):
        await pilot.press("up")
        assert transcript.current == 1
        assert "line 59" in app.text()
        presses = 0
        while transcript.current == 1:
            await pilot.press("up")
            presses += 1
        assert transcript.current == 0
        assert presses >= 10
        assert "Message 0." in app.text()
        await pilot.press("down")
        assert transcript.current == 1
        assert "line 0" in app.text()
        seen = set()
        while transcript.current == 1:
            seen |= {number for number in range(60) if f"line {number}\n" in app.text() + "\n"}
            await pilot.press("down")
        assert seen == set(range(60))
        assert (transcript.current, transcript.cursor.follows) == (2, True)


async def test_silences_count_as_entries() -> None:
    said = (message(0), Message("Mod", "", "moderator"), message(2))
    async with pane(said) as (app, transcript, pilot):
        await pilot.press("up")
        assert transcript.current == 1
        assert marked(app).startswith("Mod  stays silent")


async def test_only_a_focused_pane_shows_the_mark() -> None:
    async with pane(messages(3)) as (app, _, pilot):
        assert marked(app)
        app.query_one(Input).focus()
        await pilot.pause()
        assert not marked(app)


async def test_a_click_points_at_a_message() -> None:
    async with pane(messages(5)) as (_, transcript, pilot):
        await pilot.click(Transcript, offset=(5, 4))
        assert transcript.current == 1


@pytest.mark.parametrize("size", [(120, 40), (60, 20)])
async def test_the_cursor_in_the_laboratory(bench: OpenBench, size: tuple[int, int]) -> None:
    async with bench(size) as at:
        await at.press("r")
        await at.until_state("finished")
        transcript = at.laboratory.transcript
        entries = len(at.records()[0].entries)
        await at.press("3", "up", "up")
        assert transcript.current == entries - 3
        await at.press("home")
        assert transcript.current == 0
        await at.press("end")
        assert transcript.current == entries - 1


# Search ------------------------------------------------------------------------------------------

SAID = tuple(
    message(number, f"{'Cats' if number % 5 == 0 else 'cats' if number % 5 == 1 else 'dogs'} here")
    for number in range(40)
)


def last_line(app: Pane) -> str:
    """The line in which one types, with its note; the input of the test's app is below it."""
    return next(line for line in app.text().splitlines() if line.lstrip().startswith(("/ ", "# ")))


async def test_search_marks_counts_and_goes_to_the_newest_from_the_end() -> None:
    async with pane(SAID) as (app, transcript, pilot):
        await pilot.press("slash", *"cats")
        await pilot.pause()
        assert transcript.current == 36
        assert "16 of 16" in last_line(app)
        await pilot.press("enter")
        assert app.focused is transcript
        await pilot.press("n")  # after the last, the first
        assert transcript.current == 0
        await pilot.press("n", "n", "N")
        await pilot.pause()
        assert transcript.current == 1
        assert "2 of 16" in last_line(app)
        await pilot.press("down", "down")
        await pilot.pause()
        assert "16 found" in last_line(app)


async def test_search_goes_on_from_the_current_message_whatever_the_case() -> None:
    async with pane(SAID) as (app, transcript, pilot):
        await pilot.press("home", *["down"] * 7, "slash", *"Cats")
        await pilot.pause()
        assert transcript.current == 10
        assert "5 of 16" in last_line(app)
        await pilot.press("x")
        await pilot.pause()
        assert "not found" in last_line(app)
        assert transcript.current == 7  # nothing to go to: back where we were
        await pilot.press("backspace", "escape")
        await pilot.pause()
        assert transcript.current == 7
        assert transcript.highlighted_words is None
        assert app.focused is transcript


async def test_search_finds_words_without_their_accents_and_marks_them_whole() -> None:
    said = (Message("Ann", "Ich fand das Café\nMünchen groß.", "user", 1),)
    async with pane(said) as (app, transcript, pilot):
        await pilot.press("slash", *"CAFE munchen gross")
        await pilot.pause()
        assert "1 of 1" in last_line(app)
        assert transcript.highlighted_words is not None
        text = transcript.lines.blocks[0].text
        ((start, end),) = transcript.highlighted_words.spans(text)
        assert text[start:end] == "Café\nMünchen groß"


async def test_a_search_given_up_follows_again_if_it_did_before() -> None:
    async with pane(SAID) as (_, transcript, pilot):
        await pilot.press("slash", *"dogs", "escape")
        assert transcript.cursor.follows
        await pilot.press("slash", *"cats", "enter", "escape")
        assert (transcript.current, transcript.highlighted_words) == (
            36,
            None,
        )  # kept: the place stays


async def test_a_match_is_marked_across_a_wrapped_line() -> None:
    said = (message(1, "one two three four five six seven eight nine ten eleven twelve thirteen"),)
    async with pane(said, size=(40, 12)) as (_, transcript, pilot):
        await pilot.press("slash", *("space" if c == " " else c for c in "eight nine"))
        await pilot.pause()
        match = transcript.get_component_rich_style("transcript--match")
        marked_text = ""
        for y in range(transcript.size.height):
            for segment in transcript.render_line(y):
                if segment.style and segment.style.underline and match.underline:
                    marked_text += segment.text + "|"
        assert marked_text in ("eight|nine|", "eight nine|")


async def test_a_message_that_comes_while_one_searches_is_counted() -> None:
    async with pane(SAID) as (app, transcript, pilot):
        await pilot.press("slash", *"cats", "enter")
        transcript.post(message(40, "cats again"))
        await pilot.pause()
        assert "16 of 17" in last_line(app)


async def test_one_speaker_alone_and_the_cursor_among_them() -> None:
    async with pane(messages(30)) as (app, transcript, pilot):
        await pilot.press("home", "down", "v")  # Name1 is current
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert "only Name1" in transcript.badge
        assert "Name0" not in app.text()
        assert transcript.current == 1
        await pilot.press("down", "down")
        assert transcript.current == 7
        transcript.post(message(31, name="Name0"))
        transcript.post(message(32, name="Name1"))
        assert "1 new" in transcript.badge
        await pilot.press("end")
        assert transcript.current == 31
        await pilot.press("up", "v")
        assert transcript.current == 28
        assert transcript.lines.speaker is None
        await pilot.pause()
        assert "Name0" in app.text()
        assert marked(app).startswith("Name1")


async def test_only_the_growing_reply_of_the_one_shown_is_seen() -> None:
    async with pane(messages(6)) as (app, transcript, pilot):
        transcript.show_only("Name2")
        transcript.begin_reply("Name0", "user")
        transcript.grow_reply("unseen words")
        await pilot.pause()
        assert "unseen" not in app.text()
        transcript.post(message(6, "unseen words", "Name0"))
        transcript.begin_reply("Name2", "user")
        transcript.grow_reply("seen words")
        await pilot.pause()
        assert "seen words" in app.text()
        assert transcript.current == 5
        transcript.show_only(None)
        await pilot.pause()
        assert "unseen words" in app.text()
        assert transcript.current == 6


async def test_a_number_jumps_to_its_turn() -> None:
    async with pane(messages(40)) as (app, transcript, pilot):
        await pilot.press("number_sign", "1", "7")
        await pilot.pause()
        assert transcript.current == 17
        await pilot.press("0", "enter")
        await pilot.pause()
        assert "turns 1 to 39" in last_line(app)
        assert app.focused is not transcript
        await pilot.press("backspace", "enter")
        await pilot.pause()
        assert app.focused is transcript
        assert transcript.current == 17
        await pilot.press("number_sign", "x", "escape")
        assert transcript.current == 17


async def test_what_a_filter_hid_is_not_new() -> None:
    async with pane(messages(30)) as (_, transcript, pilot):
        transcript.show_only(transcript.lines.entries[0].name)
        await pilot.press("up")
        transcript.show_only(None)
        assert transcript.badge == "↓ End follows"
        transcript.post(message(30))
        assert transcript.badge == "1 new ↓ End"


async def test_how_many_are_new_below() -> None:
    async with pane(messages(30)) as (_, transcript, pilot):
        await pilot.press("up")
        assert transcript.badge == "↓ End follows"
        for number in range(12):
            transcript.post(message(number))
        assert transcript.badge == "12 new ↓ End"
        await pilot.press("end")
        assert transcript.badge == ""


async def test_what_the_mouse_selects_is_copied_without_the_breaks_of_wrapping() -> None:
    said = (message(0), message(1, "alpha beta gamma delta " * 6), message(2))
    async with pane(said, size=(40, 20)) as (_, transcript, pilot):
        await pilot.mouse_down(Transcript, offset=(2, 4))
        await pilot.hover(Transcript, offset=(12, 6))
        await pilot.mouse_up(Transcript, offset=(12, 6))
        await pilot.pause()
        chosen = transcript.screen.get_selected_text()
        assert chosen
        assert chosen.startswith("alpha beta gamma delta alpha")
        assert "\n" not in chosen


# Copying -----------------------------------------------------------------------------------------


async def test_the_message_and_the_discussion_are_copied_and_the_app_says_where(
    bench: OpenBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    async with bench() as at:
        await at.press("r")
        await at.until_state("finished")
        entries = at.records()[0].entries
        at.laboratory.transcript.focus()
        await at.press("home", "down", "y")
        file = at.folders.copied_file
        await at.until(lambda: "Message copied to" in at.toasts())
        assert str(file) in at.toasts()  # a pilot has no terminal
        assert file.read_text() == entries[1].text
        await at.press("Y")
        await at.until(lambda: "Discussion copied to" in at.toasts())
        said = [entry for entry in entries if not entry.is_silence]
        assert file.read_text() == "".join(f"{e.name}:\n{e.text}\n\n" for e in said)[:-1]
        at.laboratory.transcript.show_only("Giannis")
        await at.press("Y")
        await at.until(lambda: "Giannis's messages copied to" in at.toasts())
        assert "Emma35:" not in file.read_text()


async def test_a_silence_is_not_copied() -> None:
    async with pane((Message("Mod", "", "moderator"),)) as (app, _, pilot):
        await pilot.press("y")
        await pilot.pause()
        assert "no text" in "".join(str(toast.message) for toast in app._notifications)


# Reading -----------------------------------------------------------------------------------------

HOSTILE = (
    "# Plan\n\n**bold** [link](http://evil.example) <http://auto.example> http://bare.example\n"
    "![picture](file:///etc/passwd) <b>html</b> &#27;[31m &#x9b;31m [@click=app.exit]x[/]\n\n"
    "```python\nx = 1\n```\n\nwith \x1b[31m escapes"
)


async def test_the_reading_view_renders_markdown_and_nothing_in_it_acts() -> None:
    async with pane((message(0, HOSTILE),), size=(100, 40)) as (app, _, pilot):
        await pilot.press("z")
        await pilot.pause()
        await pilot.pause()
        text = app.text()
        assert "Plan" in text
        assert "# Plan" not in text
        assert "**bold**" not in text
        assert "[link](http://evil.example)" in text
        assert "&#27;[31m" in text
        assert "\x1b" not in text
        assert "\x9b" not in text
        for strip in app.screen._compositor.render_strips():
            for segment in strip:
                meta = segment.style.meta if segment.style else {}
                assert not [key for key in meta if "click" in key], segment
                assert segment.style is None or segment.style.link is None


async def test_the_reading_view_leads_back_to_where_one_read() -> None:
    async with pane(messages(60), size=(60, 20)) as (app, transcript, pilot):
        await pilot.press("home", "z")
        await pilot.pause()
        seen: set[int] = set()
        for _ in range(60):
            await pilot.pause()
            text = app.text()
            seen |= {number for number in range(60) if f"Message {number}." in text}
            if "60 of 60" in text:
                break
            await pilot.press("pagedown")
        assert seen == set(range(60))
        await pilot.press("home")
        await pilot.pause()
        await pilot.pause()
        assert "Message 0." in app.text()
        await pilot.press("end", "escape")
        assert transcript.current == 59


async def test_looking_into_the_reading_view_does_not_stop_following() -> None:
    async with pane(messages(30)) as (_, transcript, pilot):
        await pilot.press("z", "escape")
        await pilot.pause()
        assert transcript.cursor.follows


async def test_letters_beyond_the_search_line_s_width_move_it_and_lay_nothing_out_again(
    bench: OpenBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    layouts = []
    lay_out = Screen._refresh_layout

    def counted(*args: Any, **options: Any) -> None:
        layouts.append(args)
        lay_out(*args, **options)

    async with bench() as at:
        await at.press("r")
        await at.until_state("finished")
        await at.press("3", "slash", *"abcdef")
        monkeypatch.setattr(Screen, "_refresh_layout", counted)
        await at.type("ghijklmnopqrstuvwxyz" * 3 + "END")
        assert "xyzEND" in at.text()
        assert not layouts
        await at.press("home")
        assert " abcdef" in at.text()
