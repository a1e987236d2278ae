"""One check of doctor: what was looked at, and how it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

State = Literal["well", "could be better", "at fault"]


@dataclass(frozen=True)
class Check:
    """``at fault``: the app cannot run like this. ``advice``: what to do, in a sentence."""

    what: str
    value: str
    state: State = "well"
    advice: str = ""
    group: str = ""


CheckFunction = Callable[[], Iterable[Check]]


def can_run(findings: Iterable[Check]) -> bool:
    return all(finding.state != "at fault" for finding in findings)
