"""Very small models with random weights, in folders like those of the Hugging Face hub."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    PretrainedConfig,
)

VOCABULARY = 8192
"""Of tiny models: the first tokens of the starter's, so that sampling and loading take less."""
TINY = {
    "vocab_size": VOCABULARY,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
}


def make_tiny(
    starter: Path, folder: Path, config: PretrainedConfig, seed: int = 0, *, on_grid: bool = False
) -> Path:
    """Save a model of ``config`` with the starter's tokenizer, and logits that are far from flat.

    Args:
        starter: The starter model's folder.
        folder: Where to save it.
        config: Of the model.
        seed: Of its random weights.
        on_grid: Round the weights as if they were dequantized from GGUF's Q4_1.
    """
    torch.manual_seed(seed)
    config.eos_token_id = config.pad_token_id = 2
    encoder = config.is_encoder_decoder
    kind = AutoModelForSeq2SeqLM if encoder else AutoModelForCausalLM
    model = kind.from_config(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() >= 2:
                parameter.normal_(0, 1.0 if "emb" in name or "wte" in name else 0.08)
    if on_grid:
        put_on_grid(model)
    model.save_pretrained(folder)
    copy_tokenizer(starter, folder)
    return folder


def copy_tokenizer(starter: Path, folder: Path) -> None:
    """Copy the starter's chat template and its tokenizer, cut down to ``VOCABULARY`` tokens."""
    for name in ("tokenizer_config.json", "chat_template.jinja"):
        shutil.copy(starter / name, folder / name)
    content = json.loads((starter / "tokenizer.json").read_text())
    model = content["model"]
    model["vocab"] = {
        text: number for text, number in model["vocab"].items() if number < VOCABULARY
    }
    model["merges"] = [pair for pair in model["merges"] if "".join(pair) in model["vocab"]]
    (folder / "tokenizer.json").write_text(json.dumps(content))


@torch.no_grad()
def put_on_grid(model: Any) -> None:
    """Round all matrices to sixteen levels in blocks of 32 inputs, as GGUF's Q4_1 does."""
    for parameter in model.parameters():
        if parameter.dim() == 2:
            blocks = parameter.unflatten(1, (-1, 32))
            low = blocks.amin(-1, keepdim=True).half().float()
            scale = ((blocks.amax(-1, keepdim=True) - low) / 15).half().float()
            levels = ((blocks - low) / scale).round().clamp(0, 15)
            levels[..., 0], levels[..., 1] = 0, 15
            parameter.copy_((scale * levels + low).flatten(1))


def edit_json(path: Path, **changes: Any) -> None:
    """Change some values of a JSON file."""
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, **changes}))


def read_model(folder: Path) -> tuple[Any, Any]:
    """The model in ``folder`` and its tokenizer, as transformers gives them."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype="float32").eval()
    return model, AutoTokenizer.from_pretrained(folder)
