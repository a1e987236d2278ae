"""Annotations in SynDisco's layouts and as a table: there and back."""

from __future__ import annotations

import csv
import io
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from syndisco_tui.discussion.annotation import AnnotationSet, AnnotationTask
from syndisco_tui.engine.base import GenerationRequest
from syndisco_tui.headless.annotate import run_annotations
from syndisco_tui.store.annotations import read_annotations
from syndisco_tui.workspace.annotation_exchange import (
    AnnotatedDiscussions,
    AnnotationFormat,
    AnnotationImporter,
    exported_files,
    exported_table,
    split_annotations,
)
from syndisco_tui.workspace.annotations import plan_annotations
from syndisco_tui.workspace.inputs import InputError
from tests.support.command_line import call
from tests.support.scripted_engine import ScriptedEngine

TASK = AnnotationTask.model_validate(
    {
        "name": "toxicity",
        "instructions": "How toxic is the last comment?",
        "scale": {"from": 1, "to": 5},
        "history_context_len": 2,
        "annotators": [
            {"persona": {"username": "Coder A", "age": 30}},
            {"persona": {"username": "Coder B"}, "temperature": 1.0, "repeats": 2},
        ],
    }
)
LAYOUTS: tuple[AnnotationFormat, ...] = ("syndisco-annotations-2.0", "syndisco-annotations-2.2")


def answer(request: GenerationRequest) -> str:
    return f"{1 + request.seed % 6}"  # 6 is not on the scale


