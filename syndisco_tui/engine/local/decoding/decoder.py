"""What all decoders share: how requests and errors are handled."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Collection
from typing import Any

from ...base import EngineError, Failed, Generation, OutOfMemory
from ...reasoning import is_tag_token
from ..memory import is_out_of_memory
from ..tokenization.chat_tokenizer import ChatTokenizer
from ..tokenization.reasoning_switches import ReasoningSwitches
from .reply import Reply, ReplyTokens


class InputProcessor:
    """Turns requests into replies to be made: applies the chat template and checks lengths.

    Args:
        tokenizer: Of the model.
        eos: Ids of tokens that end a reply, beside those the chat template ends a message with.
        context_length: How many tokens the model can attend to.
        can_read_on: Whether the model can continue a reply whose beginning is given.
    """

    def __init__(
        self,
        tokenizer: Any,
        *,
        eos: Collection[int],
        context_length: int,
        can_read_on: bool = True,
    ) -> None:
        self.context_length = context_length
        self._chat = ChatTokenizer(tokenizer)
        self.eos = frozenset(eos) | self._chat.end_of_message_ids()
        special = {
            token_id: str(token)
            for token_id, token in tokenizer.added_tokens_decoder.items()
            if is_tag_token(str(token), self._chat.control_texts)
        }
        self._tokens = ReplyTokens(
            tokenizer,
            eos=self.eos,
            tags=special,
            encode=self._chat.encode if can_read_on else None,
        )

    @property
    def switches(self) -> ReasoningSwitches:
        """How the chat template switches reasoning."""
        return self._chat.switches

    def process(self, generation: Generation) -> Reply | None:
        """A reply with its prompt as token ids; None if the prompt was refused and the reply
        has failed."""
        try:
            prompt = self._chat.prompt(generation.request)
            if len(prompt.ids) >= self.context_length:
                raise EngineError(
                    f"The prompt has {len(prompt.ids):,} tokens and the model reads fewer than "
                    f"{self.context_length:,}: shorten the history, the context or the persona."
                )
        except EngineError as error:
            generation.emit(Failed(generation, error))
            return None
        return Reply(generation, prompt, self._tokens, self.context_length)


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
