"""Reads a model's size, family, parameters and precision from its files, and whether it fits."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..engine.base import ModelUnavailable
from ..engine.local.loading.checkpoint import Checkpoint, read_checkpoint
from ..engine.local.loading.fit import fits, quantization_that_fits
from ..engine.machine import FreeMemory

_ELEMENT_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
_GENERATES = ("ForCausalLM", "LMHeadModel", "ForConditionalGeneration")
"""How the names of classes end that generate text."""
_LENGTHS = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length")
_UNPACKED = ("none", "8bit", "fp8")
"""How weights are stored that are a number each; others hold several in one."""
_PICKLED = (".bin", ".pt", ".pth")


@dataclass(frozen=True)
class Precision:
    """The precision of weights in memory, as fields of a setup."""

    dtype: str = "auto"
    quantization: str = "auto"


@dataclass(frozen=True)
class MemoryNeed:
    """The memory that a model's weights take, in bytes, and whether it is free."""

    bytes: int
    free: FreeMemory
    fits: bool
    quantization: str = "none"
    """How they would be held."""


@dataclass(frozen=True)
class ModelFiles:
    """The facts about the model in a folder; unknown ones are empty or 0."""

    disk_bytes: int = 0
    family: str = ""
    """Its type in transformers, such as ``llama``."""
    parameters: int = 0
    dtype: str = ""
    """Of the stored weights."""
    quantization: str = "none"
    """Of the stored weights."""
    context_length: int = 0
    """Tokens that prompt and reply can have together."""
    memory: MemoryNeed | None = None
    problem: str = ""
    """Why it cannot be used as it is, in a few words."""
    explanation: str = ""
    """The problem as a sentence that says what to do."""

    @property
    def stored_as(self) -> str:
        """The precision of the stored weights."""
        return self.dtype if self.quantization == "none" else self.quantization


def read_model_files(
    folder: Path, precision: Precision, free: FreeMemory, repository: Path | None = None
) -> ModelFiles:
    """Read the facts about the model in ``folder``. Of weights, only headers are read.

    Args:
        folder: A folder with ``config.json`` and safetensors.
        precision: The precision of the weights in memory.
        free: The free memory.
        repository: The cache folder of the repository of which ``folder`` is a version, if any.
    """
    size = _bytes_below(repository) if repository else _bytes_in(folder)
    try:
        checkpoint = read_checkpoint(folder)
    except ModelUnavailable as error:
        return ModelFiles(size, problem=_problem_of(folder), explanation=str(error))
    except OSError as error:
        explanation = f"{folder} cannot be read: {error.strerror}."
        return ModelFiles(size, problem="cannot be read", explanation=explanation)
    config = checkpoint.config
    problem, explanation = _unsuited(folder, config)
    return ModelFiles(
        disk_bytes=max(size, checkpoint.file_bytes),  # blobs may be links to another disk
        family=_text(config.get("model_type")),
        parameters=checkpoint.parameters if checkpoint.quantization in _UNPACKED else 0,
        dtype=_dtype(config),
        quantization=checkpoint.quantization,
        context_length=_context_length(config),
        memory=memory_need(checkpoint, precision, free),
        problem=problem,
        explanation=explanation,
    )


def memory_need(checkpoint: Checkpoint, precision: Precision, free: FreeMemory) -> MemoryNeed:
    """The memory that the weights of ``checkpoint`` take with ``precision``."""
    on_gpu = free.device.startswith("cuda")
    element_bytes = _ELEMENT_BYTES.get(precision.dtype, 2 if on_gpu else 4)
    quantization = checkpoint.quantization
    if quantization == "none" and precision.quantization in ("4bit", "8bit"):
        quantization = precision.quantization
    if precision.quantization == "auto" and on_gpu:
        quantization = quantization_that_fits(checkpoint, element_bytes, quantization, free.bytes)
    return MemoryNeed(
        checkpoint.memory_bytes(element_bytes, quantization),
        free,
        fits(checkpoint, element_bytes, quantization, free.bytes),
        quantization,
    )


def _bytes_below(folder: Path) -> int:
    """The size of all files below ``folder``. Links, of which a cache is full, are not followed."""
    sizes = []
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                sizes.append(os.lstat(os.path.join(parent, name)).st_size)
            except OSError:
                continue  # it went away meanwhile
    return sum(sizes)


def _bytes_in(folder: Path) -> int:
    """The size of the files in ``folder`` itself."""
    try:
        return sum(each.stat().st_size for each in os.scandir(folder) if each.is_file())
    except OSError:
        return 0


def _problem_of(folder: Path) -> str:
    """Why the model in ``folder`` cannot be used, in a few words."""
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return "not downloaded" if folder.parent.name == "snapshots" else "no such folder"
    except OSError:
        return "cannot be read"
    if not all(os.access(folder / name, os.R_OK) for name in names if _is_needed(folder / name)):
        return "cannot be read"
    if any(name.endswith(".gguf") for name in names):
        return "GGUF"
    if not any("safetensors" in name for name in names):
        if any(name.endswith(_PICKLED) for name in names):
            return "pickled weights"
        return "no model" if "config.json" not in names else "incomplete"
    return "incomplete"


def _is_needed(file: Path) -> bool:
    """Whether a model cannot be loaded without ``file``, which is there."""
    return file.exists() and (file.suffix == ".safetensors" or file.name == "config.json")


def _unsuited(folder: Path, config: Mapping[str, Any]) -> tuple[str, str]:
    """Why a model that is complete cannot take part: in a few words, and as a sentence."""
    classes = config.get("architectures")
    names = [each for each in classes if isinstance(each, str)] if isinstance(classes, list) else []
    if names and not any(name.endswith(_GENERATES) for name in names):
        return "no text model", f"{names[0]} does not generate text."
    if not _has_chat_template(folder):
        return "no chat template", "It has no chat template: choose an instruction-tuned one."
    return "", ""


def _has_chat_template(folder: Path) -> bool:
    if any((folder / f"chat_template{ending}").is_file() for ending in (".jinja", ".json")):
        return True
    try:
        return b'"chat_template"' in (folder / "tokenizer_config.json").read_bytes()
    except OSError:
        return False


def _text_config(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The text part of a multimodal model's configuration."""
    part = config.get("text_config")
    return part if isinstance(part, dict) else config


def _dtype(config: Mapping[str, Any]) -> str:
    for part in (config, _text_config(config)):
        for name in ("dtype", "torch_dtype"):
            if dtype := _text(part.get(name)):
                return dtype.removeprefix("torch.")
    return ""


def _context_length(config: Mapping[str, Any]) -> int:
    part = _text_config(config)
    lengths = (part.get(name) for name in _LENGTHS)
    return next((each for each in lengths if isinstance(each, int) and each > 0), 0)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
