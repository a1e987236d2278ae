"""The live session: one thread that drives a discussion. Commands in, events out.

It takes each request of the discussion to the engine, posts the reply back, saves the file, and
only then tells of the message. It knows neither screen nor torch.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Literal

from ..discussion import DiscussionRecord, DiscussionSetup, Reply, Status, TurnRequest
from ..engine.base import (
    Cancelled,
    Chunk,
    Engine,
    EngineError,
    Failed,
    Finished,
    Generation,
    GenerationEvent,
    GenerationRequest,
    Loaded,
    LoadEvent,
    LoadFailed,
    LoadProgress,
    ModelSpec,
    RenderedPrompt,
    Sampling,
    Started,
    Turn,
)
from ..inputs import InputError
from ..store.discussions import clean_up
from .events import (
    Closed,
    ModelReady,
    Opened,
    Posted,
    ReplyDropped,
    ReplyGrew,
    ReplyStarted,
    SessionEvent,
    SetupApplied,
    State,
    StateChanged,
    Trouble,
)
from .hindrances import Hindrances, low_space
from .open_discussion import OpenDiscussion, refuse_without_users
from .saving import Goal, Saving

GROWTH_INTERVAL = 0.04
"""Seconds between two ``ReplyGrew``: no screen needs it more often."""
SILENCE = 60.0
"""Seconds without a token after which it is said."""
LOOK_INTERVAL = 1.0
"""Seconds between two looks at the engine while a reply is being made."""
SPACE_INTERVAL = 60.0
"""Seconds between two looks at how full the disk is."""


@dataclass
class _Reply:
    """The reply in the making."""

    request: TurnRequest
    generation: Generation
    text: str = ""
    tokens: int = 0
    prompt_tokens: int = 0
    heard_at: float = field(default_factory=time.monotonic)
    first_token_at: float = 0.0
    told_at: float = 0.0

    def speed(self, now: float) -> float:
        passed = now - self.first_token_at
        return (self.tokens - 1) / passed if self.tokens > 1 and passed > 0 else 0.0


def utc_now() -> datetime:
    return datetime.now(UTC)


class LiveSession:
    """Drives one discussion at a time on a thread of its own. Every method returns at once.

    ``events`` is drained by whoever shows the session; all else is told through it. A
    ``listener`` gets the events instead, on the session's thread: it must be quick.
    """

    def __init__(
        self,
        engine: Engine,
        folder: Path,
        *,
        device: str = "auto",
        clock: Callable[[], datetime] = utc_now,
        listener: Callable[[SessionEvent], object] | None = None,
        silence: float = SILENCE,
    ) -> None:
        self.events: SimpleQueue[SessionEvent] = SimpleQueue()
        self._listener = listener
        self._engine = engine
        self._folder = folder
        self._device = device
        self._clock = clock
        self._inbox: SimpleQueue[Callable[[], object]] = SimpleQueue()
        self._open: OpenDiscussion | None = None
        self._reply: _Reply | None = None
        self._goal: Goal = "wait"
        self._loading: ModelSpec | None = None
        self._ready: ModelSpec | None = None
        self._to_begin: DiscussionSetup | None = None
        self._staged: DiscussionSetup | None = None
        self._hindrances = Hindrances(self._tell)
        self._saving = Saving(self._tell, self._hindrances)
        self._silence = silence
        self._space_due = time.monotonic()
        self._engine_is_stuck = False
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="session", daemon=True)
        self._thread.start()

    def sibling(self, listener: Callable[[SessionEvent], object]) -> LiveSession:
        """Another session on the same engine and folder, for a discussion beside this one."""
        return LiveSession(
            self._engine,
            self._folder,
            device=self._device,
            clock=self._clock,
            listener=listener,
            silence=self._silence,
        )

    @property
    def record(self) -> DiscussionRecord | None:
        """The open discussion as it was last saved, or None. A value: safe on any thread."""
        opened = self._open
        return opened.record if opened else None

    # Commands ---------------------------------------------------------------------------------

    def start(self, setup: DiscussionSetup, *, step: bool = False) -> None:
        """Begin a new discussion; with ``step``, pause after its first message."""
        self._inbox.put(lambda: self._start(setup, "step" if step else "run"))

    def resume(self, path: Path, *, go_on: bool = True) -> None:
        """Open a saved discussion and go on at the turn where it was left."""
        self._inbox.put(lambda: self._resume(path, go_on))

    def run(self) -> None:
        """Go on until the end."""
        self._inbox.put(lambda: self._set_goal("run"))

    def step(self) -> None:
        """Go on for one message."""
        self._inbox.put(lambda: self._set_goal("step"))

    def pause(self) -> None:
        """Pause once the reply in the making is finished."""
        self._inbox.put(self._pause)

    def stop(self) -> None:
        """Pause now. The reply in the making is dropped; its turn stays open."""
        self._inbox.put(self._stop)

    def render(
        self, chat: Sequence[Turn], listener: Callable[[RenderedPrompt | EngineError], object]
    ) -> None:
        """Show a chat as the loaded model reads it; see ``Engine``."""
        self._engine.render(chat, listener)

    def change_setup(self, setup: DiscussionSetup) -> None:
        """Go on with ``setup`` from the next turn."""
        self._inbox.put(lambda: self._change_setup(setup))

    def rename(self, title: str) -> None:
        """Give the open discussion another title."""
        self._inbox.put(lambda: self._rename(title))

    def load(self, setup: DiscussionSetup) -> None:
        """Have the model of ``setup`` ready before it is needed."""
        self._inbox.put(lambda: self._load(self._spec(setup)))

    def close(self, timeout: float = 2.5) -> bool:
        """Save as paused and end. True if it ended within ``timeout`` seconds."""
        self._inbox.put(self._close)
        self._thread.join(timeout)
        return not self._thread.is_alive()

    # The thread -------------------------------------------------------------------------------

    def _work(self) -> None:
        with contextlib.suppress(OSError):
            clean_up(self._folder)
        while not self._closing:
            command = self._next_command()
            try:
                command()
                self._advance()
            except (EngineError, InputError) as error:
                self._give_up(str(error))
            except OSError as error:
                self._wait_for_the_disk(error)
            except Exception as error:
                self._give_up(f"Unexpected {type(error).__name__}: {error}. What was said is kept.")
        self._tell(Closed())

    def _next_command(self) -> Callable[[], object]:
        """What is asked for next, or what is to be done because time has passed."""
        now = time.monotonic()
        if now >= self._space_due:
            self._space_due = now + SPACE_INTERVAL
            return self._look_at_space
        waits = [self._space_due - now, self._saving.seconds_left()]
        if self._reply or self._loading:
            waits.append(min(LOOK_INTERVAL, self._silence))
        try:
            return self._inbox.get(timeout=min(wait for wait in waits if wait is not None))
        except Empty:
            return self._look_after

    def _look_at_space(self) -> None:
        self._hindrances.say("space", low_space(self._folder), str(self._folder))

    def _look_after(self) -> None:
        """Time has passed: is the engine alive, does it say anything, is the disk back?"""
        if (self._reply or self._loading) and not self._engine.is_alive:
            self._engine_died()
        elif self._reply and time.monotonic() - self._reply.heard_at >= self._silence:
            sentence = (
                f"No word from the model for {self._silence:.0f} s; x, then r: start it anew."
            )
            self._hindrances.say("silence", sentence)
        if self._saving.behind and not self._saving.seconds_left():
            goal = self._saving.goal
            self._save(self._saving.behind)
            self._goal = goal
            if goal == "wait":
                self._apply_staged()
            self._tell_state()

    def _engine_died(self) -> None:
        self._loading = self._ready = None
        self._goal = "wait"
        self._drop_reply()
        self._hindrances.say("engine", "The model's thread has ended; r starts it anew.")
        self._save_status()
        self._tell_state()

    def _tell(self, event: SessionEvent) -> None:
        (self._listener or self.events.put)(event)

    def _tell_state(self) -> None:
        opened = self._open
        state: State
        if self._loading:
            state = "loading"
        elif self._reply:
            state = "running"
        elif opened is None:
            state = "idle"
        elif opened.discussion.is_finished:
            state = "finished"
        else:
            state = "paused" if self._goal == "wait" else "running"
        self._tell(
            StateChanged(
                state,
                pausing=bool(self._reply) and self._goal != "run",
                turn=self._turn_now(),
                turns=opened.discussion.setup.conv_len if opened else 0,
                path=opened.file.path if opened else None,
            )
        )

    def _turn_now(self) -> int:
        """The turn in the making, else how many were taken."""
        if self._reply:
            return self._reply.request.turn
        return self._open.discussion.turns_taken if self._open else 0

    def _give_up(self, sentence: str) -> None:
        """Something failed: stand still where we are, with everything kept."""
        self._goal = "wait"
        self._to_begin = None
        self._tell(Trouble(sentence))
        self._tell_state()

    def _wait_for_the_disk(self, error: OSError) -> None:
        """Stand still with everything kept; go on by itself once the disk takes it."""
        self._saving.failed(error, self._goal if self._open else "wait")
        self._goal = "wait"
        self._to_begin = None
        self._tell_state()

    def _start(self, setup: DiscussionSetup, goal: Literal["step", "run"]) -> None:
        refuse_without_users(setup)  # before anything is left
        self._goal = "wait"
        self._drop_reply()
        self._leave()
        self._to_begin = setup
        self._goal = goal

    def _resume(self, path: Path, go_on: bool) -> None:
        if self._open and self._open.file.path == path:
            if go_on:
                self._set_goal("run")
            return
        opened = OpenDiscussion.saved(path)
        self._goal = "wait"
        self._drop_reply()
        try:
            self._leave()
        except OSError:
            opened.file.close()
            raise
        self._to_begin = None
        self._open = opened
        self._goal = "run" if go_on else "wait"
        self._tell(Opened(opened.record, path))
        self._tell_state()

    def _set_goal(self, goal: Literal["step", "run"]) -> None:
        if self._open or self._to_begin:
            self._goal = goal
            self._tell_state()

    def _pause(self) -> None:
        self._goal = self._saving.goal = "wait"
        if self._loading:
            self._engine.cancel_load()
        self._tell_state()

    def _stop(self) -> None:
        self._goal = self._saving.goal = "wait"
        if self._loading:
            self._engine.cancel_load()
        self._drop_reply()
        self._save_status()
        self._tell_state()

    def _change_setup(self, setup: DiscussionSetup) -> None:
        refuse_without_users(setup)
        if self._to_begin:
            self._to_begin = setup
        elif self._open:
            self._staged = setup
            if self._reply is None:
                self._apply_staged()

    def _rename(self, title: str) -> None:
        if self._open:
            self._open.record = replace(self._open.record, title=title)
            self._save(self._open.record.status)

    def _close(self) -> None:
        self._goal = "wait"
        self._drop_reply()
        try:
            self._leave()
        finally:
            if self._open:
                self._open.file.close()
            self._closing = True
            self._engine.cancel_load()

    # Moving on --------------------------------------------------------------------------------

    def _advance(self) -> None:
        """Do the next thing there is to do, if anything: load, begin, ask, or stand still."""
        if self._closing or self._reply or self._loading or self._goal == "wait":
            return
        if self._saving.behind:
            self._save(self._saving.behind)
        self._apply_staged()  # first: it may ask for another model
        setup = self._to_begin or (self._open.discussion.setup if self._open else None)
        if setup is None:
            return
        if self._engine.info is None or self._ready != self._spec(setup):
            self._load(self._spec(setup))
            return
        if self._to_begin:
            self._begin(self._to_begin)
        self._ask()

    def _spec(self, setup: DiscussionSetup) -> ModelSpec:
        return ModelSpec(setup.model, setup.quantization, setup.dtype, self._device)

    def _load(self, spec: ModelSpec) -> None:
        if (self._ready == spec and self._engine.info) or self._loading == spec:
            return
        if self._engine_is_stuck:
            self._engine_is_stuck = False
            self._engine.restart()
        if self._loading:
            self._engine.cancel_load()
        self._loading = spec
        self._ready = None
        self._tell_state()
        self._engine.load(spec, lambda event: self._inbox.put(lambda: self._loaded(spec, event)))

    def _loaded(self, spec: ModelSpec, event: LoadEvent) -> None:
        if self._loading != spec:
            return
        if isinstance(event, LoadProgress):
            self._tell(event)
            return
        self._loading = None
        if isinstance(event, LoadFailed):
            was_needed = self._goal != "wait"
            self._goal = "wait"
            self._to_begin = None
            cancelled = isinstance(event.error, Cancelled)
            sentence = "Loading was cancelled." if cancelled else str(event.error)
            self._tell(Trouble(sentence, fatal=was_needed and not cancelled))
        elif isinstance(event, Loaded):
            self._ready = spec
            self._hindrances.over("engine")
            self._tell(ModelReady(event.info))
        self._tell_state()

    def _named(self, setup: DiscussionSetup) -> DiscussionSetup:
        """``setup`` with the model's name instead of ``auto``: the record keeps no wishes."""
        info = self._engine.info
        if info and setup.model == "auto":
            return setup.model_copy(update={"model": info.model})
        return setup

    def _begin(self, setup: DiscussionSetup) -> None:
        setup = self._named(setup)
        self._ready = self._spec(setup)
        self._open = OpenDiscussion.new(setup, self._folder, self._clock(), self._engine.info)
        self._to_begin = None
        self._tell(Opened(self._open.record, self._open.file.path))
        self._tell_state()

    def _ask(self) -> None:
        opened = self._open
        if opened is None:
            return
        request = opened.discussion.next_request()
        if request is None:
            self._goal = "wait"
            self._save("finished")
            self._tell_state()
            return
        if opened.record.status != "running":
            self._save("running")
        setup = opened.discussion.setup
        self._tell(ReplyStarted(request.name, request.role, request.turn))
        generation = self._engine.submit(
            GenerationRequest(
                chat=request.chat,
                max_out_tokens=setup.max_out_tokens,
                sampling=Sampling(
                    setup.temperature, setup.top_p, setup.top_k, setup.repetition_penalty
                ),
                seed=request.seed,
                stop=request.stop,
            ),
            lambda event: self._inbox.put(lambda: self._heard(event)),
        )
        self._reply = _Reply(request, generation)
        self._tell_state()

    def _heard(self, event: GenerationEvent) -> None:
        """An event of a generation; those of one that was dropped are too late."""
        reply, opened = self._reply, self._open
        if reply is None or opened is None or event.generation is not reply.generation:
            return
        now = reply.heard_at = time.monotonic()
        self._hindrances.over("silence")
        if isinstance(event, Started):
            reply.prompt_tokens = event.prompt_tokens
        elif isinstance(event, Chunk):
            reply.text += event.text
            reply.tokens = event.tokens
            reply.first_token_at = reply.first_token_at or now
            if now - reply.told_at >= GROWTH_INTERVAL:
                reply.told_at = now
                self._tell_growth(opened, reply, now)
        elif isinstance(event, Failed):
            self._reply = None
            self._tell(ReplyDropped(reply.request.name))
            try:
                self._save_status()
            finally:
                self._give_up(str(event.error))
        elif isinstance(event, Finished):
            self._reply = None
            self._post(opened, reply, event)

    def _tell_growth(self, opened: OpenDiscussion, reply: _Reply, now: float) -> None:
        text = opened.discussion.cleaned(reply.request, reply.text)
        self._tell(
            ReplyGrew(reply.request.name, text, reply.tokens, reply.prompt_tokens, reply.speed(now))
        )

    def _post(self, opened: OpenDiscussion, reply: _Reply, finished: Finished) -> None:
        result = finished.result
        info = self._engine.info
        message = opened.discussion.post(
            reply.request,
            Reply(
                text=result.text,
                finish_reason=result.finish_reason,
                model=info.name if info else "",
                prompt_tokens=result.prompt_tokens,
                completion_tokens=result.completion_tokens,
                seconds=result.seconds,
            ),
            created_at=self._clock().isoformat(timespec="milliseconds"),
        )
        decoding = result.seconds - result.time_to_first_token
        speed = (result.completion_tokens - 1) / decoding if decoding > 0 else 0.0
        self._saving.tell_when_saved(Posted(message, speed))
        if self._goal == "step":
            self._goal = "wait"
        finished_now = opened.discussion.is_finished
        going_on = self._goal == "run" and not finished_now
        self._save("running" if going_on else "finished" if finished_now else "paused")
        if not going_on:
            self._goal = "wait"
            self._apply_staged()
        self._tell_state()

    def _apply_staged(self) -> None:
        opened, setup = self._open, self._staged
        self._staged = None
        if opened is None or setup is None:
            return
        setup = self._named(setup)
        if setup == opened.discussion.setup:
            return
        opened.discussion.change_setup(setup)
        self._saving.tell_when_saved(SetupApplied(setup, opened.discussion.turns_taken + 1))
        self._save(opened.record.status)
        self._tell_state()

    def _drop_reply(self) -> None:
        if self._reply:
            self._reply.generation.cancel()
            if time.monotonic() - self._reply.heard_at >= self._silence:
                self._engine_is_stuck, self._ready = True, None
            self._hindrances.over("silence")
            self._tell(ReplyDropped(self._reply.request.name))
            self._reply = None

    # The file ---------------------------------------------------------------------------------

    def _save(self, status: Status) -> None:
        if self._open:
            self._saving.save(self._open, status, self._engine.info)

    def _save_status(self) -> None:
        if self._open and self._open.record.status == "running":
            self._save("paused")

    def _leave(self) -> None:
        """Close the open discussion's file, saying whether it is finished or waits.

        Raises OSError where that cannot be saved; the discussion then stays open.
        """
        if self._open is None:
            return
        opened, self._staged = self._open, None
        if self._saving.behind or opened.record.status == "running":
            self._save("finished" if opened.discussion.is_finished else "paused")
        opened.file.close()
        self._open = None
