"""The library's dialog that asks for an export format."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from ...text import safe
from ...workspace.exporting import FORMAT_NAMES, FORMATS, ExportFormat
from ..shell.screen import AppDialog


class ExportFormatDialog(AppDialog[ExportFormat | None]):
    """Asks in which format discussions are to be exported."""

    HELP = """Export
    Discussions as files for other programs, in the folder of exports, named by their titles. The
    path is shown and copied."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "cancel", show=False)
    ]

    def __init__(self, heading: str) -> None:
        super().__init__()
        self._heading = heading

    def compose(self) -> ComposeResult:
        width = max(map(len, FORMAT_NAMES))
        options = [
            Option(
                Content.assemble(
                    Content.styled(f"{name:<{width}}", "bold"),
                    Content.styled(f"   {FORMATS[name].meaning}", "$quiet"),
                )
            )
            for name in FORMAT_NAMES
        ]
        with Vertical(classes="dialog"):
            yield Static("Export", classes="dialog-title", markup=False)
            yield Static(Content(safe(self._heading)), classes="library-subject")
            yield OptionList(*options, markup=False, compact=True, id="formats")
            yield Static("⏎ export      esc cancel", classes="dialog-hint", markup=False)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(FORMAT_NAMES[event.option_index])
