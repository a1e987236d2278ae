"""The user's own model: an object with the methods of SynDisco's ``BaseModel``.

SynDisco 2.0.1 and 2.2.1 differ in what ``prompt`` takes:

* 2.2.1: ``prompt(system_prompt, user_prompt)``, two texts;
* 2.0.1: ``prompt(json_prompt, stop_words)``, a pair of messages (``role`` and ``content``) and a
  list of texts that end the reply.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import packages_distributions, version
from typing import Any

from ...discussion import ChatMessage
from ...text import one_line
from ..base import EngineError, GenerationRequest, ModelUnavailable

FORM = "python:package.module:Class"
MAX_OUT_TOKENS = 200
"""What a constructor gets that asks for ``max_out_tokens``; every reply has its own."""
_NAME = re.compile(r"python:((?:\w+\.)*\w+):(\w+)")
_PAIR_NAMES = {"json_prompt", "stop_words"}
_MOST = 200


@dataclass(frozen=True)
class OwnModel:
    """An object of a user's class, ready to be prompted."""

    name: str
    """What it calls itself."""
    class_name: str
    versions: dict[str, str] = field(default_factory=dict)
    """Of the package that it comes from."""
    model: Any = field(default=None, repr=False)
    takes_pair: bool = False
    """Whether ``prompt`` is SynDisco 2.0.1's."""

    def pieces(self, request: GenerationRequest) -> Iterator[str]:
        """The reply to ``request``, in as many pieces as ``prompt`` yields, or in one.

        Raises:
            EngineError: The class returned something other than text.
            Exception: Whatever the class raises.
        """
        if hasattr(self.model, "max_out_tokens"):
            self.model.max_out_tokens = request.max_out_tokens
        system, user = system_and_user(request.chat)
        if self.takes_pair:
            messages = {"role": "system", "content": system}, {"role": "user", "content": user}
            reply = self.model.prompt(messages, list(request.stop))
        else:
            reply = self.model.prompt(system, user)
        for piece in [reply] if isinstance(reply, str) else self._iterated(reply):
            if not isinstance(piece, str):
                raise self._no_text(piece)
            yield piece

    def _iterated(self, reply: Any) -> Iterator[Any]:
        if not isinstance(reply, Iterator):
            raise self._no_text(reply)
        return reply

    def _no_text(self, value: object) -> EngineError:
        kind = type(value).__name__
        return EngineError(f"{self.class_name}.prompt returned {kind}, where text is expected.")


def system_and_user(chat: Sequence[ChatMessage]) -> tuple[str, str]:
    """``chat`` as a system and a user text. The speaker's own turns are marked with ``You:``."""
    system = "\n\n".join(each.content for each in chat if each.role == "system")
    turns = [
        f"You: {each.content}" if each.role == "assistant" else each.content
        for each in chat
        if each.role != "system"
    ]
    return system, "\n\n".join(turns)


def make_model(model: str) -> OwnModel:
    """Import the module that ``model`` names, and call its class.

    The current folder is searched last. Instead of a class, ``model`` may name a function that
    returns such an object.

    Raises:
        ModelUnavailable: The model cannot be made; one sentence says why.
    """
    match = _NAME.fullmatch(model)
    if match is None:
        raise ModelUnavailable(f"{one_line(model, _MOST)}: write a class as {FORM}.")
    module_name, class_name = match.groups()
    factory = _factory(module_name, class_name)
    arguments = _arguments(factory, f"{module_name}:{class_name}", class_name)
    try:
        made = factory(**arguments)
    except Exception as error:
        sentence = f"{module_name}:{class_name} could not be made ({reason(error)})."
        raise ModelUnavailable(sentence) from None
    name = str(getattr(made, "name", "") or class_name)
    takes_pair = _takes_pair(made, f"{module_name}:{class_name}")
    return OwnModel(name, class_name, _versions(module_name), made, takes_pair)


def reason(error: BaseException) -> str:
    """What an exception says, in one line."""
    text = one_line(str(error).strip().partition("\n")[0], _MOST).rstrip(".")
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _factory(module_name: str, class_name: str) -> Callable[..., Any]:
    if "" not in sys.path and "." not in sys.path:
        sys.path.append(".")
    try:
        module = importlib.import_module(module_name)
        factory = getattr(module, class_name, None)
    except ModuleNotFoundError as error:
        if error.name and f"{module_name}.".startswith(f"{error.name}."):
            raise ModelUnavailable(
                f"There is no module {error.name}: install it, or start syndisco-tui in its folder."
            ) from None
        raise ModelUnavailable(f"{module_name} cannot be imported ({reason(error)}).") from None
    except Exception as error:  # a module may raise anything
        raise ModelUnavailable(f"{module_name} cannot be imported ({reason(error)}).") from None
    if not callable(factory):
        raise ModelUnavailable(f"The module {module_name} has no class {class_name}.")
    result: Callable[..., Any] = factory
    return result


def _arguments(factory: Callable[..., Any], label: str, class_name: str) -> dict[str, object]:
    """Arguments for the known parameters without a default."""
    known: dict[str, object] = {"name": class_name, "max_out_tokens": MAX_OUT_TOKENS}
    try:
        parameters = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):  # it says nothing: an extension's
        return {}
    required = [
        each.name
        for each in parameters
        if each.default is each.empty and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
    ]
    if unknown := [name for name in required if name not in known]:
        raise ModelUnavailable(
            f"{label} needs {', '.join(unknown)}: name a function without parameters that makes it."
        )
    return {name: known[name] for name in required}


def _takes_pair(made: object, label: str) -> bool:
    """Whether the method ``prompt`` of an object is SynDisco 2.0.1's."""
    prompt = getattr(made, "prompt", None)
    if not callable(prompt):
        raise ModelUnavailable(
            f"{label} has no method prompt(system_prompt, user_prompt) as SynDisco's BaseModel has."
        )
    try:
        signature = inspect.signature(prompt)
        signature.bind("", "")
    except ValueError:
        return False
    except TypeError:
        raise ModelUnavailable(
            f"{label}.prompt does not take two arguments, as SynDisco's BaseModel.prompt does."
        ) from None
    return bool(_PAIR_NAMES & signature.parameters.keys())


def _versions(module_name: str) -> dict[str, str]:
    """The version of the installed package that contains a module; empty if none does."""
    names = packages_distributions().get(module_name.partition(".")[0], [])
    return {name: version(name) for name in dict.fromkeys(names)}
