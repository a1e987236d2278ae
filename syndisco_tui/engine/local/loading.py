"""ModelSpec → model and tokenizer on a device, with progress and one-sentence errors.

Knows transformers' way to load; nothing of slots, requests or threads. Runs on a side thread
that may be abandoned, so it only reports and returns.
"""

from __future__ import annotations

import contextlib
import logging
import os
import platform
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ...machine import processor_name
from ...paths import typed
from ..base import EngineError, EngineInfo, LoadProgress, ModelSpec, ModelUnavailable
from .checkpoint import Checkpoint, read_checkpoint
from .child import IsCancelled, stop_if
from .hub import OFFER, snapshot
from .memory import free_memory, is_out_of_memory
from .starter import REVISION, STARTER, prepare_starter

DEFAULT_WITH_CUDA = "unsloth/Llama-3.2-3B-Instruct-bnb-4bit"
DEFAULT_WITHOUT = "starter"
ROOM = 0.2  # of what the weights take, for keys and values
NO_LIMIT = 1 << 20  # tokens; where a configuration does not say how much the model reads

Report = Callable[[LoadProgress], object]


@dataclass(frozen=True)
class LoadedModel:
    """A model ready to run, its tokenizer, and the token ids that end a reply."""

    model: Any
    tokenizer: Any
    info: EngineInfo
    eos: frozenset[int]


def load_model(
    spec: ModelSpec, cache_folder: Path, report: Report, is_cancelled: IsCancelled
) -> LoadedModel:
    """Load what ``spec`` asks for. ``cache_folder`` is where the starter is kept.

    Raises:
        Cancelled: ``is_cancelled`` became true.
        ModelUnavailable: one sentence for a person.
    """
    asked = spec.model
    if asked == "starter":  # before torch is imported: fetching it takes longest
        prepare_starter(cache_folder, report, is_cancelled)
    report(LoadProgress("starting torch"))
    _before_torch()
    import torch

    stop_if(is_cancelled)
    device = _device(spec.device)
    if asked == "auto":
        asked = DEFAULT_WITH_CUDA if device.startswith("cuda") else DEFAULT_WITHOUT
    folder, revision = _folder(asked, cache_folder, report, is_cancelled)
    checkpoint = read_checkpoint(folder)
    dtype = _dtype(spec.dtype, device)
    quantization = _quantization(spec.quantization, checkpoint, asked, device)
    free = free_memory(device)
    if spec.quantization == "auto" and device.startswith("cuda"):
        quantization = _to_fit(checkpoint, dtype, quantization, free)
    _check_memory(checkpoint, asked, dtype, quantization, device, free)
    stop_if(is_cancelled)
    with _weights_progress(report, is_cancelled):
        try:
            tokenizer, model = _read(checkpoint, asked, dtype, quantization, device)
        except MemoryError:
            model = None
    if model is None:  # out of the except block, which holds on to what was allocated
        raise does_not_fit(asked, device)
    if not getattr(tokenizer, "chat_template", None):
        raise ModelUnavailable(
            f"The model “{asked}” has no chat template: choose an instruction-tuned one, {OFFER}."
        )
    info = EngineInfo(
        model=asked,
        name=STARTER if asked == "starter" else Path(asked).name,
        revision=revision,
        device=torch.cuda.get_device_name(device) if device.startswith("cuda") else device,
        processor=processor_name() if device == "cpu" else "",
        dtype=str(dtype).removeprefix("torch."),
        quantization=quantization,
        context_length=_context_length(model.config),
        memory_bytes=model.get_memory_footprint(),
        versions=_versions(quantization),
    )
    return LoadedModel(model, tokenizer, info, _end_ids(model, tokenizer))


