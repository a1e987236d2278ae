"""Files that their users name: the name can never become a path."""

from __future__ import annotations

import re
from pathlib import Path

from ..store.inputs import InputError

_NAME = re.compile(r"[^\W_][\w -]{0,49}")
"""No dots, no slashes; at most 200 bytes of a file's name."""


def named_file(folder: Path, name: str, suffix: str, kind: str) -> Path:
    """The file in ``folder`` that is called ``name``. ``kind`` is what it holds: “set”, “setup”.

    Raises InputError where this cannot be a name.
    """
    name = name.strip()
    if not _NAME.fullmatch(name):
        raise InputError(
            f"The name of a {kind} begins with a letter or digit and goes on with those, spaces, "
            "“-” and “_”; at most 50."
        )
    return folder / f"{name}{suffix}"
