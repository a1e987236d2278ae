"""An OpenAI-compatible server that does what a test says, as servers in the wild do it.

It runs in a thread of its own, on a port of its own, and can be stopped and started again there.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Answer:
    """A streamed reply.

    Args:
        pieces: The text of its chunks; a mapping is a whole delta.
        finish: The finish reason; None sends none.
        usage: The usage of the last chunk; None sends none.
        delay: Seconds before each chunk.
        breaks_after: The connection ends after so many chunks.
        error: Sent within the stream, after the chunks.
    """

    pieces: Sequence[str | Mapping[str, Any]] = ("Hello", " there.")
    finish: str | None = "stop"
    usage: Mapping[str, Any] | None = field(
        default_factory=lambda: {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    )
    delay: float = 0.0
    breaks_after: int | None = None
    error: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Refused:
    """An HTTP error."""

    status: int
    message: str = ""
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Raw:
    """An answer of status 200 with just these bytes; a mapping is an event of a stream.

    Args:
        pieces: What is sent, in pieces of their own.
        content_type: What it says that it is.
        breaks: The connection ends instead of the answer.
    """

    pieces: Sequence[bytes | Mapping[str, Any]]
    content_type: str = "text/event-stream"
    breaks: bool = False


Script = Callable[[dict[str, Any], int], Answer | Raw | Refused]


class ScriptedServer:
    """The server. ``script`` is given each request's body and its number, from 0 on."""

    def __init__(
        self, script: Script, *, models: Sequence[str] | Refused = ("tiny",), prefix: str = "/v1"
    ) -> None:
        self.script = script
        self.models = models
        self.prefix = prefix
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self.disconnected = 0
        self._port = 0
        self._connections: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        """The base URL of its API."""
        return f"http://127.0.0.1:{self._port}{self.prefix}"

    def __enter__(self) -> ScriptedServer:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen; after a stop on the same port."""
        ready = threading.Event()
        self._loop = asyncio.new_event_loop()

        def serve() -> None:
            asyncio.set_event_loop(self._loop)
            listening = asyncio.start_server(self._serve, "127.0.0.1", self._port, backlog=1024)
            self._server = self._loop.run_until_complete(listening)
            self._port = self._server.sockets[0].getsockname()[1]
            ready.set()
            self._loop.run_forever()

        self._thread = threading.Thread(target=serve, daemon=True)
        self._thread.start()
        assert ready.wait(10)

    def stop(self) -> None:
        """End at once, in the middle of replies."""

        def end() -> None:
            self._server.close()
            for writer in list(self._connections):
                writer.transport.abort()
            self._loop.call_later(0.05, self._loop.stop)

        self._loop.call_soon_threadsafe(end)
        self._thread.join(10)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._answer(reader, writer)
        finally:
            self._connections.discard(writer)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        line, *rest = head.split("\r\n")
        method, path, _ = line.split(" ")
        headers = dict(each.lower().split(": ", 1) for each in rest if ": " in each)
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        if method == "GET":
            await self._get(writer, path)
            return
        if path != f"{self.prefix}/chat/completions":
            await self._send(writer, 404, {"detail": "Not Found"})
            return
        request = json.loads(body)
        self.requests.append(request)
        self.headers.append(headers)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            answer = self.script(request, len(self.requests) - 1)
            if isinstance(answer, Refused):
                await self._refuse(writer, answer)
            elif isinstance(answer, Raw):
                await self._raw(writer, answer)
            else:
                await self._stream(writer, answer)
        except ConnectionError:
            self.disconnected += 1
        finally:
            self.in_flight -= 1

    async def _get(self, writer: asyncio.StreamWriter, path: str) -> None:
        if path != f"{self.prefix}/models":
            await self._send(writer, 404, {"detail": "Not Found"})
        elif isinstance(self.models, Refused):
            await self._refuse(writer, self.models)
        else:
            data = [{"id": name, "object": "model", "owned_by": "test"} for name in self.models]
            await self._send(writer, 200, {"object": "list", "data": data})

    async def _refuse(self, writer: asyncio.StreamWriter, refused: Refused) -> None:
        body = refused.body if refused.body is not None else {"error": {"message": refused.message}}
        await self._send(writer, refused.status, body, refused.headers)

    async def _send(
        self, writer: asyncio.StreamWriter, status: int, body: Any, more: Mapping[str, str] = {}
    ) -> None:
        content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        fields = {
            "content-type": "application/json",
            "content-length": str(len(content)),
            "connection": "close",
            **more,
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        writer.write(f"HTTP/1.1 {status} x\r\n{head}\r\n".encode() + content)
        await writer.drain()

    async def _raw(self, writer: asyncio.StreamWriter, answer: Raw) -> None:
        head = f"HTTP/1.1 200 OK\r\ncontent-type: {answer.content_type}\r\n"
        writer.write(head.encode() + b"transfer-encoding: chunked\r\nconnection: close\r\n\r\n")
        await writer.drain()
        for piece in answer.pieces:
            data = piece if isinstance(piece, bytes) else f"data: {json.dumps(piece)}\n\n".encode()
            writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            await writer.drain()
        if answer.breaks:
            writer.transport.abort()
            return
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    async def _stream(self, writer: asyncio.StreamWriter, answer: Answer) -> None:
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
            b"transfer-encoding: chunked\r\nconnection: close\r\n\r\n"
        )
        for number, piece in enumerate(answer.pieces):
            if answer.breaks_after == number:
                writer.transport.abort()
                return
            if answer.delay:
                await asyncio.sleep(answer.delay)
            if writer.transport.is_closing():
                raise ConnectionResetError
            delta = {"content": piece} if isinstance(piece, str) else dict(piece)
            await self._event(writer, {"choices": [{"index": 0, "delta": delta}]})
        if answer.breaks_after is not None:
            writer.transport.abort()
            return
        if answer.error is not None:
            await self._event(writer, {"error": dict(answer.error)})
        if answer.finish is not None:
            choice = {"index": 0, "delta": {}, "finish_reason": answer.finish}
            await self._event(writer, {"choices": [choice]})
        if answer.usage is not None:
            await self._event(writer, {"choices": [], "usage": dict(answer.usage)})
        writer.write(b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")
        await writer.drain()

    async def _event(self, writer: asyncio.StreamWriter, event: dict[str, Any]) -> None:
        whole = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "x", **event}
        data = f"data: {json.dumps(whole)}\n\n".encode()
        writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        await writer.drain()
