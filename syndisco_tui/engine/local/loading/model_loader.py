"""Load the model of a ModelSpec, with its tokenizer, onto a device.

Runs on a side thread that may be abandoned, so it only reports and returns.
"""

from __future__ import annotations

import contextlib
import gc
import os
import platform
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ...base import LoadProgress, ModelUnavailable
from ...machine import processor_name
from ...model import EngineInfo, ModelSpec
from ..memory import free_memory, is_out_of_memory, paused_collector
from .checkpoint import Checkpoint, read_checkpoint
from .child_process import POLL_SECONDS, IsCancelled, Report, raise_if_cancelled
from .fit import quantization_that_fits
from .hub import OFFER, snapshot
from .quiet import quieten_libraries
from .starter import REVISION, STARTER, prepare_starter

DEFAULT_WITH_CUDA = "unsloth/Llama-3.2-3B-Instruct-bnb-4bit"
DEFAULT_WITHOUT_CUDA = "starter"
ABANDONED_LOAD_SECONDS = 60.0  # how long to wait for an abandoned load to end
NO_LIMIT = 1 << 20  # tokens; for a configuration without a context length

_reading = threading.Lock()


@dataclass(frozen=True)
class LoadedModel:
    """A model on its device, its tokenizer, and the ids of tokens that end a reply."""

    model: Any
    tokenizer: Any
    info: EngineInfo
    eos: frozenset[int]


def load_model(
    spec: ModelSpec, cache_folder: Path, report: Report, is_cancelled: IsCancelled
) -> LoadedModel:
    """Load the model that ``spec`` names.

    Args:
        spec: Which model, and how.
        cache_folder: Where the starter model is kept.
        report: Gets the progress.
        is_cancelled: Asked often.

    Raises:
        Cancelled: ``is_cancelled`` became true.
        ModelUnavailable: One sentence that says why, and what to do.
    """
    name = spec.model
    if name == "starter":  # before torch is imported, because it takes longer
        prepare_starter(cache_folder, report, is_cancelled)
    report(LoadProgress("starting torch"))
    quieten_libraries()
    _import_libraries()
    from .placement import (
        check_fits,
        choose_device,
        choose_dtype,
        choose_quantization,
        does_not_fit,
        dtype_name,
    )

    raise_if_cancelled(is_cancelled)
    device = choose_device(spec.device)
    if name == "auto":
        name = DEFAULT_WITH_CUDA if device.startswith("cuda") else DEFAULT_WITHOUT_CUDA
    folder, revision = _locate(name, cache_folder, report, is_cancelled)
    checkpoint = read_checkpoint(folder)
    dtype = choose_dtype(spec.dtype, device)
    quantization = choose_quantization(spec.quantization, checkpoint, name, device)
    free = free_memory(device)
    if spec.quantization == "auto" and device.startswith("cuda"):
        quantization = quantization_that_fits(checkpoint, dtype.itemsize, quantization, free)
    check_fits(checkpoint, name, dtype, quantization, device, free)
    raise_if_cancelled(is_cancelled)
    from ..transformers_api.loading import context_length, end_ids
    from .weights_progress import weights_progress

    with (
        _exclusive_reading(is_cancelled),
        paused_collector(),
        weights_progress(report, is_cancelled),
    ):
        try:
            read = _read(checkpoint, name, dtype, quantization, device)
        except MemoryError:
            read = None
    if read is None:  # not raised in the except block, which holds on to what was allocated
        raise does_not_fit(name, device)
    model, tokenizer = read
    if not getattr(tokenizer, "chat_template", None):
        raise ModelUnavailable(
            f"The model “{name}” has no chat template: choose an instruction-tuned one, {OFFER}."
        )
    info = EngineInfo(
        model=name,
        name=STARTER if name == "starter" else Path(name).name,
        revision=revision,
        device=_device_name(device),
        processor=processor_name() if device == "cpu" else "",
        dtype=dtype_name(dtype),
        quantization=quantization,
        context_length=context_length(model.config) or NO_LIMIT,
        memory_bytes=model.get_memory_footprint(),
        versions=_versions(quantization),
    )
    return LoadedModel(model, tokenizer, info, end_ids(model, tokenizer))


