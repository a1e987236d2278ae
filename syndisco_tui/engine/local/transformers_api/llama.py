"""The modules of a model of the Llama family."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from .caches import attention_kinds

LLAMA_FAMILY = frozenset({"llama", "mistral", "qwen2", "qwen3"})
"""Model types that ``llama_parts`` supports."""


@dataclass(frozen=True)
class LlamaLayerParts:
    """The modules of a layer, in the order of computation; norms as (weight, epsilon)."""

    before_attention: tuple[Tensor, float]
    qkv: tuple[nn.Module, ...]
    query_norm: tuple[Tensor, float] | None
    key_norm: tuple[Tensor, float] | None
    output: nn.Module
    before_mlp: tuple[Tensor, float]
    gate_up: tuple[nn.Module, ...]
    activation: nn.Module
    down: nn.Module
    scaling: float


@dataclass(frozen=True)
class LlamaParts:
    """The modules of a model of the Llama family."""

    embedding: nn.Module
    rotary: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
    """(any tensor of the dtype, positions [rows, tokens]) → cos, sin [rows, tokens, head_dim]."""
    layers: list[LlamaLayerParts]
    last_norm: tuple[Tensor, float]
    head: nn.Linear
    heads: int
    kv_heads: int
    head_dim: int
    intermediate_size: int


def is_llama(model: Any) -> bool:
    """Whether ``model`` is of the Llama family, with full attention in all layers."""
    has_type = model.config.model_type in LLAMA_FAMILY
    is_causal = type(model).__name__.endswith("ForCausalLM")
    return has_type and is_causal and all(kind.window is None for kind in attention_kinds(model))


def llama_parts(model: Any) -> LlamaParts:
    """The parts of ``model``, for which ``is_llama`` must be true."""
    body, config = model.model, model.config

    def norm(module: Any) -> tuple[Tensor, float]:
        return module.weight, module.variance_epsilon

    layers = []
    for layer in body.layers:
        attention, mlp = layer.self_attn, layer.mlp
        has_norms = hasattr(attention, "q_norm")
        layers.append(
            LlamaLayerParts(
                before_attention=norm(layer.input_layernorm),
                qkv=(attention.q_proj, attention.k_proj, attention.v_proj),
                query_norm=norm(attention.q_norm) if has_norms else None,
                key_norm=norm(attention.k_norm) if has_norms else None,
                output=attention.o_proj,
                before_mlp=norm(layer.post_attention_layernorm),
                gate_up=(mlp.gate_proj, mlp.up_proj),
                activation=mlp.act_fn,
                down=mlp.down_proj,
                scaling=attention.scaling,
            )
        )
    return LlamaParts(
        embedding=body.embed_tokens,
        rotary=body.rotary_emb,
        layers=layers,
        last_norm=norm(body.norm),
        head=model.lm_head,
        heads=config.num_attention_heads,
        kv_heads=config.num_key_value_heads,
        head_dim=body.layers[0].self_attn.head_dim,
        intermediate_size=config.intermediate_size,
    )


def is_silu(activation: nn.Module) -> bool:
    """Whether ``activation`` is x · sigmoid(x)."""
    return type(activation).__name__ in ("SiLU", "SiLUActivation")
