"""Chat messages → the model's token ids. Contents never become control tokens."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from types import FrameType
from typing import Any

from ....discussion import ChatMessage
from ...base import EngineError, GenerationRequest, RenderedPrompt
from ...reasoning import closing_text, opened_tag
from .reasoning_switches import ReasoningSwitches, Variables, find_switches

TEMPLATE_SECONDS = 1.0
"""Of computing time that rendering may take; it usually takes milliseconds."""

_TEMPLATE_FILE = "<template>"  # the file name that jinja gives to a template from a string
_PRIVATE_USE = range(0xE000, 0xF8FF)

_Turn = tuple[str, str]
"""Role and content."""
_Trace = Callable[[FrameType, str, Any], Any]


class EndlessTemplate(EngineError):
    """The chat template does not come to an end."""


@dataclass(frozen=True)
class Prompt:
    """What a model reads before it replies."""

    ids: list[int]
    opened: str = ""
    """The reasoning tag inside which it ends, if any."""
    notes: tuple[str, ...] = ()
    """What of the request the template could not heed."""


class ChatTokenizer:
    """Renders chats with ``tokenizer``'s own template.

    Raises:
        EngineError: The tokenizer has no chat template, or one that cannot be rendered.
    """

    def __init__(self, tokenizer: Any) -> None:
        if not getattr(tokenizer, "chat_template", None):
            raise EngineError("The model has no chat template: choose an instruction-tuned one.")
        self._tokenizer = tokenizer
        # White space is text, even where a vocabulary lists runs of it as added tokens.
        self._control_tokens = {
            token_id: str(token)
            for token_id, token in tokenizer.added_tokens_decoder.items()
            if str(token).strip()
        }
        self._opened_tags: dict[tuple[tuple[str, object], ...], str] = {}
        self._has_system_role = self._renders_system_role()

    @property
    def control_texts(self) -> frozenset[str]:
        """The texts of all control tokens."""
        return frozenset(self._control_tokens.values())

    @cached_property
    def switches(self) -> ReasoningSwitches:
        """How the template switches reasoning.

        If it always opens a reasoning tag, reasoning can be switched off by closing the tag at
        once.
        """
        switches = find_switches(str(self._tokenizer.chat_template), self._rendered_probe)
        if not self._opened_tag({}):
            return switches
        return replace(switches, on=switches.on or {}, off=switches.off or {})

    def prompt(self, request: GenerationRequest) -> Prompt:
        """The prompt of ``request``.

        Raises:
            EngineError: The chat is empty, or the template refuses it.
        """
        reasoning, effort = request.reasoning, request.reasoning_effort
        variables = self.switches.variables(reasoning, effort)
        ids, opened = self.ids(request.chat, variables), self._opened_tag(variables)
        if opened and reasoning == "off":
            ids, opened = [*ids, *self.encode(closing_text(opened))], ""
        return Prompt(ids, opened, self.switches.notes(reasoning, effort))

    def ids(self, chat: Sequence[ChatMessage], variables: Variables | None = None) -> list[int]:
        """Token ids of ``chat`` and of what opens the assistant's message.

        If the template refuses a system message, its content is put before that of the first user
        message.

        Args:
            chat: The messages.
            variables: The template's variables.

        Raises:
            EngineError: The chat is empty, or the template refuses it.
        """
        options = dict(variables or {})
        turns = [(str(message.role), message.content) for message in chat]
        if not any(content.strip() for _, content in turns):
            raise EngineError("The prompt is empty: there is nothing for the model to answer.")
        if not self._has_system_role:
            turns = _merge_system(turns)
        mark = _unused_character(content for _, content in turns)
        safe = [(role, mark.join(self._split(content))) for role, content in turns]
        if safe == turns:
            encoded = self._apply(turns, tokenize=True, return_dict=True, **options)
            return list(encoded["input_ids"])
        # Text on both sides of a mark is tokenized separately.
        rendered = self._apply(safe, tokenize=False, **options)
        return [token_id for part in rendered.split(mark) for token_id in self.encode(part)]

    def rendered(self, request: GenerationRequest) -> RenderedPrompt:
        """The prompt of ``request`` as text, with control tokens marked as such.

        Raises:
            EngineError: The chat is empty, or the template refuses it.
        """
        ids = self.prompt(request).ids
        parts: list[tuple[str, bool]] = []
        for is_control, run in groupby(ids, self._control_tokens.__contains__):
            if is_control:
                parts += [(self._control_tokens[token_id], True) for token_id in run]
            else:
                parts.append((self._decode(list(run)), False))
        return RenderedPrompt(tuple(parts), len(ids))

    def encode(self, text: str) -> list[int]:
        """Token ids of ``text``, in which control tokens are recognized."""
        return list(self._tokenizer.encode(text, add_special_tokens=False)) if text else []

    def end_of_message_ids(self) -> set[int]:
        """Ids of control tokens with which the template ends an assistant's message."""
        mark = _unused_character([])
        try:
            rendered = self._apply(
                [("user", "a"), ("assistant", mark), ("user", "b")],
                tokenize=False,
                add_generation_prompt=False,
            )
        except EngineError:
            return set()
        following = self.encode(rendered.partition(mark)[2].lstrip())
        return set(following[:1]) & self._control_tokens.keys()

    def _split(self, content: str) -> list[str]:
        """``content`` in parts none of which is tokenized to a control token."""
        if not self._has_control_token(content):
            return [content]
        starts = [start for t in self._control_tokens.values() if (start := content.find(t)) >= 0]
        # Text that becomes a control token only by normalisation has no start: cut in the middle.
        cut = min(starts) + 1 if starts else len(content) // 2
        if not 0 < cut < len(content):
            return [content]
        return [*self._split(content[:cut]), *self._split(content[cut:])]

    def _has_control_token(self, text: str) -> bool:
        control_ids = self._control_tokens.keys() & set(self.encode(text))
        unknown = self._tokenizer.unk_token_id
        if unknown in control_ids and self._control_tokens[unknown] not in text:
            control_ids.discard(unknown)  # some rare character, not the token's own text
        return bool(control_ids)

    def _decode(self, ids: list[int]) -> str:
        return str(self._tokenizer.decode(ids, clean_up_tokenization_spaces=False))

    def _apply(self, turns: Sequence[_Turn], **options: Any) -> Any:
        messages = [{"role": role, "content": content} for role, content in turns]
        options.setdefault("add_generation_prompt", True)
        try:
            with _template_time_limit():
                return self._tokenizer.apply_chat_template(messages, **options)
        except EndlessTemplate as error:
            raise error.with_traceback(None) from None
        except Exception as error:  # jinja's errors and whatever a template raises
            reason = str(error).strip().splitlines() or [type(error).__name__]
            raise EngineError(
                f"The model's chat template refuses this prompt ({reason[0].rstrip('.')}): "
                "choose another prompt style, or another model."
            ) from None

    def _rendered_probe(self, variables: Variables) -> str:
        return str(self._apply([("user", "a")], tokenize=False, **variables))

    def _opened_tag(self, variables: Variables) -> str:
        """The reasoning tag that the template opens for the reply, if any."""
        key = tuple(variables.items())
        if key not in self._opened_tags:
            self._opened_tags[key] = opened_tag(self._rendered_probe(variables))
        return self._opened_tags[key]

    def _renders_system_role(self) -> bool:
        mark = _unused_character([])
        try:
            return mark in self._apply([("system", mark), ("user", "a")], tokenize=False)
        except EndlessTemplate:
            raise
        except EngineError:
            return False


