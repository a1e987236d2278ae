"""Choose the fastest decoder for a loaded model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from ..loading.model_loader import LoadedModel
from ..memory import free_memory
from ..runners.batch_runner import BatchRunner
from ..runners.cuda_graphs import CudaGraphCapture, StaticSteps
from ..runners.model_runner import ModelRunner
from ..runners.probe import Support, find_support
from ..transformers_api.forward import device_of, is_encoder_decoder
from .answers import AnswerDecoder
from .batch_decoder import BatchDecoder
from .decoder import Decoder, InputProcessor
from .generate_decoder import GenerateDecoder
from .slot_decoder import SlotDecoder

CACHE_SHARE = 0.6  # of the memory that is free after loading


def make_decoder(
    loaded: LoadedModel, is_interrupted: Callable[[], bool]
) -> tuple[Decoder, Support]:
    """Make the decoder of a loaded model, on the thread that will step it.

    Args:
        loaded: The model, its tokenizer and what is known of them.
        is_interrupted: Whether a reply that cannot be made beside others has to end.

    Returns:
        The decoder, and which path it takes and why.
    """
    device = device_of(loaded.model)
    if device.type == "cuda":
        torch.cuda.set_device(device)  # per thread: streams and events are made on it
        # cuDNN makes a plan for every shape, in half a second, and prompts have any length.
        torch.backends.cuda.enable_cudnn_sdp(False)
    budget = int(free_memory(str(device)) * CACHE_SHARE)
    support = find_support(loaded.model)
    static: StaticSteps | None = None
    if device.type == "cuda" and isinstance(support.runner, ModelRunner):
        # 8-bit products wait for the host, which a graph cannot capture.
        capture = CudaGraphCapture() if loaded.info.quantization != "8bit" else None
        static = StaticSteps(support.runner, capture)
    inputs = InputProcessor(
        loaded.tokenizer,
        eos=loaded.eos,
        context_length=loaded.info.context_length,
        can_read_on=not is_encoder_decoder(loaded.model),
    )
    decoder = decoder_for(
        loaded.model,
        support,
        inputs,
        budget=budget,
        static=static,
        is_interrupted=is_interrupted,
    )
    return AnswerDecoder(decoder, loaded.model, loaded.tokenizer, inputs), support


def decoder_for(
    model: Any,
    support: Support,
    inputs: InputProcessor,
    *,
    budget: int = 1 << 30,
    static: StaticSteps | None = None,
    is_interrupted: Callable[[], bool] = lambda: False,
) -> Decoder:
    """Make the decoder that ``support`` allows.

    Args:
        model: The model.
        support: How the model can be run.
        inputs: Turns requests into replies.
        budget: Bytes that the KV cache may take.
        static: Decode steps that can be captured as CUDA graphs.
        is_interrupted: Whether a reply that cannot be made beside others has to end.
    """
    match support.runner:
        case ModelRunner() as runner:
            return SlotDecoder(runner, inputs, budget=budget, static=static)
        case BatchRunner() as runner:
            return BatchDecoder(runner, inputs)
        case None:
            return GenerateDecoder(model, inputs, is_interrupted=is_interrupted)
