"""What a look at one thing found."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

State = Literal["well", "could be better", "at fault"]


@dataclass(frozen=True)
class Finding:
    """``at fault``: the app cannot run like this. ``advice``: what to do, in a sentence."""

    what: str
    value: str
    state: State = "well"
    advice: str = ""
    group: str = ""


Look = Callable[[], Iterable[Finding]]


def can_run(findings: Iterable[Finding]) -> bool:
    return all(finding.state != "at fault" for finding in findings)
