"""A discussion as a pure state machine: it asks for the next reply and is handed it.

It never generates, sleeps, reads or writes, so the live session, a batch and a test drive the
very same code. Its whole state is the setup and the entries; all else follows from them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from .chance import draw_seed
from .changes import next_attempt
from .entries import Entries
from .guard import Guard, is_silence
from .history import CannotChange, History
from .names import name_key
from .prompt import chat_prompt, stop_strings, window
from .record import (
    HARDCODED,
    Change,
    DiscussionRecord,
    EarlierSetup,
    Message,
    Reply,
    Shortened,
    SpeakerOverride,
)
from .request import TurnRequest
from .setup import DiscussionSetup
from .turns import TurnManager, make_turn_manager


class NotTheNextTurn(ValueError):
    """A reply was posted to a request that the discussion no longer waits for."""


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
        changes: Iterable[Change] = (),
        speaker_override: SpeakerOverride | None = None,
    ) -> None:
        if not setup.turn_takers:
            raise ValueError("nobody takes part: choose at least one persona")
        entries = entries if entries is not None else _opening(setup)
        self._setup = setup
        self._history = History(entries, earlier_setups, changes)
        self._speaker_override = speaker_override

    @classmethod
    def from_record(cls, record: DiscussionRecord) -> Discussion:
        """The discussion at the turn where ``record`` leaves it."""
        return cls(
            record.setup,
            record.entries,
            record.earlier_setups,
            record.changes,
            record.speaker_override,
        )

    def to_record(self, record: DiscussionRecord) -> DiscussionRecord:
        """``record`` with the discussion as it is now: the inverse of ``from_record``."""
        return replace(
            record,
            setup=self.setup,
            entries=self.entries,
            earlier_setups=self.earlier_setups,
            changes=self.changes,
            speaker_override=self.speaker_override,
        )

    @property
    def setup(self) -> DiscussionSetup:
        return self._setup

    @property
    def earlier_setups(self) -> tuple[EarlierSetup, ...]:
        """The setups that applied to earlier turns, oldest first."""
        return tuple(self._history.earlier_setups)

    @property
    def entries(self) -> Entries:
        """Messages and silences so far."""
        return self._history.entries

    @property
    def changes(self) -> tuple[Change, ...]:
        """What people changed in the entries, oldest first."""
        return tuple(self._history.changes)

    @property
    def speaker_override(self) -> SpeakerOverride | None:
        """Whom a person wants to speak at the next turn of a user, or a later one."""
        speaker_override = self._speaker_override
        if (
            speaker_override
            and speaker_override.turn > self.turns_taken
            and speaker_override.name in self._setup.turn_takers
        ):
            return speaker_override
        return None

    @property
    def turns_taken(self) -> int:
        """How many of ``conv_len`` turns are over, the moderator's answers not counted."""
        return self._history.tally.turns_taken

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
        return list(self._history.tally.speakers)

    def odds(self) -> dict[str, float]:
        """Everybody's probability to speak next."""
        if self._moderator_is_owed() and self._setup.moderator:
            return {self._setup.moderator.name: 1.0}
        odds = self.turn_manager.odds(self.speakers())
        given = self._overriding_name()
        return {name: float(name == given) for name in odds} if given else odds

    def next_request(
        self, attempt: int | None = None, shortened: Shortened | None = None
    ) -> TurnRequest | None:
        """The next reply to be had, or None at the end. The same until something is posted.

        ``attempt`` counts further tries at the same turn; each has its own sampler seed. Unless
        it is given it is 0, or the next one of a message that is to be regenerated.
        ``shortened``: with these limits, because memory is full.
        """
        setup = shortened.of(self._setup) if shortened else self._setup
        again = self._history.message_to_regenerate
        if attempt is None:
            position = len(self.entries)
            attempt = next_attempt(self.changes, position, again) if again else 0
        speaker_overridden = False
        if self._moderator_is_owed() and setup.moderator:
            turn, name, role = self.turns_taken, setup.moderator.name, "moderator"
        elif self.turns_taken < setup.conv_len:
            turn = self.turns_taken + 1
            drawn = self.turn_manager.choose(self.speakers())
            name = self._overriding_name() or drawn
            role = setup.actor(name).role
            speaker_overridden = name != drawn
        else:
            return None
        actor = setup.actor(name)
        quoted = window(self.entries, setup.history_context_len)
        return TurnRequest(
            turn=turn,
            attempt=attempt,
            name=name,
            role=role,
            chat=chat_prompt(
                setup.prompt_style,
                actor.system_prompt(),
                [self.entries[index] for index in quoted],
                name,
            ),
            stop=stop_strings(setup.prompt_style, self._others(name), name),
            seed=draw_seed(setup.seed, f"sampler {role}", turn, attempt),
            entries=self.entries,
            first_in_window=quoted[0] if quoted else len(self.entries),
            speaker_overridden=speaker_overridden,
            shortened=shortened,
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
        message = self.message(request, reply, created_at=created_at)
        self._history.append(message)
        return message

    def message(self, request: TurnRequest, reply: Reply, *, created_at: str = "") -> Message:
        """What the reply to ``request`` would be as a message, cleaned by the guard."""
        guarded = self.guard(request).read(reply.text, complete=reply.finish_reason == "stop")
        return request.answered(reply, guarded, created_at=created_at)

    def guard(self, request: TurnRequest) -> Guard:
        """What reads the reply to ``request``, also while it grows."""
        return Guard(request.name, tuple(self._others(request.name)))

    # What a person does -----------------------------------------------------------------------

    def inject(self, name: str, text: str, *, created_at: str = "") -> Message:
        """Put a human's words in, as a participant or anybody else. It takes no turn.

        Raises CannotChange for an empty name, and for a text that is a silence.
        """
        if not name.strip() or is_silence(text):
            raise CannotChange("what is put in needs a name and a text, more than quotation marks")
        heard = self._history.tally.names
        known = {name_key(known): known for known in (*heard, *self._setup.names)}
        message = Message(
            name=known.get(name_key(name), name.strip()),
            text=text.strip(),
            role="human",
            created_at=created_at,
        )
        self._history.inject(message)
        return message

    def edit(self, position: int, text: str, *, at: str = "") -> Message:
        """Another text for the entry at ``position``; later prompts quote the new one.

        Raises CannotChange for a text that is a silence, IndexError where there is no such entry.
        """
        if not 0 <= position < len(self.entries):
            raise IndexError(f"message {position} of {len(self.entries)}")
        return self._history.edit(position, text, at)

    def silence(self, position: int, *, at: str = "") -> Message:
        """Take the entry at ``position`` as a silence; later prompts do not quote it.

        Raises IndexError where there is no such entry.
        """
        if not 0 <= position < len(self.entries):
            raise IndexError(f"message {position} of {len(self.entries)}")
        return self._history.edit(position, "", at, may_be_silent=True)

    def delete(self, count: int = 1, *, at: str = "") -> tuple[Message, ...]:
        """Take the last ``count`` entries back; their turns are open again. Seed opinions stay."""
        position = len(self.entries)
        while position > max(0, len(self.entries) - count):
            if self.entries[position - 1].role == "seed":
                break
            position -= 1
        self._speaker_override = self.speaker_override  # one that is over does not come back
        removed = self._history.take_out("deleted", position, at)
        self._restore_override(removed)
        return removed

    def regenerate(self, *, at: str = "") -> Message:
        """Take the last message back and ask the same speaker again, with another seed.

        Raises CannotChange where no model was asked for it, or its speaker has left.
        """
        last = self.entries[-1] if self.entries else None
        if last is None or not last.is_prompted:
            what = "nobody has spoken yet" if last is None else "no model said the last message"
            raise CannotChange(f"there is nothing to regenerate: {what}")
        self._history.take_out("regenerated", len(self.entries) - 1, at)
        request = self.next_request()
        if request is None or (request.name, request.turn) != (last.name, last.turn):
            self.undo()
            raise CannotChange(f"{last.name} cannot be asked again: the setup has changed since")
        return last

    def candidates(self, count: int) -> tuple[TurnRequest, ...]:
        """``count`` further requests for the last message, each with its own seed.

        Raises CannotChange as ``regenerate`` does.
        """
        trial = self.copy()
        trial.regenerate()
        first = trial.next_request()
        assert first is not None
        requests = [trial.next_request(first.attempt + number) for number in range(count)]
        return tuple(request for request in requests if request is not None)

    def choose(self, candidates: Sequence[Message], chosen: int | None, *, at: str = "") -> None:
        """Put the candidate ``chosen`` in the last message's place; the others are kept.

        None: the last message stays. Raises NotTheNextTurn if they are of another turn.
        """
        if not candidates:
            return
        position = len(self.entries) - 1
        last = self.entries[-1] if self.entries else None
        turns = {(each.name, each.role, each.turn) for each in candidates}
        if last is None or turns != {(last.name, last.role, last.turn)}:
            raise NotTheNextTurn("the candidates are not of the last message")
        if chosen is None:
            kept = tuple(candidates)
            self._history.note("chosen", position, kept, at, is_undone=True)
            return
        others = tuple(each for number, each in enumerate(candidates) if number != chosen)
        self._history.take_out("chosen", position, at, others)
        self._history.append(candidates[chosen])

    def undo(self, *, at: str = "") -> Change | None:
        """Take a person's last change back; None if there is none.

        What a model said in the meantime is kept among the changes. Raises CannotChange where
        somebody has spoken since; only a text can be put back then.
        """
        return self._history.undo(self._setup, at)

    def override_next_speaker(self, name: str | None) -> None:
        """Let ``name`` speak at the next turn of a user; None leaves it to the turn manager.

        Raises CannotChange for somebody who takes no turns.
        """
        if name is not None and name not in self._setup.turn_takers:
            raise CannotChange(f"{name} takes no turns")
        self._speaker_override = (
            SpeakerOverride(self.turns_taken + 1, name) if name is not None else None
        )

    def fork(self, position: int) -> Discussion:
        """A discussion of its own that shares the first ``position`` entries.

        Raises IndexError where there are not that many.
        """
        if not 0 <= position <= len(self.entries):
            raise IndexError(f"message {position} of {len(self.entries)}")
        fork = self.copy()
        fork._history = self._history.fork(position)
        fork._speaker_override = self._speaker_override if position == len(self.entries) else None
        fork._restore_override(self.entries[position:])
        return fork

    def change_setup(self, setup: DiscussionSetup) -> None:
        """Go on with ``setup`` from the next turn; what was said stays as it was said.

        Another title alone changes nothing that an earlier turn was asked under.
        Raises ValueError where nobody would take a turn.
        """
        if setup == self._setup:
            return
        if not setup.turn_takers:
            raise ValueError("nobody takes part: choose at least one persona")
        if setup.model_copy(update={"title": self._setup.title}) != self._setup:
            self._history.change_setup(self._setup)
        self._setup = setup

    def copy(self) -> Discussion:
        """The same, to try on what would come of a change."""
        copy = Discussion(self._setup, (), speaker_override=self._speaker_override)
        copy._history = self._history.copy()
        return copy

    # Within -----------------------------------------------------------------------------------

    def _restore_override(self, taken_back: Sequence[Message]) -> None:
        """Restore the override of a turn that is open again."""
        if taken_back and taken_back[0].speaker_overridden:
            self._speaker_override = SpeakerOverride(taken_back[0].turn, taken_back[0].name)

    def _overriding_name(self) -> str | None:
        """Whose turn the next one of a user is, if a person chose and not the turn manager."""
        turn, names = self.turns_taken + 1, self._setup.turn_takers
        for wanted in (self._history.message_to_regenerate, self._speaker_override):
            if wanted and wanted.turn == turn and wanted.name in names:
                return wanted.name
        return None

    def _others(self, speaker: str) -> list[str]:
        """In whose names a model may go on: the participants' and those it has read."""
        heard = dict.fromkeys((*self._setup.names, *self._history.tally.names))
        return [name for name in heard if name_key(name) != name_key(speaker)]

    def _moderator_is_owed(self) -> bool:
        moderator = self._setup.moderator
        if moderator is None or self._setup.moderator_takes_turns:
            return False
        for entry in reversed(self.entries):
            if entry.role == "human" and name_key(entry.name) == name_key(moderator.name):
                return False
            if entry.is_prompted:
                return entry.role == "user" and not entry.is_silence
        return False


def _opening(setup: DiscussionSetup) -> tuple[Message, ...]:
    return tuple(
        Message(name=name, text=text, role="seed", model=HARDCODED) for name, text in setup.seeded()
    )
