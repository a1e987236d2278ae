"""``--model python:module:Class``: on the command line and in settings, and from no file."""

from __future__ import annotations

import os
from pathlib import Path
from textwrap import dedent

import pytest

from syndisco_tui.store.discussions import read_discussion
from syndisco_tui.store.setups import read_setup, write_setup
from syndisco_tui.workspace.inputs import InputError
from tests.support.command_line import call
from tests.support.project import ROOT

MODEL = "python:own_voice:Voice"
CODE = """
    import os
    class Voice:
        name = "voice"
        said = 0
        def prompt(self, system_prompt, user_prompt):
            self.said += 1
            if self.said > int(os.environ.get("SAYS", "99")):
                raise ConnectionError("the line is dead")
            return f"I say {self.said}."
"""
SETUP = """
    conv_len = 4
    [[personas]]
    username = "Ann"
    [[personas]]
    username = "Bob"
"""


@pytest.fixture
def voice(home: Path, tmp_path: Path) -> dict[str, str]:
    """An environment in which the class can be imported."""
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "own_voice.py").write_text(dedent(CODE))
    return {"PYTHONPATH": os.pathsep.join([str(ROOT), str(folder)])}


@pytest.fixture
def setup_file(tmp_path: Path) -> Path:
    file = tmp_path / "setup.toml"
    file.write_text(dedent(SETUP))
    return file


def test_a_run_and_its_record(voice: dict[str, str], setup_file: Path) -> None:
    done = call("run", setup_file, "--model", MODEL, **voice)
    assert done.returncode == 0, done.stderr
    record = read_discussion(Path(done.stdout.splitlines()[-1]))
    assert [entry.text for entry in record.entries] == [f"I say {n}." for n in range(1, 5)]
    assert (record.engine["model"], record.engine["exact"]) == (MODEL, False)
    assert record.setup.model == MODEL


def test_resume_only_where_it_is_named_again(voice: dict[str, str], setup_file: Path) -> None:
    """A class that fails pauses the discussion with a sentence."""
    failed = call("run", setup_file, "--model", MODEL, **voice, SAYS="2")
    assert failed.returncode == 1
    assert "Voice.prompt failed (ConnectionError: the line is dead)." in failed.stderr
    path = Path(failed.stdout.splitlines()[-1])
    assert read_discussion(path).turns_taken == 2
    refused = call("resume", path, **voice)
    assert refused.returncode != 0
    sentence = f"{MODEL} would run code, so a file cannot ask for it: start with --model {MODEL}."
    assert sentence in refused.stderr
    assert read_discussion(path).turns_taken == 2
    resumed = call("resume", path, "--model", MODEL, **voice)
    assert resumed.returncode == 0, resumed.stderr
    assert len(read_discussion(path).entries) == 4


def test_for_one_participant(voice: dict[str, str], setup_file: Path) -> None:
    """Beside a class for the others."""
    other = "python:own_voice:Voice"
    done = call("run", setup_file, "--model", MODEL, "--model-for", f"Bob={other}", **voice)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "text", [f'model = "{MODEL}"', f'[models]\nBob = "{MODEL}"', f'[models.Bob]\nmodel = "{MODEL}"']
)
def test_a_setup_file_may_not_name_one(voice: dict[str, str], setup_file: Path, text: str) -> None:
    head, _, rest = setup_file.read_text().partition("[[personas]]")
    table = text if not text.startswith("[") else ""
    tail = text if text.startswith("[") else ""
    setup_file.write_text(f"{head}{table}\n[[personas]]{rest}\n{tail}\n")
    refused = call("run", setup_file, "--model", MODEL, **voice)
    assert refused.returncode == 2
    assert f"a file may not name “{MODEL}”, since it would run code" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_settings_may_name_one(voice: dict[str, str], setup_file: Path, home: Path) -> None:
    settings = home / "config" / "syndisco-tui" / "settings.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(f'model = "{MODEL}"\n')
    assert call("run", setup_file, **voice).returncode == 0


def test_an_experiment(voice: dict[str, str], tmp_path: Path) -> None:
    design = tmp_path / "design.toml"
    design.write_text('repeats = 2\n[setup]\nconv_len = 2\n[[setup.personas]]\nusername = "Ann"\n')
    folder = tmp_path / "out"
    done = call("experiment", "run", design, "-o", folder, "--model", MODEL, **voice)
    assert done.returncode == 0, done.stderr
    records = [read_discussion(path) for path in folder.glob("*.json")]
    assert [record.setup.model for record in records if record.entries] == [MODEL] * 2
    design.write_text(design.read_text().replace("[setup]", f'[setup]\nmodel = "{MODEL}"'))
    refused = call("experiment", "run", design, "-o", tmp_path / "b", "--model", MODEL, **voice)
    assert refused.returncode == 2
    assert "may not name" in refused.stderr


def test_a_saved_setup_leaves_it_out(setup_file: Path, tmp_path: Path) -> None:
    setup = read_setup(setup_file).model_copy(update={"model": MODEL})
    write_setup(tmp_path / "saved.toml", setup)
    assert read_setup(tmp_path / "saved.toml").model == "auto"
    (tmp_path / "own.toml").write_text(f'model = "{MODEL}"\n')
    with pytest.raises(InputError, match=r"give it with --model or in settings$"):
        read_setup(tmp_path / "own.toml")
