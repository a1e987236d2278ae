"""What the library does with files on a thread, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from textual.app import App

from ...store.export import ExportFormat
from ...store.inputs import InputError
from ...text import safe
from .watch import LibraryWatch
from .work import LibraryWork, TakenIn

Result = TypeVar("Result")


class LibraryTasks:
    """Does ``library_work`` on threads; ``watch`` then looks at the folder again."""

    def __init__(self, app: App[Any], library_work: LibraryWork, watch: LibraryWatch) -> None:
        self._app = app
        self._work = library_work
        self._watch = watch

    def run(self, job: Callable[[], str]) -> None:
        """Do something with the files, and say what came of it."""
        self._try(job, self.say)

    def export(
        self, sources: Sequence[Path], to: ExportFormat, exported: Callable[[Path], object]
    ) -> None:
        """Export discussions; ``exported`` is called with the new file, or the folder."""
        self._try(lambda: self._work.export(sources, to), exported)

    def import_from(
        self,
        path: Path,
        progress: Callable[[str], object],
        imported: Callable[[TakenIn], object],
    ) -> None:
        """Import what is at ``path``."""

        def report(done: int, of: int) -> bool:
            self._app.call_from_thread(progress, f"importing {done:,} of {of:,}")
            return not self._watch.is_left

        self._try(lambda: self._work.import_from(path, report), imported)

    def _try(self, job: Callable[[], Result], done: Callable[[Result], object]) -> None:
        def work() -> None:
            try:
                result = job()
            except (InputError, OSError) as error:
                self._watch.look_now()
                self._app.call_from_thread(self.say_fault, _sentence_of(error))
            else:
                self._watch.look_now()
                self._app.call_from_thread(done, result)

        self._app.run_worker(work, thread=True, exit_on_error=False)

    def say(self, sentence: str) -> None:
        """Tell of something that went well."""
        self._app.notify(safe(sentence), markup=False, timeout=6)

    def say_fault(self, sentence: str) -> None:
        """Tell of something that did not."""
        self._app.notify(safe(sentence), severity="error", markup=False, timeout=12)


def _sentence_of(error: InputError | OSError) -> str:
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}"
    return str(error)
