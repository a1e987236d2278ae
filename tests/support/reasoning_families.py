"""Kinds of reasoning models: their chat templates, their tags, and models that speak like them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import AddedToken, AutoTokenizer

from tests.support.scripted_model import scripted_model

MESSAGES = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
)
OPEN = "{% if add_generation_prompt %}<|im_start|>assistant\n"
THOUGHT: dict[str, list[str]] = {
    " I": [" should"], " should": [" be"], " be": [" short", " kind"],
}  # fmt: skip
SPEECH = {"\n\n": ["No"], "No": [" way"], " way": ["."], ".": [""]}


@dataclass(frozen=True)
class Family:
    """A kind of reasoning model.

    ``template``: of its chats. ``tokens``: added to the vocabulary, and whether they are special.
    ``follows``: what it says after what.
    """

    template: str
    tokens: Mapping[str, bool]
    follows: Mapping[str, Sequence[str]]
    fields: tuple[str, ...] = ()
    prompts: Mapping[str, str] | None = None
    """How a prompt ends, by ``reasoning``."""


THINK = {"<think>": False, "</think>": False}
_CLOSED = "assistant\n<think>\n\n</think>\n\n"
FAMILIES = {
    "qwen3": Family(
        MESSAGES + OPEN + "{% if enable_thinking is defined and enable_thinking is false %}"
        "<think>\n\n</think>\n\n{% endif %}{% endif %}",
        THINK,
        {"\n": ["<think>"], "<think>": [" I"], " short": ["</think>"], " kind": ["</think>"],
         "</think>": ["\n\n"], "\n\n": ["No"]},
        ("on", "off"),
        {"auto": "assistant\n", "on": "assistant\n", "off": _CLOSED},
    ),
    "deepseek r1, whose template opens the thought": Family(
        MESSAGES + OPEN + "<think>\n{% endif %}",
        THINK,
        {"\n": [" I"], " short": ["</think>"], " kind": ["</think>"], "</think>": ["\n\n"],
         "\n\n": ["No"]},
        ("on", "off"),
        {"auto": "assistant\n<think>\n", "on": "assistant\n<think>\n", "off": _CLOSED},
    ),
    "deepseek v3.1": Family(
        MESSAGES + OPEN + "{% if thinking is defined and thinking %}<think>{% else %}</think>"
        "{% endif %}{% endif %}",
        THINK,
        {"<think>": [" I"], " short": ["</think>"], " kind": ["</think>"], "</think>": ["No"]},
        ("on", "off"),
        {"auto": "assistant\n</think>", "on": "assistant\n<think>", "off": "assistant\n</think>"},
    ),
    "mistral, with special tokens": Family(
        MESSAGES + OPEN + "{% endif %}",
        {"[THINK]": True, "[/THINK]": True},
        {"\n": ["[THINK]"], "[THINK]": [" I"], " short": ["[/THINK]"], " kind": ["[/THINK]"],
         "[/THINK]": ["No"]},
        (),
        {"auto": "assistant\n", "off": "assistant\n"},
    ),
    "gpt-oss": Family(
        "{% if reasoning_effort is not defined %}{% set reasoning_effort = 'medium' %}{% endif %}"
        "<|start|>system<|message|>Reasoning: {{ reasoning_effort }}<|end|>"
        "{% for m in messages %}<|start|>{{ m['role'] }}<|message|>{{ m['content'] }}<|end|>"
        "{% endfor %}{% if add_generation_prompt %}<|start|>assistant{% endif %}",
        dict.fromkeys(["<|start|>", "<|message|>", "<|end|>", "<|channel|>", "<|return|>"], True),
        {"ant": ["<|channel|>"], "<|channel|>": [" analysis"], " analysis": ["<|message|>"],
         "<|message|>": [" I"], " short": ["<|end|>"], " kind": ["<|end|>"]},
        ("on", "effort"),
        {"auto": "assistant", "off": "assistant"},
    ),
}  # fmt: skip
WITH_TAGS = [name for name in FAMILIES if name != "gpt-oss"]


def family_tokenizer(folder: Path, family: Family) -> Any:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_tokens(
        [AddedToken(text, special=special) for text, special in family.tokens.items()]
    )
    tokenizer.chat_template = family.template
    return tokenizer


def model_of(folder: Path, family: Family, **follows: Sequence[str]) -> tuple[Any, Any]:
    tokenizer = family_tokenizer(folder, family)
    script = {**THOUGHT, **SPEECH, **family.follows, **follows}
    return scripted_model(tokenizer, script), tokenizer


def endless(family: Family) -> Mapping[str, Sequence[str]]:
    """A thought that goes on and on, one way or another."""
    return {" be": [" short", " kind"], " short": [" I"], " kind": [" be"]}