def discussion(folder: Path, name: str, *speakers: str, id: str = "") -> Path:
    logs = [
        {"name": each, "text": f"{name}, “{number}”.", "model": "m", "prompt": "{}"}
        for number, each in enumerate(speakers)
    ]
    logs.insert(1, {"name": "Bob", "text": "", "model": "m", "prompt": "{}"})
    path = folder / f"{name}.json"
    folder.mkdir(exist_ok=True)
    path.write_text(json.dumps({"timestamp": "26-11-22-16-58", "logs": logs}))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two discussions that are annotated."""
    folder = tmp_path / "d"
    discussion(folder, "one", "Ann", "Bob", "Ann")
    discussion(folder, "two", "Ann", "Bob", "Cem", "Ann")
    engine = ScriptedEngine(answer)
    plan = plan_annotations([folder], TASK)
    assert run_annotations(engine, plan, TASK, out=StringIO(), err=StringIO()) == 0
    engine.close()
    return folder


def sets(folder: Path) -> list[AnnotationSet]:
    return [read_annotations(path) for path in sorted(folder.glob("annotations/*.json"))]


def contents(answers: AnnotationSet, repeat: int = 1) -> list[tuple[Any, ...]]:
    return [
        (each.position, each.message, each.speaker, each.value, each.text)
        for each in answers.annotations
        if each.repeat == repeat
    ]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_there_and_back(folder: Path, tmp_path: Path, layout: AnnotationFormat) -> None:
    before = sets(folder)
    out = tmp_path / "out"
    out.mkdir()
    for name, text in exported_files(AnnotatedDiscussions([folder]), layout):
        (out / name).write_text(text)
    assert len(list(out.iterdir())) == 2 * 3  # Coder B twice
    for path in folder.glob("annotations/*.json"):
        path.unlink()
    importer = AnnotationImporter([folder], TASK.question)
    results = [importer.import_file(path) for path in sorted(out.iterdir())]
    after = sets(folder)
    assert all(result.path for result in results)
    assert len(after) == 4
    for each in after:
        assert each.question == TASK.question
        same = [
            old
            for old in before
            if old.discussion == each.discussion and old.annotator.name == each.annotator.name
        ]
        assert len(same) == 1
        for repeat in (1, 2):
            assert contents(each, repeat) == contents(same[0], repeat)
        assert each.annotator.persona == same[0].annotator.persona
    again = [importer.import_file(path) for path in sorted(out.iterdir())]
    assert all(result.path is None for result in again)


def test_what_syndisco_2_0_writes(folder: Path) -> None:
    files = dict(exported_files(AnnotatedDiscussions([folder / "one.json"]), LAYOUTS[0]))
    value = json.loads(next(iter(files.values())))
    assert list(value) == [
        "conv_id", "timestamp", "annotator_model", "annotator_prompt", "ctx_length", "logs",
    ]  # fmt: skip
    assert value["annotator_model"] == "scripted"
    assert value["annotator_prompt"]["type"] == "2"
    assert value["ctx_length"] == 3
    assert [message for message, _ in value["logs"]] == ["one, “0”.", "one, “1”.", "one, “2”."]


def test_what_syndisco_2_2_writes(folder: Path) -> None:
    files = dict(exported_files(AnnotatedDiscussions([folder / "one.json"]), LAYOUTS[1]))
    value = json.loads(next(iter(files.values())))
    assert list(value) == ["timestamp", "logs"]
    assert [list(log) for log in value["logs"]] == [["name", "text", "model", "prompt"]] * 3
    assert [log["name"] for log in value["logs"]] == ["Ann", "Bob", "Ann"]


def test_which_discussion_2_2_does_not_say(folder: Path, tmp_path: Path) -> None:
    files = dict(exported_files(AnnotatedDiscussions([folder / "one.json"]), LAYOUTS[1]))
    path = tmp_path / "annotations.json"
    path.write_text(next(iter(files.values())))
    twin = discussion(folder, "twin", "Ann", "Bob", "Ann")
    with pytest.raises(InputError, match=r"several fit \(one.json, twin.json\); name one with"):
        AnnotationImporter([folder]).import_file(path)
    assert AnnotationImporter([twin]).import_file(path).discussion == twin
    other = discussion(tmp_path / "e", "other", "Dia", "Eve")
    with pytest.raises(InputError, match="no discussion has these speakers in this order"):
        AnnotationImporter([other]).import_file(path)


def test_a_discussion_that_is_not_there(folder: Path, tmp_path: Path) -> None:
    files = dict(exported_files(AnnotatedDiscussions([folder / "one.json"]), LAYOUTS[0]))
    path = tmp_path / "annotations.json"
    path.write_text(next(iter(files.values())))
    with pytest.raises(InputError, match="was not found; import it first, or name it with"):
        AnnotationImporter([folder / "two.json"]).import_file(path)


def test_answers_about_silences_too(folder: Path, tmp_path: Path) -> None:
    """SynDisco annotates whatever is in its logs."""
    names = ("Ann", "Bob", "Bob", "Ann")  # the first Bob is silent
    logs = [
        {"name": name, "text": str(number), "model": "m", "prompt": '{"type": "2"}'}
        for number, name in enumerate(names)
    ]
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"timestamp": "26-01-02-03-04", "logs": logs}))
    result = AnnotationImporter([folder / "one.json"]).import_file(path)
    assert result.path
    assert [(e.position, e.text) for e in read_annotations(result.path).annotations] == [
        (0, "0"), (1, "1"), (2, "2"), (3, "3"),
    ]  # fmt: skip


def test_answers_without_a_task_are_texts(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    value = {
        "conv_id": sets(folder)[0].discussion,
        "timestamp": "26-01-02-03-04",
        "annotator_model": "llama",
        "annotator_prompt": json.dumps({"instructions": "Rate it.", "type": "2", "persona": {}}),
        "ctx_length": 2,
        "logs": [["one, “1”.", "Toxicity=4"]],  # a moderator's message was left out
    }
    path.write_text(json.dumps(value))
    result = AnnotationImporter([folder]).import_file(path)
    assert result.path
    answers = read_annotations(result.path)
    assert [(each.position, each.value) for each in answers.annotations] == [(2, "Toxicity=4")]
    assert (answers.question.instructions, answers.question.history_context_len) == ("Rate it.", 1)
    assert answers.annotator.model == "llama"


def test_what_is_annotations_and_what_is_not(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for layout in LAYOUTS:
        for name, text in exported_files(AnnotatedDiscussions([folder / "one.json"]), layout):
            (out / f"{layout}.{name}").write_text(text)
    (out / "one.json").write_bytes((folder / "one.json").read_bytes())
    annotations, others = split_annotations([out, folder])
    assert len(annotations) == 6
    assert others == [out / "one.json", folder]


def test_table(folder: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(exported_table(AnnotatedDiscussions([folder])))))
    assert len(rows) == 7 * 3
    assert {row["annotator"] for row in rows} == {"Coder A", "Coder B"}
    assert {row["repeat"] for row in rows} == {"1", "2"}
    invalid = [row for row in rows if row["valid"] == "False"]
    assert {(row["value"], row["text"]) for row in invalid} == {("", "6")}
    assert all(row["message"].startswith(row["file"].removesuffix(".json")) for row in rows)


def test_on_the_command_line(folder: Path, tmp_path: Path) -> None:
    home = {"XDG_DATA_HOME": str(tmp_path / "data"), "HOME": str(tmp_path)}
    out = tmp_path / "out"
    result = call("export", folder, "--to", LAYOUTS[1], "--output", f"{out}/", **home)
    assert (result.returncode, result.stderr) == (0, "6 files written\n")
    assert call("export", folder, "--to", LAYOUTS[1], **home).returncode == 2
    for path in folder.glob("annotations/*.json"):
        path.unlink()
    result = call("import", out, "--discussion", folder, **home)
    assert result.returncode == 0, result.stderr
    assert len(set(result.stdout.splitlines())) == 4
    assert "Imported" in result.stderr
    assert call("export", folder, "--to", "annotations-csv", **home).stdout.count("Coder A") == 7
    assert (
        "0 annotations; 6 files were there already"
        in call("import", out, "--discussion", folder, **home).stderr
    )
