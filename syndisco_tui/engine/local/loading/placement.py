"""The choice of device, dtype and quantization, and whether the model fits into memory."""

from __future__ import annotations

import torch

from ...base import ModelUnavailable
from .checkpoint import Checkpoint
from .fit import fits, has_bitsandbytes
from .hub import OFFER


def choose_device(name: str) -> str:
    """The device that ``auto``, ``cpu``, ``cuda`` or ``cuda:N`` means on this machine.

    Raises:
        ModelUnavailable: There is no such device; one sentence says so.
    """
    has_cuda = torch.cuda.is_available()
    if name == "auto":
        return "cuda" if has_cuda else "cpu"
    if name.startswith("cuda") and not has_cuda:
        raise ModelUnavailable("There is no CUDA device: choose cpu or auto.")
    try:
        return str(torch.device(name))
    except RuntimeError:
        raise ModelUnavailable(f"There is no device “{name}”: choose cpu, cuda or auto.") from None


def choose_dtype(name: str, device: str) -> torch.dtype:
    """The dtype that ``auto`` or a name means on ``device``.

    Raises:
        ModelUnavailable: There is no such dtype.
    """
    automatic = torch.bfloat16 if device.startswith("cuda") else torch.float32
    dtype = automatic if name == "auto" else getattr(torch, name, None)
    if not isinstance(dtype, torch.dtype) or not dtype.is_floating_point:
        raise ModelUnavailable(f"There is no dtype “{name}”: choose float32, bfloat16 or float16.")
    return dtype


def dtype_name(dtype: torch.dtype) -> str:
    """The dtype's name without ``torch.``."""
    return str(dtype).removeprefix("torch.")


def choose_quantization(name: str, checkpoint: Checkpoint, model: str, device: str) -> str:
    """How the weights will be quantized in memory: as they are stored, or as ``name`` says.

    Args:
        name: ``auto``, ``none``, ``4bit`` or ``8bit``.
        checkpoint: The model's files.
        model, device: For the error message.

    Raises:
        ModelUnavailable: There is no such quantization, or it needs a package that is missing.
    """
    stored = checkpoint.quantization
    if name not in ("auto", "none", "4bit", "8bit"):
        raise ModelUnavailable(
            f"There is no quantization “{name}”: choose auto, none, 4bit or 8bit."
        )
    quantizes_now = name in ("4bit", "8bit") and stored == "none"
    if (quantizes_now or checkpoint.needs_bitsandbytes) and not has_bitsandbytes():
        subject = f"{name} quantization"
        if not quantizes_now:
            subject = f"The model “{model}” is quantized and"
        raise ModelUnavailable(
            f"{subject} needs the package bitsandbytes, which is not installed for {device}: "
            f"choose another model, {OFFER}."
        )
    return name if quantizes_now else stored


def check_fits(
    checkpoint: Checkpoint,
    model: str,
    dtype: torch.dtype,
    quantization: str,
    device: str,
    free: int,
) -> None:
    """Check that loading the weights takes at most ``free`` bytes of memory.

    Raises:
        ModelUnavailable: One sentence that says so, and what would fit.
    """

    if fits(checkpoint, dtype.itemsize, quantization, free):
        return
    advice = "choose a smaller one"
    if checkpoint.quantization == "none":
        if dtype.itemsize > 2 and fits(checkpoint, 2, quantization, free):
            advice = "choose bfloat16 for its precision, a smaller one"
        elif quantization == "none" and has_bitsandbytes() and fits(checkpoint, 2, "4bit", free):
            advice = "quantize it (4bit), choose a smaller one"
    needed = checkpoint.memory_bytes(dtype.itemsize, quantization)
    raise ModelUnavailable(
        f"The model “{model}” takes {needed / 1e9:.1f} GB of memory as {dtype_name(dtype)} "
        f"and {free / 1e9:.1f} GB are free on {device}: {advice}, {OFFER}."
    )


def does_not_fit(model: str, device: str) -> ModelUnavailable:
    """The error for a model that filled the memory while it was loaded."""
    memory = "the memory" if device == "auto" else f"the memory of {device}"
    return ModelUnavailable(
        f"The model “{model}” does not fit into {memory}: choose a smaller one, {OFFER}."
    )
