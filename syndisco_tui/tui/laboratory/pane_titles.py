"""The three panes' titles; on a narrow terminal they are tabs."""

from __future__ import annotations

from textual.content import Content

from ...text import one_line

PANES = ("personas", "setup", "transcript")


def pane_title(name: str, current: str, note: str, *, tabs: bool, underline: bool) -> Content:
    """The title of pane ``name`` while ``current`` has the focus, and a note behind it.

    ``tabs``: all three titles, one after the other. ``underline``: colours alone do not tell.
    """
    marked = "bold underline $accent" if underline else "bold $accent"
    parts: list[Content | str] = []
    for number, pane in enumerate(PANES, start=1):
        if tabs or pane == name:
            style = marked if pane == current else "$quiet" if tabs else "bold $quiet"
            parts += [Content.styled(f"{number} {pane.capitalize()}", style)]
            parts.append("   " if tabs else "  ")
    return Content.assemble(*parts, Content.styled(one_line(note, 40), "$quiet"))