@contextlib.contextmanager
def _template_time_limit() -> Iterator[None]:
    """Stop templates that this thread renders after ``TEMPLATE_SECONDS``.

    A template is a program that came with the model. Only its own lines are traced, and the
    thread's own computing time counts, so that a busy machine makes no difference.

    Raises:
        EndlessTemplate: Out of the template.
    """
    deadline = time.thread_time() + TEMPLATE_SECONDS

    def trace_line(_frame: FrameType, _event: str, _argument: Any) -> _Trace:
        if time.thread_time() > deadline:
            raise EndlessTemplate(
                "The model's chat template is broken: it has not come to an end after "
                f"{TEMPLATE_SECONDS:.0f} s; choose another model."
            )
        return trace_line

    def trace_call(frame: FrameType, _event: str, _argument: Any) -> _Trace | None:
        return trace_line if frame.f_code.co_filename == _TEMPLATE_FILE else None

    outer_trace = sys.gettrace()
    sys.settrace(trace_call)
    try:
        yield
    finally:
        sys.settrace(outer_trace)


def _merge_system(turns: Sequence[_Turn]) -> list[_Turn]:
    system = [content for role, content in turns if role == "system"]
    others = [turn for turn in turns if turn[0] != "system"]
    if not system:
        return others
    first = next((n for n, (role, _) in enumerate(others) if role == "user"), None)
    if first is None:
        return [("user", "\n\n".join(system)), *others]
    others[first] = ("user", "\n\n".join([*system, others[first][1]]))
    return others


def _unused_character(contents: Iterable[str]) -> str:
    used = set("".join(contents))
    return next(chr(code) for code in _PRIVATE_USE if chr(code) not in used)
