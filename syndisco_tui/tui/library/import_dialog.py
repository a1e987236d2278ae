"""Dialogs for importing: one asks for a path or pasted JSON, one shows a preview."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from ...text import one_line, safe
from ...workspace.importing import ImportResult, mapping_lines, summarize_import
from ..shell.screen import AppDialog
from ..widgets.forms import ErrorLine, Form
from ..widgets.path_input import PathInput

NAMES_SHOWN = 12
MESSAGES_SHOWN = 5
"""Messages about imported files in one notice."""
EXPLANATION = (
    "A file or a folder. Discussions: SynDisco, ConvoKit, SillyTavern. Personas: lists and tables, "
    "character cards, TinyTroupe, Persona Hub. JSON can be pasted."
)


class ImportDialog(Form[Path | str | None]):
    """Asks what to import. The result is a path, or the JSON text that was pasted."""

    HELP = """Import
    Type or paste the path of a file or folder; tab completes it. You can also paste JSON itself.
    A preview shows what becomes what, before anything is saved."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "submit", "preview", show=False, priority=True),
        Binding("escape", "cancel", "cancel", key_display="esc", show=False),
    ]

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static("Import", classes="dialog-title", markup=False)
            yield Static(EXPLANATION, markup=False)
            yield PathInput(compact=True, id="line", placeholder="path of a file or folder")
            yield Static("", id="import-names", markup=False)
            yield ErrorLine()
            hint = "⏎ preview      tab complete      esc cancel"
            yield Static(hint, classes="dialog-hint", markup=False)

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#import-names").display = False

    @on(Input.Submitted)
    def action_submit(self) -> None:
        text = self.query_one(PathInput).value.strip()
        if text:
            self.dismiss(Path(os.path.expanduser(text)))
        else:
            self.show_error("Type the path of a file or folder.")

    @on(PathInput.JsonPasted)
    def _json_pasted(self, event: PathInput.JsonPasted) -> None:
        self.dismiss(event.text)

    @on(PathInput.Completed)
    def _completed(self, event: PathInput.Completed) -> None:
        shown = event.names[:NAMES_SHOWN] if len(event.names) > 1 else []
        more = len(event.names) - len(shown)
        line = "  ".join(one_line(name, 40) for name in shown) + (
            f"  … {more} more" if more else ""
        )
        names = self.query_one("#import-names", Static)
        names.update(Content.styled(safe(line if shown else ""), "$quiet"))
        names.display = bool(shown)
        self.show_error("" if event.names else "Nothing is called like that.")

    @on(Input.Changed)
    def _typed(self) -> None:
        self.show_error("")
        self.query_one("#import-names").display = False


class ImportPreview(AppDialog[bool]):
    """Asks for confirmation, showing what an import would add and how fields are mapped."""

    HELP = """Preview of an import
    Nothing is saved yet. y or enter imports, n or escape cancels."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter", "answer(True)", "import", show=False),
        Binding("n,escape,q", "answer(False)", "cancel", show=False),
    ]

    def __init__(self, results: Sequence[ImportResult]) -> None:
        super().__init__()
        self._results = results

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static("Import", classes="dialog-title", markup=False)
            yield Static(Content(safe(summarize_import(self._results, preview=True))))
            with VerticalScroll(id="import-mapping"):
                yield Static(Content("\n").join(self._lines()))
            yield Static(
                Content.assemble(
                    ("y", "bold $accent"),
                    " import      ",
                    ("esc", "bold $accent"),
                    " cancel",
                ),
                classes="dialog-hint",
            )

    def _lines(self) -> list[Content]:
        lines = []
        written = mapping_lines(self._results)
        width = max((len(line.partition(" → ")[0]) for line in written if " → " in line), default=0)
        for line in written:
            source, arrow, target = line.partition(" → ")
            if arrow:
                text = Content.assemble((f"{source:<{width}}", "$quiet"), arrow, target)
            else:
                text = Content.styled(safe(line), "bold")
            lines.append(text)
        lines += [
            Content.styled(safe(message), "$error" if is_error else "$quiet")
            for message, is_error in messages_of(self._results)
        ]
        return lines

    def action_answer(self, answer: bool) -> None:
        self.dismiss(answer)


def messages_of(results: Sequence[ImportResult]) -> list[tuple[str, bool]]:
    """The first messages about files, each with whether it is an error, and a count of others."""
    messages = [(each.message, each.kind == "error") for each in results if each.message]
    if len(messages) > MESSAGES_SHOWN:
        more = len(messages) - MESSAGES_SHOWN
        messages[MESSAGES_SHOWN:] = [(f"… and {more} more", False)]
    return messages
