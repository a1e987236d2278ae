"""Families of models, each with tiny random weights of its own configuration.

``python -m tests.support.families`` tries them all and writes the table in ``docs/families.md``.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

PathName = Literal["slots", "batch", "generate"]

VOCABULARY = 8192  # that of ``tiny_models``, which imports torch
BASE: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
HEADS = {"head_dim": 16}
WINDOW = {**HEADS, "sliding_window": 16}
EXPERTS = {"moe_intermediate_size": 32, "num_experts": 4, "num_experts_per_tok": 2}
MIXED = ["sliding_attention", "full_attention"] * 2
ONE_IN_FOUR = ["sliding_attention"] * 3 + ["full_attention"]
GPT2 = {"n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": 512}
MLA = {
    "q_lora_rank": 32, "kv_lora_rank": 16, "qk_rope_head_dim": 8, "qk_nope_head_dim": 16,
    "v_head_dim": 24, "num_key_value_heads": 4, "n_routed_experts": 4, "num_experts_per_tok": 2,
    "moe_intermediate_size": 32, "n_group": 2, "topk_group": 1, "first_k_dense_replace": 1,
    "n_shared_experts": 1,
}  # fmt: skip
DELTA_NET = {
    **HEADS, "linear_num_value_heads": 4, "linear_num_key_heads": 2, "linear_key_head_dim": 16,
    "linear_value_head_dim": 16, "layer_types": ["linear_attention"] * 3 + ["full_attention"],
}  # fmt: skip
MAMBA2 = {"mamba_n_heads": 8, "mamba_d_head": 16, "mamba_d_state": 16, "mamba_n_groups": 1}
SHARED_EXPERT = {**EXPERTS, "shared_expert_intermediate_size": 32}
PER_LAYER_INPUT = {"hidden_size_per_layer_input": 8, "vocab_size_per_layer_input": VOCABULARY}


@dataclass(frozen=True)
class Family:
    """A model type of transformers, a tiny configuration, and the path it must take."""

    model_type: str
    path: PathName = "slots"
    options: dict[str, Any] = field(default_factory=dict)
    note: str = ""
    """Distinguishes this entry from others of its type."""

    @property
    def name(self) -> str:
        return f"{self.model_type}, {self.note}" if self.note else self.model_type


FAMILIES = [
    Family("llama"),
    Family("qwen2"),
    Family("qwen3", options=HEADS),
    Family("mistral", options={"sliding_window": None}),
    Family("mistral", options=WINDOW, note="with a window"),
    Family("ministral", options=WINDOW),
    Family("ministral3", options=HEADS),
    Family("qwen2_moe", options=SHARED_EXPERT),
    Family("qwen3_moe", options={**HEADS, **EXPERTS}),
    Family("gemma", options=HEADS),
    Family("gemma2", options={**WINDOW, "query_pre_attn_scalar": 16}),
    Family(
        "gemma3_text", options={**WINDOW, "query_pre_attn_scalar": 16, "layer_types": MIXED}
    ),
    Family(
        "gemma3n_text",
        options={
            **WINDOW, **PER_LAYER_INPUT, "layer_types": MIXED, "num_kv_shared_layers": 2,
            "laurel_rank": 8, "altup_num_inputs": 2, "activation_sparsity_pattern": [0.0] * 4,
            "intermediate_size": [128] * 4,
        },
    ),
    Family(
        "gemma4_text",
        options={
            **WINDOW, **PER_LAYER_INPUT, "layer_types": MIXED, "num_kv_shared_layers": 2,
            "global_head_dim": 16,
        },
    ),
    Family("phi"),
    Family("phi3"),
    Family("olmo2"),
    Family("olmo3", options={**WINDOW, "layer_types": ONE_IN_FOUR}),
    Family("smollm3"),
    Family("granite"),
    Family("cohere"),
    Family("cohere2", options={**WINDOW, "layer_types": ONE_IN_FOUR}),
    Family("glm4", options=HEADS),
    Family(
        "glm4_moe",
        options={
            **HEADS, **EXPERTS, "n_routed_experts": 4, "n_group": 1, "topk_group": 1,
            "first_k_dense_replace": 1, "n_shared_experts": 1,
        },
    ),
    Family("mixtral", options={"num_local_experts": 4, "num_experts_per_tok": 2}),
    Family("minimax_m2", options={**HEADS, "num_local_experts": 4, "num_experts_per_tok": 2}),
    Family("ernie4_5", options=HEADS),
    Family("hunyuan_v1_dense", options=HEADS),
    Family("apertus"),
    Family("seed_oss", options=HEADS),
    Family("stablelm"),
    Family("starcoder2", options=WINDOW),
    Family("falcon", options={"new_decoder_architecture": True, "num_kv_heads": 2}),
    Family("gpt_neox"),
    Family("gpt2", options=GPT2),
    Family(
        "gpt_oss",
        options={
            **WINDOW, "num_local_experts": 4, "num_experts_per_tok": 2, "layer_types": MIXED,
        },
    ),
    Family("exaone4", options={**WINDOW, "layer_types": ONE_IN_FOUR}),
    Family(
        "llama4_text",
        options={
            **HEADS, "attention_chunk_size": 16, "intermediate_size_mlp": 128,
            "num_local_experts": 4, "num_experts_per_tok": 1, "interleave_moe_layer_step": 2,
            "layer_types": ["chunked_attention"] * 3 + ["full_attention"],
        },
    ),
    Family("deepseek_v2", options={**MLA, "topk_method": "greedy"}),
    Family("deepseek_v3", options=MLA),
    Family(
        "deepseek_v32",
        "batch",
        {**MLA, "index_n_heads": 2, "index_head_dim": 16, "index_topk": 256},
    ),
    Family("qwen3_next", "batch", {**DELTA_NET, **SHARED_EXPERT}),
    Family("qwen3_5_text", "batch", DELTA_NET),
    Family("qwen3_5_moe_text", "batch", {**DELTA_NET, **SHARED_EXPERT}),
    Family("olmo_hybrid", "batch", {"layer_types": ["linear_attention", "full_attention"] * 2}),
    Family(
        "granitemoehybrid",
        "batch",
        {
            **MAMBA2, "layer_types": ["mamba", "attention"] * 2, "num_local_experts": 0,
            "shared_intermediate_size": 64, "mamba_expand": 2,
        },
    ),
    Family(
        "nemotron_h",
        "batch",
        {
            **HEADS, "hybrid_override_pattern": "M*M-", "mamba_num_heads": 8,
            "mamba_head_dim": 16, "ssm_state_size": 16, "n_groups": 1, "chunk_size": 16,
        },
    ),
    Family(
        "falcon_h1",
        "batch",
        {**HEADS, **MAMBA2, "mamba_d_ssm": 64, "mamba_n_heads": 4, "mamba_chunk_size": 16},
    ),
    Family("bamba", "batch", {**MAMBA2, "attn_layer_indices": [1, 3]}),
    Family(
        "jamba",
        "batch",
        {
            "num_experts": 2, "num_experts_per_tok": 1, "attn_layer_period": 2,
            "attn_layer_offset": 1, "use_mamba_kernels": False, "mamba_d_state": 8,
            "mamba_dt_rank": 8,
        },
    ),
    Family("mamba", "batch", {"state_size": 8}),
    Family(
        "mamba2",
        "batch",
        {"num_heads": 8, "head_dim": 16, "state_size": 16, "n_groups": 1, "chunk_size": 16},
    ),
    Family("falcon_mamba", "batch", {"state_size": 8}),
    Family(
        "recurrent_gemma",
        "batch",
        {"lru_width": 64, "attention_window_size": 16, "block_types": ["recurrent", "attention"]},
    ),
    Family("lfm2", "batch", {"layer_types": ["conv", "full_attention"] * 2}),
    Family("lfm3", "batch"),
    Family("bloom", "batch", {"n_layer": 2, "n_head": 4}),
    Family("rwkv", "generate"),
]  # fmt: skip


def installed() -> list[Family]:
    """The families that the installed transformers supports."""
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    return [family for family in FAMILIES if family.model_type in CONFIG_MAPPING_NAMES]


def build(family: Family) -> Any:
    """A model with random weights, and logits that are far from flat."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.for_model(family.model_type, **{**BASE, **family.options})
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() >= 2:
                parameter.normal_(0, 1.0 if "emb" in name or "wte" in name else 0.08)
    return model


