"""Saved discussions with the conditions under which they were run."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..analysis.annotations import Coded
from ..analysis.conditions import Observation, factors_of
from ..analysis.statistics import discussion_statistics
from ..discussion import DiscussionRecord
from ..discussion.names import near_name
from ..store.discussions import json_files, read_discussion
from ..store.inputs import InputError
from .annotated import AnnotationReader

SETUP_FACTORS = (
    "model", "turn_manager", "p_respond", "moderator", "conv_len", "history_context_len",
    "prompt_style", "temperature", "top_p", "top_k", "repetition_penalty", "max_out_tokens",
    "quantization", "dtype", "server", "reasoning", "users", "title",
)  # fmt: skip
"""Values of a setup by which discussions can be gathered as if they were factors."""

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

    def levels_of(self, path: Path) -> dict[str, str]:
        """The level of every factor.

        Raises:
            InputError: The path does not match.
        """
        levels = self.read(path)
        if levels is None:
            raise InputError(f"{path}: its folder's name does not match “{self.text}”")
        return levels


@dataclass(frozen=True)
class Observations:
    """What was read: discussions with their conditions, and a sentence for each that was not."""

    observed: tuple[Observation, ...]
    errors: tuple[str, ...]
    annotations: tuple[Coded, ...] = ()
    """What lies beside the discussions."""

    @property
    def unfinished(self) -> int:
        """Number of unfinished discussions."""
        return sum(not one.is_finished for one in self.observed)

    def check_factors(self, factors: Sequence[str]) -> None:
        """Raise InputError if a factor is neither one of the discussions' nor a value of setups."""
        known = [*factors_of(self.observed), *SETUP_FACTORS]
        for name in factors:
            if self.observed and name not in known:
                near = near_name(name, known)
                question = f"; did you mean {near}?" if near else f"; there are {', '.join(known)}"
                raise InputError(f"--by: no discussion has a factor “{name}”{question}")

    def varying_factors(self) -> list[str]:
        """Factors with two levels or more; without any, values of setups that vary.

        A value of setups with more levels than half the number of discussions is left out.
        """
        names = factors_of(self.observed)
        if names:
            return names
        return [
            name
            for name in SETUP_FACTORS
            if 2 <= len({one.level(name) for one in self.observed}) <= len(self.observed) // 2
        ]


def observe(
    paths: Sequence[Path],
    pattern: ConditionPattern | None = None,
    progress: Callable[[int, int], object] = lambda done, total: None,
    *,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Observations:
    """Read and count all discussions in ``paths``, folders at any depth.

    Args:
        paths: Files and folders.
        pattern: How factors are read from folders; None: they are the discussion's own.
        progress: Called with the number of files done and their total.
        is_cancelled: Called before every file; if true, the rest is left out.
    """
    files = json_files(paths)
    observed: list[Observation] = []
    errors: list[str] = []
    annotations = AnnotationReader()
    for number, file in enumerate(files, start=1):
        if is_cancelled():
            break
        try:
            record = read_discussion(file)
            one = _observation(record, file, pattern)
            observed.append(one)
            if measures := annotations.measures(file, record):
                statistics = replace(one.statistics, extra=measures)
                observed[-1] = replace(one, statistics=statistics)
        except InputError as error:
            errors.append(str(error))
        progress(number, len(files))
    return Observations(tuple(observed), tuple(errors), tuple(annotations.read))


def _observation(
    record: DiscussionRecord, file: Path, pattern: ConditionPattern | None
) -> Observation:
    member = record.experiment
    cell, repeat = (member.cell, member.repeat) if member else ({}, 0)
    if pattern is not None:
        cell = {**cell, **pattern.levels_of(file)}
    return Observation(
        cell,
        repeat,
        discussion_statistics(record),
        record.setup.seed,
        _setup_levels(record),
        str(file),
        record.heading,
        record.status == "finished",
        _provenance(record),
    )


def _setup_levels(record: DiscussionRecord) -> dict[str, str]:
    setup = record.setup
    moderator = setup.moderator.name if setup.moderator else "none"
    users = str(len(setup.personas))
    levels = {"model": setup.model, "moderator": moderator, "title": record.title, "users": users}
    history = setup.history_context_len
    if record.is_foreign:  # SynDisco's files do not say the rest
        known = {} if history is None else {"history_context_len": str(history)}
        return levels | {"conv_len": str(setup.conv_len), **known}
    return levels | {
        "turn_manager": setup.turn_manager,
        "p_respond": f"{setup.p_respond:g}",
        "conv_len": str(setup.conv_len),
        "history_context_len": "all" if history is None else str(history),
        "prompt_style": setup.prompt_style,
        "temperature": f"{setup.temperature:g}",
        "top_p": f"{setup.top_p:g}",
        "top_k": str(setup.top_k),
        "repetition_penalty": f"{setup.repetition_penalty:g}",
        "max_out_tokens": str(setup.max_out_tokens),
        "quantization": setup.quantization,
        "dtype": setup.dtype,
        "server": ", ".join(setup.server) or "none",
        "reasoning": setup.reasoning,
    }


_PROVENANCE = (
    "model",
    "revision",
    "device",
    "processor",
    "dtype",
    "quantization",
    "path",
    "server",
)


def _provenance(record: DiscussionRecord) -> dict[str, str]:
    """The models and versions that generated a discussion, as far as its file says."""
    engine = record.engine
    versions = engine.get("versions")
    known = {name: str(engine[name]) for name in _PROVENANCE if engine.get(name)}
    if isinstance(versions, dict):
        known |= {str(name): str(version) for name, version in versions.items()}
    return known
