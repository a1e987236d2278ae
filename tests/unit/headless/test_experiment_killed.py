"""Two shards of an experiment, killed three times: what they say is what an unbroken run says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.reliability.experiment import faults, run
from tests.support.command_line import SCRIPTED
from tests.support.scripted_server import Answer, ScriptedServer


def test_in_two_shards_killed_three_times(tmp_path: Path) -> None:
    script = json.dumps({"replies": ["a b c d e f g h"], "delay": 0.01})
    outcome = run(tmp_path, SCRIPTED, environment={"SCRIPT": script})
    assert faults(outcome) == []
    assert outcome.begun_at_kills[0] > 0, "they were killed at work"
    assert min(map(len, outcome.broken.values())) >= 5


def test_through_a_server(tmp_path: Path) -> None:
    def answer(body: dict[str, Any], number: int) -> Answer:
        said = f"words {body['seed'] % 1000} {len(body['messages'][-1]['content'])}"
        return Answer([f"{word} " for word in said.split()], delay=0.03)

    with ScriptedServer(answer) as server:
        options = ["--server", server.url, "--max-concurrent", "4"]
        outcome = run(tmp_path, options=options)
    assert faults(outcome) == []
    assert outcome.begun_at_kills[0] > 0, "they were killed at work"
    assert len({tuple(texts) for texts in outcome.broken.values()}) >= 8, "their seeds differ"
