"""Where a model goes and in which numbers: device, dtype and quantization, chosen and checked."""

from __future__ import annotations

from importlib.util import find_spec

import torch

from ...base import ModelUnavailable
from .checkpoint import Checkpoint
from .hub import OFFER

ROOM = 0.2  # of what the weights take, for keys and values
SPARE = 1.05  # times the weights, which is what reading them takes


def choose_device(name: str) -> str:
    """The device that ``auto``, ``cpu``, ``cuda`` or ``cuda:N`` means here.

    Raises:
        ModelUnavailable: There is none; one sentence for a person.
    """
    has_cuda = torch.cuda.is_available()
    if name == "auto":
        return "cuda" if has_cuda else "cpu"
    if name.startswith("cuda") and not has_cuda:
        raise ModelUnavailable(
            "The device “cuda” was asked for and torch finds none: choose cpu, or auto."
        )
    try:
        return str(torch.device(name))
    except RuntimeError:
        raise ModelUnavailable(f"There is no device “{name}”: choose cpu, cuda or auto.") from None


def choose_dtype(name: str, device: str) -> torch.dtype:
    """The dtype that ``auto`` or a name means on ``device``. Raises ModelUnavailable."""
    automatic = torch.bfloat16 if device.startswith("cuda") else torch.float32
    dtype = automatic if name == "auto" else getattr(torch, name, None)
    if not isinstance(dtype, torch.dtype) or not dtype.is_floating_point:
        raise ModelUnavailable(f"There is no dtype “{name}”: choose float32, bfloat16 or float16.")
    return dtype


def dtype_name(dtype: torch.dtype) -> str:
    """``float32``, not ``torch.float32``."""
    return str(dtype).removeprefix("torch.")


def choose_quantization(name: str, checkpoint: Checkpoint, model: str, device: str) -> str:
    """How the weights are quantized in memory: as they are stored, or as ``name`` says.

    Raises:
        ModelUnavailable: There is no such quantization, or it needs a package that is missing.
    """
    stored = checkpoint.quantization
    if name not in ("auto", "none", "4bit", "8bit"):
        raise ModelUnavailable(
            f"There is no quantization “{name}”: choose auto, none, 4bit or 8bit."
        )
    is_done_here = name in ("4bit", "8bit") and stored == "none"
    if (is_done_here or checkpoint.needs_bitsandbytes) and not _has_bitsandbytes():
        subject = f"{name} quantization"
        if not is_done_here:
            subject = f"The model “{model}” is quantized and"
        raise ModelUnavailable(
            f"{subject} needs the package bitsandbytes, which is not installed for {device}: "
            f"choose another model, {OFFER}."
        )
    return name if is_done_here else stored


def quantization_that_fits(
    checkpoint: Checkpoint, dtype: torch.dtype, quantization: str, free: int
) -> str:
    """``quantization``, or 4 bits where the weights would leave no room for discussions.

    ``free``: bytes of memory.
    """
    needed = checkpoint.memory_bytes(dtype.itemsize, quantization)
    can_quantize = quantization == "none" and _has_bitsandbytes()
    return "4bit" if can_quantize and needed * (1 + ROOM) > free else quantization


def check_fits(
    checkpoint: Checkpoint,
    model: str,
    dtype: torch.dtype,
    quantization: str,
    device: str,
    free: int,
) -> None:
    """Raise ModelUnavailable, with what would fit, where the weights need more than ``free``."""

    def fits(element_bytes: int, quantization: str) -> bool:
        return checkpoint.memory_bytes(element_bytes, quantization) * SPARE <= free

    if fits(dtype.itemsize, quantization):
        return
    advice = "choose a smaller one"
    if checkpoint.quantization == "none":
        if dtype.itemsize > 2 and fits(2, quantization):
            advice = "choose bfloat16 for its precision, a smaller one"
        elif quantization == "none" and _has_bitsandbytes() and fits(2, "4bit"):
            advice = "quantize it (4bit), choose a smaller one"
    needed = checkpoint.memory_bytes(dtype.itemsize, quantization)
    raise ModelUnavailable(
        f"The model “{model}” takes {needed / 1e9:.1f} GB of memory as {dtype_name(dtype)} "
        f"and {free / 1e9:.1f} GB are free on {device}: {advice}, {OFFER}."
    )


def does_not_fit(model: str, device: str) -> ModelUnavailable:
    """What to say where memory was full in the midst of loading."""
    memory = "the memory" if device == "auto" else f"the memory of {device}"
    return ModelUnavailable(
        f"The model “{model}” does not fit into {memory}: choose a smaller one, {OFFER}."
    )


def _has_bitsandbytes() -> bool:
    return find_spec("bitsandbytes") is not None
