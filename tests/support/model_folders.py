"""Folders with models as the Hugging Face hub's cache has them: real headers, weights of holes."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Tensors = Mapping[str, Sequence[int]]

SMALL: Tensors = {"model.embed_tokens.weight": [1000, 64], "model.layers.0.weight": [64, 64]}


def tensors_of(parameters: int) -> Tensors:
    """Weights of so many parameters, to the nearest thousand."""
    billions, rest = divmod(parameters, 1_000_000_000)
    tensors = {f"layers.{number}.weight": [1000, 1_000_000] for number in range(billions)}
    return tensors | {"layers.rest.weight": [1000, rest // 1000]}


def config_of(family: str, **more: Any) -> dict[str, Any]:
    """A configuration as instruction-tuned models have it."""
    return {
        "model_type": family,
        "architectures": [f"{family.capitalize()}ForCausalLM"],
        "dtype": "bfloat16",
        "max_position_embeddings": 8192,
        **more,
    }


def write_model(
    folder: Path,
    config: Mapping[str, Any] | str,
    tensors: Tensors = SMALL,
    *,
    dtype: str = "BF16",
    chat_template: bool = True,
) -> None:
    """Write a model whose weights are all zero and take no room on the disk."""
    folder.mkdir(parents=True, exist_ok=True)
    text = config if isinstance(config, str) else json.dumps(config)
    (folder / "config.json").write_text(text)
    template = {"chat_template": "{{ messages }}"} if chat_template else {}
    (folder / "tokenizer_config.json").write_text(json.dumps(template))
    (folder / "tokenizer.json").write_text("{}")
    write_weights(folder / "model.safetensors", tensors, dtype)


def write_weights(file: Path, tensors: Tensors, dtype: str = "BF16") -> None:
    """Write a safetensors file of zeros."""
    size = {"BF16": 2, "F16": 2, "F32": 4, "U8": 1}[dtype]
    header: dict[str, Any] = {}
    end = 0
    for name, shape in tensors.items():
        count = size
        for length in shape:
            count *= length
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [end, end + count]}
        end += count
    encoded = json.dumps(header).encode()
    with file.open("wb") as stream:
        stream.write(struct.pack("<Q", len(encoded)) + encoded)
        stream.truncate(8 + len(encoded) + end)


def cache_model(
    cache: Path,
    name: str,
    config: Mapping[str, Any] | str,
    tensors: Tensors = SMALL,
    *,
    dtype: str = "BF16",
    chat_template: bool = True,
) -> Path:
    """Put a model into a cache, its files as links to blobs. Returns the folder of its version."""
    repository = cache / f"models--{name.replace('/', '--')}"
    version = hashlib.sha1(name.encode()).hexdigest()
    folder = repository / "snapshots" / version
    write_model(folder, config, tensors, dtype=dtype, chat_template=chat_template)
    (repository / "blobs").mkdir()
    for file in sorted(folder.iterdir()):
        blob = repository / "blobs" / hashlib.sha256(file.name.encode()).hexdigest()
        file.rename(blob)
        file.symlink_to(Path("../..") / "blobs" / blob.name)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(version)
    return folder
