"""One pass for rows and pieces of prompts: what is computed beside a prompt does not change it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from syndisco_tui.engine.local.attention import Piece
from syndisco_tui.engine.local.llama_cpu_runner import CompiledForward
from syndisco_tui.engine.local.llama_runner import LeanForward, _padded
from syndisco_tui.engine.local.slots import Slots

from .conftest import read_model


@pytest.fixture(scope="module", params=[LeanForward, CompiledForward])
def forward(tiny_folder: Path, request: pytest.FixtureRequest) -> LeanForward:
    model, _ = read_model(tiny_folder)
    made: LeanForward = request.param(model, Slots(model.config.num_hidden_layers, 1 << 30))
    return made


def ids(length: int, start: int = 0) -> torch.Tensor:
    return (torch.arange(start, start + length) * 7919 + 13) % 49152


@torch.inference_mode()
def fill(forward: LeanForward, lengths: list[int]) -> list[int]:
    """Slots that hold prompts of these lengths."""
    forward.slots.forget()
    slots = [forward.slots.acquire([0], 300, 99)[0] for _ in lengths]
    for slot, length in zip(slots, lengths, strict=True):
        if length:
            forward.prefill(slot.index, ids(length, slot.index), 0)
    for slot in slots:
        slot.busy = False
    return [slot.index for slot in slots]


@torch.inference_mode()
def test_a_prompt_is_read_to_the_same_bits_in_any_company(forward: LeanForward) -> None:
    rows = fill(forward, [40, 7, 100, 3, 64, 65, 12, 0])
    prompt = ids(90, 5)
    alone = forward.step([], prompt[:0], [], [Piece(rows[7], prompt, 0)])[0]
    kept = forward.slots.layers[-1].states
    assert kept is not None
    states = kept[:, rows[7], :, :90].clone()
    beside = [
        [Piece(rows[6], ids(33), 12), Piece(rows[7], prompt, 0)],
        [Piece(rows[5], ids(200), 65, ends=False), Piece(rows[7], prompt, 0)],
    ]
    for pieces in beside:
        both = forward.step(rows[:3], ids(3), [40, 7, 100], pieces)
        assert torch.equal(both[-1], alone)
        assert torch.equal(kept[:, rows[7], :, :90], states)


@torch.inference_mode()
def test_a_row_keeps_its_bits_beside_prompts(forward: LeanForward) -> None:
    rows = fill(forward, [40, 7, 100, 0])
    alone = forward.step(rows[:3], ids(3), [40, 7, 100], [])
    beside = forward.step(rows[:3], ids(3), [40, 7, 100], [Piece(rows[3], ids(77), 0)])
    assert torch.equal(beside[:3], alone)


@torch.inference_mode()
def test_a_prompt_in_pieces_is_the_prompt(forward: LeanForward) -> None:
    (row,) = fill(forward, [0])
    prompt = ids(120)
    whole = forward.prefill(row, prompt, 0)
    forward.step([], prompt[:0], [], [Piece(row, prompt[:50], 0, ends=False)])
    end = forward.step([], prompt[:0], [], [Piece(row, prompt[50:], 50)])
    torch.testing.assert_close(end[0], whole, rtol=1e-4, atol=1e-4)


def test_products_come_in_few_sizes() -> None:
    sizes = {_padded(tokens) for tokens in range(1, 513)}
    assert len(sizes) < 30
    assert all(
        tokens <= _padded(tokens) <= max(4, 1.5 * tokens) for tokens in (1, 2, 4, 6, 65, 300)
    )


def test_slots_take_no_more_than_they_are_given(tiny_folder: Path) -> None:
    model: Any = read_model(tiny_folder)[0]
    forward = LeanForward(model, Slots(model.config.num_hidden_layers, 1 << 20))
    with torch.inference_mode():
        fill(forward, [20])
    assert 0 < forward.slots.memory_bytes <= 1 << 20
