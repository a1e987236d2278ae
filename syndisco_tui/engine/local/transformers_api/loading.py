"""Reading a model and its tokenizer from a folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers.models.auto import modeling_auto
from transformers.utils import logging as transformers_logging


class NoTextModel(Exception):
    """A model of this type does not generate text; the message is the type."""


@dataclass(frozen=True)
class ReadModel:
    """A model, its tokenizer, and what is wrong with its weights."""

    model: Any
    tokenizer: Any
    bad_tensors: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Names of tensors by what is wrong with them, a key of ``TENSOR_ERRORS``."""


TENSOR_ERRORS = {
    "missing_keys": "are missing",
    "mismatched_keys": "have another shape than the configuration says",
    "conversion_errors": "cannot be converted",
    "error_msgs": "cannot be read",
}
"""Reports of transformers on tensors that it initialised at random instead, as verbs."""


def read_model(folder: Path, dtype: torch.dtype, device: str, quantization: str) -> ReadModel:
    """Read the model in ``folder``.

    Args:
        folder: With configuration, safetensors and tokenizer.
        dtype: Of the weights.
        device: ``cpu``, ``cuda`` or ``cuda:N``.
        quantization: What to do with the weights: ``none``, ``4bit`` or ``8bit``.

    Raises:
        NoTextModel: The model generates no text.
        Exception: Whatever transformers raises on files it cannot read.
    """
    transformers_logging.set_verbosity_error()
    options: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    weights: dict[str, Any] = {"use_safetensors": True, "output_loading_info": True}
    weights["ignore_mismatched_sizes"] = True  # an error would not name them
    if device != "cpu":
        weights["device_map"] = {"": device}
    if quantization == "4bit":
        weights["quantization_config"] = transformers.BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype
        )
    elif quantization == "8bit":
        weights["quantization_config"] = transformers.BitsAndBytesConfig(load_in_8bit=True)
    config = transformers.AutoConfig.from_pretrained(folder, **options)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **options)
    model, report = _class_for(config).from_pretrained(
        folder, config=config, dtype=dtype, **options, **weights
    )
    bad_tensors = {kind: sorted(map(str, report.get(kind) or ())) for kind in TENSOR_ERRORS}
    return ReadModel(model.eval().requires_grad_(False), tokenizer, bad_tensors)


def _class_for(config: Any) -> Any:
    for mapping, name in (
        (modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES, "AutoModelForCausalLM"),
        (modeling_auto.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES, "AutoModelForSeq2SeqLM"),
        (modeling_auto.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES, "AutoModelForImageTextToText"),
    ):
        if config.model_type in mapping:
            return getattr(transformers, name)
    raise NoTextModel(config.model_type)


def set_progress_bar(make: Callable[[Any, tuple[Any, ...], dict[str, Any]], Any]) -> None:
    """Have transformers make progress bars with ``make(default class, args, kwargs)``."""
    transformers_logging.set_tqdm_hook(make)


def context_length(config: Any) -> int | None:
    """How many tokens a model attends to; None if its configuration does not say."""
    text = config.get_text_config()
    for name in ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length"):
        value = getattr(text, name, None)
        if isinstance(value, int) and value > 0:
            return value
    return None


def end_ids(model: Any, tokenizer: Any) -> frozenset[int]:
    """The ids of tokens that end a reply, from all places that define them."""
    ids: set[object] = set()
    for holder in (model.generation_config, model.config.get_text_config(), tokenizer):
        value = getattr(holder, "eos_token_id", None)
        ids.update(value if isinstance(value, (list, tuple)) else [value])
    return frozenset(token_id for token_id in ids if isinstance(token_id, int))
