"""Forms: dialogs in which something is typed, and that ask before it is discarded.

``esc`` asks before it discards what was typed, and ``u`` brings back what was discarded last.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from textual.app import App
from textual.containers import Horizontal
from textual.content import Content
from textual.events import Paste
from textual.screen import Screen, ScreenResultType
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

from ...text import one_line, safe
from ..shell.keymap import key_of
from ..shell.screen import AppDialog
from .dialogs import ConfirmDialog
from .inline_select import InlineSelect
from .safe_input import SafeInput

Result = TypeVar("Result")
Typed = tuple[object, ...]
"""What the fields of a form hold, from the first to the last."""


@dataclass(frozen=True)
class Discarded:
    """What was discarded while ``screen`` was in front, and how it is opened again."""

    screen: Screen[Any]
    reopen: Callable[[], object]


class RemembersDiscarded:
    """An app that remembers what was discarded last."""

    discarded: Discarded | None = None


class ErrorLine(Static):
    """What is wrong in a dialog; takes no room while nothing is."""

    def __init__(self) -> None:
        super().__init__("", markup=False)

    def show(self, sentence: str) -> None:
        """Show ``sentence``, or nothing if it is empty."""
        self.update(Content(safe(sentence)))
        self.display = bool(sentence)


def form_row(label: str, *fields: Widget) -> Horizontal:
    """A label and fields beside it on one line."""
    return Horizontal(
        Static(Content(one_line(label, 19)), classes="form-label"), *fields, classes="form-row"
    )


class Form(AppDialog[ScreenResultType]):
    """A dialog with fields. ``typed`` and ``fill`` read and write them all."""

    def __init__(self) -> None:
        super().__init__()
        self.discarded: Typed | None = None
        """What was typed, once it has been discarded."""
        self._typed_at_first: Typed = ()
        self._restored: Typed | None = None
        self._can_be_reopened = False

    def on_mount(self) -> None:
        self._typed_at_first = self.typed()
        if self._restored is not None:
            self.fill(self._restored)

    def _text_fields(self) -> list[Input | TextArea | InlineSelect]:
        fields = self.query("Input, TextArea, InlineSelect")
        return [each for each in fields if isinstance(each, Input | TextArea | InlineSelect)]

    def typed(self) -> Typed:
        """What the fields hold."""
        return tuple(map(_content, self._text_fields()))

    def fill(self, typed: Typed) -> None:
        """Put what ``typed`` gave into the fields."""
        for field, content in zip(self._text_fields(), typed, strict=False):
            match field, content:
                case InlineSelect(), int():
                    field.choose(content)
                case Input(), str():
                    field.value = content
                case TextArea(), str():
                    field.text = content

    def reopen_with(self, typed: Typed | None) -> None:
        """Note that the form can be opened again; begin with what was ``typed``, if anything."""
        self._can_be_reopened = True
        self._restored = typed

    @property
    def is_changed(self) -> bool:
        """Whether something was typed that would be lost."""
        pairs = zip(self._typed_at_first, self.typed(), strict=False)
        return any(new != old for old, new in pairs if not isinstance(new, int))  # a choice

    def show_error(self, sentence: str) -> None:
        """Show in the form's ErrorLine what is wrong; nothing, if ``sentence`` is empty."""
        self.query_one(ErrorLine).show(sentence)

    def on_paste(self, event: Paste) -> None:
        """Paste into the only text field, where no field has the focus."""
        texts = [each for each in self._text_fields() if isinstance(each, SafeInput)]
        if len(texts) == 1:
            event.stop()
            texts[0].focus()
            texts[0].value = ""
            texts[0].paste(event.text)

    def action_cancel(self) -> None:
        """Leave; ask first where something was typed."""

        def answered(discards: bool | None) -> None:
            if discards:
                self.discarded = self.typed()
                self.dismiss(None)

        if self.is_changed:
            question = discard_question(self.app, can_undo=self._can_be_reopened)
            self.app.push_screen(question, answered)
        else:
            self.dismiss(None)


def _content(field: Input | TextArea | InlineSelect) -> str | int:
    match field:
        case Input():
            return field.value
        case TextArea():
            return field.text
        case _:
            return field.index


def discard_question(app: App[Any], *, can_undo: bool = True) -> ConfirmDialog:
    """Ask whether to discard what was typed; ``can_undo``: undo brings it back."""
    undo = f"{key_of(app, 'personas.undo')} brings it back, until something else is changed."
    return ConfirmDialog(
        "Discard what you typed?",
        undo if can_undo else "It cannot be brought back.",
        "discard changes",
        "cancel",
    )


def open_form(
    app: App[Any],
    make: Callable[[], Form[Result]],
    done: Callable[[Result | None], object],
    *,
    restored: Typed | None = None,
) -> Form[Result]:
    """Open the form that ``make`` makes and hand its result to ``done``.

    If what is typed in it is discarded, ``bring_back`` opens it again with that.
    """
    screen, form = app.screen, make()
    form.reopen_with(restored)

    def left(result: Result | None) -> None:
        if form.discarded is not None:
            typed = form.discarded
            remember_discarded(app, screen, lambda: open_form(app, make, done, restored=typed))
        elif result is not None:
            forget_discarded(app)
        done(result)

    app.push_screen(form, left)
    return form


def remember_discarded(app: App[Any], screen: Screen[Any], reopen: Callable[[], object]) -> None:
    """Let ``bring_back`` call ``reopen`` while ``screen`` is in front."""
    if isinstance(app, RemembersDiscarded):
        app.discarded = Discarded(screen, reopen)


def forget_discarded(app: App[Any]) -> None:
    """Forget what was discarded: from now on undo means a later change."""
    if isinstance(app, RemembersDiscarded):
        app.discarded = None


def can_bring_back(app: App[Any]) -> bool:
    """Whether ``bring_back`` has something for the screen in front."""
    discarded = app.discarded if isinstance(app, RemembersDiscarded) else None
    return discarded is not None and discarded.screen is app.screen


def bring_back(app: App[Any]) -> bool:
    """Open again what was discarded last on the screen in front; False if there is nothing."""
    if not isinstance(app, RemembersDiscarded) or app.discarded is None:
        return False
    discarded, app.discarded = app.discarded, None
    if discarded.screen is not app.screen:
        return False
    discarded.reopen()
    return True
