"""Forms: what is typed is never lost without a question, and undo brings it back."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator

import pytest
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.events import Paste
from textual.screen import Screen
from textual.widgets import Input, TextArea

from syndisco_tui import tui
from syndisco_tui.discussion import DiscussionSetup, Persona
from syndisco_tui.tui.interventions.fork import ForkScreen
from syndisco_tui.tui.interventions.write_message import EditScreen, InjectScreen
from syndisco_tui.tui.personas.editor import PersonaEditor
from syndisco_tui.tui.widgets.dialogs import ConfirmDialog
from syndisco_tui.tui.widgets.forms import Form
from syndisco_tui.tui.widgets.inline_select import InlineSelect
from syndisco_tui.tui.widgets.safe_input import SafeInput, SafeTextArea
from tests.support.bench import Bench, OpenBench, at_setting

TWO = DiscussionSetup(
    personas=(Persona(username="Ann"), Persona(username="Bob")), conv_len=6, model="scripted"
)
ASKED = "Discard what you typed?"


async def one_message(at: Bench) -> None:
    await at.press("s")
    await at.until_state("paused")
    await at.until(lambda: len(at.laboratory.transcript.lines.entries) == 1)
    await at.press("3")


class TestDiscarding:
    @pytest.mark.parametrize("key", ["e", "n", "F", "G", "S", "f", "T"])
    async def test_every_form_of_the_personas_asks_and_undo_brings_it_back(
        self, bench: OpenBench, key: str
    ) -> None:
        async with bench() as at:
            await at.press(key, "x", "escape")
            assert ASKED in at.text()
            await at.press("escape")
            assert ASKED not in at.text()
            field = at.app.focused
            assert isinstance(field, Input)
            assert field.value == "x", "cancelled: it goes on where it was"
            await at.press("escape", "y")
            assert at.app.focused is at.laboratory.personas_pane.list
            await at.press("u")
            await at.until(lambda: isinstance(at.app.focused, Input))
            field = at.app.focused
            assert isinstance(field, Input)
            assert field.value == "x"

    @pytest.mark.parametrize("key", ["e", "n", "F", "G", "S", "f", "T", "O"])
    async def test_where_nothing_was_typed_nothing_is_asked(
        self, bench: OpenBench, key: str
    ) -> None:
        async with bench() as at:
            await at.press(key, "escape")
            assert at.app.screen is at.laboratory
            assert at.app.focused is at.laboratory.personas_pane.list

    async def test_messages_and_forks(self, bench: OpenBench) -> None:
        async with bench(setup=TWO, replies=("First.",)) as at:
            await one_message(at)
            for key, form in (("i", InjectScreen), ("E", EditScreen), ("f", ForkScreen)):
                await at.press(key, "W")
                await at.type("hat")
                await at.press("escape", "y")
                assert at.app.screen is at.laboratory
                await at.press("u")
                assert isinstance(at.app.screen, form)
                typed = [str(each) for each in at.app.screen.typed()]
                assert "What" in typed
                await at.press("escape", "y")

    async def test_rows_of_the_setup(self, bench: OpenBench) -> None:
        async with bench() as at:
            await at.press("2", "home", "down", "down", "enter", "N")
            await at.type("ew.")
            await at.press("escape")
            assert ASKED in at.text()
            await at.press("y")
            before = at.laboratory.setup
            await at.press("u")
            pane = at.laboratory.setup_pane
            await at.until(lambda: pane.editor is not None and pane.editor.text == "New.")
            await at.press("ctrl+s")
            assert pane.field.key != "context"
            assert at.laboratory.setup != before
            await at.press("u")
            assert at.laboratory.setup == before, "then undo means the change"

    async def test_what_is_faulty_and_left_by_the_mouse_can_be_brought_back(
        self, bench: OpenBench
    ) -> None:
        async with bench() as at:
            pane = at.laboratory.setup_pane
            pane.go_to_field("p_respond")
            await at.press("enter", "x")
            at.laboratory.personas_pane.list.focus()
            await at.until(lambda: "p_respond was discarded: must be a number" in at.toasts())
            await at.press("2", "u")
            await at.until(lambda: pane.editor is not None and pane.editor.text == "x")

    async def test_a_later_change_is_what_undo_means(self, bench: OpenBench) -> None:
        async with bench() as at:
            await at.press("e", "x", "escape", "y", "delete")
            count = len(at.laboratory.personas_pane.selection.personas)
            await at.press("u")
            assert len(at.laboratory.personas_pane.selection.personas) == count + 1
            assert at.app.screen is at.laboratory

    async def test_quitting_asks_too(self, bench: OpenBench) -> None:
        async with bench() as at:
            await at.press("e", "x", "ctrl+q")
            assert isinstance(at.app.screen, ConfirmDialog)
            await at.press("escape")
            assert isinstance(at.app.screen, PersonaEditor)

    async def test_settings(self, bench: OpenBench) -> None:
        async with bench() as at:
            await at.press(*at_setting("threads"), "enter", "7", "escape")
            assert ASKED in at.text()
            await at.press("y", "u")
            assert at.app.screen.query_one(Input).value == "7"


class Editors(App[None]):
    def compose(self) -> ComposeResult:
        yield SafeInput(id="line")
        yield SafeTextArea("word " * 60 + "\nnext", soft_wrap=True, id="text")


class TestPasting:
    @pytest.mark.parametrize("line_break", ["\n", "\r", "\r\n", "\u2028", "\x85"])
    async def test_line_breaks_stay_in_texts_and_are_blanks_in_lines(self, line_break: str) -> None:
        pasted = f"One{line_break}two{line_break}{line_break}three{line_break}"
        app = Editors()
        async with app.run_test() as pilot:
            line, text = app.query_one(SafeInput), app.query_one(SafeTextArea)
            line.focus()
            await pilot.pause()
            app.post_message(Paste(pasted))
            await pilot.pause()
            assert line.value == "One two  three"
            text.focus()
            await pilot.pause()
            app.post_message(Paste(pasted))
            await pilot.pause()
            assert text.text == "One\ntwo\n\nthree\n", "and it took the place of what was selected"

    async def test_the_apps_own_clipboard_likewise(self) -> None:
        app = Editors()
        async with app.run_test() as pilot:
            app._clipboard = "One\r\ntwo"
            line, text = app.query_one(SafeInput), app.query_one(SafeTextArea)
            line.focus()
            await pilot.press("ctrl+v")
            assert line.value == "One two"
            text.focus()
            await pilot.press("ctrl+v")
            assert text.text == "One\ntwo"

    async def test_a_paste_right_after_i_lands_in_the_text(self, bench: OpenBench) -> None:
        async with bench(setup=TWO, replies=("First.",)) as at:
            await one_message(at)
            await at.press("i")
            assert isinstance(at.app.focused, InlineSelect)
            at.app.post_message(Paste("Hello\ryou"))
            await at.until(lambda: at.app.screen.query_one(TextArea).text == "Hello\nyou")
            await at.type("!")
            await at.press("ctrl+s")
            await at.until(lambda: len(at.records()[0].entries) == 2)
            assert at.records()[0].entries[-1].text == "Hello\nyou!"

    async def test_a_paste_into_the_name_stays_there(self, bench: OpenBench) -> None:
        async with bench(setup=TWO, replies=("First.",)) as at:
            await one_message(at)
            await at.press("i", "left")
            await at.press("tab")
            at.app.post_message(Paste("Zoe"))
            await at.until(lambda: at.app.screen.query_one("#other-name", Input).value == "Zoe")
            assert at.app.screen.query_one(TextArea).text == ""

    async def test_a_form_with_one_field_takes_it_wherever_the_focus_is(
        self, bench: OpenBench
    ) -> None:
        async with bench() as at:
            await at.press("F", "up")
            assert isinstance(at.app.focused, InlineSelect)
            at.app.post_message(Paste("77"))
            await at.until(lambda: at.app.screen.query_one(Input).value == "77")


class TestTexts:
    async def test_a_field_of_text_is_entered_with_all_of_it_selected(self) -> None:
        app = Editors()
        async with app.run_test(size=(40, 24)) as pilot:
            text = app.query_one(SafeTextArea)
            text.focus()
            await pilot.pause()
            assert text.selected_text == text.text
            await pilot.press("x")
            assert text.text == "x"

    @pytest.mark.parametrize(
        ("keys", "left"),
        [
            (("ctrl+home", "ctrl+k"), "\nnext"),
            (("ctrl+home", "ctrl+k", "ctrl+k"), "next"),
            (("ctrl+home", "right", "right", "ctrl+k"), "wo\nnext"),
            (("ctrl+end", "up", "end", "ctrl+u"), "\nnext"),
            (("ctrl+end", "ctrl+u", "ctrl+u", "ctrl+u"), ""),
            (("ctrl+u",), ""),
            (("ctrl+k",), ""),
        ],
    )
    async def test_keys_that_delete_a_line_mean_the_written_one(
        self, keys: tuple[str, ...], left: str
    ) -> None:
        app = Editors()
        async with app.run_test(size=(40, 24)) as pilot:
            text = app.query_one(SafeTextArea)
            text.text = "word " * 60 + "\nnext"
            text.focus()
            await pilot.pause()
            assert text.wrapped_document.height > 6, "it is wrapped"
            await pilot.press(*keys)
            assert text.text == left


SEARCHES = {"ModelDialog", "OpenDialog", "LibraryScreen"}
"""Screens in which only words to look for are typed: nothing is lost with them."""
ASKS_BY_ITSELF = {"CodingScreen"}
"""It has a field on every message and asks where an answer was typed but not given."""


def screens_with_fields() -> Iterator[type[Screen[object]]]:
    """The classes of screens that are made with a field to type in."""
    for module in pkgutil.walk_packages(tui.__path__, f"{tui.__name__}."):
        for _, each in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            is_screen = each.__module__ == module.name and issubclass(each, Screen)
            if each is Form:  # the base of all forms reads fields but has none
                continue
            if is_screen and re.search(r"\b(Safe)?(Input|TextArea)\(", inspect.getsource(each)):
                yield each


def test_every_screen_in_which_something_is_typed_is_a_form() -> None:
    found = {each.__name__: each for each in screens_with_fields()}
    assert {"PersonaEditor", "InjectScreen", "LineDialog", "ForkScreen"} <= set(found)
    assert {name for name, each in found.items() if not issubclass(each, Form)} <= (
        SEARCHES | ASKS_BY_ITSELF
    )


def test_no_form_has_another_way_out() -> None:
    """With esc it asks before it discards."""
    forms = [each for each in screens_with_fields() if issubclass(each, Form)]
    for form in forms:
        bindings = [each for each in form.BINDINGS if isinstance(each, Binding)]
        assert [each.action for each in bindings if "escape" in each.key] == ["cancel"], form