@contextlib.contextmanager
def _exclusive_reading(is_cancelled: IsCancelled) -> Iterator[None]:
    """Wait until an abandoned load has ended, but not forever: it may hang.

    While transformers reads weights it changes global state, so that those of another model read
    at that time come out untied and count as missing.

    Raises:
        Cancelled: ``is_cancelled`` became true.
    """
    deadline = time.monotonic() + ABANDONED_LOAD_SECONDS
    is_alone = _reading.acquire(blocking=False)
    while not is_alone and time.monotonic() < deadline:
        raise_if_cancelled(is_cancelled)
        is_alone = _reading.acquire(timeout=POLL_SECONDS)
    try:
        yield
    finally:
        if is_alone:
            _reading.release()


def _import_libraries() -> None:
    """Import torch and transformers, whose objects garbage collection then ignores."""
    with paused_collector():
        from .. import transformers_api  # noqa: F401
        from ..transformers_api import loading  # noqa: F401
    gc.freeze()


def _locate(
    name: str, cache_folder: Path, report: Report, is_cancelled: IsCancelled
) -> tuple[Path, str]:
    """The model's folder, downloaded if need be, and its revision."""
    if name == "starter":
        return prepare_starter(cache_folder, report, is_cancelled), REVISION
    path = Path(os.path.expanduser(name))
    if path.is_dir():
        return path, ""
    if name.startswith(("/", "./", "../", "~")):
        raise ModelUnavailable(f"There is no folder {path}: check the path, {OFFER}.")
    folder = snapshot(name, report, is_cancelled)
    return folder, folder.name


def _read(
    checkpoint: Checkpoint, name: str, dtype: Any, quantization: str, device: str
) -> tuple[Any, Any]:
    """The model and its tokenizer. Raises MemoryError, and ModelUnavailable for any other error."""
    from ..transformers_api.loading import TENSOR_ERRORS, NoTextModel, read_model

    quantize_to = quantization if checkpoint.quantization == "none" else "none"
    try:
        read = read_model(checkpoint.folder, dtype, device, quantize_to)
    except NoTextModel as error:
        raise ModelUnavailable(
            f"Models of type “{error}” do not generate text: choose another, {OFFER}."
        ) from None
    except Exception as error:  # transformers may raise anything
        if is_out_of_memory(error):
            raise MemoryError from None
        raise ModelUnavailable(
            f"The model “{name}” cannot be loaded ({_read_error(error, checkpoint)}): choose "
            f"another, {OFFER}."
        ) from None
    for kind, verb in TENSOR_ERRORS.items():
        if names := read.bad_tensors[kind]:
            raise ModelUnavailable(
                f"The weights of the model “{name}” are incomplete or damaged: {len(names)} "
                f"tensors {verb} ({names[0]}…): fetch it again, {OFFER}."
            )
    return read.model, read.tokenizer


def _read_error(error: Exception, checkpoint: Checkpoint) -> str:
    message = str(error).strip()
    if "does not recognize this architecture" in message:
        kind = checkpoint.config.get("model_type")
        return f"the installed transformers does not support its type, “{kind}”"
    if checkpoint.config.get("auto_map") and "trust_remote_code" in message:
        return "it needs code of its own, which is never run"
    return (message.splitlines() or [type(error).__name__])[0].rstrip(".:")


def _device_name(device: str) -> str:
    if not device.startswith("cuda"):
        return device
    import torch

    return torch.cuda.get_device_name(device)


def _versions(quantization: str) -> dict[str, str]:
    names = ["torch", "transformers"] + (["bitsandbytes"] if "bit" in quantization else [])
    versions = {name: version(name) for name in names}
    return {**versions, "python": platform.python_version()}
