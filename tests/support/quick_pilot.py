"""Makes Textual's pilot quicker, for hundreds of apps in a row. Knows Textual's private parts."""

from __future__ import annotations

from typing import Any

import pytest
from textual import _wait
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet

LOOK_SECONDS = 1 / 100
"""How long nothing may be computed until a key counts as dealt with; Textual waits twice so long,
several times a key."""
_parsed: dict[object, list[RuleSet]] = {}


def make_pilot_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait in shorter steps, and parse each style sheet once for all apps."""
    busy_share = _wait.SLEEP_IDLE / _wait.SLEEP_GRANULARITY
    monkeypatch.setattr(_wait, "SLEEP_GRANULARITY", LOOK_SECONDS)
    monkeypatch.setattr(_wait, "SLEEP_IDLE", LOOK_SECONDS * busy_share)
    parse = Stylesheet._parse_rules

    def parse_once(sheet: Stylesheet, css: str, *origin: Any, **more: Any) -> list[RuleSet]:
        variables = frozenset(sheet._variables.items())
        key = (css, origin, frozenset(more.items()), variables)
        if key not in _parsed:
            _parsed[key] = parse(sheet, css, *origin, **more)
        return _parsed[key]

    monkeypatch.setattr(Stylesheet, "_parse_rules", parse_once)
