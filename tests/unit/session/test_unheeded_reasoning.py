"""What a setup says of reasoning and its model lacks a switch for is said once, and lasts."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from syndisco_tui.discussion import DiscussionSetup
from syndisco_tui.engine.model import ReasoningField
from syndisco_tui.headless import run_headless
from syndisco_tui.session import Condition, LiveSession, Runner, SessionEvent
from syndisco_tui.store.discussions import discussion_files, read_discussion
from tests.support.people import people
from tests.support.scripted_engine import ScriptedEngine


def lines_of(folder: Path, switches: tuple[ReasoningField, ...] | None, **fields: Any) -> list[str]:
    """What a run of four messages says on standard error."""
    engine, err = ScriptedEngine(["Hello."]), StringIO()
    engine.reasoning = switches
    setup = {"personas": people("Ann", "Bob"), "conv_len": 4, "model": "org/scripted", **fields}
    session = LiveSession(Runner(engine, folder))
    run_headless(session, DiscussionSetup.model_validate(setup), out=StringIO(), err=err)
    engine.close()
    return err.getvalue().splitlines()


@pytest.mark.parametrize(
    ("switches", "fields", "unheeded"),
    [
        ((), {"reasoning": "off"}, "reasoning = “off”"),
        (("on",), {"reasoning": "on"}, ""),
        (("on",), {"reasoning": "off"}, "reasoning = “off”"),
        (("on", "off"), {"reasoning_effort": "low"}, "reasoning_effort"),
        (("on", "off"), {"reasoning": "off", "reasoning_effort": "low"}, ""),
        ((), {"reasoning": "on", "reasoning_effort": "low"},
         "reasoning = “on” and reasoning_effort"),
        ((), {}, ""),
        (None, {"reasoning": "off"}, ""),
    ],
)  # fmt: skip
def test_it_is_said_once(
    tmp_path: Path,
    switches: tuple[ReasoningField, ...] | None,
    fields: dict[str, str],
    unheeded: str,
) -> None:
    lines = lines_of(tmp_path, switches, **fields)
    sentence = f"scripted does not heed {unheeded}: it has no such switch."
    assert lines.count(sentence) == bool(unheeded)
    assert any("does not heed" in line for line in lines) is bool(unheeded)
    recorded = read_discussion(discussion_files(tmp_path)[0]).engine
    assert recorded.get("reasoning") == (None if switches is None else list(switches))


def test_it_lasts_until_the_setup_no_longer_asks_for_it(tmp_path: Path) -> None:
    engine, events = ScriptedEngine(["Hello."]), list[SessionEvent]()
    engine.reasoning = ()
    setup = DiscussionSetup(personas=people("Ann", "Bob"), conv_len=4, reasoning="off")
    session = LiveSession(Runner(engine, tmp_path), events.append)
    session.start(setup, step=True)
    while session.record is None or not session.record.entries:
        pass
    session.change_setup(setup.model_copy(update={"reasoning": "auto"}))
    session.run()
    while session.record.status != "finished":
        pass
    assert session.close()
    engine.close()
    said = [e.sentence for e in events if isinstance(e, Condition) and e.cause == "reasoning"]
    assert [bool(sentence) for sentence in said] == [True, False]
