"""Find the fastest way to run a model, by trying each on a few tokens.

The state a model keeps, its arguments, positions and masks are not looked up: a prompt in two
chunks, a ragged batch and a single step are compared with a plain forward pass.
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
    """The fastest way to run a model, and why no faster one works."""

    runner: ModelRunner | BatchRunner | None
    """None: only ``generate`` runs it."""
    reason: str = ""
    """In a few words; empty if the model runs as fast as its family can."""

    @property
    def path(self) -> str:
        """``slots``, ``batch`` or ``generate``; the ``path`` of ``EngineInfo``."""
        match self.runner:
            case ModelRunner():
                return "slots"
            case BatchRunner():
                return "batch"
            case None:
                return "generate"


def find_support(model: Any) -> Support:
    """Try every way to run ``model``, fastest first.

    Raises:
        torch.OutOfMemoryError: Any other error is a reason to try the next way.
    """
    ids = (torch.arange(_TOKENS, device=device_of(model)) * 7919 + 13) % vocabulary_of(model)
    expected: Tensor | None = None
    reasons: list[str] = []
    for kind in _runner_classes(model, reasons):
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
        except Exception as failure:  # an architecture may raise anything
            name = type(failure).__name__
            reasons.append(f"{name} in {kind.__name__}: {str(failure).partition(chr(10))[0]}")
        else:
            if error <= _tolerance(model, runner):
                return Support(runner, "; ".join(dict.fromkeys(reasons)))
            reasons.append(f"{kind.__name__} differs from its own forward pass by {error:.1g}")
    return Support(None, "; ".join(dict.fromkeys(reasons)))


def _runner_classes(
    model: Any, reasons: list[str]
) -> Iterator[type[ModelRunner] | type[BatchRunner]]:
    if LlamaRunner.supports(model):
        if device_of(model).type == "cpu":
            try:
                from .llama_cpu_runner import LlamaCpuRunner
            # numba may lack this Python version, or a folder for its compiled files.
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
    """The largest error of a few steps, as a share of the standard deviation of the logits."""
    run = _run_slots if isinstance(runner, ModelRunner) else _run_batch
    errors = []
    for logits, position in run(runner, ids):
        difference = logits.float() - expected[position]
        root_mean_square = difference.pow(2).mean().sqrt()
        errors.append(float(root_mean_square / expected[position].std()))
    return max(errors)


def _run_slots(runner: Any, ids: Tensor) -> list[tuple[Tensor, int]]:
    """Logits of ``runner`` after some positions of ``ids``, with those positions."""
    table = SlotTable(runner.kv_cache, _UNLIMITED)
    first, second = (table.acquire([0], 16, 1)[0] for _ in range(2))
    runner.prefill(first.index, ids[:3], 0)
    runner.prefill(second.index, ids[:4], 0)
    prompt_end = runner.prefill(second.index, ids[4:7], 4)
    ragged = runner.decode([first.index, second.index], ids[[3, 7]], [3, 7])
    single = runner.decode([second.index], ids[8:9], [8])
    table.release(first)
    table.release(second)
    table.forget_idle()
    return [(prompt_end, 6), (ragged[0], 3), (ragged[1], 7), (single[0], 8)]


def _run_batch(runner: Any, ids: Tensor) -> list[tuple[Tensor, int]]:
    """Logits of ``runner`` after some positions of ``ids``, with those positions."""
    prompt_ends = [runner.prefill(ids[:end].tolist()) for end in (3, 7)]
    ragged = runner.decode(ids[[3, 7]])
    joined = runner.prefill(ids[:9].tolist())
    three = runner.decode(ids[[4, 8, 9]])
    runner.select([1])
    single = runner.decode(ids[9:10])
    runner.select([])
    prefills = [(prompt_ends[0], 2), (prompt_ends[1], 6), (joined, 8)]
    decodes = [(ragged[0], 3), (ragged[1], 7), (three[0], 4), (three[1], 8), (three[2], 9)]
    return [*prefills, *decodes, (single[0], 9)]


def _tolerance(model: Any, runner: ModelRunner | BatchRunner) -> float:
    """The largest error that is rounding, between those measured for rounding and for mistakes.

    A position or mask that is off by one gives 0.6 or more in any dtype; a wrong recurrent state
    0.03 (Mamba, with a mask too many), where transformers' own ways to compute RecurrentGemma
    differ by 0.002. 16 bits in another order of products gave 0.11. LLM.int8 rounds by which rows
    are computed together, so 8-bit weights may only differ as much as 16 bits do: otherwise a
    cached prefix would change the text.
    """
    if getattr(model, "is_loaded_in_8bit", False):
        return 0.1
    if getattr(model, "is_quantized", False) or model.dtype != torch.float32:
        return 0.25
    return 5e-3 if isinstance(runner, BatchRunner) else 1e-4
