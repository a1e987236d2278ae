"""A real Llama whose weights make it say what a test wants, by the last token alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM

CONTEXT = 512
_LOUD = 60.0


def scripted_model(tokenizer: Any, follows: Mapping[str, Sequence[str]], eos: int = 2) -> Any:
    """A model that says, after a token, one of those that follow it.

    Its layers add nothing to an embedding, and each token in the script has a dimension of its own.

    Args:
        tokenizer: Of the model.
        follows: Texts of one token each; ``""`` ends the reply.
        eos: The id of the token that ends a reply.
    """

    def token(text: str) -> int:
        ids = tokenizer.encode(text, add_special_tokens=False) if text else [eos]
        assert len(ids) == 1, (text, ids)
        return int(ids[0])

    script = {token(before): [token(each) for each in after] for before, after in follows.items()}
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT,
        eos_token_id=eos,
        pad_token_id=eos,
    )
    torch.manual_seed(0)
    model = LlamaForCausalLM(config).eval().requires_grad_(False)
    for layer in model.model.layers:
        layer.self_attn.o_proj.weight.zero_()
        layer.mlp.down_proj.weight.zero_()
    embeddings, head = model.model.embed_tokens.weight, model.lm_head.weight
    embeddings.zero_()
    head.zero_()
    assert len(script) <= config.hidden_size
    for dimension, (before, after) in enumerate(script.items()):
        embeddings[before, dimension] = 1.0
        for each in after:
            head[each, dimension] = _LOUD
    return model
