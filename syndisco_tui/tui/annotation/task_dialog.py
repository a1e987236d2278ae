"""The dialog that asks for a task: one used before, or the path of a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from textual.content import Content

from ...discussion.annotation import Question
from ...discussion.scales import ChoiceScale, IntegerScale, Scale
from ...text import one_line
from ...workspace.annotations import read_task
from ...workspace.coding import KnownTask
from ...workspace.folders import abbreviate_home
from ...workspace.inputs import InputError
from ..widgets.saved_files import OpenDialog, SavedItem

NO_TASKS = "No task was used yet: type the path of a task file (TOML)."


class TaskDialog(OpenDialog[KnownTask]):
    """Lists the tasks used before; the path of any other can be typed."""

    HELP = """Which task
    The task files used last, and the tasks that others have done on this discussion. Type to
    filter, or type the path of a task file (TOML).
    """
    TITLE_LINE = "Annotate"
    PLACEHOLDER = "a name, or the path of a task file"

    def __init__(self, tasks: Sequence[KnownTask]) -> None:
        items = [
            SavedItem(
                task.name,
                _about(task),
                task if task.question else None,
                task.error,
                f"{task.question.instructions if task.question else ''}\n{task.source}",
            )
            for task in tasks
        ]
        super().__init__(items, hint=NO_TASKS)

    def value_of_path(self, typed: str) -> KnownTask | None:
        path = Path(typed).expanduser()
        if not (typed.endswith(".toml") and path.is_file()):
            return None
        try:
            return KnownTask(read_task(path).question, str(path), path)
        except InputError as error:
            return KnownTask(None, str(path), path, str(error))


def _about(task: KnownTask) -> Content:
    if task.question is None:
        return Content.styled(one_line(task.error, 100), "$error")
    where = abbreviate_home(task.path) if task.path else f"done by {task.source}"
    return Content.styled(f"{scale_text(task.question)}   {one_line(where, 80)}", "$quiet")


def scale_text(question: Question) -> str:
    """The scale in a few words."""
    scale: Scale = question.scale
    match scale:
        case IntegerScale():
            return f"{scale.low} to {scale.high}"
        case ChoiceScale():
            return one_line(", ".join(scale.choices), 40)
    return "text"
