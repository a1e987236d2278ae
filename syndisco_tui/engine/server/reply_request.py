"""Has one reply made by a server, however often it has to be asked."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from openai import APIConnectionError, APIError, APITimeoutError

from ..base import EngineError, Generation, ModelUnavailable, Retracted, Waiting
from .capabilities import Capabilities, Refusal, adapt, too_long
from .endpoint import Endpoint
from .errors import BUSY, PASSING, UNUSABLE, refusal, seconds_to_wait, sentence
from .reply import StreamedReply, note_on_cut_prompt, token_count
from .request import for_client, messages, parameters, session_header
from .streaming import stream_into

if TYPE_CHECKING:
    from .engine import ServerEngine

MAX_BUSY = 40
"""A reply is given up after a server was too busy for it so often."""
MAX_BROKEN = 4
"""A reply is given up after its stream has broken, or the server failed, so often."""
MAX_ADAPTATIONS = 12
CHANGED = (400, 422)
"""Statuses of a server that no longer takes requests as an earlier start learned to make them."""
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
        self._began_at = time.monotonic()
        self._output_tokens = request.max_out_tokens + request.max_reasoning_tokens
        self._busy = self._broken = self._adaptations = 0
        self._shrunk = False
        self._notes: tuple[str, ...] = ()
        self._broken_text: str | None = None
        self._reply: StreamedReply | None = None
        self._sent = Capabilities()
        """How it was asked for last."""
        self.is_queued = False
        """Whether it waits until the server may get one more request."""

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
        self.is_queued = True
        admitted = await endpoint.limit.acquire()
        self.is_queued = False
        try:
            if endpoint.given_up_at > self._began_at:
                raise ModelUnavailable(endpoint.given_up_because)
            reply = await self._stream(endpoint)
        except APIError as error:
            wait = self._after_error(endpoint, error, admitted)
        else:
            endpoint.reached()
            if self._is_whole(endpoint, reply):
                endpoint.limit.succeeded()
                endpoint.succeeded()
                self._finish(endpoint, reply)
                return True
            wait = self._after_break(endpoint, None, admitted)
        finally:
            endpoint.limit.release()
        if wait:
            await asyncio.sleep(wait)
        return False

    async def _stream(self, endpoint: Endpoint) -> StreamedReply:
        request, capabilities = self._generation.request, endpoint.capabilities
        self._sent = capabilities
        values = parameters(request, capabilities, self._output_tokens)
        reply = self._reply = StreamedReply(
            self._generation,
            in_reasoning=capabilities.opens_reasoning is True and request.reasoning != "off",
            withheld=capabilities.opens_reasoning is None and request.reasoning != "off",
            interval=self._servers.growth_interval,
        )
        arguments: dict[str, Any] = {
            "model": endpoint.model,
            "messages": messages(request.chat, capabilities),
            "stream": True,
            "extra_headers": session_header(request.conversation),
            **for_client(values),
        }
        unreadable = await stream_into(reply, endpoint.client, arguments, endpoint.shown_url)
        if unreadable:
            self._note(f"{unreadable:,} pieces of the server's stream could not be read")
        return reply

    def _note(self, note: str) -> None:
        if note not in self._notes:
            self._notes = (*self._notes, note)

    def _is_whole(self, endpoint: Endpoint, reply: StreamedReply) -> bool:
        """Whether the stream came to its end, as far as this server says so."""
        if reply.is_broken:
            return False
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
        read = token_count(reply.usage, "prompt_tokens")
        note = note_on_cut_prompt(characters, endpoint.characters_per_token, read)
        if read and not note and characters > 200:
            endpoint.characters_per_token = max(2.0, min(8.0, characters / read))
        self._servers.saw_fingerprint(reply.fingerprint)
        reply.end(notes=(*self._notes, note) if note else self._notes)
        endpoint.confirm()
        opens = reply.splitter.closed_unopened or (reply.in_reasoning and not reply.spoke_at_once)
        before = endpoint.capabilities
        thoughts = reply.thoughts or before.thoughts
        known = replace(before, opens_reasoning=opens, thoughts=thoughts)
        if known != before:
            self._servers.learned(endpoint, known)

    # What went wrong ---------------------------------------------------------------------------

    def _after_error(self, endpoint: Endpoint, error: APIError, admitted: float) -> float:
        """The seconds to wait after an error before the next attempt.

        Raises:
            EngineError: Asking again does not help.
        """
        is_begun = self._reply is not None and bool(self._reply.tokens)
        if isinstance(error, APIConnectionError):
            if is_begun or isinstance(error, APITimeoutError):
                return self._after_break(endpoint, error, admitted)
            return self._nobody_answers(endpoint, error, admitted)
        answer = refusal(error)
        endpoint.reached()
        if is_begun or answer.status < 500:
            endpoint.served()
        if is_begun or not answer.status:
            return self._after_break(endpoint, error, admitted)
        return self._after_refusal(endpoint, error, answer, admitted)

    def _after_refusal(
        self, endpoint: Endpoint, error: APIError, answer: Refusal, admitted: float
    ) -> float:
        values = parameters(self._generation.request, self._sent, self._output_tokens)
        learned = adapt(self._sent, answer, values)
        if learned is not None and self._adaptations < MAX_ADAPTATIONS:
            self._adaptations += 1
            if endpoint.capabilities == self._sent:  # else another request has learned it already
                self._servers.learned(endpoint, learned)
            return 0
        if limits := too_long(answer):
            room = limits.room - 1
            if not self._shrunk and MIN_REPLY_TOKENS <= room < self._output_tokens:
                self._shrunk, self._output_tokens = True, room
                self._note(f"there was room for {room:,} tokens only")
                return 0
            raise EngineError(
                f"The prompt has {limits.prompt:,} tokens and the model on {endpoint.shown_url} "
                f"takes {limits.limit:,}. Lower history_context_len or shorten the context."
            )
        if answer.status in CHANGED and self._has_other_capabilities(endpoint):
            return 0
        message = sentence(error, endpoint.url, endpoint.model, [endpoint.key])
        if answer.status in BUSY and answer.code != "insufficient_quota":
            return self._busy_server(endpoint, error, answer, admitted, message)
        if answer.status >= 500 or answer.status in PASSING:
            return self._after_break(endpoint, error, admitted)
        if answer.status in UNUSABLE or answer.status == 429:
            return self._leave(endpoint, message)
        raise EngineError(message)

    def _has_other_capabilities(self, endpoint: Endpoint) -> bool:
        """Whether to make the request differently: the known capabilities may be outdated."""
        if endpoint.may_have_changed():
            self._servers.learned(endpoint, endpoint.capabilities.forgotten)
        if endpoint.capabilities == self._sent or self._adaptations >= MAX_ADAPTATIONS:
            return False
        self._adaptations += 1
        return True

    def _busy_server(
        self, endpoint: Endpoint, error: APIError, answer: Refusal, admitted: float, message: str
    ) -> float:
        self._busy += 1
        if self._busy > MAX_BUSY:
            raise EngineError(message)
        seconds = seconds_to_wait(error, self._busy)
        endpoint.limit.refused(admitted, seconds)  # it lets nobody in before the time is over
        self._wait(seconds, f"{endpoint.shown_url} is busy ({answer.status})")
        return 0

    def _nobody_answers(self, endpoint: Endpoint, error: APIError, admitted: float) -> float:
        """Leave the server out if there are others; else retry it for a while."""
        self._drop_reply()
        if self._servers.has_others(endpoint):
            return self._leave(endpoint, f"{endpoint.shown_url} does not answer")
        seconds = endpoint.unanswered(admitted)
        if endpoint.unanswered_for > self._servers.patience:
            message = sentence(error, endpoint.url, endpoint.model, [endpoint.key])
            endpoint.give_up(message)
            raise ModelUnavailable(message)
        endpoint.leave_out()  # another that answers again takes its discussions
        endpoint.limit.refused(admitted, seconds)
        broke_off = "ended its reply early and " if self._broken else ""
        self._wait(seconds, f"{endpoint.shown_url} {broke_off}does not answer")
        return 0

    def _after_break(self, endpoint: Endpoint, error: APIError | None, admitted: float) -> float:
        """The seconds to wait after a stream broke or the server failed.

        Raises:
            EngineError: It has happened too often.
        """
        self._drop_reply()
        self._broken += 1
        serves_others = endpoint.succeeded_at > admitted
        times = self._broken if serves_others else max(self._broken, endpoint.failed(admitted))
        if times > MAX_BROKEN:
            message = (
                sentence(error, endpoint.url, endpoint.model, [endpoint.key])
                if error is not None
                else f"{endpoint.shown_url} ended its reply early {times} times. "
                "Look at the server's log, then press r."
            )
            if serves_others:
                raise EngineError(message)
            return self._leave(endpoint, message)
        seconds = 0.5 * 2.0 ** (times - 1)
        status = refusal(error).status if error is not None else 0
        problem = f"failed ({status})" if status else "ended its reply early"
        self._wait(seconds, f"{endpoint.shown_url} {problem}")
        endpoint.limit.refused(admitted, 0.0 if serves_others else seconds)
        return seconds if serves_others else 0.0

    def _leave(self, endpoint: Endpoint, message: str) -> float:
        """Leave out a server that serves nothing. Raises ModelUnavailable if it is the only one."""
        if not self._servers.has_others(endpoint):
            endpoint.give_up(message)
            raise ModelUnavailable(message)
        endpoint.leave_out()
        self._broken = 0
        self._wait(0.0, f"{message.removesuffix('.')}; the other servers go on")
        return 0

    def _drop_reply(self) -> None:
        if self._reply is not None and self._reply.anything_told:
            self._generation.emit(Retracted(self._generation))
        self._reply = None

    def _wait(self, seconds: float, reason: str) -> None:
        self._generation.emit(Waiting(self._generation, seconds, reason))
