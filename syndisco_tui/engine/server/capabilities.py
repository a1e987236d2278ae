"""What a server takes for a model: learned from its refusals, and remembered.

Pure, but for the file that keeps it. Every rule here answers to a refusal that servers really send.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

PARAMETERS = (
    "temperature", "top_p", "seed", "stop", "stream_options", "reasoning_effort",
    "top_k", "repetition_penalty", "chat_template_kwargs", "response_format", "guided_choice",
)  # fmt: skip
"""Parameters that can be left out of a request, in the order in which they are tried."""


@dataclass(frozen=True)
class Capabilities:
    """How requests for one model on one server must look."""

    left_out: tuple[str, ...] = ()
    """Parameters that it refuses."""
    output_limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    """What it calls the limit of a reply: ``max_tokens`` or ``max_completion_tokens``."""
    system_role: bool = True
    """Whether it takes a system message; else its text goes before the first user message."""
    alternates: bool = False
    """Whether user and assistant must alternate, beginning and ending with the user."""
    opens_reasoning: bool | None = None
    """Whether its template opens a thought that the reply then closes; None: not known yet."""
    ends_without_reason: bool = False
    """Whether it ends its streams without a finish reason."""
    thoughts: str = ""
    """Where thoughts arrive: the name of a field, or ``text``; empty: none was seen."""
    context_length: int = 0
    """Tokens that prompt and reply can have together; 0: it does not say."""
    version: str = ""
    """The server's program and its version, when all this was found out."""

    @property
    def is_plain(self) -> bool:
        """Whether no restriction of the server is known."""
        return replace(self, thoughts="", context_length=0, version="") == Capabilities()

    @property
    def forgotten(self) -> Capabilities:
        """Only what the server says about itself, for when it has changed."""
        return Capabilities(context_length=self.context_length, version=self.version)

    def recalled_for(self, version: str, context_length: int) -> Capabilities:
        """Update what the server says of itself; if that has changed, drop all else."""
        is_same = self.version in ("", version) or not version
        is_same = is_same and (self.context_length in (0, context_length) or not context_length)
        known = self if is_same else Capabilities()
        return replace(
            known,
            version=version or known.version,
            context_length=context_length or known.context_length,
        )

    @property
    def facts(self) -> tuple[str, ...]:
        """The known facts about the server, in a few words each."""
        facts = []
        if self.left_out:
            facts.append(f"refuses {', '.join(self.left_out)}")
        if self.output_limit != "max_tokens":
            facts.append(f"calls the limit of a reply {self.output_limit}")
        if not self.system_role:
            facts.append("takes no system message: its text goes before the first user message")
        if self.alternates:
            facts.append("wants user and assistant to alternate")
        if self.thoughts:
            origin = "within the text" if self.thoughts == "text" else f"as {self.thoughts}"
            opened = ", opened by its template" if self.opens_reasoning else ""
            facts.append(f"sends thoughts {origin}{opened}")
        if self.ends_without_reason:
            facts.append("does not say why a reply ended")
        if self.context_length:
            facts.append(f"{self.context_length:,} tokens of context")
        return tuple(facts)

    def without(self, parameter: str) -> Capabilities:
        """These, with ``parameter`` left out too."""
        return replace(self, left_out=(*self.left_out, parameter))


@dataclass(frozen=True)
class Refusal:
    """What a server answered instead of a reply: HTTP status, message and parameter, if named."""

    status: int
    message: str
    parameter: str = ""
    code: str = ""


_NOT_TAKEN = re.compile(
    r"unsupported|not supported|unrecogni[sz]ed|unknown|unexpected|not permitted|not allowed|"
    r"extra (inputs|fields)|does not support|invalid (parameter|field)|no such parameter|forbidden|"
    r"unavailable|not available|only the default|must be (None|null)|not (yet )?implemented|"
    r"deprecated",
    re.IGNORECASE,
)
_NO_SYSTEM = re.compile(
    r"system.{0,20}(role|message|prompt|instruction).{0,30}(not|un)[- ]?(support|allow|enabl)|"
    r"(not|un)[- ]?support\w*.{0,20}system|only user.{0,40}roles",
    re.IGNORECASE | re.DOTALL,
)
_MUST_ALTERNATE = re.compile(
    r"alternat|must be from (the )?user|should be.{0,20}user role|end(s|ing)? with.{0,20}user|"
    r"(first|last) message.{0,40}user|consecutive",
    re.IGNORECASE | re.DOTALL,
)
_ALSO_CALLED = {"response_format": r"response_format|json_schema|schema|grammar"}
"""What refusals call a parameter, where that is not its name alone."""
_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")


