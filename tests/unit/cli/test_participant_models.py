"""Models of single participants on the command line: a scripted one here, another on a server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from syndisco_tui.discussion import DiscussionRecord
from syndisco_tui.store.discussions import read_discussion
from tests.support.command_line import SCRIPTED, call, refusal
from tests.support.scripted_server import Answer, ScriptedServer


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(lambda body, number: Answer((f"Far {body['seed'] % 97}.",))) as server:
        yield server


@pytest.fixture
def people(tmp_path: Path) -> Path:
    file = tmp_path / "people.json"
    file.write_text(json.dumps([{"username": name} for name in ("Ann", "Bob")]))
    return file


def run(people: Path, *arguments: object) -> Path:
    setup = people.parent / "setup.toml"
    setup.write_text('persona_file = "people.json"\nconv_len = 4')
    result = call("run", setup, *arguments, command=SCRIPTED, SCRIPT='{"replies": ["Near."]}')
    assert result.returncode == 0, result.stderr
    return Path(result.stdout.splitlines()[-1])


def models(record: DiscussionRecord) -> dict[str, set[str]]:
    return {
        name: {entry.model for entry in record.entries if entry.name == name}
        for name in record.setup.names
    }


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ("Emma", "--model-for: must be NAME=MODEL, NAME=MODEL@SERVER or NAME=@SERVER, not 'Emma'"),
        ("=m", "--model-for: must be NAME=MODEL, "),
        ("Emma=", "--model-for: must be NAME=MODEL, "),
        ("Emma=m", "--model-for: nobody is called “Emma”; did you mean “Emma35”?"),
        ("Emma35=m@http://me:pw@x/v1", "--model-for Emma35: server: must be a URL such as "),
    ],
)
def test_a_slip_is_one_sentence(option: str, sentence: str) -> None:
    assert refusal("run", "--model-for", option).startswith(sentence)


def test_one_here_and_one_on_a_server(people: Path, server: ScriptedServer, home: Path) -> None:
    record = read_discussion(run(people, "--model-for", f"bob=@{server.url}"))
    assert models(record) == {"Ann": {"scripted"}, "Bob": {"tiny"}}
    assert record.setup.models["bob"].model == "tiny"
    assert record.engine["participants"]["Bob"]["server"] == server.url
    assert "participants" not in record.engine["participants"]["Bob"]


def test_replay_says_which_model_differed(people: Path, server: ScriptedServer, home: Path) -> None:
    path = run(people, "--model-for", f"Bob=tiny@{server.url}")
    script = '{"replies": ["Near."]}'
    same = call("replay", path, command=SCRIPTED, SCRIPT=script)
    assert same.returncode == 0
    assert sorted(same.stdout.splitlines()) == [
        "scripted: 2 replies: the same text throughout.",
        "tiny: 2 replies: the same text throughout.",
    ]
    assert "tiny: Only float32 on a CPU guarantees the same text." in same.stderr
    server.script = lambda body, number: Answer(("Far away.",))
    differs = call("replay", path, command=SCRIPTED, SCRIPT=script)
    assert differs.returncode == 1
    assert differs.stdout.splitlines()[0].startswith("turn 2, Bob (tiny): differs at character 5")
    assert "scripted: 2 replies: the same text throughout." in differs.stdout


def test_replay_and_resume_go_elsewhere_where_they_are_told_to(
    people: Path, server: ScriptedServer, home: Path
) -> None:
    path = run(people)
    result = call("replay", path, "--server", server.url, command=SCRIPTED)
    assert result.returncode == 3  # it has no model of that name
    assert "scripted" in result.stderr
    result = call("replay", path, "--server", server.url, "--model", "tiny", command=SCRIPTED)
    assert result.returncode == 1
    assert "The discussion was made with other name" in result.stderr
    value = json.loads(path.read_text())
    value["logs"] = value["logs"][:1]
    value["syndisco_tui"]["status"] = "paused"
    path.write_text(json.dumps(value))
    refused = call("resume", path, "--model-for", "Cyd=m", command=SCRIPTED)
    assert (refused.returncode, refused.stderr.strip()) == (
        2, "--model-for: nobody is called “Cyd”",
    )  # fmt: skip
    resumed = call("resume", path, "--model-for", f"Bob=@{server.url}", command=SCRIPTED)
    assert resumed.returncode == 0, resumed.stderr
    record = read_discussion(path)
    assert [entry.model for entry in record.entries] == ["scripted", "tiny", "scripted", "tiny"]
    assert [each.last_turn for each in record.earlier_setups] == [1]


def test_a_design_mixes_models(people: Path, server: ScriptedServer, home: Path) -> None:
    design = people.parent / "design.toml"
    design.write_text(
        f'[setup]\npersona_file = "people.json"\nconv_len = 2\n'
        f'[factors.model.near]\nmodel = "m"\n'
        f'[factors.model.mixed]\nmodels = {{Ann = {{server = "{server.url}"}}}}\n'
    )
    folder = people.parent / "out"
    options = ("experiment", "run", design, "-o", folder)
    wrong = call(*options, "--model-for", "Cyd=x", command=SCRIPTED)
    assert wrong.stderr.strip() == "--model-for: nobody is called “Cyd”"
    result = call(*options, "--model-for", "Bob=x", command=SCRIPTED)
    assert result.returncode == 0, result.stderr
    by_level = {
        record.experiment.cell["model"]: models(record)
        for record in map(read_discussion, folder.glob("c*.json"))
        if record.experiment
    }
    assert by_level == {
        "near": {"Ann": {"m"}, "Bob": {"x"}},
        "mixed": {"Ann": {"tiny"}, "Bob": {"x"}},
    }
