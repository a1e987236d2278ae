"""Where the screen keeps what it saves."""

from __future__ import annotations

from pathlib import Path


class Places:
    """Files and folders of the user's; where not said, those beside the discussions."""

    def __init__(
        self,
        discussions: Path,
        personas: Path,
        setups: Path,
        *,
        persona_sets: Path | None = None,
        exports: Path | None = None,
        library_cache: Path | None = None,
    ) -> None:
        self.discussions = discussions
        self.personas = personas
        self.setups = setups
        self.persona_sets = persona_sets or personas.parent / "personas"
        self.exports = exports or discussions.parent / "exports"
        self.library_cache = library_cache or discussions.parent / "library.sqlite"
