"""``syndisco-tui models``, as a process of its own."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support.command_line import call, refusal
from tests.support.model_folders import cache_model, config_of, tensors_of
from tests.support.scripted_server import Answer, ScriptedServer


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the hub with two models."""
    hub = tmp_path / "hub"
    cache_model(hub, "org/big", config_of("llama"), tensors_of(900_000_000_000))
    cache_model(hub, "org/\x1b[31mred", config_of("qwen2"), chat_template=False)
    monkeypatch.setenv("HF_HUB_CACHE", str(hub))
    return hub


def settings(home: Path, text: str) -> None:
    folder = home / "config" / "syndisco-tui"
    folder.mkdir(parents=True)
    (folder / "settings.toml").write_text(text)


def test_a_table_for_people(hub: Path) -> None:
    result = call("models")
    assert result.returncode == 0
    head, *rows = result.stdout.splitlines()
    assert head.split() == ["model", "from", "type", "size", "precision", "on", "disk", "memory"]
    assert [row.split()[0] for row in rows[:2]] == ["auto", "starter"]
    assert "\x1b" not in result.stdout
    assert re.search(
        r"^org/big +cache +llama +900B +bfloat16 +1,800.0 GB +3,600.0 GB +too large$",
        result.stdout,
        re.MULTILINE,
    )
    assert re.search(r"^org/.*red +cache +qwen2 .* no chat template$", result.stdout, re.MULTILINE)
    assert re.fullmatch(r"[\d,.]+ [GM]B of memory free on (cpu|cuda:0)\.\n", result.stderr)


def test_json_for_programs_without_any_key(hub: Path, home: Path) -> None:
    with ScriptedServer(lambda *_: Answer(), models=["served"]) as server:
        settings(
            home,
            f'[servers]\nlab = {{url = "{server.url}", key_env = "LAB_KEY"}}\n'
            'gone = {url = "http://127.0.0.1:1/v1"}\n',
        )
        result = call("models", "--json", "--dtype", "bfloat16", LAB_KEY="sk-secret")
    assert result.returncode == 0
    assert "sk-secret" not in result.stdout + result.stderr
    answer = json.loads(result.stdout)
    by_name = {each["model"]: each for each in answer["models"]}
    assert by_name["served"] | {"model": ""} == dict.fromkeys(by_name["served"]) | {
        "model": "",
        "server": ["lab"],
        "from": "lab",
    }
    big = by_name["org/big"]
    assert (big["server"], big["from"], big["type"]) == ([], "cache", "llama")
    assert (big["parameters"], big["memory_bytes"]) == (900_000_000_000, 1_800_000_000_000)
    assert (big["fits"], big["problem"]) == (False, None)
    assert "gone: nobody answers at http://127.0.0.1:1/v1" in answer["errors"]


def test_another_server(hub: Path) -> None:
    with ScriptedServer(lambda *_: Answer(), models=["served"]) as server:
        result = call("models", "--server", server.url)
        assert re.search(rf"^served +{re.escape(server.url)}$", result.stdout, re.MULTILINE)


@pytest.mark.parametrize("server", ["http://user:password@host/v1", "what is this?"])
def test_a_server_that_cannot_be_one(server: str) -> None:
    sentence = refusal("models", "--server", server)
    assert sentence.startswith("--server: ")
    assert "password@" not in sentence


def test_a_server_that_settings_do_not_have() -> None:
    assert refusal("models", "--server", "lab").startswith("There is no server “lab” in settings")
