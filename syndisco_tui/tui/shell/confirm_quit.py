"""What is asked before the app is left."""

from __future__ import annotations

from typing import ClassVar

from textual.app import App
from textual.binding import Binding, BindingType

from ...session import Phase
from ..experiments.batches import batches_of
from ..widgets.dialogs import STILL_RUNNING, ConfirmDialog
from .keymap import key_of


def quit_or_ask(app: App[int], state: Phase, *, unsaved: bool) -> None:
    """Leave the app, or ask first where something would be lost. Asked already: it is a yes.

    ``state`` is the laboratory's discussion's, ``unsaved`` whether the disk refuses to save it.
    """
    if isinstance(app.screen, LeavingQuestion):
        app.screen.action_answer(True)
        return
    running = batches_of(app).running
    resume = key_of(app, "everywhere.resume")
    question = _question(state, unsaved=unsaved, resume=resume, many_run=running is not None)
    if question is not None and running and running.noun == "experiment" and state != "running":
        question = LeavingQuestion(
            "An experiment is still running. Quit?",
            "All posted messages are saved. Afterwards, "
            f"{key_of(app, running.key_id)} opens it again, and it can be continued.",
            "quit",
            "stay",
        )
    if question is None:
        app.exit()
    else:
        app.push_screen(question, lambda quit: app.exit() if quit else None)


class LeavingQuestion(ConfirmDialog):
    """Asks before the app is left: the key that leaves, pressed again, is a yes."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "answer(True)", "yes", show=False)]


def _question(
    state: Phase, *, unsaved: bool, resume: str, many_run: bool
) -> LeavingQuestion | None:
    """What is asked; nothing where nothing would be lost.

    ``resume`` is the key that resumes a discussion, ``many_run`` whether many at once still run.
    """
    if unsaved and state != "idle":
        return LeavingQuestion(
            "The last change is not saved. Quit?",
            "It cannot be written to the disk. It is saved as soon as there is room. "
            "Quitting now loses it.",
            "quit",
            "stay",
        )
    if state == "running":
        return LeavingQuestion(
            "A reply is being generated. Quit?",
            "All messages are saved. The unfinished reply is dropped; "
            f"{resume} continues at its turn.",
            "quit",
            "stay",
        )
    if many_run:
        return LeavingQuestion("A batch is still running. Quit?", STILL_RUNNING, "quit", "stay")
    return None
