"""A discussion as a pure state machine: it asks for the next reply and is handed it.

It never generates, sleeps, reads or writes, so the live session, a batch and a test drive the
very same code. Its whole state is the setup and the entries; all else follows from them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

from . import guard
from .chance import draw_seed
from .persona import name_key
from .prompt import ChatMessage, chat_prompt, stop_strings
from .record import HARDCODED, EarlierSetup, Message, Reply
from .setup import DiscussionSetup
from .tally import Tally
from .turns import TurnManager, make_turn_manager


class NotTheNextTurn(ValueError):
    """A reply was posted to a request that the discussion no longer waits for."""


@dataclass(frozen=True)
class TurnRequest:
    """Who is to speak, and everything a model needs for it."""

    turn: int
    attempt: int
    name: str
    role: str
    chat: tuple[ChatMessage, ...]
    stop: tuple[str, ...]
    seed: int
    entries: tuple[Message, ...] = field(repr=False)
    """What had been said; a reply fits only as long as that is so."""
    first_in_window: int
    """Index in ``entries`` of the oldest message that the prompt quotes."""

    @property
    def position(self) -> int:
        """How many entries the discussion had."""
        return len(self.entries)

    @property
    def system_prompt(self) -> str:
        return self.chat[0].content


class Discussion:
    """Runs ``setup`` from where ``entries`` (oldest first) leave off.

    Without entries it starts with the setup's seed opinions. Raises ValueError where nobody
    would take a turn.
    """

    def __init__(
        self,
        setup: DiscussionSetup,
        entries: Iterable[Message] | None = None,
        earlier_setups: Iterable[EarlierSetup] = (),
    ) -> None:
        if not setup.turn_takers:
            raise ValueError("nobody takes part: choose at least one persona")
        self._setup = setup
        self._earlier_setups = list(earlier_setups)
        self._entries = tuple(entries) if entries is not None else _opening(setup)
        self._tally = Tally.of(self._entries)

    @property
    def setup(self) -> DiscussionSetup:
        return self._setup

    @property
    def earlier_setups(self) -> tuple[EarlierSetup, ...]:
        """The setups that applied to earlier turns, oldest first."""
        return tuple(self._earlier_setups)

    @property
    def entries(self) -> tuple[Message, ...]:
        """Messages and silences so far."""
        return self._entries

    @property
    def turns_taken(self) -> int:
        """How many of ``conv_len`` turns are over, the moderator's answers not counted."""
        return self._counted().turns_taken

    @property
    def is_finished(self) -> bool:
        return self.turns_taken >= self._setup.conv_len and not self._moderator_is_owed()

    @property
    def turn_manager(self) -> TurnManager:
        setup = self._setup
        return make_turn_manager(
            setup.turn_manager, setup.turn_takers, p_respond=setup.p_respond, seed=setup.seed
        )

    def speakers(self) -> list[str]:
        """Whose turns 1, 2, 3, … were."""
        return list(self._counted().speakers)

    def _counted(self) -> Tally:
        if self._tally.entries is not self._entries:
            self._tally = Tally.of(self._entries)
        return self._tally

    def odds(self) -> dict[str, float]:
        """Everybody's probability to speak next."""
        if self._moderator_is_owed() and self._setup.moderator:
            return {self._setup.moderator.name: 1.0}
        return self.turn_manager.odds(self.speakers())

    def next_request(self, attempt: int = 0) -> TurnRequest | None:
        """The next reply to be had, or None at the end. The same until something is posted.

        ``attempt`` counts further tries at the same turn; each has its own sampler seed.
        """
        setup = self._setup
        if self._moderator_is_owed() and setup.moderator:
            turn, name, role = self.turns_taken, setup.moderator.name, "moderator"
        elif self.turns_taken < setup.conv_len:
            turn = self.turns_taken + 1
            name = self.turn_manager.choose(self.speakers())
            role = setup.actor(name).role
        else:
            return None
        actor = setup.actor(name)
        window = self._window()
        return TurnRequest(
            turn=turn,
            attempt=attempt,
            name=name,
            role=role,
            chat=chat_prompt(
                setup.prompt_style,
                actor.system_prompt(),
                [self._entries[index] for index in window],
                name,
            ),
            stop=stop_strings(setup.prompt_style, self._others(name), name),
            seed=draw_seed(setup.seed, f"sampler {role}", turn, attempt),
            entries=self.entries,
            first_in_window=window[0] if window else len(self._entries),
        )

    def post(self, request: TurnRequest, reply: Reply, *, created_at: str = "") -> Message:
        """Take the reply to ``request`` into the discussion, cleaned by the guard.

        Raises NotTheNextTurn when something else was posted since the request was made.
        """
        if request.entries != self.entries:
            raise NotTheNextTurn(
                f"turn {request.turn} of {request.name} was asked for at message "
                f"{request.position}, but the discussion has changed since"
            )
        text = self.cleaned(request, reply.text, complete=reply.finish_reason == "stop")
        message = Message(
            name=request.name,
            text=text,
            role="moderator" if request.role == "moderator" else "user",
            turn=request.turn,
            model=reply.model,
            prompt=request.system_prompt,
            raw_text=reply.text if reply.text != text else None,
            finish_reason=reply.finish_reason,
            prompt_tokens=reply.prompt_tokens,
            completion_tokens=reply.completion_tokens,
            seconds=reply.seconds,
            seed=request.seed,
            attempt=request.attempt,
            created_at=created_at,
        )
        self._entries = (*self._entries, message)
        return message

    def cleaned(self, request: TurnRequest, raw: str, *, complete: bool = False) -> str:
        """What the guard makes of a reply to ``request``, finished or still growing."""
        return guard.clean(raw, request.name, self._others(request.name), complete=complete)

    def inject(self, name: str, text: str, *, created_at: str = "") -> Message:
        """Put a human's words in, as a participant or anybody else. It takes no turn.

        Raises ValueError for an empty name or text.
        """
        if not name.strip() or not text.strip():
            raise ValueError("what is put in needs a name and a text")
        known = {name_key(known): known for known in self._setup.names}
        message = Message(
            name=known.get(name_key(name), name.strip()),
            text=text.strip(),
            role="human",
            created_at=created_at,
        )
        self._entries = (*self._entries, message)
        return message

    def undo(self) -> Message | None:
        """Take the last entry back; its turn is open again. Seed opinions stay (None)."""
        if not self._entries or self._entries[-1].role == "seed":
            return None
        *before, entry = self._entries
        self._entries = tuple(before)
        self._shorten_earlier()
        return entry

    def fork(self, position: int) -> Discussion:
        """A discussion of its own that shares the first ``position`` entries.

        Raises IndexError where there are not that many.
        """
        if not 0 <= position <= len(self._entries):
            raise IndexError(f"message {position} of {len(self._entries)}")
        fork = Discussion(self._setup, self._entries[:position], self._earlier_setups)
        fork._shorten_earlier()
        return fork

    def change_setup(self, setup: DiscussionSetup) -> None:
        """Go on with ``setup`` from the next turn; what was said stays as it was said.

        Raises ValueError where nobody would take a turn.
        """
        if setup == self._setup:
            return
        if not setup.turn_takers:
            raise ValueError("nobody takes part: choose at least one persona")
        self._keep_earlier(self._setup)
        self._setup = setup

    def _keep_earlier(self, setup: DiscussionSetup) -> None:
        taken = self.turns_taken
        last = self._earlier_setups[-1].last_turn if self._earlier_setups else 0
        if taken > last:
            self._earlier_setups.append(EarlierSetup(taken, setup))

    def _shorten_earlier(self) -> None:
        while self._earlier_setups and self._earlier_setups[-1].last_turn > self.turns_taken:
            self._keep_earlier(self._earlier_setups.pop().setup)

    def _others(self, speaker: str) -> list[str]:
        """In whose names a model may go on: the participants' and those it has read."""
        heard = dict.fromkeys((*self._setup.names, *self._counted().names))
        return [name for name in heard if name_key(name) != name_key(speaker)]

    def _window(self) -> list[int]:
        entries, length = self._entries, self._setup.history_context_len
        newest_first = range(len(entries) - 1, -1, -1)
        spoken = (index for index in newest_first if not entries[index].is_silence)
        most = len(entries) if length is None else min(length, len(entries))
        return list(islice(spoken, most))[::-1]

    def _moderator_is_owed(self) -> bool:
        moderator = self._setup.moderator
        if moderator is None or self._setup.moderator_takes_turns:
            return False
        for entry in reversed(self._entries):
            if entry.role == "human" and entry.name == moderator.name:
                return False
            if entry.is_prompted:
                return entry.role == "user" and not entry.is_silence
        return False


def _opening(setup: DiscussionSetup) -> tuple[Message, ...]:
    return tuple(
        Message(name=name, text=text, role="seed", model=HARDCODED) for name, text in setup.seeded()
    )
