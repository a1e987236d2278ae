"""Saved discussions with the conditions under which they were run."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..analysis.statistics import Observation, discussion_statistics
from ..discussion import DiscussionRecord
from ..store.discussions import json_files, read_discussion
from ..store.inputs import InputError

_FIELD = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


class ConditionPattern:
    """Reads factors from the name of the folder that a discussion lies in.

    ``{model}_{strategy}`` names two factors. All but the last are as short as they can be. With a
    slash in it the pattern is matched with that many folders more; ending in ``.json`` with the
    file's name.

    Raises:
        InputError: The pattern names no factor, or one of them twice.
    """

    def __init__(self, pattern: str) -> None:
        self.text = pattern
        self.factors = _FIELD.findall(pattern)
        if not self.factors:
            raise InputError(
                f"--condition-from: “{pattern}” names no factor; write it like "
                "“{model}_{strategy}”"
            )
        if len(set(self.factors)) < len(self.factors):
            raise InputError(f"--condition-from: “{pattern}” names a factor twice")
        expression, end = "", 0
        for match in _FIELD.finditer(pattern):
            expression += re.escape(pattern[end : match.start()])
            quantifier = "+" if match[1] == self.factors[-1] else "+?"
            expression += f"(?P<{match[1]}>[^/]{quantifier})"
            end = match.end()
        self._expression = re.compile(expression + re.escape(pattern[end:]))
        self._is_of_file = pattern.endswith(".json")

    def read(self, path: Path) -> dict[str, str] | None:
        """The level of every factor, or None where the path does not fit."""
        parts = path.absolute().parts
        parts = parts if self._is_of_file else parts[:-1]
        name = "/".join(parts[-1 - self.text.count("/") :])
        match = self._expression.fullmatch(name)
        return match.groupdict() if match else None


@dataclass(frozen=True)
class Observations:
    """What was read: discussions with their conditions, and a sentence for each that was not."""

    observed: tuple[Observation, ...]
    paths: tuple[Path, ...]
    """The files of ``observed``, in its order."""
    errors: tuple[str, ...]


def observe(
    paths: Sequence[Path],
    pattern: ConditionPattern | None = None,
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> Observations:
    """Read and count all discussions in ``paths``, folders at any depth.

    Args:
        paths: Files and folders.
        pattern: Where factors are told by folders; else they are the discussion's own.
        progress: Called with the number of files done and their total.
    """
    files = json_files(paths)
    observed: list[Observation] = []
    read: list[Path] = []
    errors: list[str] = []
    for number, file in enumerate(files, start=1):
        try:
            record = read_discussion(file)
            observed.append(_observation(record, file, pattern))
            read.append(file)
        except InputError as error:
            errors.append(str(error))
        progress(number, len(files))
    return Observations(tuple(observed), tuple(read), tuple(errors))


def _observation(
    record: DiscussionRecord, file: Path, pattern: ConditionPattern | None
) -> Observation:
    member = record.experiment
    cell, repeat = (member.cell, member.repeat) if member else ({}, 0)
    if pattern is not None:
        levels = pattern.read(file)
        if levels is None:
            raise InputError(f"{file}: its folder's name does not fit “{pattern.text}”")
        cell = {**cell, **levels}
    return Observation(cell, repeat, discussion_statistics(record))
