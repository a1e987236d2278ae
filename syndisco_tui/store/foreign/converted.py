"""The content of another tool's file after conversion."""

from __future__ import annotations

from dataclasses import dataclass

from ...discussion import DiscussionRecord, Persona
from ..file_kinds import Kind


@dataclass(frozen=True)
class Content:
    """The personas or discussions of a file.

    ``mapping`` pairs fields of the file with the fields they become. ``notes`` are sentences about
    changes and omissions.
    """

    kind: Kind
    personas: tuple[Persona, ...] = ()
    discussions: tuple[DiscussionRecord, ...] = ()
    mapping: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
