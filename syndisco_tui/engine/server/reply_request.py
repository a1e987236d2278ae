"""Has one reply made by a server, however often it has to be asked."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from openai import APIConnectionError, APIError, APIStatusError, AsyncStream
from openai.types.chat import ChatCompletionChunk

from ..base import EngineError, Generation, ModelUnavailable, Retracted, Waiting
from .capabilities import adapt, too_long
from .endpoint import DEAD_SECONDS, Endpoint
from .errors import BUSY, refusal, seconds_to_wait, sentence
from .reply import StreamedReply, note_on_cut_prompt
from .request import for_client, messages, parameters

if TYPE_CHECKING:
    from .engine import ServerEngine

MAX_BUSY = 40
"""A reply is given up after a server was too busy for it so often."""
MAX_BROKEN = 4
"""A reply is given up after its stream has broken, or the server failed, so often."""
MAX_ADAPTATIONS = 12
MIN_REPLY_TOKENS = 16
"""A reply is not asked for where there is room for fewer tokens than this."""


class ReplyRequest:
    """One reply: asked for, and asked for again while that may help.

    Args:
        servers: The engine that knows the servers.
        generation: Whom the reply is for.
    """

    def __init__(self, servers: ServerEngine, generation: Generation) -> None:
        self._servers = servers
        self._generation = generation
        request = generation.request
        self._output_tokens = request.max_out_tokens + request.max_reasoning_tokens
        self._busy = self._broken = self._adaptations = 0
        self._shrunk = False
        self._notes: tuple[str, ...] = ()
        self._broken_text: str | None = None
        self._reply: StreamedReply | None = None

    async def make(self) -> None:
        """Ask until the reply is there. Its events go to the generation.

        Raises:
            EngineError: It cannot be had. One sentence, without secrets.
        """
        try:
            while not await self._attempt():
                pass
        except asyncio.CancelledError:
            if self._generation.is_done:  # the engine was closed
                return
            (self._reply or StreamedReply(self._generation, False, False)).end(cancelled=True)

    async def _attempt(self) -> bool:
        """Ask once. Whether the reply is complete; else it is to be asked for again."""
        endpoint = self._servers.endpoint_for(self._generation.request.conversation)
        admitted = await endpoint.limit.acquire()
        try:
            reply = await self._stream(endpoint)
        except APIStatusError as error:
            wait = self._after_refusal(endpoint, error, admitted)
        except APIConnectionError as error:
            wait = self._after_break(endpoint, error, nobody_answers=True)
        except APIError as error:
            wait = self._after_break(endpoint, error, nobody_answers=False)
        else:
            if self._is_whole(endpoint, reply):
                endpoint.limit.succeeded()
                self._finish(endpoint, reply)
                return True
            wait = self._after_break(endpoint, None, nobody_answers=False)
        finally:
            endpoint.limit.release()
        if wait:
            await asyncio.sleep(wait)
        return False

    async def _stream(self, endpoint: Endpoint) -> StreamedReply:
        request, capabilities = self._generation.request, endpoint.capabilities
        chat = messages(request.chat, capabilities)
        values = parameters(request, capabilities, self._output_tokens)
        reply = StreamedReply(
            self._generation,
            in_reasoning=capabilities.opens_reasoning is True and request.reasoning != "off",
            withheld=capabilities.opens_reasoning is None and request.reasoning != "off",
        )
        self._reply = reply
        create: Any = endpoint.client.chat.completions.create
        stream: AsyncStream[ChatCompletionChunk] = await create(
            model=endpoint.model, messages=chat, stream=True, **for_client(values)
        )
        async with stream:
            async for chunk in stream:
                reply.take(chunk)
        return reply

    def _is_whole(self, endpoint: Endpoint, reply: StreamedReply) -> bool:
        """Whether the stream came to its end, as far as this server says so."""
        if reply.is_complete or endpoint.capabilities.ends_without_reason:
            return True
        text = reply.splitter.speech + reply.splitter.reasoning
        if text and text == self._broken_text:  # the same end twice is the end
            known = replace(endpoint.capabilities, ends_without_reason=True)
            self._servers.learned(endpoint, known)
            return True
        self._broken_text = text
        return False

    def _finish(self, endpoint: Endpoint, reply: StreamedReply) -> None:
        characters = sum(len(message.content) for message in self._generation.request.chat)
        read = getattr(reply.usage, "prompt_tokens", 0) or 0
        note = note_on_cut_prompt(characters, endpoint.characters_per_token, read)
        if read and not note and characters > 200:
            endpoint.characters_per_token = max(2.0, min(8.0, characters / read))
        self._servers.saw_fingerprint(reply.fingerprint)
        reply.end(notes=(*self._notes, note) if note else self._notes)
        opens = reply.splitter.closed_unopened or (reply.in_reasoning and not reply.spoke_at_once)
        if endpoint.capabilities.opens_reasoning is not opens:
            known = replace(endpoint.capabilities, opens_reasoning=opens)
            self._servers.learned(endpoint, known)

    def _after_refusal(self, endpoint: Endpoint, error: APIStatusError, admitted: float) -> float:
        """What to do after an HTTP error: seconds to wait before the next attempt.

        Raises:
            EngineError: Asking again does not help.
        """
        answer = refusal(error)
        values = parameters(self._generation.request, endpoint.capabilities, self._output_tokens)
        learned = adapt(endpoint.capabilities, answer, values)
        if learned is not None and self._adaptations < MAX_ADAPTATIONS:
            self._adaptations += 1
            self._servers.learned(endpoint, learned)
            return 0
        if limits := too_long(answer):
            room = limits.room - 1
            if not self._shrunk and MIN_REPLY_TOKENS <= room < self._output_tokens:
                self._shrunk, self._output_tokens = True, room
                self._notes = (*self._notes, f"there was room for {room:,} tokens only")
                return 0
            raise EngineError(
                f"The prompt has {limits.prompt:,} tokens and the model on {endpoint.shown_url} "
                f"takes {limits.limit:,}. Lower history_context_len or shorten the context."
            )
        message = sentence(error, endpoint.url, endpoint.model, [endpoint.key])
        if error.status_code in BUSY and answer.code != "insufficient_quota":
            self._busy += 1
            if self._busy > MAX_BUSY:
                raise EngineError(message)
            seconds = seconds_to_wait(error, self._busy)
            endpoint.limit.refused(admitted, seconds)
            reason = f"{endpoint.shown_url} is busy ({error.status_code})"
            self._generation.emit(Waiting(self._generation, seconds, reason))
            return 0  # the limit lets nobody in before the time is over
        if error.status_code >= 500:
            return self._after_break(endpoint, error, nobody_answers=False)
        if error.status_code in (401, 403, 404):
            raise ModelUnavailable(message)
        raise EngineError(message)

    def _after_break(
        self, endpoint: Endpoint, error: APIError | None, *, nobody_answers: bool
    ) -> float:
        """What to do after a stream broke or nobody answered: seconds to wait.

        Raises:
            EngineError: It has happened too often.
        """
        if self._reply is not None and self._reply.anything_told:
            self._generation.emit(Retracted(self._generation))
        self._reply = None
        if nobody_answers and self._servers.has_others(endpoint):
            endpoint.dead_until = time.monotonic() + DEAD_SECONDS
            reason = f"{endpoint.shown_url} does not answer; the other servers go on"
            self._generation.emit(Waiting(self._generation, 0.0, reason))
            return 0
        self._broken += 1
        if self._broken > MAX_BROKEN:
            if error is None:
                raise EngineError(
                    f"{endpoint.shown_url} broke off its reply {self._broken} times. "
                    "Look at the server's log, then press r."
                )
            raise EngineError(sentence(error, endpoint.url, endpoint.model, [endpoint.key]))
        seconds = 0.5 * 2.0 ** (self._broken - 1)
        reason = f"{endpoint.shown_url} {'does not answer' if nobody_answers else 'broke off'}"
        self._generation.emit(Waiting(self._generation, seconds, reason))
        return seconds
