"""A server that emits a fixed number of tokens a second over all its streams, on its own process.

    python -m tests.benchmarks.paced_server [--tokens 5000]

It prints its URL. Tokens go to one stream after the other; a reply has between half of
``max_tokens`` and all of them. ``GET /v1/figures`` tells what was emitted since the last look.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import random
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any

SENTENCE = "the work from home is calm but we miss our friends and some days do not end at all"
TICK = 0.01
"""Seconds between two looks at how many tokens are due."""


def event(body: dict[str, Any]) -> bytes:
    data = b"data: " + json.dumps(body, separators=(",", ":")).encode() + b"\n\n"
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def words() -> list[bytes]:
    """The events of the words, as vLLM sends them."""
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 0, "model": "paced"}
    choice = {"index": 0, "logprobs": None, "finish_reason": None}
    deltas = ({"content": f" {word}"} for word in SENTENCE.split())
    return [event({**head, "choices": [{**choice, "delta": delta}]}) for delta in deltas]


HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)
MODELS = json.dumps({"object": "list", "data": [{"id": "paced", "object": "model"}]}).encode()


@dataclass
class Figures:
    """What was emitted from the first request to the last token; times are of ``perf_counter``."""

    tokens: int = 0
    requests: int = 0
    first: float = 0.0
    last: float = 0.0
    most_streams: int = 0


@dataclass(eq=False)
class Stream:
    writer: asyncio.StreamWriter
    left: int
    prompt: int
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    length: int = 0


class PacedServer:
    """Hands out the tokens, one to each stream in turn. ``rate`` is tokens a second, of all."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._chance = random.Random(1)
        self._figures = Figures()
        self._streams: deque[Stream] = deque()
        self._words = words()
        self._next = itertools.cycle(range(len(self._words)))

    async def run(self) -> None:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=4096)
        print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
        due, last = 0.0, time.perf_counter()
        while True:
            await asyncio.sleep(TICK)
            now = time.perf_counter()
            due += (now - last) * self._rate
            last = now
            due = min(due, self._rate)  # what nobody wanted is lost
            while due >= 1 and self._streams:
                due -= 1
                self._emit(self._streams.popleft())
            if not self._streams:
                due = 0.0

    def _emit(self, stream: Stream) -> None:
        if stream.writer.is_closing():
            stream.ended.set()
            return
        stream.writer.write(self._words[next(self._next)])
        stream.left -= 1
        stream.length += 1
        self._figures.tokens += 1
        if stream.left:
            self._streams.append(stream)
        else:
            self._end(stream)

    def _end(self, stream: Stream) -> None:
        choice = {"index": 0, "delta": {}, "finish_reason": "stop"}
        usage = {"prompt_tokens": stream.prompt, "completion_tokens": stream.length}
        usage["total_tokens"] = sum(usage.values())
        last = event({"choices": [choice]}) + event({"choices": [], "usage": usage})
        stream.writer.write(last + b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")
        self._figures.last = time.perf_counter()
        stream.ended.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                await self._answer(reader, writer)
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        body = await reader.readexactly(int(fields.get("content-length", "0")))
        if head.startswith("get"):
            path = head.split(" ")[1]
            content = MODELS if path.endswith("/models") else b"{}"
            found = path.endswith(("/models", "/figures"))
            if path.endswith("/figures"):
                content, self._figures = json.dumps(asdict(self._figures)).encode(), Figures()
            status = "200 OK" if found else "404 Not Found"
            lines = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\n"
            writer.write(f"{lines}content-length: {len(content)}\r\n\r\n".encode() + content)
            return
        request = json.loads(body)
        prompt = sum(len(message["content"]) for message in request["messages"]) // 4
        most = int(request["max_tokens"])
        stream = Stream(writer, self._chance.randint(most // 2, most), prompt)
        writer.write(HEAD)
        self._streams.append(stream)
        figures = self._figures
        figures.requests += 1
        figures.first = figures.first or time.perf_counter()
        figures.most_streams = max(figures.most_streams, len(self._streams))
        await stream.ended.wait()
        await writer.drain()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--tokens", type=float, default=5000.0)
    asyncio.run(PacedServer(parser.parse_args().tokens).run())
