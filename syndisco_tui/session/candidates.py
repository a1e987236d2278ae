"""Several further replies for the last message, made at once; one of them is chosen, or none."""

from __future__ import annotations

from collections.abc import Callable

from ..discussion import Discussion, Message, TurnRequest
from ..engine.base import Failed, Finished, Generation, GenerationEvent
from .events import CandidateGrew, CandidateLost, CandidateMade, CandidatesBegun, Tell
from .reply import ReplyInTheMaking


class Candidates:
    """Asks for ``count`` replies together, so that the engine makes them in one batch.

    ``submit`` hands a request to the engine, ``made`` makes a message of a finished reply. The
    engine's events come to ``take``. Raises CannotChange where the last message cannot be
    regenerated.
    """

    def __init__(
        self,
        discussion: Discussion,
        count: int,
        *,
        submit: Callable[[TurnRequest], Generation],
        made: Callable[[TurnRequest, Finished], Message],
        tell: Tell,
    ) -> None:
        self._discussion = discussion
        self._made = made
        self._tell = tell
        requests = discussion.candidates(count)
        tell(CandidatesBegun(discussion.entries[-1], count))
        self._replies = [
            ReplyInTheMaking(request, submit(request), discussion.guard(request))
            for request in requests
        ]
        self._messages: dict[int, Message] = {}
        self._lost: set[int] = set()

    @property
    def are_being_made(self) -> bool:
        return len(self._messages) + len(self._lost) < len(self._replies)

    def has(self, number: int | None) -> bool:
        """Whether this one can be chosen; none always can."""
        return number is None or number in self._messages

    def take(self, event: GenerationEvent) -> None:
        """Note and tell an event, if it is of one of them."""
        for number, reply in enumerate(self._replies):
            if reply.generation is not event.generation:
                continue
            if isinstance(event, Finished):
                message = self._made(reply.request, event)
                self._messages[number] = message
                self._tell(CandidateMade(number, message))
            elif isinstance(event, Failed):
                self._lose(number, str(event.error))
            elif reply.take(event):
                text = reply.cleaned()
                self._tell(CandidateGrew(number, text, reply.tokens))

    def lose_the_rest(self, sentence: str) -> None:
        """Those that are not finished never will be: ``sentence`` says why."""
        for number in range(len(self._replies)):
            if number not in self._messages and number not in self._lost:
                self._lose(number, sentence)

    def _lose(self, number: int, sentence: str) -> None:
        self._lost.add(number)
        self._tell(CandidateLost(number, sentence))

    def choose(self, number: int | None, now: str) -> None:
        """Take the one with this number, or none; the finished others are kept."""
        for reply in self._replies:
            reply.generation.cancel()
        finished = sorted(self._messages)
        chosen = None if number is None else finished.index(number)
        self._discussion.choose([self._messages[each] for each in finished], chosen, changed_at=now)
