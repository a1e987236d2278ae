"""Choosing a model from the list."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from syndisco_tui.discussion import DiscussionSetup
from syndisco_tui.engine.machine import FreeMemory
from syndisco_tui.tui.models.model_dialog import ModelDialog
from syndisco_tui.tui.models.model_rows import ModelRows
from syndisco_tui.tui.setup.fields import FIELDS
from syndisco_tui.workspace import models
from tests.support.bench import TINY, Bench, OpenBench
from tests.support.model_folders import cache_model, config_of, tensors_of
from tests.support.scripted_server import Answer, ScriptedServer

LONG_NAME = "an-organisation-with-a-long-name/A-Very-Long-Name-That-People-Give-Models-v0.3-bf16"

GATEWAY = '[servers]\ngateway = {url = "http://127.0.0.1:9/v1"}\n'
"""Settings with a server where nobody listens."""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the hub with a few models, on a machine with 12 GB free."""
    folder = tmp_path / "hub"
    big = config_of("llama", max_position_embeddings=131072)
    cache_model(folder, "meta-llama/Llama-3.1-8B-Instruct", big, tensors_of(8_030_000_000))
    four_bit = {"quant_method": "bitsandbytes", "load_in_4bit": True}
    small = config_of("llama", quantization_config=four_bit)
    cache_model(
        folder,
        "unsloth/Llama-3.2-3B-Instruct-bnb-4bit",
        small,
        tensors_of(2_200_000_000),
        dtype="U8",
    )
    cache_model(folder, LONG_NAME, config_of("mistral"), tensors_of(70_600_000_000))
    qwen = tensors_of(494_000_000)
    cache_model(folder, "Qwen/Qwen2.5-0.5B", config_of("qwen2"), qwen, chat_template=False)
    monkeypatch.setattr(models, "cache_folder", lambda: folder)
    monkeypatch.setattr(models, "free_memory_of", lambda _: FreeMemory("cpu", 12_000_000_000))
    monkeypatch.setattr(models, "USUAL_PORTS", {})
    return folder


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(lambda *_: Answer(), models=["Qwen/Qwen3-8B", "tiny"]) as server:
        yield server


async def open_dialog(at: Bench) -> ModelDialog:
    """Press enter on the setup's row *Model*, and wait until everything is listed."""
    await at.press("2", "home", *["down"] * [field.key for field in FIELDS].index("model"))
    await at.press("enter")
    dialog = at.app.screen
    assert isinstance(dialog, ModelDialog)
    await at.until(lambda: dialog._listing.is_complete)
    return dialog


def text_of(at: Bench) -> str:
    """The dialog as plain text, without the screen below it."""
    region = at.app.screen.query_one("#models").region
    lines = at.text().splitlines()[region.y : region.bottom]
    return "\n".join(line[region.x : region.right].rstrip() for line in lines)


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids="{0[0]}x{0[1]}".format)
async def test_models_of_this_machine(
    bench: OpenBench, cache: Path, size: tuple[int, int], snapshot: SnapshotAssertion
) -> None:
    async with bench(size, settings=GATEWAY) as at:
        await open_dialog(at)
        assert text_of(at) == snapshot
        assert "no chat template" in at.text()
        await at.press(*["down"] * 3)
        assert "takes 32.1 GB of memory, 12.0 GB free on cpu" in at.text()


async def test_a_model_of_a_server_sets_the_server_too_and_a_local_one_clears_it(
    bench: OpenBench, cache: Path, server: ScriptedServer
) -> None:
    async with bench(settings=f'[servers]\nlab = {{url = "{server.url}"}}\n') as at:
        await open_dialog(at)
        assert f"lab · {server.url}" in at.text()
        await at.type("qwen3")
        await at.press("enter")
        assert (at.laboratory.setup.model, at.laboratory.setup.server) == (
            "Qwen/Qwen3-8B",
            ("lab",),
        )
        await open_dialog(at)
        assert "● Qwen/Qwen3-8B" in at.text(), "the one in force is highlighted"
        await at.type("8B-Inst")
        await at.press("enter")
        assert (at.laboratory.setup.model, at.laboratory.setup.server) == (
            "meta-llama/Llama-3.1-8B-Instruct",
            (),
        )
        await at.press("u")
        assert at.laboratory.setup.server == ("lab",)


async def test_a_typed_id_is_used_as_it_is(bench: OpenBench, cache: Path) -> None:
    async with bench() as at:
        await open_dialog(at)
        await at.type("Some/Model-7B")
        assert "As typed" in at.text()
        await at.press("enter")
        assert at.laboratory.setup.model == "Some/Model-7B"


async def test_a_typed_id_may_be_on_the_server_in_force(
    bench: OpenBench, cache: Path, demonstration: DiscussionSetup
) -> None:
    setup = demonstration.model_copy(update={"server": ("http://127.0.0.1:9/v1",)})
    async with bench(setup=setup) as at:
        await open_dialog(at)
        await at.type("Some/Model-7B")
        await at.press("enter")
        assert at.laboratory.setup.server == setup.server
        await open_dialog(at)
        await at.type("Some/Model-7B")
        await at.press("down", "enter")
        assert (at.laboratory.setup.model, at.laboratory.setup.server) == ("Some/Model-7B", ())


async def test_escape_changes_nothing(bench: OpenBench, cache: Path) -> None:
    async with bench() as at:
        before = at.laboratory.setup
        dialog = await open_dialog(at)
        await at.type("llama")
        await at.press("down", "escape")
        assert at.app.screen is at.laboratory
        assert at.laboratory.setup == before
        assert dialog._listing._is_cancelled.is_set()


async def test_a_server_that_hangs_holds_nothing_up(bench: OpenBench, cache: Path) -> None:
    with socket.socket() as hung:
        hung.bind(("127.0.0.1", 0))
        hung.listen()
        url = f"http://127.0.0.1:{hung.getsockname()[1]}/v1"
        async with bench(settings=f'[servers]\nlab = {{url = "{url}"}}\n') as at:
            await at.press("2", "home", *["down"] * [each.key for each in FIELDS].index("model"))
            await at.press("enter")
            await at.until(lambda: "no chat template" in at.text())
            assert f"asking lab · {url} …" in at.text()
            await at.press("escape")
            assert at.app.screen is at.laboratory
            await at.press("enter")
            await at.until(lambda: f"lab: {url} did not answer within 1 s" in at.text())
            await at.press("down", "enter")
            assert at.laboratory.setup.model == "starter"


async def test_a_click_chooses(bench: OpenBench, cache: Path) -> None:
    async with bench() as at:
        await open_dialog(at)
        rows = at.app.screen.query_one(ModelRows)
        await at.pilot.click(rows, offset=(4, rows.top_of(1)))
        await at.pilot.pause()
        assert at.laboratory.setup.model == "starter"


async def test_nothing_is_lost_in_a_tiny_window(bench: OpenBench, cache: Path) -> None:
    for size in TINY:
        async with bench(size) as at:
            at.laboratory.setup_pane.go_to_field("model")
            await at.press("enter")
            assert isinstance(at.app.screen, ModelDialog)
            await at.press("escape")
