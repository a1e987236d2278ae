"""What is chosen in the library for the laboratory to open."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...discussion import DiscussionRecord, DiscussionSetup


@dataclass(frozen=True)
class OpenRequest:
    """The discussion to open in the laboratory; ``go_on``: and to go on with at once.

    ``fork``: not this one but a fork of it as it was read, that goes on with this setup.
    """

    path: Path
    go_on: bool = False
    fork: tuple[DiscussionRecord, DiscussionSetup] | None = None