def adapt(known: Capabilities, refusal: Refusal, sent: Mapping[str, Any]) -> Capabilities | None:
    """What a refused request teaches, or None where it teaches nothing new.

    Args:
        known: How the refused request was made.
        refusal: The server's answer.
        sent: The names (and values) of the request's parameters, those of the body included.
    """
    if refusal.status not in (400, 404, 422, 500, 501):
        return None
    message = refusal.message
    if known.system_role and _NO_SYSTEM.search(message):
        return replace(known, system_role=False)
    if not known.alternates and _MUST_ALTERNATE.search(message):
        return replace(known, alternates=True)
    if refusal.status in (404, 500):
        return None
    parameter = _refused_parameter(refusal, sent)
    if parameter in _LIMITS:
        if known.output_limit == "max_completion_tokens":  # both have been tried
            return None
        return replace(known, output_limit="max_completion_tokens")
    if parameter and parameter not in known.left_out:
        return known.without(parameter)
    return None


def _refused_parameter(refusal: Refusal, sent: Mapping[str, Any]) -> str:
    """Which of the ``sent`` parameters the server does not take; empty where it does not say."""
    candidates = [name for name in (*_LIMITS, *PARAMETERS) if name in sent]
    named = refusal.parameter.removeprefix("body.").split(".")[0].split("[")[0]
    says_so = bool(_NOT_TAKEN.search(refusal.message)) or "unsupported" in refusal.code
    if named in candidates and (says_so or named not in _LIMITS):
        return named
    if not says_so:
        return ""
    mentioned = [
        (match.start(), name)
        for name in candidates
        if (match := re.search(rf"\b({_ALSO_CALLED.get(name, name)})\b", refusal.message))
    ]
    return min(mentioned)[1] if mentioned else ""


_LIMIT_NUMBERS = (
    # vLLM, LiteLLM: 'max_tokens' is too large: 1000. … (1000 > 2048 - 1203)
    re.compile(r"\(\s*\d+\s*>\s*(?P<limit>\d+)\s*-\s*(?P<prompt>\d+)\s*\)"),
    # vLLM, OpenAI: maximum context length is 2048 tokens … (1203 in the messages, 1000 in …)
    re.compile(
        r"context length\D{0,30}(?P<limit>\d+)\D.*?(?P<prompt>\d+) (tokens )?(in|from) the "
        r"(messages|prompt|text|input)",
        re.DOTALL,
    ),
    # vLLM, SGLang: maximum context length is 2048 … your prompt contains 1203 input tokens
    re.compile(
        r"context length\D{0,30}(?P<limit>\d+)\D.*?(prompt|input|request)\D{0,40}"
        r"(?P<prompt>\d+)\D{0,20}tokens",
        re.DOTALL,
    ),
    # SGLang: The input (1203 tokens) is longer than the model's context length (1024 tokens)
    re.compile(
        r"(input|prompt)\D{0,30}(?P<prompt>\d+) tokens\D{0,60}context length\D{0,10}(?P<limit>\d+)"
    ),
    # llama.cpp: request (1203 tokens) exceeds the available context size (1024 tokens)
    re.compile(r"\((?P<prompt>\d+) tokens\).{0,60}context size \((?P<limit>\d+) tokens\)"),
)


@dataclass(frozen=True)
class TooLong:
    """A request that does not fit: the model has ``limit`` tokens, ``prompt`` of them are taken."""

    limit: int
    prompt: int

    @property
    def room(self) -> int:
        """How many tokens are left for a reply."""
        return max(0, self.limit - self.prompt)


def too_long(refusal: Refusal) -> TooLong | None:
    """The numbers in a refusal that says that prompt and reply are too long together."""
    if refusal.status not in (400, 413, 422, 500):
        return None
    for pattern in _LIMIT_NUMBERS:
        if match := pattern.search(refusal.message):
            return TooLong(int(match["limit"]), int(match["prompt"]))
    return None


_AS_JSON = TypeAdapter(Capabilities)


def as_json(capabilities: Capabilities) -> Any:
    """What differs from a server that takes everything."""
    return _AS_JSON.dump_python(capabilities, mode="json", exclude_defaults=True)


def from_json(values: object) -> Capabilities:
    """What ``as_json`` wrote; what is not as it should be counts as not known."""
    try:
        return _AS_JSON.validate_python(values or {})
    except ValidationError:
        return Capabilities()
