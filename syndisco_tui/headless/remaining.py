"""What ``run --repeat N --resume`` still has to do: neither what is finished, nor others' work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..discussion import DiscussionSetup
from ..workspace.discussions import has_writer, read_discussion


@dataclass
class RemainingRuns:
    """``sources`` are those to run, a path where one is saved already."""

    sources: list[DiscussionSetup | Path] = field(default_factory=list)
    finished: int = 0
    elsewhere: int = 0
    """How many another process is running or about to run."""

    @property
    def total(self) -> int:
        return len(self.sources) + self.finished + self.elsewhere

    def sentences(self) -> list[str]:
        """What is done and what is left to others."""
        sentences = [f"{self.finished} of {self.total} discussions are finished."]
        if self.elsewhere:
            verb = "is" if self.elsewhere == 1 else "are"
            sentences.append(
                f"{self.elsewhere} of {self.total} {verb} being run by another syndisco-tui and "
                "left to it."
            )
        return sentences


def remaining_runs(
    setups: Sequence[DiscussionSetup], saved: Sequence[Path | None], is_ours: Sequence[bool]
) -> RemainingRuns:
    """Sort ``setups`` into what is finished, ours to run, and others' work.

    ``saved`` are their files, looked for after ``is_ours`` was claimed. Raises InputError.
    """
    remaining = RemainingRuns()
    for setup, path, ours in zip(setups, saved, is_ours, strict=True):
        if path and read_discussion(path).status == "finished":
            remaining.finished += 1
        elif not ours or (path and has_writer(path)):
            remaining.elsewhere += 1
        else:
            remaining.sources.append(path or setup)
    return remaining
