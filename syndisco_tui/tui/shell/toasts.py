"""Toasts: a few at once, and nobody is told twice at the same time."""

from __future__ import annotations

from textual.app import App
from textual.notifications import Notification
from textual.widgets._toast import ToastHolder, ToastRack

MOST_TOASTS = 4
"""A window of twenty rows has no room for more."""


def make_room(app: App[int], new: Notification) -> None:
    """Take away what ``new`` says again, and the oldest ones where there are many.

    Textual leaves the holder behind when a notification goes before its time: that goes too.
    """
    there = app._notifications
    others = [each for each in there if each.message != new.message]
    kept = others[1 - MOST_TOASTS :]
    for each in list(there):
        if each not in kept:
            app._unnotify(each, refresh=False)
    ids = {ToastRack._toast_id(each) for each in kept}
    for holder in app.screen.query(ToastHolder):
        if holder.id not in ids:
            holder.remove()
