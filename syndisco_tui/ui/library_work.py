"""What the library does with files: export, rename, delete, import. Off the screen's thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..discussion import Persona
from ..store import shelf
from ..store.discussions import TRASH, read_discussion
from ..store.export import ExportFormat
from ..store.export.files import export_into
from ..store.importing import Import, importable, told
from ..store.library import Library
from ..store.summary import summarised

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

    def library(self) -> Library:
        return Library(self.discussions, self.cache)

    def has_trash(self) -> bool:
        return any((self.discussions / TRASH).glob("*.json"))

    def export(self, path: Path, to: ExportFormat) -> str:
        """Each of these gives back a sentence. Raises InputError and OSError."""
        self.exports.mkdir(mode=0o700, parents=True, exist_ok=True)
        return f"Exported: {export_into(self.exports, path, read_discussion(path), to)}"

    def rename(self, path: Path, title: str) -> str:
        shelf.rename(path, title)
        return "Renamed."

    def discard(self, path: Path, heading: str) -> str:
        shelf.discard(path)
        return f"“{heading}” is in the trash; u brings it back."

    def bring_back(self) -> str:
        path = shelf.bring_back(self.discussions)
        return f"“{summarised(path)[0].heading}” is back." if path else "Nothing to undo."

    def import_from(self, path: Path, report: Callable[[int, int], bool]) -> TakenIn:
        """Take in a file, or all in a folder. ``report`` hears of progress; False ends it."""
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
        return TakenIn(told(taken), new, [*said[:FAULTS_SHOWN], *more])
