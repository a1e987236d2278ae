"""A model that is loaded → the decoder that makes replies with it fastest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from ..loading.model_loader import LoadedModel
from ..memory import free_memory
from ..runners.batch_runner import BatchRunner
from ..runners.cuda_graphs import CudaCapture, StaticSteps
from ..runners.model_runner import ModelRunner
from ..runners.probe import Support, find_support
from ..transformers_api.forward import device_of
from .batch_decoder import BatchDecoder
from .decoder import Decoder, Intake
from .generate_decoder import GenerateDecoder
from .slot_decoder import SlotDecoder

CACHE_SHARE = 0.6  # of the memory that is free beside the weights


def decoder_for(loaded: LoadedModel, is_interrupted: Callable[[], bool]) -> tuple[Decoder, str]:
    """The decoder for ``loaded``, and in a few words why it is none that is faster.

    To be called on the thread that decodes. ``is_interrupted``: whether a reply that cannot be
    made together with others has to end.
    """
    device = device_of(loaded.model)
    if device.type == "cuda":
        torch.cuda.set_device(device)  # of this thread: streams and events are made on it
        # cuDNN makes a plan for every shape, in half a second, and prompts have any length.
        torch.backends.cuda.enable_cudnn_sdp(False)
    budget = int(free_memory(str(device)) * CACHE_SHARE)
    support = find_support(loaded.model)
    intake = Intake(loaded.tokenizer, eos=loaded.eos, context_length=loaded.info.context_length)
    static: StaticSteps | None = None
    if device.type == "cuda" and isinstance(support.runner, ModelRunner):
        # Eight bits wait for the host in every product: nothing to record.
        capture = CudaCapture() if loaded.info.quantization != "8bit" else None
        static = StaticSteps(support.runner, capture)
    decoder = decoder_of(
        loaded.model,
        support,
        intake,
        budget=budget,
        static=static,
        is_interrupted=is_interrupted,
    )
    return decoder, support.reason


def decoder_of(
    model: Any,
    support: Support,
    intake: Intake,
    *,
    budget: int = 1 << 30,
    static: StaticSteps | None = None,
    is_interrupted: Callable[[], bool] = lambda: False,
) -> Decoder:
    """The decoder that runs ``model`` in the way that was found.

    Args:
        budget: Bytes that the KV cache may take.
        static: Decode steps that can be recorded, on a GPU.
        is_interrupted: Whether a reply that cannot be made beside others has to end.
    """
    match support.runner:
        case ModelRunner() as runner:
            return SlotDecoder(runner, intake, budget=budget, static=static)
        case BatchRunner() as runner:
            return BatchDecoder(runner, intake)
        case None:
            return GenerateDecoder(model, intake, is_interrupted=is_interrupted)


def path_of(support: Support) -> str:
    """``slots``, ``batch`` or ``generate``."""
    match support.runner:
        case ModelRunner():
            return SlotDecoder.path
        case BatchRunner():
            return BatchDecoder.path
        case None:
            return GenerateDecoder.path
