"""The libraries: which versions are installed, and whether this project was tested with them.

All by the packages' own records; nothing is imported.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import metadata

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion

from .check import Check, CheckFunction

PROJECT = "syndisco-tui"
LIBRARIES = ("torch", "transformers", "numba", "bitsandbytes", "textual")
_OPTIONAL = {"bitsandbytes": "Only for 4 and 8 bits: "}
"""What the app does without, and what it is good for."""


def libraries() -> Iterator[Check]:
    """The version of each, beside the range of versions that this project was tested with."""
    tested = tested_versions()
    for name in LIBRARIES:
        yield _library(name, tested.get(name, SpecifierSet()))


def tested_versions() -> dict[str, SpecifierSet]:
    """The versions that the installed project itself requires, by the library's name.

    Empty where the project runs without being installed.
    """
    tested: dict[str, SpecifierSet] = {}
    try:
        lines = metadata.requires(PROJECT) or []
    except metadata.PackageNotFoundError:
        return {}
    for line in lines:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:  # of a packaging that knows less than the one that wrote it
            continue
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            tested[requirement.name.lower()] = requirement.specifier
    return tested


def _library(name: str, tested: SpecifierSet) -> Check:
    command = f"pip install '{name}{_in_order(tested, ',')}'" if tested else f"pip install {name}"
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        if name in _OPTIONAL:
            advice = f"{_OPTIONAL[name]}{command}"
            return Check(name, "not installed", "could be better", advice)
        return Check(name, "not installed", "at fault", f"Install it: {command}")
    if not tested:
        return Check(name, version)
    value = f"{version}, tested with {_in_order(tested, ', ')}"
    if _contains(tested, version):
        return Check(name, value)
    advice = f"It may be slower or fail. Install a version that was tested: {command}"
    return Check(name, value, "could be better", advice)


def _contains(tested: SpecifierSet, version: str) -> bool:
    try:
        return tested.contains(version, prereleases=True)
    except InvalidVersion:
        return False


def _in_order(tested: SpecifierSet, between: str) -> str:
    """Lower bounds first, as people write them."""
    return between.join(sorted(map(str, tested), key=lambda each: (each[0] in "<!", each)))


CHECKS: tuple[CheckFunction, ...] = (libraries,)
