"""The dialog that chooses a model: on this machine, on a server, or by id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from ...text import gigabytes, one_line, safe, search_key
from ...workspace.models import (
    ListedModel,
    ModelChoice,
    ModelGroup,
    ModelListing,
    ModelSources,
    in_order,
)
from ..shell.screen import AppDialog
from ..widgets.key_line import KeyLine
from ..widgets.row_list import RowList
from ..widgets.safe_input import SafeInput
from .model_rows import ModelRows

PLACEHOLDER = "type to filter, or any id of the hub, or a folder"


class ModelDialog(AppDialog[ModelChoice | None]):
    """Lists the models of ``sources``; the result is the chosen one, or None.

    Args:
        sources: Where to look.
        current: The model in force.
        title: What the model is for.
    """

    HELP = """Choose a model
    The models on this machine, and those of the servers in settings and on the ports where such
    programs listen (vLLM, SGLang, Ollama, llama.cpp, LM Studio). Type to filter, or type any id
    of the Hugging Face hub or a folder. A model of a server sets the setup's server too."""

    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "choose", key_display="⏎", priority=True),
        Binding("escape", "dismiss(None)", "cancel", key_display="esc", priority=True),
        Binding("down", "move(1)", "next", key_display="↑↓", priority=True),
        Binding("up", "move(-1)", show=False, priority=True),
        Binding("pagedown", "page(1)", show=False, priority=True),
        Binding("pageup", "page(-1)", show=False, priority=True),
    ]

    @dataclass
    class Listed(Message):
        """A group of models has changed."""

        group: ModelGroup

    def __init__(
        self, sources: ModelSources, current: ModelChoice | None = None, *, title: str = "Model"
    ) -> None:
        super().__init__()
        self._title = title
        self._current = current
        self._groups: dict[str, ModelGroup] = {}
        self._highlighted = current
        self._listing = ModelListing(sources, lambda group: self.post_message(self.Listed(group)))

    def compose(self) -> ComposeResult:
        with Vertical(id="models", classes="dialog -list"):
            yield Static(Content(one_line(self._title, 70)), classes="dialog-title")
            yield SafeInput(
                compact=True,
                classes="form-input",
                placeholder="type to filter, or any id or folder",
            )
            yield ModelRows(self._current)
            yield Static("", id="model-about", markup=False)
            yield Static("", id="model-notes", markup=False)
            yield KeyLine()

    def on_mount(self) -> None:
        self.query_one(Input).focus()
        self._listing.start()

    def on_unmount(self) -> None:
        self._listing.cancel()

    # Rows --------------------------------------------------------------------------------------

    @on(Listed)
    def _listed(self, event: Listed) -> None:
        self._groups[event.group.heading] = event.group
        self._show()

    @on(Input.Changed)
    def _typed(self) -> None:
        self._highlighted = None
        self._show()

    @property
    def _text(self) -> str:
        return self.query_one(Input).value.strip()

    def _show(self) -> None:
        groups = in_order(self._groups.values())
        self.query_one(ModelRows).show(self._matching(groups), self._highlighted)
        self._show_notes(groups)
        self._show_about()

    def _matching(self, groups: Sequence[ModelGroup]) -> list[ModelGroup]:
        """The models whose name, family or origin has the typed text, and that text as an id."""
        typed = self._text
        if not typed:
            return list(groups)
        key = search_key(typed)
        matching = [
            replace(
                group, models=tuple(each for each in group.models if key in _searched(each, group))
            )
            for group in groups
        ]
        listed = {each.choice for group in groups for each in group.models}
        own = tuple(
            ListedModel(choice, about=about)
            for choice, about in self._as_typed(typed)
            if choice not in listed
        )
        return [*matching, ModelGroup("As typed", own)]

    def _as_typed(self, typed: str) -> list[tuple[ModelChoice, str]]:
        """The typed text as a model, on the current server and on this machine."""
        on_this_machine = (ModelChoice(typed), "a hub id, or a folder")
        server = self._current.server if self._current else ()
        if not server:
            return [on_this_machine]
        return [
            (ModelChoice(typed, server), f"on {one_line(', '.join(server), 60)}"),
            on_this_machine,
        ]

    def _show_notes(self, groups: Sequence[ModelGroup]) -> None:
        """Show which servers are still being asked, and which did not answer."""
        asked = [group.heading for group in groups if group.server and not group.is_complete]
        notes = [f"asking {heading} …" for heading in asked]
        notes += [group.note for group in groups if group.note]
        line = self.query_one("#model-notes", Static)
        line.update(Content.styled(one_line(" · ".join(notes), 400), "$quiet"))
        line.display = bool(notes)

    def _show_about(self) -> None:
        model = self.query_one(ModelRows).highlighted_model
        about = _about(model) if model else "No match."
        self.query_one("#model-about", Static).update(Content.styled(safe(about), "$quiet"))

    @on(RowList.Highlighted)
    def _moved(self) -> None:
        model = self.query_one(ModelRows).highlighted_model
        self._highlighted = model.choice if model else None
        self._show_about()

    # Keys --------------------------------------------------------------------------------------

    def action_move(self, rows: int) -> None:
        self.query_one(ModelRows).action_move(rows)

    def action_page(self, direction: int) -> None:
        self.query_one(ModelRows).action_page(direction)

    @on(RowList.Selected)
    def action_choose(self) -> None:
        model = self.query_one(ModelRows).highlighted_model
        if model is not None:
            self.dismiss(model.choice)


def _searched(model: ListedModel, group: ModelGroup) -> str:
    family = model.files.family if model.files else ""
    return search_key(f"{model.choice.model}\n{family}\n{group.heading}")


def _about(model: ListedModel) -> str:
    """A sentence about the highlighted model: its needs, or its problem."""
    files = model.files
    if files is None:
        return " · ".join(filter(None, [model.sentence or model.about, _context(model)]))
    if files.explanation:
        return files.explanation
    parts = [model.about]
    if need := files.memory:
        held = (
            "" if need.quantization in ("none", files.quantization) else f" in {need.quantization}"
        )
        parts.append(
            f"takes {gigabytes(need.bytes)}{held} of memory, "
            f"{gigabytes(need.free.bytes)} free on {need.free.device}"
        )
    return " · ".join(filter(None, [*parts, _context(model)]))


def _context(model: ListedModel) -> str:
    return f"{model.context_length:,} tokens of context" if model.context_length else ""
