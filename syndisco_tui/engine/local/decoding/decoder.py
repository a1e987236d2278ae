"""What every decoder is and does: take requests, follow replies, tell how they end.

A decoder makes replies with a model that is loaded, on the inference thread alone. Knows requests
and text; nothing of tensors.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Protocol

from ...base import EngineError, Generation, OutOfMemory
from ..memory import is_out_of_memory
from ..tokenization.chat_tokenizer import ChatTokenizer
from .reply import Reply, sentence, too_long

_MEMORY_FULL = "The memory is full: shorten the history or the reply, or repeat fewer at once."


class Decoder(Protocol):
    """Makes replies; call ``advance`` while it is ``busy``."""

    path: str
    """``slots``, ``batch`` or ``generate``, as ``EngineInfo`` has it."""

    @property
    def busy(self) -> bool:
        """Whether there is anything to do."""

    def submit(self, generation: Generation) -> None:
        """Queue a reply. Its events come from ``advance``; a bad prompt fails at once."""

    def advance(self) -> None:
        """Make the next token of every reply that is being made, or read prompts."""

    def abandon(self, error: EngineError | None) -> None:
        """End everything that waits or runs: as failed with ``error``, or as cancelled."""


class Intake:
    """Turns requests into replies to be made with one model."""

    def __init__(self, tokenizer: Any, *, eos: Collection[int], context_length: int) -> None:
        self.context_length = context_length
        self._tokenizer = tokenizer
        self._chat = ChatTokenizer(tokenizer)
        self.eos = frozenset(eos) | self._chat.ends_of_turn()

    def reply_to(self, generation: Generation) -> Reply | None:
        """A reply whose prompt is token ids. None where it has failed already, and been told so."""
        reply = Reply(generation, [], self._tokenizer, self.eos)
        try:
            reply.prompt = self._chat.ids(generation.request.chat)
            if len(reply.prompt) >= self.context_length:
                raise too_long(len(reply.prompt), self.context_length)
        except EngineError as error:
            reply.fail(error)
            return None
        return reply

    def room_for(self, reply: Reply) -> int:
        """How many tokens the prompt and the whole reply can have."""
        longest = len(reply.prompt) + reply.generation.request.max_out_tokens
        return min(longest, self.context_length)

    def push(self, reply: Reply, token: int) -> bool:
        """Hand a new token to ``reply``. True if it has ended, the context being full included."""
        is_full = len(reply.prompt) + len(reply.token_ids) + 1 >= self.context_length
        has_ended = reply.push(token)
        if is_full and not has_ended:
            reply.finish("length")
        return has_ended or is_full


def as_engine_error(error: BaseException) -> EngineError:
    """What to tell of ``error``: its text alone, for its traceback holds the tensors of frames."""
    if is_out_of_memory(error):
        return OutOfMemory(_MEMORY_FULL)
    return EngineError(sentence(error))
