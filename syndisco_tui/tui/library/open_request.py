"""What is chosen in the library for the laboratory to open."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...discussion import DiscussionRecord, DiscussionSetup


@dataclass(frozen=True)
class OpenRequest:
    """A discussion that the laboratory is to open, and whether it is continued at once.

    ``fork``: a record and the setup of a fork of it that is opened instead.
    """

    path: Path
    is_continued: bool = False
    fork: tuple[DiscussionRecord, DiscussionSetup] | None = None
