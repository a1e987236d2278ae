"""The engine on servers: one thread with one event loop for any number of replies in flight."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from zlib import crc32

from ...store.inputs import InputError
from ..base import (
    Cancelled,
    EngineError,
    Failed,
    Generation,
    GenerationEvent,
    GenerationRequest,
    Loaded,
    LoadEvent,
    LoadFailed,
    LoadProgress,
    ModelUnavailable,
    RenderedPrompt,
    Waiting,
)
from ..model import EngineInfo, ModelSpec
from .capabilities import Capabilities
from .endpoint import Endpoint
from .known_servers import KnownServers
from .limit import AdaptiveLimit
from .reply_request import ReplyRequest
from .request import messages

POLL_SECONDS = 0.03
"""How often it is looked whether replies have been cancelled."""
CLOSE_SECONDS = 2.0
DEFAULT_MAX_CONCURRENT = 32
PATIENCE_SECONDS = 600.0
"""How long a server that answered before is asked again, where it is the only one."""
QUEUED_SECONDS = 20.0
"""How often it is said of a request that it still waits for its turn."""
EVENTS_PER_SECOND = 1000
"""Events about growing replies, of all of them together, at most."""

_CLOSED = EngineError("The engine was closed before the reply was finished.")
_RESTARTED = EngineError("The connection was restarted before the reply was finished.")
_NOT_OPEN = EngineError("No server is open: start again with --server URL.")


@dataclass
class _Opening:
    """Servers that are being asked what they have, and who waits for the answer."""

    spec: ModelSpec
    listeners: list[Callable[[LoadEvent], object]]
    task: asyncio.Task[None] | None = None

    def tell(self, event: LoadEvent) -> None:
        for listener in self.listeners:
            listener(event)


class ServerEngine:
    """Gets replies from OpenAI-compatible servers.

    Args:
        resolve: Gives the URL and the key (empty: none) of what a setup names as its server.
        known: The servers' capabilities, cached between starts.
        max_concurrent: Requests in flight on each server.
        patience: Seconds for which a server that answered before is retried.
    """

    def __init__(
        self,
        resolve: Callable[[str], tuple[str, str]],
        known: KnownServers,
        *,
        max_concurrent: int = DEFAULT_MAX_CONCURRENT,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._resolve = resolve
        self._known = known
        self._max_concurrent = max_concurrent
        self.patience = patience
        self._endpoints: list[Endpoint] = []
        self._spec: ModelSpec | None = None
        self._info: EngineInfo | None = None
        self._tasks: dict[Generation, asyncio.Task[None]] = {}
        self._requests: dict[Generation, ReplyRequest] = {}
        self._opening: _Opening | None = None
        self._start_thread()

    def _start_thread(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._serve, args=(self._loop,), name="server-engine", daemon=True
        )
        self._thread.start()

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        loop.create_task(self._cancel_what_is_cancelled())
        loop.create_task(self._tell_the_queue())
        loop.run_forever()
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.close()

    @property
    def info(self) -> EngineInfo | None:
        """The model that is open, or None."""
        return self._info

    def info_of(self, spec: ModelSpec | None) -> EngineInfo | None:
        """What ``spec`` turned out to be; see ``Engine``."""
        return self._info

    @property
    def is_alive(self) -> bool:
        """Whether the engine's thread is there."""
        return self._thread.is_alive()

    @property
    def limits(self) -> dict[str, int]:
        """By server, how many requests it gets at once now."""
        return {each.shown_url: each.limit.current for each in self._endpoints}

    def load(self, spec: ModelSpec, listener: Callable[[LoadEvent], object]) -> None:
        """Open ``spec.server``; events end in Loaded or LoadFailed."""
        if not self.is_alive:
            self.restart()
        if not spec.server:
            listener(LoadFailed(_NOT_OPEN))
            return
        self._loop.call_soon_threadsafe(self._load, spec, listener)

    def _load(self, spec: ModelSpec, listener: Callable[[LoadEvent], object]) -> None:
        if self._opening is not None and self._opening.spec == spec:
            self._opening.listeners.append(listener)
        elif spec == self._spec and self._info is not None:
            listener(Loaded(self._info))
        else:
            self._cancel_opening()
            self._opening = _Opening(spec, [listener])
            self._opening.task = self._loop.create_task(self._open(self._opening))

    def cancel_load(self) -> None:
        """Give up opening; LoadFailed(Cancelled) follows."""
        self._loop.call_soon_threadsafe(self._cancel_opening)

    def _cancel_opening(self) -> None:
        opening, self._opening = self._opening, None
        if opening is not None and opening.task is not None:
            opening.task.cancel()
            opening.tell(LoadFailed(Cancelled("Opening the server was cancelled.")))

    async def _open(self, opening: _Opening) -> None:
        spec = opening.spec
        opening.tell(LoadProgress("asking the server", 0, 0))
        try:
            info, endpoints = await self._opened(spec)
        except (EngineError, InputError) as error:
            self._opening = None
            opening.tell(LoadFailed(ModelUnavailable(str(error))))
            return
        previous, self._endpoints = self._endpoints, endpoints
        self._spec, self._info, self._opening = spec, info, None
        opening.tell(Loaded(info))
        for each in previous:
            await each.close()

    async def _opened(self, spec: ModelSpec) -> tuple[EngineInfo, list[Endpoint]]:
        """The servers of ``spec`` that answer, and their model; raises an error if none does."""
        addresses = [self._resolve(server) for server in spec.server]
        endpoints = [
            Endpoint(url, key, AdaptiveLimit(self._max_concurrent)) for url, key in addresses
        ]
        results = await asyncio.gather(
            *(each.open(spec.model) for each in endpoints), return_exceptions=True
        )
        infos = [each for each in results if isinstance(each, EngineInfo)]
        usable = [each for each in endpoints if each.info is not None]
        for each in endpoints:
            if each.info is None:
                await each.close()
            else:
                each.recall(self._known.get(each.shown_url, each.model))
                self._known.set(each.shown_url, each.model, each.capabilities)
        if not infos:
            raise next(each for each in results if isinstance(each, BaseException))
        info = replace(
            infos[0],
            server=", ".join(each.shown_url for each in usable),
            unusable=tuple(str(each) for each in results if isinstance(each, Exception)),
            left_out=usable[0].capabilities.left_out,
            server_facts=usable[0].capabilities.facts,
        )
        return info, usable

    def submit(
        self,
        request: GenerationRequest,
        listener: Callable[[GenerationEvent], object] | None = None,
    ) -> Generation:
        """Queue a reply. Returns at once."""
        generation = Generation(request, listener)
        if not self._endpoints:
            generation.emit(Failed(generation, _NOT_OPEN))
            return generation
        self._loop.call_soon_threadsafe(self._begin, generation)
        return generation

    def _begin(self, generation: Generation) -> None:
        request = ReplyRequest(self, generation)
        task = self._loop.create_task(self._reply(generation, request))
        self._tasks[generation], self._requests[generation] = task, request
        task.add_done_callback(lambda _: self._forget(generation))

    def _forget(self, generation: Generation) -> None:
        self._tasks.pop(generation, None)
        self._requests.pop(generation, None)

    async def _cancel_what_is_cancelled(self) -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            for generation, task in list(self._tasks.items()):
                if generation.is_cancelled:
                    task.cancel()

    async def _tell_the_queue(self) -> None:
        """Emit that a request waits for its turn, so that it does not seem stuck."""
        while True:
            await asyncio.sleep(QUEUED_SECONDS)
            for generation, request in self._requests.items():
                if request.is_queued:
                    generation.emit(Waiting(generation, 2 * QUEUED_SECONDS, ""))

    def growth_interval(self) -> float:
        """Seconds between two events about one growing reply, given the number of replies."""
        return len(self._tasks) / EVENTS_PER_SECOND

    def endpoint_for(self, conversation: str) -> Endpoint:
        """The server of a conversation: always the same one, while it answers."""
        alive = [each for each in self._endpoints if not each.is_dead] or self._endpoints
        return max(alive, key=lambda each: crc32(f"{conversation}\0{each.url}".encode()))

    async def _reply(self, generation: Generation, request: ReplyRequest) -> None:
        try:
            await request.make()
        except EngineError as error:
            generation.emit(Failed(generation, error))
        except Exception as error:  # the session must hear of it: no reply is waited for in vain
            generation.emit(Failed(generation, EngineError(f"The server engine failed: {error!r}")))

    def learned(self, endpoint: Endpoint, capabilities: Capabilities) -> None:
        """Remember what a server takes, for the requests that follow and for other starts."""
        endpoint.capabilities = capabilities
        self._known.set(endpoint.shown_url, endpoint.model, capabilities)
        if self._info is not None and endpoint is self._endpoints[0]:
            left_out, facts = capabilities.left_out, capabilities.facts
            self._info = replace(self._info, left_out=left_out, server_facts=facts)

    def saw_fingerprint(self, fingerprint: str) -> None:
        """Take the name that a server gives its configuration into the model's info."""
        if fingerprint and self._info is not None and fingerprint != self._info.fingerprint:
            self._info = replace(self._info, fingerprint=fingerprint)

    def has_others(self, endpoint: Endpoint) -> bool:
        """Whether another server than ``endpoint`` is open and answers."""
        return any(each is not endpoint and not each.is_dead for each in self._endpoints)

    def render(
        self,
        request: GenerationRequest,
        listener: Callable[[RenderedPrompt | EngineError], object],
    ) -> None:
        """Render a request's chat as it is sent; the server's own template is unknown."""
        capabilities = self._endpoints[0].capabilities if self._endpoints else Capabilities()
        parts: list[tuple[str, bool]] = []
        for message in messages(request.chat, capabilities):
            parts += [(f"[{message['role']}]\n", True), (message["content"], False), ("\n", True)]
        listener(RenderedPrompt(tuple(parts), 0))

    def restart(self) -> None:
        """Give up all replies and the thread, and start another, with no server open."""
        self._stop_thread(_RESTARTED)
        self._endpoints, self._spec, self._info = [], None, None
        self._start_thread()

    def close(self) -> None:
        """End the thread: cancels all replies, waits at most two seconds."""
        self._stop_thread(_CLOSED)

    def _stop_thread(self, error: EngineError) -> None:
        loop, thread = self._loop, self._thread
        if thread.is_alive():
            loop.call_soon_threadsafe(self._give_up, error)
            thread.join(CLOSE_SECONDS)

    def _give_up(self, error: EngineError) -> None:
        for generation in self._tasks:
            generation.emit(Failed(generation, error))
        asyncio.get_running_loop().stop()
