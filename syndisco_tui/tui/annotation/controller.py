"""Opens the screens of annotation: the choice of a task, annotating by hand, all annotations."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Protocol, runtime_checkable

from textual.app import App

from ...discussion import DiscussionRecord
from ...discussion.annotation import annotatable
from ...text import safe
from ...workspace.coding import (
    DEFAULT_ANNOTATOR,
    HumanCoding,
    KnownTask,
    RecentTasks,
    known_tasks,
)
from ...workspace.discussions import read_discussion
from ...workspace.folders import Folders
from ...workspace.inputs import InputError
from ...workspace.settings import UserSettings
from ..widgets.line_dialog import LineDialog, non_empty
from .annotations_screen import AnnotationsScreen
from .coding import CodingScreen
from .task_dialog import TaskDialog


@runtime_checkable
class OfUser(Protocol):
    """An app with folders and settings."""

    folders: Folders
    user_settings: UserSettings | None


Colours = Callable[[DiscussionRecord], dict[str, str]]


class AnnotationController:
    """Opens screens about the annotations of saved discussions.

    Args:
        app: The app that shows the screens.
        folders: The user's folders, for the list of used tasks.
        settings: The annotator's name; None: ask each time.
        colours: Gives the colours of a discussion's speakers.
    """

    def __init__(
        self,
        app: App[int],
        folders: Folders,
        settings: UserSettings | None,
        colours: Colours,
    ) -> None:
        self._app = app
        self._recent = RecentTasks(folders.annotation_tasks_file)
        self._settings = settings
        self._colours = colours

    def annotate(self, path: Path) -> None:
        """Ask for a task, then let the user annotate the discussion in ``path``."""
        self._read(partial(self._tasks_of, path))

    def show(self, path: Path) -> None:
        """Show all annotations of the discussion in ``path``."""

        def read() -> Callable[[], object]:
            record = read_discussion(path)
            return lambda: self._app.push_screen(
                AnnotationsScreen(path, record, self._colours(record))
            )

        self._read(read)

    def _read(self, read: Callable[[], Callable[[], object]]) -> None:
        """Call ``read`` on a thread, then its result on the screen's thread."""

        def work() -> None:
            try:
                then = read()
            except InputError as error:
                self._app.call_from_thread(self._refuse, str(error))
            else:
                self._app.call_from_thread(then)

        self._app.run_worker(work, thread=True, exit_on_error=False)

    def _refuse(self, sentence: str) -> None:
        self._app.notify(safe(sentence), severity="error", markup=False, timeout=12)

    def _tasks_of(self, path: Path) -> Callable[[], object]:
        record = read_discussion(path)
        tasks = known_tasks(self._recent.paths(), path, record)

        def ask() -> None:
            if not annotatable(record.entries):
                self._app.notify("Nobody has said anything yet.", timeout=3)
                return
            self._app.push_screen(TaskDialog(tasks), partial(self._task_chosen, path, record))

        return ask

    def _task_chosen(self, path: Path, record: DiscussionRecord, task: KnownTask | None) -> None:
        if task is None:
            return
        if task.question is None:
            self._refuse(task.error)
            return
        begin = partial(self._begin, path, record, task)
        try:
            name = self._settings.read().annotator.strip() if self._settings else ""
        except InputError as error:
            self._refuse(str(error))
            return
        if name:
            begin(name)
            return
        dialog = LineDialog(
            "What are you called as an annotator?",
            "Your answers are saved under this name. It can be changed in the settings.",
            "begin",
            non_empty,
            text=DEFAULT_ANNOTATOR,
        )
        self._app.push_screen(dialog, lambda name: self._named(name, begin))

    def _named(self, name: str | None, begin: Callable[[str], None]) -> None:
        if name is None:
            return
        if self._settings:
            try:
                self._settings.save("annotator", name)
            except (InputError, OSError) as error:  # it is asked again next time
                self._refuse(f"The name is not saved: {error}")
        begin(name)

    def _begin(self, path: Path, record: DiscussionRecord, task: KnownTask, annotator: str) -> None:
        assert task.question
        try:
            if task.path:
                self._recent.remember(task.path)
            coding = HumanCoding(path, record, task.question, annotator)
        except InputError as error:
            self._refuse(str(error))
            return
        except OSError as error:
            self._refuse(f"{path.parent}: cannot be written: {error.strerror or error}")
            return
        screen = CodingScreen(coding, annotator, self._colours(record))
        self._app.push_screen(screen, lambda _: self._left(coding))

    def _left(self, coding: HumanCoding) -> None:
        if not coding.done:
            return
        sentence = f"{coding.done} of {coding.total} messages annotated."
        self._app.notify(safe(sentence), markup=False, timeout=4)


def annotation_of(app: App[int], colours: Colours) -> AnnotationController:
    """The controller of ``app``, with the app's folders and settings."""
    assert isinstance(app, OfUser)
    return AnnotationController(app, app.folders, app.user_settings, colours)
