"""What the library does with files on a thread, and the notices about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from textual.app import App

from ...discussion import Persona
from ...text import safe
from ...workspace.discussions import Trash, rename
from ...workspace.exporting import ExportFormat, export_to_folder
from ...workspace.folders import Folders
from ...workspace.importing import Importer, ImportResult, importable
from ...workspace.inputs import InputError
from ...workspace.library import summarize_file
from .watch import LibraryWatch

Result = TypeVar("Result")

REPORT_EVERY = 20
"""Files imported between two reports."""


@dataclass(frozen=True)
class Imported:
    """What became of the files, and the personas that are new."""

    results: Sequence[ImportResult]
    personas: Sequence[Persona]


class LibraryTasks:
    """Changes files of ``folders`` on threads; ``watch`` then looks at the folder again."""

    def __init__(self, app: App[Any], folders: Folders, trash: Trash, watch: LibraryWatch) -> None:
        self._app = app
        self._folders = folders
        self._trash = trash
        self._watch = watch

    def rename(self, path: Path, title: str) -> None:
        """Give a discussion another title."""
        self._try(lambda: rename(path, title), lambda _: self.say("Renamed."))

    def discard(self, paths: Sequence[Path], heading: str) -> None:
        """Move discussions into the trash; one alone is called ``heading``."""
        sentence = f"{len(paths)} discussions are in the trash; u brings them back."
        if len(paths) == 1:
            sentence = f"“{heading}” is in the trash; u brings it back."
        self._try(lambda: self._trash.discard(paths), lambda _: self.say(sentence))

    def restore(self) -> None:
        """Bring back what was deleted last."""

        def restored() -> str:
            paths = self._trash.restore()
            if len(paths) > 1:
                return f"{len(paths)} discussions are back."
            return (
                f"“{summarize_file(paths[0])[0].heading}” is back." if paths else "Nothing to undo."
            )

        self._try(restored, self.say)

    def export(
        self, sources: Sequence[Path], to: ExportFormat, exported: Callable[[Path], object]
    ) -> None:
        """Export discussions; ``exported`` is called with the new file, or the folder."""
        self._try(lambda: export_to_folder(self._folders.exports, sources, to), exported)

    def import_from(
        self,
        path: Path,
        personas: Sequence[Persona],
        progress: Callable[[str], object],
        imported: Callable[[Imported], object],
    ) -> None:
        """Import a file, or all in a folder. ``personas`` are those that are there already."""

        def import_all() -> Imported:
            importer = Importer.into(self._folders, personas)
            files = importable([path])
            if not files:
                raise InputError(f"{path}: there is nothing to import in this folder")
            results = []
            for number, file in enumerate(files, start=1):
                results.append(importer.import_file(file))
                if number % REPORT_EVERY == 0:
                    note = f"importing {number:,} of {len(files):,}"
                    self._app.call_from_thread(progress, note)
                    if self._watch.is_left:
                        break
            return Imported(results, importer.new_personas)

        self._try(import_all, imported)

    def _try(self, job: Callable[[], Result], done: Callable[[Result], object]) -> None:
        def work() -> None:
            try:
                result = job()
            except (InputError, OSError) as error:
                self._watch.look_now()
                self._app.call_from_thread(self.say_error, _sentence_of(error))
            else:
                self._watch.look_now()
                self._app.call_from_thread(done, result)

        self._app.run_worker(work, thread=True, exit_on_error=False)

    def say(self, sentence: str) -> None:
        """Tell of something that went well."""
        self._app.notify(safe(sentence), markup=False, timeout=6)

    def say_error(self, sentence: str) -> None:
        """Tell of something that went wrong."""
        self._app.notify(safe(sentence), severity="error", markup=False, timeout=12)


def _sentence_of(error: InputError | OSError) -> str:
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}"
    return str(error)
