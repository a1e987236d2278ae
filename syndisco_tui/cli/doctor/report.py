"""The findings, for people and for programs."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable
from dataclasses import asdict

from ...text import one_line
from .check import Check, State, can_run

_MARKS: dict[State, str] = {"well": "✓", "could be better": "!", "at fault": "✗"}
_PLAIN_MARKS: dict[State, str] = {"well": "+", "could be better": "!", "at fault": "x"}
_LABEL = 15


def as_text(findings: Iterable[Check], *, width: int = 80, encoding: str = "utf-8") -> str:
    """A line a finding, under its group, with what to do below it; a sentence at the end."""
    findings = list(findings)
    marks = _MARKS if encoding.lower().replace("-", "") == "utf8" else _PLAIN_MARKS
    lines: list[str] = []
    group = ""
    for finding in findings:
        if finding.group != group:
            group = finding.group
            lines += ["", group] if lines else [group]
        start = f"  {marks[finding.state]} {finding.what:<{_LABEL}}"
        lines += _wrapped(start, finding.value, width)
        if finding.advice:
            lines += _wrapped(" " * len(start), finding.advice, width)
    return "\n".join([*lines, "", verdict(findings)])


def verdict(findings: list[Check]) -> str:
    """The whole in one sentence."""
    faults = [finding.what for finding in findings if finding.state == "at fault"]
    if faults:
        return f"syndisco-tui cannot run. See: {', '.join(dict.fromkeys(faults))}."
    improvable = sum(finding.state == "could be better" for finding in findings)
    if improvable:
        things = "one thing" if improvable == 1 else f"{improvable} things"
        return f"syndisco-tui can run; {things} could be better."
    return "Everything is fine."


def as_json(findings: Iterable[Check]) -> str:
    """``{can_run, findings: [{what, value, state, advice, group}]}``."""
    findings = list(findings)
    value = {"can_run": can_run(findings), "findings": [asdict(each) for each in findings]}
    return json.dumps(value, ensure_ascii=False, indent=2)


def _wrapped(start: str, text: str, width: int) -> list[str]:
    shown = one_line(text, 400)
    room = max(20, width - len(start) - 1)
    first, *others = textwrap.wrap(shown, room, break_on_hyphens=False, break_long_words=False) or [
        ""
    ]
    return [f"{start}{first}".rstrip(), *(" " * len(start) + other for other in others)]
