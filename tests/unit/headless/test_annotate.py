"""Annotating: every message once for each annotator, whatever interrupts it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from syndisco_tui.discussion.annotation import AnnotationTask
from syndisco_tui.engine.base import EngineError, GenerationRequest, ModelUnavailable
from syndisco_tui.headless.annotate import dry_run_text, run_annotations
from syndisco_tui.store.annotations import read_annotations
from syndisco_tui.store.lock import WriterLock
from syndisco_tui.workspace.annotations import plan_annotations, read_task
from syndisco_tui.workspace.inputs import InputError
from tests.support.command_line import SCRIPTED, call
from tests.support.project import ROOT
from tests.support.scripted_engine import ScriptedEngine

TASK = """
instructions = "How toxic is the last comment?"
scale = {from = 1, to = 5}
history_context_len = 2
[[annotators]]
persona = {username = "Coder A", age = 30}
[[annotators]]
persona = {username = "Coder B"}
temperature = 1.0
repeats = 2
"""


@pytest.fixture
def task(tmp_path: Path) -> AnnotationTask:
    path = tmp_path / "toxicity.toml"
    path.write_text(TASK)
    return read_task(path)


@pytest.fixture
def discussions(tmp_path: Path) -> Path:
    """Three discussions as SynDisco writes them, of two messages and one silence each."""
    folder = tmp_path / "discussions"
    folder.mkdir()
    for number in range(3):
        logs = [
            {"name": name, "text": text, "model": "m", "prompt": "{}"}
            for name, text in (("Ann", f"One {number}."), ("Bob", '""'), ("Cem", f"Two {number}."))
        ]
        value = {"timestamp": "26-11-22-16-58", "logs": logs}
        (folder / f"d{number}.json").write_text(json.dumps(value))
    return folder


def answer(request: GenerationRequest) -> str:
    """An answer that follows from the request alone."""
    return str(1 + (len(request.chat[-1].content) + request.seed) % 5)


def annotate(
    discussions: Path, task: AnnotationTask, replies: Any = answer, **options: Any
) -> tuple[int, str, str, ScriptedEngine]:
    out, err, engine = StringIO(), StringIO(), ScriptedEngine(replies)
    plan = plan_annotations([discussions], task, output=options.get("folder"))
    try:
        status = run_annotations(engine, plan, task, out=out, err=err, **options)
    finally:
        engine.close()
    return status, out.getvalue(), err.getvalue(), engine


def answers(folder: Path) -> dict[str, list[tuple[int, int, Any]]]:
    """Position, repeat and value of all answers, by file."""
    return {
        path.name: [
            (each.position, each.repeat, each.value) for each in read_annotations(path).annotations
        ]
        for path in sorted(folder.glob("annotations/*.json"))
    }


def test_every_message_by_every_annotator(discussions: Path, task: AnnotationTask) -> None:
    before = {path: path.read_bytes() for path in discussions.glob("*.json")}
    status, out, err, engine = annotate(discussions, task)
    assert status == 0
    assert len(engine.requests) == 3 * 2 * 3
    assert {path: path.read_bytes() for path in discussions.glob("*.json")} == before
    files = answers(discussions)
    assert len(files) == 6
    assert sorted(len(each) for each in files.values()) == [2, 2, 2, 4, 4, 4]
    assert all({position for position, _, _ in each} == {0, 2} for each in files.values())
    assert "18 of 18 annotations" in err
    assert out.startswith("toxicity: 6 messages in 3 discussions")
    assert "ordinal α" in out
    assert "Coder B  12 annotations" in out


def test_what_is_recorded(discussions: Path, task: AnnotationTask) -> None:
    annotate(discussions, task, lambda request: "4/5 because of it")
    path = next(discussions.glob("annotations/d1.toxicity.*.json"))
    value = json.loads(path.read_text())
    assert value["file"] == "d1.json"
    assert value["discussion"].startswith("syndisco-")
    assert value["task_hash"] == task.question.digest
    assert json.loads(value["system_prompt"])["type"] == "2"
    assert value["engine"]["model"] == "scripted"
    first = value["annotations"][0]
    assert (first["value"], first["valid"], first["text"]) == (4, True, "4/5 because of it")
    assert (first["speaker"], first["model"]) == ("Ann", "scripted")
    assert first["prompt"].endswith("Your annotation:")
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_is_no_answer_is_recorded_as_such(discussions: Path, task: AnnotationTask) -> None:
    status, out, err, _ = annotate(discussions, task, lambda request: "6")
    assert status == 0
    assert "18 invalid" in err
    assert "6 invalid" in out
    annotations = [
        each
        for path in discussions.glob("annotations/*.json")
        for each in read_annotations(path).annotations
    ]
    assert {(each.value, each.text) for each in annotations} == {(None, "6")}


def test_reasoning_is_kept_apart(discussions: Path, task: AnnotationTask) -> None:
    annotate(discussions, task, lambda request: "<think>\n5 or 4?\n</think>\n\n4")
    path = next(discussions.glob("annotations/*.json"))
    first = read_annotations(path).annotations[0]
    assert (first.value, first.text.strip(), first.reasoning.strip()) == (4, "4", "5 or 4?")


def test_only_what_is_missing_is_asked(discussions: Path, task: AnnotationTask) -> None:
    annotate(discussions, task)
    whole = answers(discussions)
    path = next(discussions.glob("annotations/d1.*.json"))
    value = json.loads(path.read_text())
    del value["annotations"][0]
    path.write_text(json.dumps(value))
    status, _, err, engine = annotate(discussions, task)
    assert status == 0
    assert len(engine.requests) == 1
    assert answers(discussions) == whole
    _, _, err, engine = annotate(discussions, task)
    assert err == "Nothing to do: every message is annotated.\n"
    assert not engine.requests


def test_an_edited_message_is_asked_about_again(discussions: Path, task: AnnotationTask) -> None:
    annotate(discussions, task)
    path = discussions / "d0.json"
    value = json.loads(path.read_text())
    identity = json.loads(next(discussions.glob("annotations/d0.*")).read_text())["discussion"]
    value["logs"][2]["text"], value["id"] = "Something else.", identity
    path.write_text(json.dumps(value))
    _, _, _, engine = annotate(discussions, task)
    assert len(engine.requests) == 3
    kept = [
        each
        for file in discussions.glob("annotations/d0.*")
        for each in read_annotations(file).annotations
    ]
    assert len(kept) == 6 + 3  # what was answered about the earlier text is there still


def test_another_question_has_files_of_its_own(discussions: Path, task: AnnotationTask) -> None:
    annotate(discussions, task)
    other = task.model_copy(update={"instructions": "How rude?"})
    _, _, _, engine = annotate(discussions, other)
    assert len(engine.requests) == 18
    assert len(answers(discussions)) == 12


def test_a_failed_answer_stops_no_other(discussions: Path, task: AnnotationTask) -> None:
    def fails_once(request: GenerationRequest) -> Any:
        return EngineError("It is too long.") if "Two 1" in request.chat[-1].content else "3"

    status, _, err, _ = annotate(discussions, task, fails_once)
    assert status == 1
    assert "d1.json, Coder A: It is too long." in err
    assert "15 of 18 annotations" in err
    status, _, _, engine = annotate(discussions, task)
    assert status == 0
    assert len(engine.requests) == 3


def test_a_model_that_is_not_there_ends_it(discussions: Path, task: AnnotationTask) -> None:
    status, _, err, _ = annotate(discussions, task.model_copy(update={"model": "nowhere"}))
    assert status == 3
    assert "There is no model “nowhere”" in err
    status, _, err, _ = annotate(
        discussions, task, lambda request: ModelUnavailable("The key is not valid.")
    )
    assert status == 1
    assert err.count("The key is not valid.") == 1


def test_what_another_process_annotates_is_left_to_it(
    discussions: Path, task: AnnotationTask
) -> None:
    annotate(discussions, task)
    paths = sorted(discussions.glob("annotations/*.json"))
    paths[0].unlink()
    lock = WriterLock(paths[0])
    status, _, err, engine = annotate(discussions, task)
    lock.release()
    assert status == 1
    assert not engine.requests
    assert "1 of 6 are being annotated by another syndisco-tui" in err


def test_a_folder_for_the_annotations(
    discussions: Path, task: AnnotationTask, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    status, text, _, _ = annotate(discussions, task, folder=out)
    assert status == 0
    assert len(list(out.glob("*.annotations.json"))) == 6
    assert not (discussions / "annotations").exists()
    assert "6 messages in 3 discussions" in text


def test_annotations_are_no_discussions(discussions: Path, task: AnnotationTask) -> None:
    annotate(discussions, task)
    plan = plan_annotations([discussions], task)
    assert len(plan.discussions) == 3
    assert not plan.errors


def test_dry_run(discussions: Path, task: AnnotationTask) -> None:
    text = dry_run_text(plan_annotations([discussions], task), task)
    assert "3 discussions, 6 messages, 2 annotators" in text
    assert "18 annotations, 18 still to be made" in text
    assert not (discussions / "annotations").exists()


def test_repeats_without_chance_are_warned_of(discussions: Path, task: AnnotationTask) -> None:
    greedy = task.model_copy(
        update={"annotators": (task.annotators[0].model_copy(update={"repeats": 3}),)}
    )
    _, _, err, _ = annotate(discussions, greedy)
    assert "Coder A: at temperature 0 all 3 repeats are the same" in err


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("scale = {from = 1, to = 5}", ""), "scale: is missing"),
        (("{from = 1, to = 5}", "{from = 5, to = 1}"), "from 5 to 1 is no scale"),
        (("{from = 1, to = 5}", "{}"), "must have from and to, choices, or type"),
        (("repeats", "repeat"), "repeat"),
        (("instructions", "instruction"), "did you mean “instructions”?"),
        (('"Coder B"', '"Coder A"'), "two annotators are called “Coder A”"),
    ],
)
def test_tasks_that_are_refused(tmp_path: Path, change: tuple[str, str], sentence: str) -> None:
    path = tmp_path / "task.toml"
    path.write_text(TASK.replace(*change))
    with pytest.raises(InputError) as error:
        read_task(path)
    assert sentence in str(error.value)
    assert str(path) in str(error.value)


def test_killed_and_continued(discussions: Path, tmp_path: Path) -> None:
    task = tmp_path / "toxicity.toml"
    task.write_text(TASK)
    home = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data")}
    command = [*SCRIPTED, "annotate", str(discussions), "--task", str(task)]
    command += ["--max-concurrent", "1"]
    slow = os.environ | home | {"SCRIPT": json.dumps({"replies": ["3"], "delay": 0.4})}
    process = subprocess.Popen(
        command, cwd=ROOT, env=slow, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 20
    while not answers(discussions) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    before = sum(map(len, answers(discussions).values()))
    assert 0 < before < 18
    result = call(*command[3:], command=SCRIPTED, SCRIPT=json.dumps({"replies": ["3"]}), **home)
    assert result.returncode == 0, result.stderr
    assert sum(map(len, answers(discussions).values())) == 18
    assert len(answers(discussions)) == 6
    assert "raw agreement 1.000" in result.stdout