def save(family: Family, starter: Path, folder: Path) -> Path:
    """Save the model of ``build`` in a folder, with a tokenizer."""
    from tests.support.tiny_models import copy_tokenizer

    build(family).save_pretrained(folder)
    copy_tokenizer(starter, folder)
    return folder


def as_table() -> str:
    """A Markdown table of every family and the path it takes, found by trying."""
    import transformers

    from syndisco_tui.engine.local.runners.probe import find_support

    lines = [
        f"Tried with transformers {transformers.__version__}, on tiny random weights.",
        "",
        "| family | path | many at once | prefixes cached | why no faster path |",
        "|---|---|---|---|---|",
    ]
    for family in installed():
        support = find_support(build(family))
        path = support.path
        many_at_once = "no" if path == "generate" else "yes"
        keeps_prefixes = "yes" if path == "slots" else "no"
        cells = (family.name, f"`{path}`", many_at_once, keeps_prefixes, support.reason)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


INTRODUCTION = """# Families of models

When a model is loaded, the paths below are tried in this order, and each is compared with the
model's own forward pass.

* `slots`: many discussions at once, each in a slot of one KV cache. The prefix that a prompt shares
  with an earlier one is not read again. On a GPU, decode steps are replayed as CUDA graphs.
* `batch`: many discussions at once in one left-padded batch with transformers' own cache, for
  models with a recurrent state. Every prompt is read in full.
* `generate`: one discussion at a time through `model.generate`. The app, `run` and the saved file
  say so, and why.

"""


def main() -> None:
    os.environ["TRANSFORMERS_VERBOSITY"] = "error"
    table = as_table()
    print(table)
    page = Path(__file__).parents[2] / "docs" / "families.md"
    page.parent.mkdir(exist_ok=True)
    page.write_text(f"{INTRODUCTION}{table}\n\nMade by `python -m tests.support.families`.\n")


if __name__ == "__main__":
    sys.exit(main())
