"""The terminal laboratory for synthetic discussions between LLM personas.

``read_discussions`` reads saved discussions for notebooks and scripts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .workspace.notebooks import read_discussions

from .version import __version__

__all__ = ["__version__", "read_discussions"]


def __getattr__(name: str) -> object:
    if name == "read_discussions":  # imported when it is asked for: the command line needs none
        from .workspace.notebooks import read_discussions

        return read_discussions
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
