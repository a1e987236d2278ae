"""What is likely a mistake in the personas, as a list to go from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from ...discussion import Persona
from ...discussion.lint import Warning
from ...text import one_line, safe
from ..shell.screen import AppDialog
from ..widgets.key_line import KeyLine
from .fields import label


class WarningsDialog(AppDialog[Warning | None]):
    """Lists ``warnings`` about ``personas``; the result is the one to go to."""

    HELP = """Likely mistakes
    What is probably not meant: clones, ages of several kinds, values in the wrong field. Enter
    goes to the persona; nothing is changed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "go", "go there", key_display="⏎", priority=True),
        Binding("escape,q,L", "dismiss(None)", "back", key_display="esc"),
    ]

    def __init__(self, warnings: Sequence[Warning], personas: Sequence[Persona]) -> None:
        super().__init__()
        self._warnings = warnings
        self._personas = personas

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -list"):
            count = len(self._warnings)
            title = f"{count} likely mistakes" if count > 1 else "One likely mistake"
            yield Static(title, classes="dialog-title", markup=False)
            yield OptionList(*map(self._option, self._warnings), compact=True, markup=False)
            yield KeyLine()

    def _option(self, warning: Warning) -> Option:
        where = label(warning.field) if warning.field else ""
        return Option(
            Content.assemble(
                Content.styled(f"{one_line(self._personas[warning.index].name, 14):<16}", "bold"),
                Content.styled(f"{one_line(where, 15):<16}", "$quiet") if where else "",
                safe(warning.sentence),
            )
        )

    def action_go(self) -> None:
        row = self.query_one(OptionList).highlighted
        self.dismiss(None if row is None else self._warnings[row])

    @on(OptionList.OptionSelected)
    def _chosen(self) -> None:
        self.action_go()
