"""How a model can be run: each way is tried on a few tokens and compared with a plain pass.

Knows models and ways to run them; nothing of requests.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..cache.slot_table import SlotTable
from ..transformers_api import UnsupportedModel
from ..transformers_api.forward import device_of, plain_logits, vocabulary_of
from .batch_runner import BatchRunner
from .llama_runner import LlamaRunner
from .model_runner import ModelRunner

_TOKENS = 12
_UNLIMITED = 1 << 62


@dataclass(frozen=True)
class Support:
    """The fastest way found to run a model, and why none of the faster ones is."""

    runner: ModelRunner | BatchRunner | None
    """None: only ``generate`` runs it."""
    reason: str = ""
    """In a few words; empty where the model runs as fast as its family can."""


def find_support(model: Any) -> Support:
    """Try what may run ``model``, the quickest first.

    A model's state, its arguments, positions and masks are not looked up but tried: a prompt in
    two chunks, a ragged step and one alone are compared with a plain forward pass. Out of memory
    is raised; any other error is a reason to go on with the next way, and is told.
    """
    ids = (torch.arange(_TOKENS, device=device_of(model)) * 7919 + 13) % vocabulary_of(model)
    expected: Tensor | None = None
    reasons: list[str] = []
    for kind in _runners(model, reasons):
        try:
            runner = kind(model)
            if expected is None:
                with torch.inference_mode():
                    expected = plain_logits(model, ids).float()
            error = _error_of(runner, ids, expected)
        except torch.OutOfMemoryError:
            raise
        except UnsupportedModel as unsupported:
            reasons.append(str(unsupported))
        except Exception as fault:  # whatever a foreign architecture makes of these arguments
            name = type(fault).__name__
            reasons.append(f"{name} in {kind.__name__}: {str(fault).partition(chr(10))[0]}")
        else:
            if error <= _tolerance(model, runner):
                return Support(runner, "; ".join(dict.fromkeys(reasons)))
            reasons.append(f"{kind.__name__} differs from its own forward pass by {error:.1g}")
    return Support(None, "; ".join(dict.fromkeys(reasons)))


def _runners(model: Any, reasons: list[str]) -> Iterator[type[ModelRunner] | type[BatchRunner]]:
    if LlamaRunner.supports(model):
        if device_of(model).type == "cpu":
            try:
                from .llama_cpu_runner import LlamaCpuRunner
            # numba is not made for every Python, and may find no place for its files.
            except (ImportError, RuntimeError) as error:
                reasons.append(f"the kernels for processors cannot be loaded ({error})")
            else:
                if LlamaCpuRunner.supports(model):
                    yield LlamaCpuRunner
        yield LlamaRunner
    yield ModelRunner
    yield BatchRunner


@torch.inference_mode()
def _error_of(runner: ModelRunner | BatchRunner, ids: Tensor, expected: Tensor) -> float:
    results = _of_slots(runner, ids) if isinstance(runner, ModelRunner) else _of_batch(runner, ids)
    return max(_error(logits.float(), expected[position]) for logits, position in results)


def _of_slots(runner: ModelRunner, ids: Tensor) -> list[tuple[Tensor, int]]:
    table = SlotTable(runner.kv_cache, _UNLIMITED)
    first, second = (table.acquire([0], 16, 1)[0] for _ in range(2))
    runner.prefill(first.index, ids[:3], 0)
    runner.prefill(second.index, ids[:4], 0)
    end = runner.prefill(second.index, ids[4:7], 4)
    ragged = runner.decode([first.index, second.index], ids[[3, 7]], [3, 7])
    alone = runner.decode([second.index], ids[8:9], [8])
    table.release(first)
    table.release(second)
    table.forget()
    return [(end, 6), (ragged[0], 3), (ragged[1], 7), (alone[0], 8)]


def _of_batch(runner: BatchRunner, ids: Tensor) -> list[tuple[Tensor, int]]:
    read = [runner.read(ids[:end].tolist()) for end in (3, 7)]
    ragged = runner.step(ids[[3, 7]])
    later = runner.read(ids[:9].tolist())
    three = runner.step(ids[[4, 8, 9]])
    runner.keep([1])
    alone = runner.step(ids[9:10])
    runner.keep([])
    ragged_results = [(ragged[0], 3), (ragged[1], 7)]
    joined = [(three[0], 4), (three[1], 8), (three[2], 9)]
    return [(read[0], 2), (read[1], 6), (later, 8), *ragged_results, *joined, (alone[0], 9)]


def _tolerance(model: Any, runner: ModelRunner | BatchRunner) -> float:
    """A position or a mask that is wrong by one is an error of 0.6 or more, in any dtype.

    A recurrent state that is wrong is one of 0.03 (Mamba, with a mask too many); that of
    RecurrentGemma differs by 0.002 between transformers' own ways to compute it.

    16 bits in another order of products came to 0.11. Of eight-bit weights the error must be that
    of 16 bits in the same order: LLM.int8 rounds by which rows are computed together, so that a
    kept prefix would change the words.
    """
    if getattr(model, "is_loaded_in_8bit", False):
        return 0.1
    if getattr(model, "is_quantized", False):
        return 0.25
    if model.dtype != torch.float32:
        return 0.25
    return 5e-3 if isinstance(runner, BatchRunner) else 1e-4


def _error(actual: Tensor, expected: Tensor) -> float:
    """The root mean square difference, as a share of the expected values' spread."""
    return float((actual - expected).pow(2).mean().sqrt() / expected.std())
