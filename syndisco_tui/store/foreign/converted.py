"""What was read from a file of another tool."""

from __future__ import annotations

from dataclasses import dataclass

from ...discussion import DiscussionRecord, Persona
from ..file_kinds import Kind


@dataclass(frozen=True)
class Content:
    """What a file holds: personas or discussions.

    ``mapping`` says what becomes what: a field of the file, and where it goes. ``notes`` are
    sentences about what was changed or left out.
    """

    kind: Kind
    personas: tuple[Persona, ...] = ()
    discussions: tuple[DiscussionRecord, ...] = ()
    mapping: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
