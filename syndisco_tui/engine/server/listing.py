"""Lists the models of several servers at the same time, with a time limit."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from openai import (
    APIConnectionError,
    APIError,
    APIStatusError,
    AsyncOpenAI,
    DefaultAsyncHttpxClient,
)

from ...text import without_credentials
from .errors import sentence

ASK_SECONDS = 1.0
"""How long each server may take."""
MAX_BYTES = 4_000_000
"""A longer answer is none of a server of models."""


@dataclass(frozen=True)
class ServedModel:
    """A model as a server lists it. ``context_length`` is 0 if unknown."""

    name: str
    context_length: int = 0
    owner: str = ""


@dataclass(frozen=True)
class ServerAddress:
    """A server to ask: one that the user named (``is_named``), or a port of this machine."""

    url: str
    key: str = ""
    name: str = ""
    """As setups call it; empty: by its URL."""
    is_named: bool = True


@dataclass(frozen=True)
class ServerAnswer:
    """A server's models, or the ``error`` that says in a sentence why they are unknown."""

    address: ServerAddress
    models: tuple[ServedModel, ...] = ()
    error: str = ""
    answers: bool = True
    """Whether anybody answered."""
    wants_key: bool = False
    """Whether it answers those alone who have a key."""


def served_models(answer: object) -> list[ServedModel]:
    """The models in the body of an answer to ``GET /models``.

    Raises ValueError if the body is malformed.
    """
    entries = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(entries, list):
        raise ValueError("not a list of models")
    names = [each for each in entries if isinstance(each, dict) and isinstance(each.get("id"), str)]
    return [
        ServedModel(each["id"], _context_length(each), _text(each.get("owned_by")))
        for each in names
        if each["id"]
    ]


def _context_length(entry: dict[str, Any]) -> int:
    """The context length, which vLLM, SGLang, gateways and llama.cpp name differently."""
    meta = entry.get("meta")
    more = meta.get("n_ctx_train") if isinstance(meta, dict) else None
    for value in (entry.get("max_model_len"), entry.get("context_length"), more):
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    return 0


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


class ServerQuery:
    """Asks ``addresses`` on a thread of its own; ``listener`` gets each answer on that thread.

    A key goes only to the server that it belongs to. Ports of this machine that nobody named are
    asked without a key, without a proxy, and follow nobody elsewhere.
    """

    def __init__(
        self, addresses: Sequence[ServerAddress], listener: Callable[[ServerAnswer], object]
    ) -> None:
        self._addresses = addresses
        self._listener = listener
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[None] | None = None
        self._is_cancelled = threading.Event()
        self.done = threading.Event()
        """Set once all have answered, or the query was cancelled."""

    def start(self) -> None:
        threading.Thread(target=self._run, name="server-query", daemon=True).start()

    def cancel(self) -> None:
        """Stop asking; the listener gets nothing more. Returns at once."""
        self._is_cancelled.set()
        if not self.done.is_set() and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _run(self) -> None:
        try:
            if not self._is_cancelled.is_set():
                self._task = self._loop.create_task(self._ask_all())
                self._loop.run_until_complete(asyncio.wait([self._task]))
        finally:
            self.done.set()
            self._loop.close()

    async def _ask_all(self) -> None:
        await asyncio.gather(*map(self._ask_one, self._addresses))

    async def _ask_one(self, address: ServerAddress) -> None:
        answer = await ask(address)
        if not self._is_cancelled.is_set():
            self._listener(answer)


async def ask(address: ServerAddress, seconds: float = ASK_SECONDS) -> ServerAnswer:
    """Ask the server at ``address`` for its models, for at most ``seconds``."""
    shown = without_credentials(address.url)
    try:
        models = await asyncio.wait_for(_models(address), seconds)
    except TimeoutError:
        error = f"{shown} did not answer within {seconds:g} s"
        return ServerAnswer(address, error=error, answers=False)
    except APIConnectionError:
        return ServerAnswer(address, error=f"nobody answers at {shown}", answers=False)
    except APIStatusError as error:
        if error.status_code in (401, 403):
            wants = f"{shown} rejected the API key ({error.status_code})"
            return ServerAnswer(address, error=wants, wants_key=True)
        reason = f"{shown} does not say which models it serves ({error.status_code})"
        return ServerAnswer(address, error=reason)
    except APIError as error:
        return ServerAnswer(address, error=sentence(error, address.url, "", [address.key]))
    except (ValueError, RecursionError):
        return ServerAnswer(address, error=f"{shown} does not answer as a server of models does")
    except Exception as error:  # the transport's, which openai passes on while a body is read
        reason = f"{shown} cannot be asked ({type(error).__name__})"
        return ServerAnswer(address, error=reason, answers=False)
    return ServerAnswer(address, tuple(models))


async def _models(address: ServerAddress) -> list[ServedModel]:
    """Ask for the models; if the URL lacks ``/v1``, also try it with that."""
    try:
        return await _listed(address, address.url)
    except APIStatusError as error:
        longer = address.url.rstrip("/") + "/v1"
        if error.status_code != 404 or longer.endswith("/v1/v1"):
            raise
        return await _listed(address, longer)


async def _listed(address: ServerAddress, url: str) -> list[ServedModel]:
    named = address.is_named
    transport = DefaultAsyncHttpxClient(
        trust_env=named,
        follow_redirects=named,
        verify=named,  # reading certificates takes long, and these ports have none
    )
    client = AsyncOpenAI(
        base_url=url, api_key=address.key or "none", max_retries=0, http_client=transport
    )
    async with client, client.models.with_streaming_response.list() as response:
        body = bytearray()
        async for chunk in response.iter_bytes():
            body += chunk
            if len(body) > MAX_BYTES:
                raise ValueError("too long")
        return served_models(json.loads(body))
