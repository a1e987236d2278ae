"""What the library does on threads: change files, import and export, read several to show them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from textual.app import App

from ...discussion import DiscussionRecord, Persona
from ...workspace.discussions import Trash, read_discussion, rename
from ...workspace.exporting import ExportFormat, export_to_folder
from ...workspace.folders import Folders
from ...workspace.importing import (
    Importer,
    ImportResult,
    importable,
    keep_pasted,
    summarize_import,
)
from ...workspace.inputs import InputError
from ...workspace.library import summarize_file
from ..inspect.compare import Compare, CompareWith
from ..inspect.turn_lab import TurnLab
from ..statistics.screen import show_statistics
from ..widgets.notices import show_error, tell
from ..widgets.speaker_colours import SpeakerColours
from .discussion_list import DiscussionList
from .import_dialog import ImportPreview, messages_of
from .watch import LibraryWatch

Result = TypeVar("Result")

REPORT_EVERY = 20
"""Files imported between two reports."""


class LibraryTasks:
    """Works on files of ``folders``; ``watch`` looks at the folder again after a change."""

    def __init__(
        self,
        app: App[Any],
        folders: Folders,
        trash: Trash,
        watch: LibraryWatch,
        colours: SpeakerColours,
    ) -> None:
        self._app = app
        self._folders = folders
        self._trash = trash
        self._watch = watch
        self._colours = colours

    def rename(self, path: Path, title: str) -> None:
        """Give a discussion another title."""
        self._try(lambda: rename(path, title), lambda _: self._tell("Renamed."))

    def discard(self, paths: Sequence[Path], heading: str) -> None:
        """Move discussions into the trash; one alone is called ``heading``."""
        sentence = f"{len(paths)} discussions are in the trash; u brings them back."
        if len(paths) == 1:
            sentence = f"“{heading}” is in the trash; u brings it back."
        self._try(lambda: self._trash.discard(paths), lambda _: self._tell(sentence))

    def restore(self) -> None:
        """Bring back what was deleted last."""

        def restored() -> str:
            paths = self._trash.restore()
            if len(paths) > 1:
                return f"{len(paths)} discussions are back."
            if not paths:
                return "Nothing to undo."
            return f"“{summarize_file(paths[0])[0].heading}” is back."

        self._try(restored, self._tell)

    def export(
        self, sources: Sequence[Path], to: ExportFormat, exported: Callable[[Path], object]
    ) -> None:
        """Export discussions; ``exported`` is called with the new file, or the folder."""
        self._try(lambda: export_to_folder(self._folders.exports, sources, to), exported)

    def preview_import(
        self,
        source: Path | str,
        personas: Sequence[Persona],
        progress: Callable[[str], object],
        imported: Callable[[Sequence[Persona]], object],
    ) -> None:
        """Preview a file, folder or pasted JSON, and import it if the user confirms.

        ``personas`` are the existing ones, ``progress`` gets short notes, and ``imported`` the new
        personas.
        """

        def read() -> tuple[Path, list[ImportResult]]:
            path = source if isinstance(source, Path) else keep_pasted(self._folders, source)
            return path, self._import_all(path, personas, progress, preview=True)[0]

        def show(result: tuple[Path, list[ImportResult]]) -> None:
            path, results = result
            if not any(each.kind in ("discussion", "personas") for each in results):
                self._report(results)
                return

            def answered(yes: bool | None) -> None:
                if yes:
                    self._import(path, personas, progress, imported)

            self._app.push_screen(ImportPreview(results), answered)

        self._try(read, show)

    def _import(
        self,
        path: Path,
        personas: Sequence[Persona],
        progress: Callable[[str], object],
        imported: Callable[[Sequence[Persona]], object],
    ) -> None:
        def done(result: tuple[list[ImportResult], Sequence[Persona]]) -> None:
            results, new_personas = result
            imported(new_personas)
            self._report(results)

        self._try(lambda: self._import_all(path, personas, progress), done)

    def _import_all(
        self,
        path: Path,
        personas: Sequence[Persona],
        progress: Callable[[str], object],
        *,
        preview: bool = False,
    ) -> tuple[list[ImportResult], Sequence[Persona]]:
        """Import files; returns each result, and the new personas. Raises InputError."""
        importer = Importer.into(self._folders, personas, preview=preview)
        files = importable([path])
        if not files:
            raise InputError(f"{path}: there is nothing to import in this folder")
        verb = "reading" if preview else "importing"
        results = []
        for number, file in enumerate(files, start=1):
            results.append(importer.import_file(file))
            if number % REPORT_EVERY == 0:
                self._app.call_from_thread(progress, f"{verb} {number:,} of {len(files):,}")
                if self._watch.is_left:
                    break
        return results, importer.new_personas

    def _report(self, results: Sequence[ImportResult]) -> None:
        self._tell(summarize_import(results))
        if messages := messages_of(results):
            show_error(self._app, "\n".join(message for message, _ in messages))

    def _try(self, job: Callable[[], Result], done: Callable[[Result], object]) -> None:
        def work() -> None:
            try:
                result = job()
            except (InputError, OSError) as error:
                self._watch.look_soon()
                self._app.call_from_thread(show_error, self._app, _sentence_of(error))
            else:
                self._watch.look_soon()
                self._app.call_from_thread(done, result)

        self._app.run_worker(work, thread=True, exit_on_error=False)

    # Several discussions, shown together ---------------------------------------------------------

    def open_turn_lab(self, paths: Sequence[Path]) -> None:
        """Show all of them in the turn lab."""

        def show(records: list[DiscussionRecord]) -> None:
            self._app.push_screen(TurnLab(lambda: records, None, self._colours_of(records)))

        self._try(lambda: [read_discussion(path) for path in paths], show)

    def open_statistics(self, discussions: DiscussionList) -> None:
        """Show statistics of the marked discussions, the highlighted batch, or all listed."""
        group = discussions.group
        entries = discussions.marked or list(group.entries if group else discussions.listed)
        readable = [each.path for each in entries if discussions.status(each).can_be_read]
        show_statistics(self._app, sorted(readable))

    def compare(self, paths: Sequence[Path]) -> None:
        """Show two side by side; with one, ask for the other first."""

        def show(first: DiscussionRecord, second: DiscussionRecord) -> None:
            colours = self._colours_of([first, second])
            self._app.push_screen(Compare(lambda: first, second, colours))

        def ask_or_show(records: list[DiscussionRecord]) -> None:
            first, *others = records
            if others:
                show(first, others[0])
            else:
                question = CompareWith(first, self._folders.discussions)
                self._app.push_screen(question, lambda other: show(first, other) if other else None)

        self._try(lambda: [read_discussion(path) for path in paths], ask_or_show)

    def _tell(self, sentence: str) -> None:
        tell(self._app, sentence, seconds=6)

    def _colours_of(self, records: Sequence[DiscussionRecord]) -> dict[str, str]:
        names = dict.fromkeys(name for record in records for name in record.setup.names)
        return self._colours.by_name(names, dark=self._app.current_theme.dark)


def _sentence_of(error: InputError | OSError) -> str:
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}"
    return str(error)
