"""Chat turns → the model's token ids. Contents never become control tokens.

Knows the tokenizer and its chat template; nothing of the model.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from ....discussion import ChatMessage
from ...base import EngineError, RenderedPrompt
from .template_limit import DoesNotEnd, limited_template

_PRIVATE_USE = range(0xE000, 0xF8FF)


class EndlessTemplate(EngineError):
    """The chat template computes without an end."""


class ChatTokenizer:
    """Renders chats with ``tokenizer``'s own template.

    Raises:
        EngineError: the tokenizer has no chat template, or one that cannot be rendered.
    """

    def __init__(self, tokenizer: Any) -> None:
        if not getattr(tokenizer, "chat_template", None):
            raise EngineError("The model has no chat template: choose an instruction-tuned one.")
        self._tokenizer = tokenizer
        # Whitespace is text even where a vocabulary lists runs of it as added tokens.
        self._control = {
            token_id: str(token)
            for token_id, token in tokenizer.added_tokens_decoder.items()
            if str(token).strip()
        }
        self._takes_system = self._keeps_system_role()

    def ids(self, chat: Sequence[ChatMessage]) -> list[int]:
        """Token ids of ``chat`` and of what opens the assistant's turn, made once.

        A system turn is put before the first user turn's content if the template refuses it.

        Raises:
            EngineError: the chat is empty, or the template refuses it.
        """
        turns: list[tuple[str, str]] = [(message.role, message.content) for message in chat]
        if not any(content.strip() for _, content in turns):
            raise EngineError("The prompt is empty: there is nothing for the model to answer.")
        if not self._takes_system:
            turns = _merge_system(turns)
        mark = _unused_character(content for _, content in turns)
        safe = [(role, mark.join(self._pieces(content))) for role, content in turns]
        if safe == turns:
            encoded = self._apply(turns, tokenize=True, return_dict=True)
            return list(encoded["input_ids"])
        # The mark says: tokenize what is before and what is after it apart.
        rendered = self._apply(safe, tokenize=False)
        return [token_id for part in rendered.split(mark) for token_id in self._encode(part)]

    def rendered(self, chat: Sequence[ChatMessage]) -> RenderedPrompt:
        """The token ids of ``chat`` as text, control tokens told apart. Raises like ``ids``."""
        ids = self.ids(chat)
        parts: list[tuple[str, bool]] = []
        for is_control, run in groupby(ids, self._control.__contains__):
            if is_control:
                parts += [(self._control[token_id], True) for token_id in run]
            else:
                parts.append((self._decode(list(run)), False))
        return RenderedPrompt(tuple(parts), len(ids))

    def ends_of_turn(self) -> set[int]:
        """Control tokens with which the template closes an assistant's turn."""
        mark = _unused_character([])
        try:
            rendered = self._apply(
                [("user", "a"), ("assistant", mark), ("user", "b")],
                tokenize=False,
                add_generation_prompt=False,
            )
        except EngineError:
            return set()
        after = self._encode(rendered.partition(mark)[2].lstrip())
        return set(after[:1]) & self._control.keys()

    def _pieces(self, content: str) -> list[str]:
        """``content`` cut so that no piece holds the text of a control token."""
        if not self._holds_control(content):
            return [content]
        found = [at for text in self._control.values() if (at := content.find(text)) >= 0]
        # Text that only becomes a control token by normalisation is not found: halve it.
        cut = min(found) + 1 if found else len(content) // 2
        if not 0 < cut < len(content):
            return [content]
        return [*self._pieces(content[:cut]), *self._pieces(content[cut:])]

    def _holds_control(self, text: str) -> bool:
        found = self._control.keys() & set(self._encode(text))
        unknown = self._tokenizer.unk_token_id
        if unknown in found and self._control[unknown] not in text:
            found.discard(unknown)  # some rare character, not the token's own text
        return bool(found)

    def _encode(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text, add_special_tokens=False)) if text else []

    def _decode(self, ids: list[int]) -> str:
        return str(self._tokenizer.decode(ids, clean_up_tokenization_spaces=False))

    def _apply(self, turns: Sequence[tuple[str, str]], **options: Any) -> Any:
        messages = [{"role": role, "content": content} for role, content in turns]
        options.setdefault("add_generation_prompt", True)
        try:
            with limited_template():
                return self._tokenizer.apply_chat_template(messages, **options)
        except DoesNotEnd as error:
            raise EndlessTemplate(
                f"The model's chat template is broken: {error}; choose another model."
            ) from None
        except Exception as error:  # jinja's errors and whatever a foreign template raises
            reason = str(error).strip().splitlines() or [type(error).__name__]
            raise EngineError(
                f"The model's chat template refuses this prompt ({reason[0].rstrip('.')}): "
                "choose another prompt style, or another model."
            ) from None

    def _keeps_system_role(self) -> bool:
        mark = _unused_character([])
        try:
            return mark in self._apply([("system", mark), ("user", "a")], tokenize=False)
        except EndlessTemplate:
            raise
        except EngineError:
            return False


def _merge_system(turns: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    system = [content for role, content in turns if role == "system"]
    others = [turn for turn in turns if turn[0] != "system"]
    if not system:
        return others
    first = next((at for at, (role, _) in enumerate(others) if role == "user"), None)
    if first is None:
        return [("user", "\n\n".join(system)), *others]
    others[first] = ("user", "\n\n".join([*system, others[first][1]]))
    return others


def _unused_character(contents: Iterable[str]) -> str:
    used = set("".join(contents))
    return next(chr(code) for code in _PRIVATE_USE if chr(code) not in used)
