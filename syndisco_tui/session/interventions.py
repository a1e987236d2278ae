"""A person reaches into the discussion that a driver drives: steps, and candidates to choose from.

Between turns all is done at once. While a reply is being made, what leaves its prompt as it is
waits for it; what takes entries back drops it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..discussion import CannotChange, Message, TurnRequest
from ..engine.base import Finished, GenerationEvent
from .candidates import Candidates
from .events import ErrorRaised, InterventionsQueued
from .intervention import Intervention, Undo
from .open_discussion import OpenDiscussion
from .reply import finished_reply

if TYPE_CHECKING:
    from .driver import Driver


class Reaching:
    """Works on what ``driver`` has open, on the session's thread."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._waiting: list[Intervention] = []
        self._candidates: Candidates | None = None
        self.wants_candidates = 0
        """How many are to be made as soon as the model is there."""

    def intervene(self, step: Intervention) -> None:
        """Do ``step``, now or after the reply in the making."""
        driver, opened = self._driver, self._driver.opened
        if opened is None:
            return
        self.choose(None)
        if self._waiting and isinstance(step, Undo):
            self._waiting.pop()
            self._tell_waiting()
        elif driver.speaking.reply and step.waits(opened.discussion):
            self._waiting.append(step)
            self._tell_waiting()
        elif driver.speaking.reply and (why := self._why_not(opened, step)):
            driver.tell(ErrorRaised(why))
        else:
            driver.drop_reply()
            self.apply_waiting()
            self._apply(opened, step)

    def apply_waiting(self) -> None:
        """What waited for the reply in the making is done now. Raises OSError; the rest waits."""
        if self._waiting and self._driver.opened:
            while self._waiting:
                self._apply(self._driver.opened, self._waiting.pop(0))
            self._tell_waiting()

    def _tell_waiting(self) -> None:
        self._driver.tell(InterventionsQueued(tuple(self._waiting)))

    def _why_not(self, opened: OpenDiscussion, step: Intervention) -> str:
        """Why ``step`` cannot be done, or nothing: no reply is dropped in vain."""
        trial, now = opened.discussion.copy(), self._driver.now()
        try:
            for each in (*self._waiting, step):
                each.apply(trial, now)
        except CannotChange as error:
            return sentence_of(error)
        return ""

    def _apply(self, opened: OpenDiscussion, step: Intervention) -> None:
        driver = self._driver
        try:
            step.apply(opened.discussion, driver.now())
        except CannotChange as error:
            driver.tell(ErrorRaised(sentence_of(error)))
            return
        if step.afterwards == "stand still":
            driver.goal = "wait"
        elif step.afterwards == "speak" and driver.goal == "wait":
            driver.goal = "step"
        driver.save_changed(opened)

    # Candidates -------------------------------------------------------------------------------

    def want_candidates(self, count: int) -> None:
        """Pause; as soon as the model is there, ``count`` candidates are made."""
        driver = self._driver
        if driver.opened:
            self.choose(None)
            driver.goal = "wait"
            driver.drop_reply()
            self.apply_waiting()
            driver.save_status()
            self.wants_candidates = count
            driver.tell_state()

    def offer_candidates(self, opened: OpenDiscussion) -> None:
        """Have them made. Raises CannotChange."""
        driver, setup = self._driver, opened.discussion.setup
        count, self.wants_candidates = self.wants_candidates, 0

        def made(request: TurnRequest, finished: Finished) -> Message:
            reply = finished_reply(finished.result, driver.engine.info)
            return opened.discussion.message(request, reply, created_at=driver.now())

        self._candidates = Candidates(
            opened.discussion,
            count,
            submit=lambda request: driver.speaking.submit(request, setup, self._heard),
            made=made,
            tell=driver.tell,
        )

    def _heard(self, event: GenerationEvent) -> None:
        """An event of a candidate; after the choice it is too late."""
        if self._candidates:
            self._candidates.take(event)

    def choose(self, number: int | None) -> None:
        """Take the candidate with this number, or leave what stands there; want no others."""
        opened, candidates = self._driver.opened, self._candidates
        self.wants_candidates = 0
        if opened and candidates and candidates.has(number):
            self._candidates = None
            candidates.choose(number, self._driver.now())
            self._driver.save_changed(opened)

    @property
    def candidates_are_made(self) -> bool:
        """Whether the engine is at work on candidates."""
        return self._candidates is not None and self._candidates.are_being_made

    def engine_died(self, sentence: str) -> None:
        """Candidates that are not finished never will be."""
        if self._candidates:
            self._candidates.lose_the_rest(sentence)

    def give_up(self) -> None:
        """The model cannot be had: no candidates are made."""
        self.wants_candidates = 0


def sentence_of(error: CannotChange) -> str:
    """What cannot be changed, as a sentence of its own."""
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."
