"""Drives a discussion: takes each request to the engine, posts the reply, saves, and then tells.

Everything here happens on the session's thread, one command or event at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from ..discussion import BatchMembership, DiscussionRecord, DiscussionSetup, Status, TurnRequest
from ..engine.base import Cancelled, Engine, EngineError, GenerationResult
from ..store.inputs import InputError
from .conditions import Conditions, low_space
from .events import (
    DiscussionChanged,
    DiscussionClosed,
    ErrorRaised,
    Opened,
    Posted,
    Renamed,
    SetupApplied,
    SetupStaged,
    Tell,
)
from .interventions import Reaching
from .last_model import LastModelFile
from .loading import ModelLoading
from .open_discussion import OpenDiscussion, refuse_without_users
from .reply import decoding_speed, finished_reply
from .saving import Saving
from .speaking import Speaking
from .status import Goal, state_changed, status_of

LOOK_INTERVAL = 1.0
"""Seconds between two looks at the engine while a reply is being made."""
ENGINE_DIED = "The model's thread has ended."


class Driver:
    """Moves one discussion at a time towards its goal; ``advance`` does the next thing.

    What the engine reports is handed to ``post``, which calls it on this thread later.
    """

    def __init__(
        self,
        engine: Engine,
        folder: Path,
        *,
        device: str,
        clock: Callable[[], datetime],
        post: Callable[[Callable[[], object]], object],
        tell: Tell,
        silence: float,
        last_model: LastModelFile | None = None,
    ) -> None:
        self.engine = engine
        self._folder = folder
        self._clock = clock
        self.tell = tell
        self.opened: OpenDiscussion | None = None
        self.goal: Goal = "wait"
        self._to_begin: DiscussionSetup | None = None
        self._batch: BatchMembership | None = None
        self._staged: DiscussionSetup | None = None
        """The setup that the open discussion is to go on with, if it does."""
        self._applies_staged = False
        """Whether the user went on with the discussion: only then is the staged setup applied."""
        self.reaching = Reaching(self)
        self._conditions = Conditions(tell)
        changed = self._loading_changed
        self.model = ModelLoading(
            engine, device, self._conditions, last_model, post=post, tell=tell, changed=changed
        )
        self._saving = Saving(tell, self._conditions)
        self._look_interval = min(LOOK_INTERVAL, silence)
        self.speaking = Speaking(
            engine,
            self._conditions,
            silence=silence,
            post=post,
            tell=tell,
            finished=self._finished,
            failed=self._failed,
        )

    @property
    def record(self) -> DiscussionRecord | None:
        """The open discussion as it was last saved, or None."""
        opened = self.opened
        return opened.record if opened else None

    @property
    def seconds_to_look(self) -> float | None:
        """Until ``look_after`` is due; None while there is nothing to look after."""
        waits = [self._saving.seconds_left()]
        if self._needs_the_engine:
            waits.append(self._look_interval)
        return min((wait for wait in waits if wait is not None), default=None)

    @property
    def _needs_the_engine(self) -> bool:
        """Whether the engine is at work for us."""
        is_making = bool(self.speaking.reply) or self.reaching.candidates_are_made
        return is_making or self.model.is_loading

    def look_after(self) -> None:
        """Time has passed: is the engine alive, does it say anything, is the disk back?"""
        if self._needs_the_engine and not self.engine.is_alive:
            self._engine_died()
        else:
            self.speaking.say_if_silent()
        if self._saving.behind and not self._saving.seconds_left():
            goal = self._saving.goal
            self._save(self._saving.behind)
            self.goal = goal
            self._applies_staged = goal != "wait"
            self.tell_state()

    def look_at_space(self) -> None:
        """Say so if the disk is nearly full."""
        self._conditions.say("space", low_space(self._folder), str(self._folder))

    def _engine_died(self) -> None:
        self.model.engine_died()
        self.goal = "wait"
        self.drop_reply()
        self.reaching.engine_died(ENGINE_DIED)
        self._conditions.say("engine", ENGINE_DIED)
        self.save_status()
        self.tell_state()

    def tell_state(self) -> None:
        """Tell where we stand."""
        self.tell(state_changed(self.opened, self.speaking.reply, self.goal, self.model))

    def give_up(self, sentence: str) -> None:
        """Something failed: stand still where we are, with everything kept."""
        self._stand_still()
        self.tell(ErrorRaised(sentence))
        self.tell_state()

    def wait_for_the_disk(self, error: OSError) -> None:
        """Stand still with everything kept; go on by itself once the disk takes it."""
        self._saving.failed(error, self.goal if self.opened else "wait")
        self._stand_still()
        self.tell_state()

    def _stand_still(self) -> None:
        """Want nothing any more: no next reply, no other discussion, no candidates."""
        self.goal = "wait"
        self._to_begin = None
        self.reaching.give_up()

    # Commands ---------------------------------------------------------------------------------

    def start(
        self, setup: DiscussionSetup, goal: Goal, batch: BatchMembership | None = None
    ) -> None:
        """Leave the open discussion, and begin another as soon as the model is there."""
        refuse_without_users(setup)  # before anything is left
        self.goal = "wait"
        self.drop_reply()
        self._leave()
        self._to_begin, self._batch = setup, batch
        self.goal = goal
        self._applies_staged = True

    def close_discussion(self) -> None:
        """Leave the open discussion, saved as it is, for none. Raises OSError."""
        self.goal = "wait"
        self.drop_reply()
        self._leave()
        self._to_begin = None
        self.tell(DiscussionClosed())
        self.tell_state()

    def resume(self, path: Path, go_on: bool) -> None:
        """Open a saved discussion. Raises InputError."""
        if self.opened and self.opened.file.path == path:
            if go_on:
                self.set_goal("run")
            return
        try:
            opened = OpenDiscussion.saved(path)
        except InputError as error:
            if self.opened is None:
                raise
            self.tell(ErrorRaised(str(error)))  # what is open goes on as it was
            return
        self.goal = "wait"
        self.drop_reply()
        self._leave_for(opened)
        self.goal = "run" if go_on and not opened.discussion.is_finished else "wait"
        self._applies_staged = self.goal == "run"
        self.tell_state()

    def _leave_for(self, opened: OpenDiscussion) -> None:
        try:
            self._leave()
        except OSError:
            opened.file.close()
            raise
        self._to_begin, self.opened = None, opened
        self.tell(Opened(opened.record, opened.file.path))

    def set_goal(self, goal: Goal) -> None:
        """Go on, for one message or to the end."""
        if self.opened or self._to_begin:
            self.reaching.choose(None)
            self.goal = goal
            self._applies_staged = True
            self.tell_state()

    def pause(self) -> None:
        """Stand still after the reply in the making."""
        self.goal = self._saving.goal = "wait"
        self.model.cancel()
        self.tell_state()

    def stop(self) -> None:
        """Stand still now."""
        self.goal = self._saving.goal = "wait"
        self.model.cancel()
        self.drop_reply()
        self.save_status()
        self.tell_state()

    def change_setup(self, setup: DiscussionSetup) -> None:
        """Stage ``setup``: it applies from the next turn that the user goes on with.

        Raises InputError where nobody would take a turn.
        """
        refuse_without_users(setup)
        if self._to_begin:
            self._to_begin = setup
        elif self.opened:
            self._staged = setup if setup != self.opened.discussion.setup else None
            reply = self.speaking.reply
            last_turn = reply.request.turn if reply else self.opened.discussion.turns_taken
            self.tell(SetupStaged(self._staged, last_turn + 1))

    def fork(
        self, position: int, setup: DiscussionSetup, parent: DiscussionRecord | None = None
    ) -> None:
        """Leave this discussion for a paused one that shares the first ``position`` entries.

        They are those of ``parent``, or of this discussion.
        """
        refuse_without_users(setup)
        self.reaching.choose(None)
        self.drop_reply()
        self.reaching.apply_waiting()
        if parent is None:
            if self.opened is None:
                return
            parent = self.opened.as_of_now(self.opened.record.status, self.engine.info)
        self.goal = "wait"
        setup = self.model.named(setup)
        fork = OpenDiscussion.forked(parent, position, setup, self._folder, self._clock())
        self._leave_for(fork)
        self.tell_state()

    def rename(self, title: str) -> None:
        """Give the open discussion another title."""
        opened = self.opened
        if opened:
            discussion = opened.discussion
            discussion.change_setup(discussion.setup.model_copy(update={"title": title}))
            self._saving.tell_when_saved(Renamed(opened.record.title, title))
            opened.record = replace(opened.record, title=title)
            self._save(opened.record.status)

    def close(self) -> None:
        """Save what there is, as paused unless it is finished. Raises OSError."""
        self.goal = "wait"
        self.drop_reply()
        try:
            self._leave()
        finally:
            if self.opened:
                self.opened.file.close()
            self.model.cancel()

    # Moving on --------------------------------------------------------------------------------

    def advance(self) -> None:
        """Do the next thing there is to do, if anything: load, begin, ask, or stand still."""
        if self.goal == "wait":
            self._applies_staged = False
        if self.speaking.reply:
            return
        self.reaching.apply_waiting()
        is_needed = self.goal != "wait" or bool(self.reaching.wants_candidates)
        if self.model.is_preloading and (setup := self._setup):
            if is_needed:
                self.model.load(setup)  # joins it, or loads another
            else:
                self.model.cancel_preload(setup)
        if self.model.is_loading or not is_needed:
            return
        if self._saving.behind:
            self._save(self._saving.behind)
        if self._applies_staged:
            self._apply_staged()  # first: it may ask for another model
        setup = self._setup
        if setup is None:
            return
        if not self.model.has(setup):
            self.model.load(setup)
            return
        if self._to_begin:
            self._begin(self._to_begin)
        if self.opened and self.reaching.wants_candidates:
            self.reaching.offer_candidates(self.opened)
        elif self.opened:
            self._ask(self.opened)

    @property
    def _setup(self) -> DiscussionSetup | None:
        """Of the discussion that is about to begin, or else of the open one."""
        return self._to_begin or (self.opened.discussion.setup if self.opened else None)

    def _loading_changed(self, error: EngineError | None) -> None:
        if error:
            was_needed = self.goal != "wait"
            self._stand_still()
            cancelled = isinstance(error, Cancelled)
            sentence = "Loading was cancelled." if cancelled else str(error)
            self.tell(ErrorRaised(sentence, fatal=was_needed and not cancelled))
        self.tell_state()

    def _begin(self, setup: DiscussionSetup) -> None:
        setup = self.model.named(setup)
        self.model.is_now(setup)
        info = self.engine.info
        self.opened = OpenDiscussion.new(setup, self._folder, self._clock(), info, self._batch)
        self._to_begin = None
        self.tell(Opened(self.opened.record, self.opened.file.path))
        self.tell_state()

    def _ask(self, opened: OpenDiscussion) -> None:
        request = opened.discussion.next_request()
        if request is None:
            self.goal = "wait"
            self._save("finished")
            self.tell_state()
            return
        if opened.record.status != "running":
            self._save("running")
        self.speaking.begin(opened.discussion, request)
        self.tell_state()

    def _finished(self, request: TurnRequest, result: GenerationResult) -> None:
        opened = self.opened
        if opened is None:
            return
        reply = finished_reply(result, self.engine.info)
        message = opened.discussion.post(request, reply, created_at=self.now())
        self._saving.tell_when_saved(Posted(message, decoding_speed(result)))
        if self.goal == "step" or opened.discussion.is_finished:
            self.goal = "wait"
        self._save(status_of(opened.discussion, self.goal))
        self.tell_state()

    def _failed(self, error: EngineError) -> None:
        try:
            self.save_status()
        finally:
            self.give_up(str(error))

    def now(self) -> str:
        """ISO 8601, to the millisecond."""
        return self._clock().isoformat(timespec="milliseconds")

    def _apply_staged(self) -> None:
        opened, setup = self.opened, self._staged
        self._staged = None
        if opened is None or setup is None:
            return
        setup = self.model.named(setup)
        if setup == opened.discussion.setup:
            return
        opened.discussion.change_setup(setup)
        opened.record = replace(opened.record, title=setup.title)
        self._saving.tell_when_saved(SetupApplied(setup, opened.discussion.turns_taken + 1))
        self._save(opened.record.status)
        self.tell_state()

    def drop_reply(self) -> None:
        """Give up the reply in the making, if there is one; its turn stays open."""
        if self.speaking.is_silent:
            self.model.engine_is_stuck()
        self.speaking.drop()

    # The file ---------------------------------------------------------------------------------

    def _save(self, status: Status) -> None:
        if self.opened:
            self._saving.save(self.opened, status, self.engine.info)

    def save_changed(self, opened: OpenDiscussion) -> None:
        """Save what a person changed, then tell of it. Raises OSError."""
        status = status_of(opened.discussion, self.goal)
        record = opened.as_of_now(status, self.engine.info)
        self._saving.tell_when_saved(DiscussionChanged(record))
        self._save(status)
        self.tell_state()

    def save_status(self) -> None:
        """The file says that nobody speaks any more."""
        if self.opened and self.opened.record.status == "running":
            self._save("paused")

    def _leave(self) -> None:
        """Close the open discussion's file, saying whether it is finished or waits.

        Raises OSError where that cannot be saved; the discussion then stays open.
        """
        if self.opened is None:
            return
        opened = self.opened
        self.reaching.choose(None)
        self.reaching.apply_waiting()
        self._staged = None
        if self._saving.behind or opened.record.status == "running":
            self._save(status_of(opened.discussion, "wait"))
        opened.file.close()
        self.opened = None
