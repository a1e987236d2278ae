"""Annotating with models on servers: restricted where the server can, and checked all the same."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from syndisco_tui.discussion.annotation import AnnotationTask
from syndisco_tui.engine.engines import Engines
from syndisco_tui.engine.server import ServerEngine
from syndisco_tui.engine.server.known_servers import KnownServers
from syndisco_tui.headless.annotate import run_annotations
from syndisco_tui.store.annotations import read_annotations
from syndisco_tui.workspace.annotations import plan_annotations
from tests.support.scripted_engine import ScriptedEngine
from tests.support.scripted_server import Answer, Refused, ScriptedServer


@pytest.fixture
def discussion(tmp_path: Path) -> Path:
    logs = [
        {"name": "Ann", "text": f"Comment {number}.", "model": "m", "prompt": "{}"}
        for number in range(4)
    ]
    path = tmp_path / "d.json"
    path.write_text(json.dumps({"timestamp": "26-11-22-16-58", "logs": logs}))
    return path


def task(*annotators: dict[str, Any], **changes: Any) -> AnnotationTask:
    values = {
        "name": "toxicity",
        "instructions": "How toxic is it?",
        "scale": {"from": 1, "to": 5},
        "annotators": list(annotators),
    }
    return AnnotationTask.model_validate(values | changes)


def annotate(
    discussion: Path, task: AnnotationTask, known: Path, local: ScriptedEngine | None = None
) -> tuple[int, str]:
    err = StringIO()

    def new_server() -> ServerEngine:
        return ServerEngine(lambda url: (url, ""), KnownServers(known))

    engine = Engines(lambda: local or ScriptedEngine(["3"]), new_server)
    try:
        plan = plan_annotations([discussion], task)
        return run_annotations(engine, plan, task, out=StringIO(), err=err), err.getvalue()
    finally:
        engine.close()


def answers(discussion: Path) -> dict[str, list[tuple[Any, str]]]:
    sets = (read_annotations(path) for path in discussion.parent.glob("annotations/*.json"))
    return {each.annotator.name: [(a.value, a.text) for a in each.annotations] for each in sets}


def coder(name: str, server: ScriptedServer, model: str = "tiny") -> dict[str, Any]:
    return {"persona": {"username": name}, "model": model, "server": server.url}


def chosen(body: dict[str, Any], number: int) -> Answer:
    schema = body["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["answer"]["enum"] == ["1", "2", "3", "4", "5"]
    return Answer(['{"answer"', f': "{1 + number % 5}"}}'])


def test_structured_output(discussion: Path, tmp_path: Path) -> None:
    with ScriptedServer(chosen) as server:
        status, err = annotate(discussion, task(coder("A", server)), tmp_path / "known")
    assert status == 0, err
    assert sorted(value for value, _ in answers(discussion)["A"]) == [1, 2, 3, 4]
    assert server.requests[0]["temperature"] == 0
    assert "top_k" not in server.requests[0]


@pytest.mark.parametrize(
    "message",
    [
        "Extra inputs are not permitted: response_format",
        "This response_format type is unavailable now",
        "'json_schema' is not supported by this model",
        "grammar is not supported by this backend",
    ],
)
def test_a_server_that_cannot_restrict(discussion: Path, tmp_path: Path, message: str) -> None:
    def script(body: dict[str, Any], number: int) -> Answer | Refused:
        if "response_format" in body:
            return Refused(400, message)
        if "guided_choice" in body:
            return Refused(400, "Unrecognized request argument supplied: guided_choice")
        return Answer(["Toxicity: 4/5 because …"] if number % 2 else ["6"])

    with ScriptedServer(script) as server:
        one = task(coder("A", server))
        status, err = annotate(discussion, one, tmp_path / "known")
        assert status == 0, err
        assert {value for value, _ in answers(discussion)["A"]} <= {4, None}
        assert len(answers(discussion)["A"]) == 4
        asked = len(server.requests)
        annotate(discussion, task(coder("B", server)), tmp_path / "known")
    later = server.requests[asked:]
    assert len(later) == 4  # what was refused is remembered
    assert not any("response_format" in each or "guided_choice" in each for each in later)


def test_guided_choice_where_there_are_no_schemas(discussion: Path, tmp_path: Path) -> None:
    def script(body: dict[str, Any], number: int) -> Answer | Refused:
        if "response_format" in body:
            return Refused(422, "Unknown field: response_format")
        return Answer([body["guided_choice"][2]])

    with ScriptedServer(script) as server:
        status, _ = annotate(discussion, task(coder("A", server)), tmp_path / "known")
    assert status == 0
    assert answers(discussion)["A"] == [(3, "3")] * 4


def test_texts_are_not_restricted(discussion: Path, tmp_path: Path) -> None:
    def script(body: dict[str, Any], number: int) -> Answer:
        assert "response_format" not in body
        return Answer(["About cars."])

    with ScriptedServer(script) as server:
        text = task(coder("A", server), scale={"type": "text"})
        status, _ = annotate(discussion, text, tmp_path / "known")
    assert status == 0
    assert answers(discussion)["A"] == [("About cars.", "About cars.")] * 4


def test_models_side_by_side(discussion: Path, tmp_path: Path) -> None:
    local = ScriptedEngine(["2"])
    with ScriptedServer(chosen) as one, ScriptedServer(chosen, models=["small"]) as other:
        three = task(
            coder("A", one),
            coder("B", other, "small"),
            {"persona": {"username": "C"}, "model": "starter"},
        )
        status, err = annotate(discussion, three, tmp_path / "known", local)
    assert status == 0, err
    assert {name: len(each) for name, each in answers(discussion).items()} == dict.fromkeys(
        "ABC", 4
    )
    assert answers(discussion)["C"] == [(2, "2")] * 4
    assert (len(one.requests), len(other.requests), len(local.requests)) == (4, 4, 4)


def test_reasoning_then_an_answer(discussion: Path, tmp_path: Path) -> None:
    def script(body: dict[str, Any], number: int) -> Answer:
        return Answer([{"reasoning_content": "A 5? No."}, "4"])

    with ScriptedServer(script) as server:
        annotate(discussion, task(coder("A", server), reasoning="on"), tmp_path / "known")
    first = read_annotations(next(discussion.parent.glob("annotations/*.json"))).annotations[0]
    assert (first.value, first.text, first.reasoning) == (4, "4", "A 5? No.")


def test_a_server_that_is_not_there(discussion: Path, tmp_path: Path) -> None:
    server = ScriptedServer(chosen)
    server.start()
    server.stop()
    status, err = annotate(discussion, task(coder("A", server)), tmp_path / "known")
    assert status == 3
    assert server.url in err