def _before_torch() -> None:
    """Nothing may be printed, for the terminal is the screen's; and the cores are others' too."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("BITSANDBYTES_NOWELCOME", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    warnings.filterwarnings("ignore", module=r"(torch|transformers|huggingface_hub|bitsandbytes)")
    if "OMP_WAIT_POLICY" not in os.environ:
        # Threads that wait spin, by default so long that on a machine with more to do everybody
        # waits for them: with one of two cores busy, 6 tokens/s instead of 20. Idle it is 128.
        os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    for name in ("transformers", "huggingface_hub", "bitsandbytes", "torch", "accelerate"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.ERROR)
        logger.handlers.clear()
        logger.addHandler(logging.NullHandler())


def _device(asked: str) -> str:
    import torch

    has_cuda = torch.cuda.is_available()
    if asked == "auto":
        return "cuda" if has_cuda else "cpu"
    if asked.startswith("cuda") and not has_cuda:
        raise ModelUnavailable(
            "The device “cuda” was asked for and torch finds none: choose cpu, or auto."
        )
    try:
        return str(torch.device(asked))
    except RuntimeError:
        raise ModelUnavailable(f"There is no device “{asked}”: choose cpu, cuda or auto.") from None


def _dtype(asked: str, device: str) -> Any:
    import torch

    automatic = torch.bfloat16 if device.startswith("cuda") else torch.float32
    dtype = automatic if asked == "auto" else getattr(torch, asked, None)
    if not isinstance(dtype, torch.dtype) or not dtype.is_floating_point:
        raise ModelUnavailable(f"There is no dtype “{asked}”: choose float32, bfloat16 or float16.")
    return dtype


def _folder(
    asked: str, cache_folder: Path, report: Report, is_cancelled: IsCancelled
) -> tuple[Path, str]:
    """Where the model is on disk, and its revision."""
    if asked == "starter":
        return prepare_starter(cache_folder, report, is_cancelled), REVISION
    path = typed(asked)
    if path.is_dir():
        return path, ""
    if asked.startswith(("/", "./", "../", "~")):
        raise ModelUnavailable(f"There is no folder {path}: check the path, {OFFER}.")
    folder = snapshot(asked, report, is_cancelled)
    return folder, folder.name


def _quantization(asked: str, checkpoint: Checkpoint, name: str, device: str) -> str:
    stored = checkpoint.quantization
    if asked not in ("auto", "none", "4bit", "8bit"):
        raise ModelUnavailable(
            f"There is no quantization “{asked}”: choose auto, none, 4bit or 8bit."
        )
    bits = asked in ("4bit", "8bit") and stored == "none"
    if (bits or checkpoint.needs_bitsandbytes) and find_spec("bitsandbytes") is None:
        what = f"{asked} quantization" if bits else f"The model “{name}” is quantized and"
        raise ModelUnavailable(
            f"{what} needs the package bitsandbytes, which is not installed for {device}: "
            f"choose another model, {OFFER}."
        )
    return asked if bits else stored


def _to_fit(checkpoint: Checkpoint, dtype: Any, quantization: str, free: int) -> str:
    """``quantization``, or 4 bits where the weights would not leave room for discussions."""
    needed = checkpoint.memory_bytes(dtype.itemsize, quantization)
    can_quantize = quantization == "none" and find_spec("bitsandbytes") is not None
    return "4bit" if can_quantize and needed * (1 + ROOM) > free else quantization


def _check_memory(
    checkpoint: Checkpoint, name: str, dtype: Any, quantization: str, device: str, free: int
) -> None:
    def fits(element_bytes: int, quantization: str) -> bool:
        return checkpoint.memory_bytes(element_bytes, quantization) * 1.05 <= free

    if fits(dtype.itemsize, quantization):
        return
    advice = "choose a smaller one"
    if checkpoint.quantization == "none":
        if dtype.itemsize > 2 and fits(2, quantization):
            advice = "choose bfloat16 for its precision, a smaller one"
        elif quantization == "none" and find_spec("bitsandbytes") and fits(2, "4bit"):
            advice = "quantize it (4bit), choose a smaller one"
    needed = checkpoint.memory_bytes(dtype.itemsize, quantization)
    raise ModelUnavailable(
        f"The model “{name}” takes {needed / 1e9:.1f} GB of memory as "
        f"{str(dtype).removeprefix('torch.')} and {free / 1e9:.1f} GB are free on {device}: "
        f"{advice}, {OFFER}."
    )


def _read(
    checkpoint: Checkpoint, name: str, dtype: Any, quantization: str, device: str
) -> tuple[Any, Any]:
    from transformers import AutoConfig, AutoTokenizer, BitsAndBytesConfig
    from transformers.utils import logging as transformers_logging

    transformers_logging.set_verbosity_error()
    options: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    weights: dict[str, Any] = {"use_safetensors": True, "output_loading_info": True}
    weights["ignore_mismatched_sizes"] = True  # they are told then, and refused below
    if device != "cpu":
        weights["device_map"] = {"": device}
    if checkpoint.quantization == "none" and quantization == "4bit":
        weights["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype
        )
    elif checkpoint.quantization == "none" and quantization == "8bit":
        weights["quantization_config"] = BitsAndBytesConfig(load_in_8bit=True)
    try:
        config = AutoConfig.from_pretrained(checkpoint.folder, **options)
        tokenizer = AutoTokenizer.from_pretrained(checkpoint.folder, **options)
        made, found = _class_for(config).from_pretrained(
            checkpoint.folder, config=config, dtype=dtype, **options, **weights
        )
    except EngineError:
        raise
    except Exception as error:  # whatever transformers makes of a foreign folder
        if is_out_of_memory(error):
            raise MemoryError from None
        reason = str(error).strip().splitlines() or [type(error).__name__]
        if "does not recognize this architecture" in str(error):
            kind = checkpoint.config.get("model_type")
            reason = [f"it is of a kind, “{kind}”, that the installed transformers does not know"]
        if checkpoint.config.get("auto_map") and "trust_remote_code" in str(error):
            reason = ["it brings code of its own, which is never run here"]
        raise ModelUnavailable(
            f"The model “{name}” cannot be loaded ({reason[0].rstrip('.:')}): choose another, "
            f"{OFFER}."
        ) from None
    _refuse_gaps(name, found)
    model = made.eval().requires_grad_(False)
    return tokenizer, model


def _class_for(config: Any) -> Any:
    import transformers
    from transformers.models.auto import modeling_auto as auto

    for mapping, name in (
        (auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES, "AutoModelForCausalLM"),
        (auto.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES, "AutoModelForSeq2SeqLM"),
        (auto.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES, "AutoModelForImageTextToText"),
    ):
        if config.model_type in mapping:
            return getattr(transformers, name)
    raise ModelUnavailable(
        f"A model of the kind “{config.model_type}” does not write text: choose another, {OFFER}."
    )


def does_not_fit(name: str, device: str) -> ModelUnavailable:
    """What to say where memory was full in the midst of loading."""
    where = "" if device == "auto" else f" of {device}"
    return ModelUnavailable(
        f"The model “{name}” does not fit into the memory{where}: choose a smaller one, {OFFER}."
    )


def _refuse_gaps(name: str, found: dict[str, Any]) -> None:
    """transformers fills missing tensors with random numbers, without a word."""
    for kind, verb in (
        ("missing_keys", "are missing"),
        ("mismatched_keys", "have another shape than the configuration says"),
        ("conversion_errors", "cannot be converted"),
        ("error_msgs", "cannot be read"),
    ):
        gaps = sorted(map(str, found.get(kind) or ()))
        if gaps:
            raise ModelUnavailable(
                f"The weights of the model “{name}” are incomplete or damaged: {len(gaps)} "
                f"tensors {verb} ({gaps[0]}…): fetch it again, {OFFER}."
            )


@contextlib.contextmanager
def _weights_progress(report: Report, is_cancelled: IsCancelled) -> Iterator[None]:
    """Report the tensors read, and stop reading when cancelled."""
    from transformers.utils import logging as transformers_logging

    class Bar:
        def __init__(self, items: Any = (), total: int | None = None) -> None:
            self._items, self._done, self._told = items, 0, 0.0
            self._total = total or (len(items) if hasattr(items, "__len__") else 0)

        def __iter__(self) -> Iterator[Any]:
            for item in self._items:
                yield item
                self.update()

        def update(self, n: int = 1) -> None:
            stop_if(is_cancelled)
            self._done += n
            if time.monotonic() - self._told > 0.05 or self._done == self._total:
                self._told = time.monotonic()
                report(LoadProgress("reading weights", self._done, self._total))

        def __getattr__(self, name: str) -> Any:  # set_description, close, …: nothing to do
            return lambda *args, **kwargs: None

        def __enter__(self) -> Bar:
            return self

        def __exit__(self, *exception: object) -> None:
            return None

    report(LoadProgress("reading weights"))
    transformers_logging.set_tqdm_hook(_own_bar)
    _bars.kind = Bar
    try:
        yield
    finally:
        del _bars.kind


_bars = threading.local()


def _own_bar(factory: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The progress bar of the thread that loads, and transformers' own on all others.

    The hook is the whole process's. A load that was given up ends when it may, in the midst of
    the next one: each must see to its own bar.
    """
    kind = getattr(_bars, "kind", None)
    if kind is None:
        return factory(*args, **kwargs)
    return kind(*args[:1], **{k: v for k, v in kwargs.items() if k == "total"})


def _context_length(config: Any) -> int:
    text = config.get_text_config()
    for name in ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length"):
        value = getattr(text, name, None)
        if isinstance(value, int) and value > 0:
            return value
    return NO_LIMIT


def _end_ids(model: Any, tokenizer: Any) -> frozenset[int]:
    ids: set[object] = set()
    for holder in (model.generation_config, model.config.get_text_config(), tokenizer):
        value = getattr(holder, "eos_token_id", None)
        ids.update(value if isinstance(value, (list, tuple)) else [value])
    return frozenset(token_id for token_id in ids if isinstance(token_id, int))


def _versions(quantization: str) -> dict[str, str]:
    names = ["torch", "transformers"] + (["bitsandbytes"] if "bit" in quantization else [])
    versions = {name: version(name) for name in names}
    return {**versions, "python": platform.python_version()}
