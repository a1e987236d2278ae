"""Opening the list of models from anywhere in the app."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from textual.app import App

from ...text import safe
from ...workspace.inputs import InputError
from ...workspace.models import ModelChoice, ModelSources

if TYPE_CHECKING:
    from ...discussion import DiscussionSetup


@runtime_checkable
class KnowsModelSources(Protocol):
    """An app that has sources of models."""

    def model_sources(self, setup: DiscussionSetup) -> ModelSources:
        """The sources of models, with the precision of ``setup``. Raises InputError."""
        ...


def choose_model(
    app: App[Any],
    setup: DiscussionSetup,
    chosen: Callable[[ModelChoice], object],
    *,
    current: ModelChoice | None = None,
    title: str = "Model",
) -> None:
    """Let the user choose a model, and call ``chosen`` with it unless they cancel.

    Args:
        app: Where the dialog opens.
        setup: How models are loaded, and which servers are asked beside those in settings.
        chosen: Gets the model and its server.
        current: The model in force; that of ``setup`` by default.
        title: What the model is for.
    """
    if not isinstance(app, KnowsModelSources):
        return
    from .model_dialog import ModelDialog  # not before the first paint

    try:
        sources = app.model_sources(setup)
    except InputError as error:
        app.notify(safe(f"{error}. Fix the file first."), severity="error", markup=False)
        return

    def left(choice: ModelChoice | None) -> None:
        if choice is not None:
            chosen(choice)

    app.push_screen(ModelDialog(sources, current or ModelChoice.of(setup), title=title), left)
