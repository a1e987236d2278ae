"""The dialog that asks for an export format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from ...text import safe
from ..shell.screen import AppDialog

FormatName = TypeVar("FormatName", bound=str)


class ExportFormatDialog(AppDialog[FormatName | None]):
    """Asks for one of ``formats``, names with descriptions, under ``heading``."""

    HELP = """Export
    Files for other programs, in the folder of exports, named by their titles. The path is shown
    and copied."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "cancel", show=False)
    ]

    def __init__(self, heading: str, formats: Mapping[FormatName, str]) -> None:
        super().__init__()
        self._heading = heading
        self._formats = formats

    def compose(self) -> ComposeResult:
        width = max(map(len, self._formats))
        options = [
            Option(
                Content.assemble(
                    Content.styled(f"{name:<{width}}", "bold"),
                    Content.styled(f"   {meaning}", "$quiet"),
                )
            )
            for name, meaning in self._formats.items()
        ]
        with Vertical(classes="dialog"):
            yield Static("Export", classes="dialog-title", markup=False)
            yield Static(Content(safe(self._heading)), classes="export-subject")
            yield OptionList(*options, markup=False, compact=True, id="formats")
            yield Static("⏎ export      esc cancel", classes="dialog-hint", markup=False)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(list(self._formats)[event.option_index])
