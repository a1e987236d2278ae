"""The library: a summary of every saved discussion, searched by their words."""

from __future__ import annotations

from ..store.library import Library, LibraryEntry
from ..store.matching_line import ranges_of
from ..store.summary import Summary, summarize_file

__all__ = ["Library", "LibraryEntry", "Summary", "ranges_of", "summarize_file"]
