"""The list of models: what is told, in which order, and when."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from syndisco_tui.engine.machine import FreeMemory
from syndisco_tui.engine.model import EngineInfo, ModelSpec
from syndisco_tui.session.last_model import LastModelFile
from syndisco_tui.workspace import models
from syndisco_tui.workspace.folders import Folders
from syndisco_tui.workspace.inputs import InputError
from syndisco_tui.workspace.model_files import Precision
from syndisco_tui.workspace.models import (
    ModelChoice,
    ModelGroup,
    ModelListing,
    ModelSources,
    NamedServer,
    listed_models,
    model_sources,
)
from syndisco_tui.workspace.settings import Settings
from tests.support.model_folders import cache_model, config_of, tensors_of, write_model
from tests.support.scripted_server import Answer, Refused, ScriptedServer

AUTO = Precision()


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "free_memory_of", lambda _: FreeMemory("cpu", 8_000_000_000))


def sources(tmp_path: Path, **more: Any) -> ModelSources:
    return ModelSources(tmp_path / "starter", tmp_path / "hub", **{"ports": (), **more})


def names(groups: list[ModelGroup]) -> dict[str, list[str]]:
    return {group.heading: [each.choice.model for each in group.models] for group in groups}


def server_with(served: Any) -> ScriptedServer:
    return ScriptedServer(lambda *_: Answer(), models=served)


def port_of(server: ScriptedServer) -> int:
    return int(server.url.rpartition(":")[2].partition("/")[0])


def test_an_empty_machine_has_what_is_built_in(tmp_path: Path) -> None:
    groups = listed_models(sources(tmp_path))
    assert names(groups) == {"This machine": ["auto", "starter"]}
    starter = groups[0].models[1]
    assert starter.files is not None
    assert (starter.files.problem, starter.about) == ("", "SmolLM2-135M-Instruct")


def test_the_cache_by_name_broken_ones_too(tmp_path: Path) -> None:
    hub = tmp_path / "hub"
    cache_model(hub, "org/b", config_of("llama"))
    cache_model(hub, "Org/A", config_of("qwen2"))
    cache_model(hub, "gpt2", config_of("gpt2"), chat_template=False)
    dangling = cache_model(hub, "org/dangling", config_of("llama"))
    (dangling / "model.safetensors").resolve().unlink()
    (cache_model(hub, "org/c", config_of("llama")) / "config.json").unlink()
    (hub / "models--org--empty").mkdir()
    (hub / "datasets--org--data").mkdir()
    (hub / "version.txt").write_text("1")
    (hub / "models--file").write_text("not a folder")
    (group,) = (each for each in listed_models(sources(tmp_path)) if each.origin == "cache")
    problems = {each.choice.model: each.files and each.files.problem for each in group.models}
    assert list(problems.items()) == [
        ("file", "cannot be read"),
        ("gpt2", "no chat template"),
        ("Org/A", ""),
        ("org/b", ""),
        ("org/c", "incomplete"),
        ("org/dangling", "incomplete"),
        ("org/empty", "not downloaded"),
    ]
    assert group.is_complete


def test_the_size_of_a_cached_model_is_that_of_its_blobs(tmp_path: Path) -> None:
    version = cache_model(tmp_path / "hub", "org/a", config_of("llama"))
    old = version.parent.parent / "blobs" / "of-an-older-version"
    old.write_bytes(b"x" * 1_000_000)
    files = listed_models(sources(tmp_path))[1].models[0].files
    assert files is not None
    assert 1_000_000 < files.disk_bytes < 2_000_000


def test_a_cache_whose_files_are_on_another_disk(tmp_path: Path) -> None:
    version = cache_model(tmp_path / "hub", "org/a", config_of("llama"), tensors_of(10_000_000))
    weights = (version / "model.safetensors").resolve()
    weights.symlink_to(weights.rename(tmp_path / "elsewhere"))
    files = listed_models(sources(tmp_path))[1].models[0].files
    assert files is not None
    assert (files.problem, files.parameters) == ("", 10_000_000)
    assert files.disk_bytes > 20_000_000


def test_a_cache_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "hub").write_text("not a folder")
    groups = listed_models(sources(tmp_path))
    assert groups[1].note == f"{tmp_path / 'hub'} cannot be read: Not a directory"


def test_folders_used_before_while_they_are_there(tmp_path: Path) -> None:
    folders = Folders.from_environment()
    folders.create()
    file = LastModelFile(folders.last_model_file)
    for name in ("one", "two", "gone"):
        write_model(tmp_path / name, config_of("llama"))
        file.remember(ModelSpec(str(tmp_path / name)), EngineInfo(str(tmp_path / name)))
    file.remember(ModelSpec("org/name"), EngineInfo("org/name"))
    file.remember(ModelSpec(str(tmp_path / "served"), server=("lab",)), EngineInfo("served"))
    for path in (tmp_path / "gone").iterdir():
        path.unlink()
    (tmp_path / "gone").rmdir()
    used = model_sources(folders, Settings(), AUTO).folders
    assert used == tuple(str(tmp_path / name) for name in ("gone", "two", "one"))
    group = listed_models(sources(tmp_path, folders=used))[1]
    assert [each.choice.model for each in group.models] == list(used[1:])


def test_the_first_models_are_told_at_once_and_nothing_waits_for_a_server(tmp_path: Path) -> None:
    for number in range(20):
        cache_model(tmp_path / "hub", f"org/{number}", config_of("llama"))
    told: list[tuple[float, ModelGroup]] = []
    began = time.monotonic()
    listing = ModelListing(
        sources(tmp_path, servers=(NamedServer("lab", "http://127.0.0.1:1/v1"),)),
        lambda group: told.append((time.monotonic() - began, group)),
    )
    listing.start()
    assert told[0][0] < 0.05
    assert [each.choice.model for each in told[0][1].models] == ["auto", "starter"]
    assert listing.wait(20)
    by_name = next(group for _, group in told if group.origin == "cache")
    assert len(by_name.models) == 20
    assert not by_name.is_complete


def test_servers_in_settings_and_on_ports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with server_with(["big"]) as named, server_with(["small"]) as found, server_with([]) as empty:
        monkeypatch.setattr(models, "USUAL_PORTS", {port_of(found): "vLLM"})
        gone = NamedServer("gone", "http://127.0.0.1:1/v1")
        groups = listed_models(
            sources(
                tmp_path,
                servers=(
                    NamedServer("lab", named.url, "sk-secret"),
                    NamedServer("empty", empty.url),
                    gone,
                ),
                ports=(port_of(found), port_of(named), 1),
            )
        )
        assert names(groups) == {
            "This machine": ["auto", "starter"],
            f"empty · {empty.url}": [],
            "gone · http://127.0.0.1:1/v1": [],
            f"lab · {named.url}": ["big"],
            f"{found.url} · vLLM": ["small"],
        }
        lab, port = groups[-2:]
        assert lab.models[0].choice == ModelChoice("big", ("lab",))
        assert port.models[0].choice == ModelChoice("small", (found.url,))
        assert [each.note for each in groups if each.note] == [
            "empty: it serves no model",
            "gone: nobody answers at http://127.0.0.1:1/v1",
        ]
        assert "sk-secret" not in repr(groups)


def test_a_port_with_another_program_is_passed_over_but_not_one_with_a_key(
    tmp_path: Path,
) -> None:
    with server_with(Refused(404)) as other, server_with(Refused(401)) as locked:
        groups = listed_models(sources(tmp_path, ports=(port_of(other), port_of(locked))))
        assert [each.note for each in groups if each.server] == [
            f"{locked.url} rejected the API key (401)"
        ]


def test_the_key_goes_to_its_own_server_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB_KEY", "sk-lab")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-default")
    settings = Settings.model_validate(
        {"servers": {"lab": {"url": "http://lab.example/v1", "key_env": "LAB_KEY"}}}
    )
    folders = Folders.from_environment()
    servers = ["http://lab.example/v1", "http://stranger.example/v1", "http://mine.example/v1"]
    found = model_sources(folders, settings, AUTO, servers, trusted=["http://mine.example/v1"])
    assert [(each.name, each.key) for each in found.servers] == [
        ("lab", "sk-lab"),
        ("http://stranger.example/v1", ""),
        ("http://mine.example/v1", "sk-default"),
    ]
    assert "sk-" not in repr(found)
    with pytest.raises(InputError, match="There is no server “lap”"):
        model_sources(folders, settings, AUTO, ["lap"])


def test_a_cancelled_listing_tells_nothing_more(tmp_path: Path) -> None:
    told: list[ModelGroup] = []
    listing = ModelListing(sources(tmp_path), told.append)
    listing.cancel()
    listing.start()
    assert listing.wait(20)
    assert told == []
