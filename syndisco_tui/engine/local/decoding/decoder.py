"""What all decoders share: how requests and errors are handled."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Collection
from typing import Any

from ...base import EngineError, Generation, OutOfMemory
from ..memory import is_out_of_memory
from ..tokenization.chat_tokenizer import ChatTokenizer
from .reply import Reply


class InputProcessor:
    """Turns requests into replies to be made: applies the chat template and checks lengths.

    Args:
        tokenizer: Of the model.
        eos: Ids of tokens that end a reply, beside those the chat template ends a message with.
        context_length: How many tokens the model can attend to.
    """

    def __init__(self, tokenizer: Any, *, eos: Collection[int], context_length: int) -> None:
        self.context_length = context_length
        self._tokenizer = tokenizer
        self._chat = ChatTokenizer(tokenizer)
        self.eos = frozenset(eos) | self._chat.end_of_message_ids()

    def process(self, generation: Generation) -> Reply | None:
        """A reply with its prompt as token ids; None if the prompt was refused and the reply
        has failed."""
        reply = Reply(generation, [], self._tokenizer, self.eos, self.context_length)
        try:
            reply.prompt = self._chat.ids(generation.request.chat)
            if len(reply.prompt) >= self.context_length:
                raise EngineError(
                    f"The prompt has {len(reply.prompt):,} tokens and the model reads fewer than "
                    f"{self.context_length:,}: shorten the history, the context or the persona."
                )
        except EngineError as error:
            reply.fail(error)
            return None
        return reply


class Decoder(ABC):
    """Makes replies with a loaded model, on the inference thread; ``step`` it while ``busy``."""

    def __init__(self, inputs: InputProcessor) -> None:
        self._inputs = inputs
        self._waiting: deque[Reply] = deque()

    def submit(self, generation: Generation) -> None:
        """Queue a reply. Its events come from ``step``; a prompt that is refused fails at once."""
        if reply := self._inputs.process(generation):
            self._waiting.append(reply)

    @property
    @abstractmethod
    def busy(self) -> bool:
        """Whether a reply is waiting or being made."""

    @abstractmethod
    def step(self) -> None:
        """Make the next token of every reply that is being made, or read prompts."""

    @abstractmethod
    def abort_all(self, error: EngineError | None) -> None:
        """End all replies: failed with ``error``, or cancelled if there is none."""


def as_engine_error(error: BaseException) -> EngineError:
    """One sentence for the user; without ``error``'s traceback, whose frames hold tensors."""
    if is_out_of_memory(error):
        return OutOfMemory(
            "The memory is full: shorten the history or the reply, or repeat fewer at once."
        )
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
    if reason.startswith("CUDA"):  # the process cannot use the GPU any more
        return EngineError(f"The GPU has failed ({reason}): start syndisco-tui again, and resume.")
    return EngineError(f"The reply could not be made ({reason}): try again.")
