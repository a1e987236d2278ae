"""A server engine opened on scripted servers, and what its listener is told."""

from __future__ import annotations

from pathlib import Path
from queue import SimpleQueue
from typing import Any

from syndisco_tui.discussion import ChatMessage
from syndisco_tui.engine.base import (
    Chunk,
    GenerationEvent,
    GenerationRequest,
    Loaded,
    LoadFailed,
    Retracted,
)
from syndisco_tui.engine.model import EngineInfo, ModelSpec
from syndisco_tui.engine.server import ServerEngine
from syndisco_tui.engine.server.known_servers import KnownServers
from tests.support.scripted_server import Answer, Raw, Refused, Script, ScriptedServer

KEY = "sk-canary-123456"
CHAT = (
    ChatMessage("system", "You are Emma35."),
    ChatMessage("user", "User Giannis posted:\nHello."),
)


def request(**options: Any) -> GenerationRequest:
    return GenerationRequest(CHAT, **({"max_out_tokens": 100} | options))


class Opened:
    """A server engine on scripted servers."""

    def __init__(self, servers: list[ScriptedServer], known: Path | None, **options: Any) -> None:
        self.servers = servers
        self.engine = ServerEngine(lambda url: (url, KEY), KnownServers(known), **options)
        self.events: list[GenerationEvent] = []

    def open(self, model: str = "auto") -> EngineInfo:
        answers: SimpleQueue[Any] = SimpleQueue()
        self.engine.load(ModelSpec(model, server=tuple(s.url for s in self.servers)), answers.put)
        while True:
            event = answers.get(timeout=20)
            if isinstance(event, Loaded):
                return event.info
            if isinstance(event, LoadFailed):
                raise event.error

    def ask(self, **options: Any) -> Any:
        self.events = []
        return self.engine.submit(request(**options), self.events.append)

    def reply(self, **options: Any) -> Any:
        return self.ask(**options).result(timeout=20)

    @property
    def told(self) -> str:
        """What a listener has put together from the chunks."""
        text = ""
        for event in self.events:
            if isinstance(event, Retracted):
                text = ""
            elif isinstance(event, Chunk):
                text += event.text
        return text


def always(answer: Answer | Raw | Refused) -> Script:
    return lambda body, number: answer


def first(*answers: Answer | Raw | Refused) -> Script:
    """One after the other; the last one for ever."""
    return lambda body, number: answers[min(number, len(answers) - 1)]
