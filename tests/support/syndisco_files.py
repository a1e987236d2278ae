"""Files in each of SynDisco's layouts: small ones of our own, and its published ones.

Ours lie in ``tests/data``. SynDisco's are used as well wherever they lie beside the project.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.project import ROOT

OWN = ROOT / "tests" / "data" / "syndisco"
PUBLISHED = ROOT.parent / "shared" / "data" / "syndisco"


def files_in(folder: str, *, root: Path | None = None) -> list[Path]:
    """The files of ``folder``, ours first; only those below ``root``, if that is given."""
    roots = (OWN, PUBLISHED) if root is None else (root,)
    return [path for each in roots for path in sorted((each / folder).glob("*.json"))]


RUNS = files_in("discussions")
"""Whole runs in the layout of 2026: prompts are JSON strings."""
EXPORTS = [*RUNS, *files_in("formats")]
"""Runs in every layout: that of 2026, that of 2.0.1 with objects, that of 2.2.1 with logs alone."""
PERSONA_LISTS = files_in("personas")


def name_of(path: Path) -> str:
    """A test's name for this file."""
    return f"own-{path.stem}" if path.is_relative_to(OWN) else path.stem


each_run = pytest.mark.parametrize("path", RUNS, ids=name_of)
each_export = pytest.mark.parametrize("path", EXPORTS, ids=name_of)
each_persona_list = pytest.mark.parametrize("path", PERSONA_LISTS, ids=name_of)


def published(folder: str) -> list[Path]:
    """SynDisco's own files of ``folder``; none where they are not at hand."""
    return files_in(folder, root=PUBLISHED)
