"""The live session: one thread that drives a discussion. Commands in, events out.

It takes each request of the discussion to the engine, posts the reply back, saves the file, and
only then tells of the message. It knows neither screen nor torch.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue

from ..discussion import (
    BatchMembership,
    CannotChange,
    ChatMessage,
    DiscussionRecord,
    DiscussionSetup,
)
from ..engine.base import Engine, EngineError, RenderedPrompt
from ..store.discussions import remove_leftovers
from ..store.inputs import InputError
from .driver import Driver
from .events import Closed, ErrorRaised, ReplyGrew, SessionEvent
from .intervention import Intervention
from .interventions import sentence_of
from .last_model import LastModelFile

SILENCE = 60.0
"""Seconds without a token after which it is said."""
SPACE_INTERVAL = 60.0
"""Seconds between two looks at how full the disk is."""
UNREAD = 1000
"""Events that wait to be read, beyond which growing replies are not told."""


def utc_now() -> datetime:
    return datetime.now(UTC)


class LiveSession:
    """Drives one discussion at a time on a thread of its own. Every method returns at once.

    ``events`` is drained by whoever shows the session; all else is told through it. A
    ``listener`` gets the events instead, on the session's thread: it must be quick.
    ``last_model`` remembers which model was loaded last.
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
        last_model: LastModelFile | None = None,
    ) -> None:
        self.events: SimpleQueue[SessionEvent] = SimpleQueue()
        self._listener = listener
        self._engine = engine
        self._folder = folder
        self._device = device
        self._clock = clock
        self._last_model = last_model
        self._inbox: SimpleQueue[Callable[[], object]] = SimpleQueue()
        self._driver = Driver(
            engine,
            folder,
            device=device,
            clock=clock,
            post=self._inbox.put,
            tell=self._tell,
            silence=silence,
            last_model=last_model,
        )
        self._silence = silence
        self._space_due = time.monotonic()
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
            last_model=self._last_model,
        )

    @property
    def record(self) -> DiscussionRecord | None:
        """The open discussion as it was last saved, or None. A value: safe on any thread."""
        return self._driver.record

    # Commands ---------------------------------------------------------------------------------

    def start(
        self, setup: DiscussionSetup, *, step: bool = False, batch: BatchMembership | None = None
    ) -> None:
        """Begin a new discussion; with ``step``, pause after its first message.

        ``batch`` is its place in the batch that it belongs to.
        """
        self._inbox.put(lambda: self._driver.start(setup, "step" if step else "run", batch))

    def resume(self, path: Path, *, go_on: bool = True) -> None:
        """Open a saved discussion and go on at the turn where it was left."""
        self._inbox.put(lambda: self._driver.resume(path, go_on))

    def run(self) -> None:
        """Go on until the end."""
        self._inbox.put(lambda: self._driver.set_goal("run"))

    def step(self) -> None:
        """Go on for one message."""
        self._inbox.put(lambda: self._driver.set_goal("step"))

    def pause(self) -> None:
        """Pause once the reply in the making is finished."""
        self._inbox.put(self._driver.pause)

    def stop(self) -> None:
        """Pause now. The reply in the making is dropped; its turn stays open."""
        self._inbox.put(self._driver.stop)

    def render(
        self,
        chat: Sequence[ChatMessage],
        listener: Callable[[RenderedPrompt | EngineError], object],
    ) -> None:
        """Show a chat as the loaded model reads it; see ``Engine``."""
        self._engine.render(chat, listener)

    def change_setup(self, setup: DiscussionSetup) -> None:
        """Go on with ``setup`` from the next turn, once the user goes on.

        A discussion that is paused or finished stays as it is until then.
        """
        self._inbox.put(lambda: self._driver.change_setup(setup))

    def intervene(self, step: Intervention) -> None:
        """Reach into the open discussion: say something, change or take back what was said."""
        self._inbox.put(lambda: self._driver.reaching.intervene(step))

    def offer_candidates(self, count: int) -> None:
        """Pause, and make ``count`` further replies to choose from for the last message."""
        self._inbox.put(lambda: self._driver.reaching.want_candidates(count))

    def choose(self, number: int | None) -> None:
        """Put the candidate ``number`` (from 0) in the last message's place; None: leave it."""
        self._inbox.put(lambda: self._driver.reaching.choose(number))

    def fork(
        self, position: int, setup: DiscussionSetup, parent: DiscussionRecord | None = None
    ) -> None:
        """Leave this discussion for a new one that shares its first ``position`` entries.

        With ``parent``, those of that one. It goes on with ``setup``, and is paused.
        """
        self._inbox.put(lambda: self._driver.fork(position, setup, parent))

    def close_discussion(self) -> None:
        """Leave the open discussion, saved as it is. A reply in the making is dropped."""
        self._inbox.put(self._driver.close_discussion)

    def rename(self, title: str) -> None:
        """Give the open discussion another title."""
        self._inbox.put(lambda: self._driver.rename(title))

    def load(self, setup: DiscussionSetup) -> None:
        """Have the model of ``setup`` ready before it is needed."""
        self._inbox.put(lambda: self._driver.model.load(setup))

    def preload(self, setup: DiscussionSetup) -> None:
        """Have the model of ``setup`` ready, if it is the one that was loaded last.

        Whatever is wrong with it is told quietly: nobody has asked for it yet.
        """
        self._inbox.put(lambda: self._driver.model.preload(setup))

    def cancel_preload(self, *, unless: DiscussionSetup) -> None:
        """Give up a model that is being loaded before it is needed and that ``unless`` is not for.

        One that is needed is loaded all the same.
        """
        self._inbox.put(lambda: self._driver.model.cancel_preload(unless))

    def close(self, timeout: float = 2.5) -> bool:
        """Save as paused and end. True if it ended within ``timeout`` seconds."""
        self._inbox.put(self._close)
        self._thread.join(timeout)
        return not self._thread.is_alive()

    # The thread -------------------------------------------------------------------------------

    def _work(self) -> None:
        with contextlib.suppress(OSError):
            remove_leftovers(self._folder)
        while not self._closing:
            command = self._next_command()
            try:
                command()
                if not self._closing:
                    self._driver.advance()
            except CannotChange as error:
                self._tell(ErrorRaised(sentence_of(error)))
            except (EngineError, InputError) as error:
                self._driver.give_up(str(error))
            except OSError as error:
                self._driver.wait_for_the_disk(error)
            except Exception as error:
                self._driver.give_up(
                    f"Unexpected {type(error).__name__}: {error}. Nothing is lost."
                )
        self._tell(Closed())

    def _next_command(self) -> Callable[[], object]:
        """What is asked for next, or what is to be done because time has passed."""
        now = time.monotonic()
        if now >= self._space_due:
            self._space_due = now + SPACE_INTERVAL
            return self._driver.look_at_space
        wait = self._space_due - now
        look = self._driver.seconds_to_look
        try:
            return self._inbox.get(timeout=wait if look is None else min(wait, look))
        except Empty:
            return self._driver.look_after

    def _tell(self, event: SessionEvent) -> None:
        if self._listener:
            self._listener(event)
        # Where nobody reads for long, growth would fill the memory; the next one tells it all.
        elif not (isinstance(event, ReplyGrew) and self.events.qsize() > UNREAD):
            self.events.put(event)

    def _close(self) -> None:
        self._closing = True
        self._driver.close()
