"""Sends a request and reads its answer, as a stream or, if the server does not stream, at once.

The client's own stream builds a typed object for every chunk. Real servers often send other types,
and building the objects took most of the time of a reply.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openai import APIConnectionError, APIError, AsyncAPIResponse, AsyncOpenAI

from ..base import EngineError
from .event_reader import EventReader, parsed
from .reply import StreamedReply


async def stream_into(
    reply: StreamedReply, client: AsyncOpenAI, arguments: Mapping[str, Any], shown_url: str
) -> int:
    """Send a request and let ``reply`` take what comes back.

    Args:
        reply: Takes the chunks.
        client: The server's client.
        arguments: Those of the client's ``chat.completions.create``.
        shown_url: What to call the server in an error.

    Returns:
        How many events were unreadable.

    Raises:
        APIError: The server refused, failed, or broke off.
        EngineError: It sent a web page.
    """
    create: Any = client.chat.completions.with_streaming_response.create
    async with create(**arguments) as response:
        if "html" in response.headers.get("content-type", ""):
            raise EngineError(
                f"{shown_url} answered with a web page instead of a reply. Look whether the URL "
                "is right, and whether a proxy wants you to log in."
            )
        is_stream = not response.headers.get("content-type", "").startswith("application/json")
        reader, whole = EventReader(), b""
        try:
            async for data in response.iter_bytes():
                if is_stream:
                    _take(reply, reader.feed(data), response)
                else:
                    whole += data
        except APIError:
            raise
        except Exception as error:  # whatever the transport raises, the stream has ended early
            if not reader.is_done:
                raise APIConnectionError(request=response.http_request) from error
        if isinstance(body := parsed(whole), dict):
            _take(reply, [body], response)
        else:
            _take(reply, [*reader.feed(whole), *reader.finish()], response)
        return reader.unreadable


def _take(
    reply: StreamedReply, chunks: list[dict[str, Any]], response: AsyncAPIResponse[Any]
) -> None:
    for chunk in chunks:
        if (error := _error_in(chunk)) is not None:
            raise APIError(_message(error), request=response.http_request, body=error)
        reply.take(chunk)


def _error_in(chunk: Mapping[str, Any]) -> object:
    """The error that a server sent in its stream; None if there is none."""
    if error := chunk.get("error"):
        return error
    is_bare = "choices" not in chunk and ("message" in chunk or "detail" in chunk)
    return chunk if is_bare else None


def _message(error: object) -> str:
    message = error.get("message") or error.get("detail") if isinstance(error, dict) else error
    return str(message or "an error without a message")
