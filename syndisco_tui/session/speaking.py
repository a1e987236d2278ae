"""Having one reply made: what the engine is asked, what it says meanwhile, and how it ends."""

from __future__ import annotations

from collections.abc import Callable

from ..discussion import Discussion, DiscussionSetup, TurnRequest
from ..engine.base import (
    Engine,
    EngineError,
    Failed,
    Finished,
    Generation,
    GenerationEvent,
    GenerationResult,
    OutOfMemory,
)
from .conditions import Conditions
from .events import ReplyDropped, ReplyGrew, ReplyStarted, Tell
from .reply import ReplyInTheMaking, generation_request
from .shorter import announcement, asked_for_less


class Speaking:
    """At most one reply at a time. Driven from the session's thread alone.

    What the engine reports is handed to ``post``, which calls it on that thread; then ``finished``
    gets what was asked and what came of it, or ``failed`` why nothing comes. Where memory does not
    suffice it is asked once more for less. ``silence``: seconds without a word that are said.
    """

    def __init__(
        self,
        engine: Engine,
        conditions: Conditions,
        *,
        silence: float,
        post: Callable[[Callable[[], object]], object],
        tell: Tell,
        finished: Callable[[TurnRequest, GenerationResult], object],
        failed: Callable[[EngineError], object],
    ) -> None:
        self._engine = engine
        self._conditions = conditions
        self._silence = silence
        self._post = post
        self._tell = tell
        self._finished = finished
        self._failed = failed
        self.reply: ReplyInTheMaking | None = None

    def begin(self, discussion: Discussion, request: TurnRequest) -> None:
        """Have ``request`` of ``discussion`` answered."""
        self._tell(ReplyStarted(request.name, request.role, request.turn))

        def heard(event: GenerationEvent) -> None:
            self._heard(discussion, event)

        generation = self.submit(request, discussion.setup, heard)
        self.reply = ReplyInTheMaking(request, generation, discussion.guard(request))

    def submit(
        self,
        request: TurnRequest,
        setup: DiscussionSetup,
        heard: Callable[[GenerationEvent], object],
    ) -> Generation:
        """Ask the engine; what it says comes to ``heard`` on this thread."""
        return self._engine.submit(
            generation_request(request, setup),
            lambda event: self._post(lambda: heard(event)),
        )

    @property
    def is_silent(self) -> bool:
        """Whether a reply is being made and no word of it has come for too long."""
        return self.reply is not None and self.reply.seconds_silent >= self._silence

    def say_if_silent(self) -> None:
        """Time has passed: does the engine still say anything?"""
        if self.is_silent:
            sentence = (
                f"No reply for {self._silence:.0f} s. Press x to stop, then r to restart the model."
            )
            self._conditions.say("silence", sentence)

    def drop(self) -> None:
        """Give up the reply in the making, if there is one; its turn stays open."""
        if self.reply:
            self.reply.generation.cancel()
            self._conditions.over("silence")
            self._conditions.over("memory")
            self._tell(ReplyDropped(self.reply.request.name))
            self.reply = None

    def _heard(self, discussion: Discussion, event: GenerationEvent) -> None:
        """An event of a generation; those of one that was dropped are too late."""
        reply = self.reply
        if reply is None or event.generation is not reply.generation:
            return
        self._conditions.over("silence")
        if isinstance(event, Failed):
            self.reply = None
            self._tell(ReplyDropped(reply.request.name))
            is_full = isinstance(event.error, OutOfMemory)
            if is_full and (less := asked_for_less(discussion, reply.request)):
                self._conditions.say("memory", announcement(less))
                self.begin(discussion, less)
            else:
                self._conditions.over("memory")
                self._failed(event.error)
        elif isinstance(event, Finished):
            self.reply = None
            self._conditions.over("memory")
            self._finished(reply.request, event.result)
        elif reply.take(event):
            text = reply.cleaned()
            speed = reply.tokens_per_second
            name = reply.request.name
            self._tell(ReplyGrew(name, text, reply.tokens, reply.prompt_tokens, speed))
