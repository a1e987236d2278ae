"""A folder with a model's files: is it complete, and how large? Only headers are read."""

from __future__ import annotations

import json
import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...base import ModelUnavailable

HEADER_LIMIT = 100_000_000  # bytes; the limit of safetensors
MAX_ELEMENTS = 1 << 60


@dataclass(frozen=True)
class Checkpoint:
    """The files of a model."""

    folder: Path
    config: dict[str, Any]
    file_bytes: int
    parameters: int
    matrix_parameters: int
    """Of two-dimensional tensors other than embeddings and the output layer."""

    @property
    def quantization(self) -> str:
        """How the stored weights are quantized: ``none``, ``4bit``, ``8bit`` or a method's name."""
        config = self.config.get("quantization_config")
        if not isinstance(config, dict):
            return "none"
        if config.get("load_in_4bit"):
            return "4bit"
        return "8bit" if config.get("load_in_8bit") else str(config.get("quant_method", "unknown"))

    @property
    def needs_bitsandbytes(self) -> bool:
        config = self.config.get("quantization_config")
        return isinstance(config, dict) and config.get("quant_method") == "bitsandbytes"

    def memory_bytes(self, element_bytes: int, quantization: str) -> int:
        """Estimate how many bytes of memory the weights take.

        Args:
            element_bytes: Of the dtype.
            quantization: ``none``, ``4bit`` or ``8bit``.
        """
        if self.quantization != "none":
            return self.file_bytes
        others = (self.parameters - self.matrix_parameters) * element_bytes
        if quantization == "4bit":
            return others + int(self.matrix_parameters * 0.57)  # with nf4's scales
        if quantization == "8bit":
            return others + int(self.matrix_parameters * 1.03)
        return self.parameters * element_bytes


def read_checkpoint(folder: Path) -> Checkpoint:
    """Read the configuration and the headers of the weights in ``folder``.

    Raises:
        ModelUnavailable: It holds no model that can be loaded; one sentence says why.
    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelUnavailable(_not_a_model(folder)) from None
    except (ValueError, OSError, RecursionError) as error:
        is_deep = isinstance(error, RecursionError)
        reason = "it is nested too deeply" if is_deep else str(error).partition("\n")[0]
        raise ModelUnavailable(
            f"{folder / 'config.json'} cannot be read ({reason}): fetch the model again."
        ) from None
    if not isinstance(config, dict):
        raise ModelUnavailable(
            f"{folder / 'config.json'} is not a model's configuration: fetch the model again."
        )
    files = _weight_files(folder)
    parameters = matrices = 0
    for file in files:
        for name, shape, dtype in _tensors(file):
            elements = math.prod(shape) * (2 if dtype == "F4" else 1)
            parameters += elements
            if len(shape) == 2 and "embed" not in name and "lm_head" not in name:
                matrices += elements
    size = sum(file.stat().st_size for file in files)
    return Checkpoint(folder, config, size, parameters, matrices)


def _not_a_model(folder: Path) -> str:
    if any(folder.glob("*.gguf")):
        return (
            f"The model in {folder} is in GGUF format, which is not supported: choose one in "
            "safetensors format."
        )
    return f"The folder {folder} holds no model: config.json is missing; check the path."


def is_complete(folder: Path) -> bool:
    """Whether ``folder`` has a configuration, a tokenizer and all of its weights."""
    try:
        has_tokenizer = any(folder.glob("token*")) or any(folder.glob("*.model"))
        return (folder / "config.json").is_file() and has_tokenizer and bool(_weight_files(folder))
    except ModelUnavailable:
        return False


def _weight_files(folder: Path) -> list[Path]:
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        try:
            names = sorted(set(json.loads(index.read_text())["weight_map"].values()))
        except (ValueError, KeyError, AttributeError, TypeError):
            raise ModelUnavailable(f"{index} cannot be read: fetch the model again.") from None
        files = [folder / Path(name).name for name in names]
    else:
        files = [folder / "model.safetensors"]
    if missing := [file.name for file in files if not file.is_file()]:
        if len(files) == 1 and (any(folder.glob("*.bin")) or any(folder.glob("*.pt*"))):
            raise ModelUnavailable(
                f"The weights of the model in {folder} are pickled, and reading them could run "
                "code: convert them to safetensors first."
            )
        raise ModelUnavailable(
            f"The model in {folder} is incomplete: {missing[0]} is missing"
            + (f", and {len(missing) - 1} more" if missing[1:] else "")
            + "; fetch it again."
        )
    return files


def _tensors(file: Path) -> list[tuple[str, list[int], str]]:
    """Name, shape and dtype of every tensor, from the header (format: safetensors' README)."""
    try:
        with file.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            if length > HEADER_LIMIT:
                raise ValueError("header too long")
            header = json.loads(stream.read(length))
        tensors = [
            (name, list(map(int, entry["shape"])), str(entry["dtype"]))
            for name, entry in header.items()
            if name != "__metadata__"
        ]
        if any(math.prod(shape) > MAX_ELEMENTS for _, shape, _ in tensors):
            raise ValueError("a tensor of impossible size")
        return tensors
    except OSError as error:
        raise ModelUnavailable(f"{file} cannot be read: {error.strerror}.") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, struct.error):
        raise ModelUnavailable(
            f"{file} is not a safetensors file, or it is cut short: fetch the model again."
        ) from None
