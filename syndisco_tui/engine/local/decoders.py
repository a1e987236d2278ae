"""A model that is loaded → the decoder that makes replies with it fastest."""

from __future__ import annotations

from collections.abc import Callable

import torch

from .batch_decoder import BatchDecoder
from .batch_runner import BatchRunner
from .decoder import Decoder, Intake
from .generate_decoder import GenerateDecoder
from .loading import LoadedModel
from .memory import free_memory
from .model_runner import ModelRunner
from .probe import find_support
from .slot_decoder import SlotDecoder
from .static_steps import CudaCapture, StaticSteps
from .transformers_api.forward import device_of

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
    match support.runner:
        case ModelRunner() as runner:
            static = _static_steps(runner, loaded) if device.type == "cuda" else None
            return SlotDecoder(runner, intake, budget=budget, static=static), support.reason
        case BatchRunner() as runner:
            return BatchDecoder(runner, intake), support.reason
        case None:
            decoder = GenerateDecoder(loaded.model, intake, is_interrupted=is_interrupted)
            return decoder, support.reason


def _static_steps(runner: ModelRunner, loaded: LoadedModel) -> StaticSteps:
    # Eight bits wait for the host in every product: nothing to record.
    return StaticSteps(runner, CudaCapture() if loaded.info.quantization != "8bit" else None)
