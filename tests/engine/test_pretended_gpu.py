"""The pretended GPU refuses what a GPU refuses; otherwise tests on it would show nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from syndisco_tui.engine.local.runners.cuda_graphs import CudaGraphCapture
from tests.support.pretended_gpu import CudaError, Machine


def on_gpu(*numbers: float) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float32, device="cuda")


def test_a_tensor_is_where_it_was_made(gpu: Machine) -> None:
    tensor = torch.zeros(2, device=torch.device("cuda"))
    assert tensor.is_cuda
    assert tensor[:1].is_cuda
    assert torch.zeros_like(tensor).device == torch.device("cuda:0")
    assert not tensor.cpu().is_cuda
    assert not torch.zeros(2).is_cuda
    assert torch.zeros(2).to("cuda").is_cuda


MIXED: dict[str, Callable[[], Any]] = {
    "a sum": lambda: on_gpu(1, 2) + torch.ones(2),
    "a product": lambda: torch.nn.functional.linear(on_gpu(1, 2), torch.ones(2, 2)),
    "joined": lambda: torch.cat([on_gpu(1), torch.ones(1)]),
    "looked up": lambda: torch.nn.functional.embedding(torch.tensor([0]), on_gpu(1, 2)[None]),
}


@pytest.mark.parametrize("operation", MIXED)
def test_operands_on_two_devices(gpu: Machine, operation: str) -> None:
    with pytest.raises(CudaError, match="same device"):
        MIXED[operation]()


WAITS: dict[str, Callable[[Tensor], Any]] = {
    "a number asked for": lambda x: x[0].item(),
    "a condition": lambda x: bool(x.any()),
    "what is true": lambda x: x[x > 1],
    "numbers of the host": lambda x: torch.tensor([1.0, 2.0], device=x.device) + x,
    "an index of the host": lambda x: x[torch.tensor([0])],
    "a copy from the host": lambda x: x.copy_(torch.ones(2)),
    "a copy to the host": lambda x: x.cpu(),
}


@pytest.mark.parametrize("operation", WAITS)
def test_operations_that_cannot_be_captured(gpu: Machine, operation: str) -> None:
    x = on_gpu(1, 2)
    WAITS[operation](x)
    warmed_up = 0

    def step() -> None:
        nonlocal warmed_up
        warmed_up += 1
        WAITS[operation](x)

    with pytest.raises(CudaError, match="not permitted when stream is capturing"):
        CudaGraphCapture()(step)
    assert warmed_up == 4
    assert gpu.graphs == []


def test_a_graph_replays_what_was_captured(gpu: Machine) -> None:
    """Not what the host's code would do by then; and the capture itself has no effect."""
    x, scale, tensor = on_gpu(1, 2), 10, []

    def step() -> None:
        tensor[:] = [x * scale]
        x.copy_(tensor[0])

    replay = CudaGraphCapture()(step)
    assert x.tolist() == [1e3, 2e3]  # three times to warm up
    scale = 7
    replay()
    assert x.tolist() == [1e4, 2e4]
    assert tensor[0].isnan().all()  # other graphs may have written there


def test_a_copy_arrives_when_it_is_waited_for(gpu: Machine) -> None:
    host = torch.empty(2, pin_memory=True)
    host.copy_(on_gpu(1, 2), non_blocking=True)
    event = torch.cuda.Event()
    event.record()
    assert host.isnan().all()
    event.synchronize()
    assert host.tolist() == [1, 2]
