"""A request as a server gets it: its messages and parameters, as the server can take them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...discussion import ChatMessage
from ..base import GenerationRequest
from .capabilities import Capabilities

_BEYOND_OPENAI = ("top_k", "repetition_penalty", "chat_template_kwargs", "guided_choice")
"""Parameters that the ``openai`` client does not know; they travel in its ``extra_body``."""


def messages(chat: Sequence[ChatMessage], capabilities: Capabilities) -> list[dict[str, str]]:
    """``chat`` as role and content, in the shape that the server takes."""
    shaped = [{"role": message.role, "content": message.content} for message in chat]
    if not capabilities.system_role:
        shaped = _without_system(shaped)
    if capabilities.alternates:
        shaped = _alternating(shaped)
    return shaped


def _without_system(chat: list[dict[str, str]]) -> list[dict[str, str]]:
    """The system text goes before the text of the first user message."""
    system = "\n\n".join(each["content"] for each in chat if each["role"] == "system")
    others = [each for each in chat if each["role"] != "system"]
    if not system:
        return others
    if others and others[0]["role"] == "user":
        return [{"role": "user", "content": f"{system}\n\n{others[0]['content']}"}, *others[1:]]
    return [{"role": "user", "content": system}, *others]


def _alternating(chat: list[dict[str, str]]) -> list[dict[str, str]]:
    """One system message first, neighbours of one role joined, the first and last from the user."""
    system = [each for each in chat if each["role"] == "system"]
    merged: list[dict[str, str]] = []
    if system:
        merged.append(
            {"role": "system", "content": "\n\n".join(each["content"] for each in system)}
        )
    for each in chat:
        if each["role"] == "system":
            continue
        if merged and merged[-1]["role"] == each["role"]:
            joined = f"{merged[-1]['content']}\n\n{each['content']}"
            merged[-1] = {"role": each["role"], "content": joined}
        else:
            merged.append(each)
    first = 1 if system else 0
    if len(merged) == first or merged[first]["role"] == "assistant":
        merged.insert(first, {"role": "user", "content": "(The discussion begins.)"})
    if merged[-1]["role"] == "assistant":
        merged.append({"role": "user", "content": "(It is your turn.)"})
    return merged


def parameters(
    request: GenerationRequest, capabilities: Capabilities, output_tokens: int
) -> dict[str, Any]:
    """The parameters of ``request`` that the server takes, by their names.

    Args:
        request: What is asked for.
        capabilities: What the server takes.
        output_tokens: Tokens for the reply, its reasoning included.
    """
    sampling = request.sampling
    values: dict[str, Any] = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "seed": request.seed,
        "stream_options": {"include_usage": True},
    }
    if sampling.top_k:
        values["top_k"] = sampling.top_k
    if sampling.repetition_penalty != 1:
        values["repetition_penalty"] = sampling.repetition_penalty
    if request.stop:
        values["stop"] = list(request.stop)
    if request.reasoning != "auto":
        thinks = request.reasoning == "on"
        values["chat_template_kwargs"] = {"enable_thinking": thinks, "thinking": thinks}
    if request.reasoning_effort:
        values["reasoning_effort"] = request.reasoning_effort
    if request.answers and "response_format" not in capabilities.left_out:
        values["response_format"] = _one_of(request.answers)
    elif request.answers:
        values["guided_choice"] = list(request.answers)
    values = {name: value for name, value in values.items() if name not in capabilities.left_out}
    values[capabilities.output_limit] = output_tokens
    return values


def _one_of(answers: Sequence[str]) -> dict[str, Any]:
    """A JSON schema for ``{"answer": …}`` with one of ``answers``."""
    schema = {
        "type": "object",
        "properties": {"answer": {"type": "string", "enum": list(answers)}},
        "required": ["answer"],
        "additionalProperties": False,
    }
    named = {"name": "answer", "strict": True, "schema": schema}
    return {"type": "json_schema", "json_schema": named}


def for_client(values: dict[str, Any]) -> dict[str, Any]:
    """``values`` as arguments of the ``openai`` client's ``chat.completions.create``."""
    beyond = {name: values[name] for name in _BEYOND_OPENAI if name in values}
    known = {name: value for name, value in values.items() if name not in beyond}
    return {**known, "extra_body": beyond} if beyond else known


def session_header(conversation: str) -> dict[str, str]:
    """The header by which a router in front of several servers keeps a discussion on one."""
    return {"X-Session-Id": conversation} if conversation.isascii() and conversation else {}
