"""The one module that uses Textual's private parts: what to look at when Textual is updated."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from textual.app import App, ReturnType
from textual.binding import Binding
from textual.dom import DOMNode
from textual.geometry import Size
from textual.notifications import Notification
from textual.scroll_view import ScrollView
from textual.widgets._toast import ToastHolder, ToastRack

MOST_TOASTS = 4
"""A window of twenty rows has no room for more."""


class QuietCrashApp(App[ReturnType]):
    """An app that keeps the error it crashes with instead of printing it.

    Textual's crash report prints local variables, which may hold secrets.
    """

    crash: BaseException | None = None

    def _handle_exception(self, error: Exception) -> None:
        self.crash = self.crash or error
        super()._handle_exception(error)

    def _fatal_error(self) -> None:
        self.bell()
        self._close_messages_no_wait()


def set_clipboard(app: App[Any], text: str) -> None:
    """Let ``text`` be what ctrl+v pastes into the app's inputs."""
    app._clipboard = text


def terminal_writer(app: App[Any]) -> Callable[[str], object] | None:
    """What writes to the terminal that the app is on; None where it is on none."""
    terminal = sys.__stderr__ is not None and sys.__stderr__.isatty() and not app.is_headless
    return app._driver.write if app._driver and terminal else None


def make_room_for_toast(app: App[Any], new: Notification) -> None:
    """Remove toasts that say what ``new`` says, and the oldest ones where there are many.

    Textual leaves a toast's holder behind when its notification goes before its time.
    """
    shown = list(app._notifications)
    staying = [each for each in shown if each.message != new.message][1 - MOST_TOASTS :]
    for each in shown:
        if each not in staying:
            app._unnotify(each, refresh=False)
    ids = {ToastRack._toast_id(each) for each in staying}
    for holder in app.screen.query(ToastHolder):
        if holder.id not in ids:
            holder.remove()


def bindings_of(node: DOMNode) -> list[Binding]:
    """The bindings in force at ``node`` itself."""
    return [binding for _, binding in node._bindings]


class MeasuredScrollView(ScrollView):
    """A scroll view that tells scrolling by a person from scrolling by its own layout."""

    is_laying_out = False

    @contextmanager
    def laying_out(self) -> Iterator[None]:
        """While it lasts, a change of the scroll position is not a person's."""
        before, self.is_laying_out = self.is_laying_out, True
        try:
            yield
        finally:
            self.is_laying_out = before

    def set_virtual_size(self, size: Size) -> None:
        """Take over the size of all lines at once, scroll bars included."""
        if size != self.virtual_size:
            self.virtual_size = size
            self._scroll_update(size)

    def _size_updated(
        self, size: Size, virtual_size: Size, container_size: Size, layout: bool = True
    ) -> bool:
        with self.laying_out():
            return super()._size_updated(size, virtual_size, container_size, layout)
