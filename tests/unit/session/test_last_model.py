"""The model that was loaded last is remembered, and nothing depends on it."""

from __future__ import annotations

import json
import logging
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from syndisco_tui.engine.model import EngineInfo, ModelSpec
from syndisco_tui.session.last_model import LastModelFile
from syndisco_tui.workspace.folders import Folders

AUTO = ModelSpec("auto")
STARTER = EngineInfo("starter", "SmolLM2", path="generate", path_reason="it is a test")


@pytest.fixture
def file() -> Path:
    folders = Folders.from_environment()
    folders.create()
    return folders.last_model_file


@pytest.fixture
def last_model(file: Path) -> LastModelFile:
    return LastModelFile(file)


def test_what_was_loaded_is_known_at_the_next_start(last_model: LastModelFile, file: Path) -> None:
    assert last_model.read() is None
    last_model.remember(AUTO, STARTER)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    last = LastModelFile(file).read()
    assert last is not None
    assert last.spec == AUTO
    assert (last.info.model, last.info.name) == ("starter", "SmolLM2")
    assert (last.info.path, last.info.path_reason) == ("generate", "it is a test")


@pytest.mark.parametrize(
    ("spec", "is_it"),
    [
        (AUTO, True),
        (ModelSpec("starter"), True),
        (ModelSpec("org/other"), False),
        (ModelSpec("auto", quantization="4bit"), False),
        (ModelSpec("auto", dtype="bfloat16"), False),
        (ModelSpec("auto", device="cuda"), False),
    ],
)
def test_only_that_very_model_is_the_last_one(
    last_model: LastModelFile, spec: ModelSpec, is_it: bool
) -> None:
    last_model.remember(AUTO, STARTER)
    last = last_model.read()
    assert last
    assert last.is_named_by(spec) is is_it


def test_what_auto_was_is_known_after_it_was_asked_for_by_name(last_model: LastModelFile) -> None:
    last_model.remember(AUTO, STARTER)
    last_model.remember(ModelSpec("org/other"), EngineInfo("org/other"))
    last = last_model.read()
    assert last
    assert not last.is_named_by(AUTO)
    last_model.remember(ModelSpec("starter"), STARTER)
    last = last_model.read()
    assert last
    assert last.is_named_by(AUTO)


def test_a_folder_is_known_from_wherever_it_is_asked_for(
    last_model: LastModelFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "models" / "mine").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    last_model.remember(ModelSpec("models/mine"), EngineInfo("models/mine"))
    monkeypatch.chdir(tmp_path / "models")
    last = last_model.read()
    assert last
    assert last.is_named_by(ModelSpec("mine"))
    assert last.is_named_by(ModelSpec(str(tmp_path / "models" / "mine")))
    assert not last.is_named_by(ModelSpec("models/mine"))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not JSON",
        b"[]",
        b"{}",
        b'{"version": 2}',
        b"\xff\xfe",
        b'{"version": 1, "model": 3}',
        b" " * 200_000,
    ],
)
def test_a_damaged_file_is_nothing_and_is_written_anew(
    last_model: LastModelFile, file: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    file.write_bytes(content)
    with caplog.at_level(logging.INFO, "syndisco_tui"):
        assert last_model.read() is None
    assert "The last model is not known" in caplog.text
    last_model.remember(ModelSpec("starter"), STARTER)
    assert last_model.read()


def test_what_a_later_version_adds_is_passed_over(last_model: LastModelFile, file: Path) -> None:
    last_model.remember(AUTO, STARTER)
    file.write_text(json.dumps({**json.loads(file.read_text()), "more": 1}))
    assert last_model.read()


def test_a_place_that_cannot_be_written_is_noted_and_nothing_else(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    last_model = LastModelFile(Path("/nowhere/at/all/last-model.json"))
    with caplog.at_level(logging.INFO, "syndisco_tui"):
        last_model.remember(AUTO, STARTER)
    assert "The last model is not remembered" in caplog.text
    assert last_model.read() is None
    assert capfd.readouterr() == ("", "")


def test_the_same_is_written_once(last_model: LastModelFile, file: Path) -> None:
    last_model.remember(AUTO, STARTER)
    file.unlink()
    last_model.remember(AUTO, STARTER)
    assert not file.exists()
    last_model.remember(AUTO, replace(STARTER, path="slots", path_reason=""))
    assert file.exists()
