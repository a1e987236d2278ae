"""Saved discussions for notebooks and scripts: typed records, and rows for a data frame."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, overload

from ..discussion import DiscussionRecord
from ..store.discussions import json_files, read_discussion
from ..store.export.table import table_rows
from ..store.inputs import InputError
from .folders import Folders


class Discussions(Sequence[DiscussionRecord]):
    """Discussions that were read, oldest first as their files are named.

    Attributes:
        files: The file of each discussion.
        unreadable: A sentence for each file that was left out, with ``skip_unreadable``.
    """

    def __init__(
        self,
        records: Sequence[DiscussionRecord],
        files: Sequence[Path],
        unreadable: Sequence[str] = (),
    ) -> None:
        self._records = tuple(records)
        self.files = tuple(files)
        self.unreadable = tuple(unreadable)

    def __len__(self) -> int:
        return len(self._records)

    @overload
    def __getitem__(self, index: int) -> DiscussionRecord: ...

    @overload
    def __getitem__(self, index: slice) -> Discussions: ...

    def __getitem__(self, index: int | slice) -> DiscussionRecord | Discussions:
        if isinstance(index, slice):
            return Discussions(self._records[index], self.files[index], self.unreadable)
        return self._records[index]

    def __iter__(self) -> Iterator[DiscussionRecord]:
        return iter(self._records)

    def __repr__(self) -> str:
        left_out = f", {len(self.unreadable)} unreadable" if self.unreadable else ""
        return f"<{len(self)} discussions{left_out}>"

    def rows(self) -> list[dict[str, Any]]:
        """One row per message or silence, all with the same columns; unknown values are None.

        ``pandas.DataFrame(discussions.rows())`` and ``polars.DataFrame(discussions.rows())``
        take them as they are. The columns are those of the Parquet export.
        """
        return list(table_rows(self._records))


def read_discussions(*paths: str | os.PathLike[str], skip_unreadable: bool = False) -> Discussions:
    """Read saved discussions: files, folders at any depth, or the library if no path is given.

    Reads the files of this program and of SynDisco. An experiment's folder gives each
    discussion's cell and repeat (``record.experiment``, and columns ``condition_…`` in ``rows``).

    Args:
        paths: Files or folders.
        skip_unreadable: Leave out files that cannot be read and list them in ``unreadable``.

    Raises:
        ValueError: A file cannot be read or is not a discussion; the message names it.
    """
    folders = [Path(path) for path in paths] or [Folders.from_environment().discussions]
    records, files, unreadable = [], [], []
    for file in json_files(folders):
        try:
            records.append(read_discussion(file))
        except InputError as error:
            if not skip_unreadable:
                raise ValueError(str(error)) from None
            unreadable.append(str(error))
        else:
            files.append(file)
    return Discussions(records, files, unreadable)
