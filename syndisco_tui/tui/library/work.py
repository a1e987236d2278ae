"""What the library does with files: export, rename, delete, import. Off the screen's thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...discussion import Persona
from ...store.discussions import TRASH, read_discussion
from ...store.export import ExportFormat
from ...store.export.files import export_into, export_together
from ...store.library import Library
from ...store.summary import summarize_file
from ...workspace import trash as shelf
from ...workspace.importing import Import, importable, summarize_import

FAULTS_SHOWN = 5
TELL_EVERY = 20
"""Files imported between two reports."""


@dataclass(frozen=True)
class TakenIn:
    """What came of an import; ``personas`` are the new ones."""

    sentence: str
    personas: list[Persona] = field(default_factory=list)
    faults: Sequence[str] = ()


@dataclass(frozen=True)
class LibraryWork:
    """The folders, and the personas that are there already (asked for when it matters)."""

    discussions: Path
    exports: Path
    cache: Path
    personas: Callable[[], Sequence[Persona]]
    _trashed: list[list[Path]] = field(default_factory=list)
    """What was deleted together, the latest last."""

    def library(self) -> Library:
        return Library(self.discussions, self.cache)

    def has_trash(self) -> bool:
        return any((self.discussions / TRASH).glob("*.json"))

    def export(self, sources: Sequence[Path], to: ExportFormat) -> Path:
        """Write a file for each, or one for all where the format can hold them.

        Returns the file, or the folder of several. Raises InputError and OSError.
        """
        self.exports.mkdir(mode=0o700, parents=True, exist_ok=True)
        records = [read_discussion(path) for path in sources]
        if len(records) > 1:
            titles = {record.title for record in records}
            title = titles.pop() if len(titles) == 1 else ""
            name = (
                f"{title}, {len(records)} discussions" if title else f"{len(records)} discussions"
            )
            if together := export_together(self.exports, name, records, to):
                return together
        files = [
            export_into(self.exports, path, record, to)
            for path, record in zip(sources, records, strict=True)
        ]
        return files[0] if len(files) == 1 else self.exports

    def rename(self, path: Path, title: str) -> str:
        """Give a discussion another title. Returns a sentence, as the two below do.

        Raises InputError and OSError.
        """
        shelf.rename(path, title)
        return "Renamed."

    def discard(self, sources: Sequence[Path], heading: str) -> str:
        """Move discussions into the trash; one alone is called ``heading``."""
        trashed: list[Path] = []
        self._trashed.append(trashed)
        for path in sources:
            trashed.append(shelf.discard(path))
        if len(trashed) == 1:
            return f"“{heading}” is in the trash; u brings it back."
        return f"{len(trashed)} discussions are in the trash; u brings them back."

    def bring_back(self) -> str:
        """Bring back what was deleted last, all that was deleted together."""
        while self._trashed:
            trashed = [path for path in self._trashed.pop() if path.exists()]
            restored = [shelf.restore(path, self.discussions) for path in trashed]
            if len(restored) > 1:
                return f"{len(restored)} discussions are back."
            if restored:
                return f"“{summarize_file(restored[0])[0].heading}” is back."
        path = shelf.bring_back(self.discussions)
        return f"“{summarize_file(path)[0].heading}” is back." if path else "Nothing to undo."

    def import_from(self, path: Path, report: Callable[[int, int], bool]) -> TakenIn:
        """Import a file, or all in a folder. ``report`` hears of progress; False ends it."""
        library = self.library()
        there = list(self.personas())
        incoming = Import(self.discussions, library.ids(), there)
        library.close()
        files = importable([path])
        taken = []
        for number, file in enumerate(files, start=1):
            taken.append(incoming.take(file))
            if number % TELL_EVERY == 0 and not report(number, len(files)):
                break
        said = [one.sentence for one in taken if one.sentence]
        more = [f"… and {len(said) - FAULTS_SHOWN} more"] if len(said) > FAULTS_SHOWN else []
        new = incoming.personas[len(there) :]
        if not files:
            return TakenIn(f"{path}: there is nothing to import in this folder.")
        return TakenIn(summarize_import(taken), new, [*said[:FAULTS_SHOWN], *more])
