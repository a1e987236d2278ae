"""A discussion as a pure state machine: it asks for the next reply and is handed it.

It never generates, sleeps, reads or writes, so a live session, a batch and a test run the same
code. Its state is the setup, the history and who was chosen to speak next.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from .chance import draw_seed
from .ending import EndReason, end_reason, turns_left_note
from .guard import Guard, is_silence
from .history import CannotChange, History, last_undoable
from .names import name_key, other_names
from .prompt import chat_prompt, stop_strings, window
from .record import (
    Change,
    DiscussionRecord,
    EarlierSetup,
    Message,
    Reply,
    Shortened,
    SpeakerOverride,
    seed_messages,
)
from .request import NotTheNextTurn, TurnRequest
from .setup import DiscussionSetup
from .setup_guard import guard_for
from .turns import TurnManager, make_turn_manager


class Discussion:
    """A discussion of ``setup`` that continues after ``entries`` (oldest first).

    Without entries it starts with the setup's seed opinions.

    Raises ValueError: nobody would take a turn.
    """

    def __init__(
        self,
        setup: DiscussionSetup,
        entries: Iterable[Message] | None = None,
        earlier_setups: Iterable[EarlierSetup] = (),
        changes: Iterable[Change] = (),
        speaker_override: SpeakerOverride | None = None,
    ) -> None:
        setup.require_turn_takers()
        if entries is None:
            entries = seed_messages(setup)
        self._setup = setup
        self._history = History(tuple(entries), tuple(earlier_setups), tuple(changes))
        self._speaker_override = speaker_override

    @classmethod
    def from_record(cls, record: DiscussionRecord) -> Discussion:
        """The discussion at the turn where ``record`` ends."""
        earlier, override = record.earlier_setups, record.speaker_override
        return cls(record.setup, record.entries, earlier, record.changes, override)

    def to_record(self, record: DiscussionRecord) -> DiscussionRecord:
        """``record`` brought up to date with this discussion."""
        return replace(
            record,
            setup=self.setup,
            entries=self.entries,
            earlier_setups=self.earlier_setups,
            changes=self.changes,
            speaker_override=self.speaker_override,
            end_reason=self.end_reason,
        )

    @property
    def setup(self) -> DiscussionSetup:
        """The setup of the next turn."""
        return self._setup

    @property
    def earlier_setups(self) -> tuple[EarlierSetup, ...]:
        """The setups that applied to earlier turns, oldest first."""
        return self._history.earlier_setups

    @property
    def entries(self) -> tuple[Message, ...]:
        """Messages and silences so far, oldest first."""
        return self._history.entries

    @property
    def changes(self) -> tuple[Change, ...]:
        """What people changed in the entries, oldest first."""
        return self._history.changes

    @property
    def speaker_override(self) -> SpeakerOverride | None:
        """The user whom a person chose to speak at a turn that is still to come."""
        override = self._speaker_override
        if override is None or override.turn <= self.turns_taken:
            return None
        return override if override.name in self._setup.turn_takers else None

    @property
    def turns_taken(self) -> int:
        """How many of ``conv_len`` turns are over, the moderator's answers not counted."""
        return self._history.turns_taken

    @property
    def is_finished(self) -> bool:
        """Whether all turns are over and the moderator has answered, or it has ended early."""
        has_turns = self.turns_taken < self._setup.conv_len or self._awaits_moderator()
        return not has_turns or bool(self.end_reason)

    @property
    def end_reason(self) -> EndReason:
        """Why the discussion ended before its last turn; empty if it did not."""
        return end_reason(self._setup, self.entries)

    @property
    def turn_manager(self) -> TurnManager:
        """The setup's turn manager."""
        setup = self._setup
        return make_turn_manager(
            setup.turn_manager, setup.turn_takers, p_respond=setup.p_respond, seed=setup.seed
        )

    def speakers(self) -> list[str]:
        """Who took turns 1, 2, 3, …"""
        return list(self._history.speakers)

    def odds(self) -> dict[str, float]:
        """Everybody's probability to speak next."""
        if self._awaits_moderator() and self._setup.moderator:
            return {self._setup.moderator.name: 1.0}
        odds = self.turn_manager.odds(self.speakers())
        chosen = self._chosen_speaker()
        return {name: float(name == chosen) for name in odds} if chosen else odds

    def next_request(
        self, attempt: int | None = None, shortened: Shortened | None = None
    ) -> TurnRequest | None:
        """The request for the next reply; None at the end. Stays the same until a reply is posted.

        Args:
            attempt: number of the try at this turn, which decides the sampler's seed. By default
                0, or the next unused one if a message is being regenerated.
            shortened: limits that replace the setup's because memory is full.
        """
        setup = shortened.of(self._setup) if shortened else self._setup
        if attempt is None:
            attempt = self._history.next_attempt()
        if self.end_reason:
            return None
        speaker_overridden = False
        if self._awaits_moderator() and setup.moderator:
            turn, name, role = self.turns_taken, setup.moderator.name, "moderator"
        elif self.turns_taken < setup.conv_len:
            turn = self.turns_taken + 1
            drawn = self.turn_manager.choose(self.speakers())
            name = self._chosen_speaker() or drawn
            role = setup.actor(name).role
            speaker_overridden = name != drawn
        else:
            return None
        quoted = window(self.entries, setup.history_context_len)
        return TurnRequest(
            turn=turn,
            attempt=attempt,
            name=name,
            role=role,
            chat=chat_prompt(
                setup.prompt_style,
                setup.actor(name).system_prompt(),
                [self.entries[index] for index in quoted],
                name,
                note=turns_left_note(setup, turn, role),
            ),
            stop=stop_strings(setup.prompt_style, self._other_names(name), name),
            seed=draw_seed(setup.seed, f"sampler {role}", turn, attempt),
            entries=self.entries,
            first_in_window=quoted[0] if quoted else len(self.entries),
            speaker_overridden=speaker_overridden,
            shortened=shortened,
        )

    def post(self, request: TurnRequest, reply: Reply, *, created_at: str = "") -> Message:
        """Clean the reply to ``request`` with the guard and add it to the discussion.

        Raises NotTheNextTurn: the discussion has changed since the request was made.
        """
        if request.entries != self.entries:
            raise NotTheNextTurn(
                f"turn {request.turn} of {request.name} was requested at message "
                f"{request.position}, but the discussion has changed since"
            )
        message = self.message(request, reply, created_at=created_at)
        self._history = self._history.append(message)
        return message

    def message(self, request: TurnRequest, reply: Reply, *, created_at: str = "") -> Message:
        """The message that the reply to ``request`` would become, cleaned by the guard."""
        guarded = self.guard(request).read(reply.text, complete=reply.finish_reason == "stop")
        return request.answered(reply, guarded, created_at=created_at)

    def guard(self, request: TurnRequest) -> Guard:
        """The guard for the reply to ``request``, complete or still growing."""
        others = self._other_names(request.name)
        return guard_for(self._setup, request.name, others, self.entries)

    # Interventions ----------------------------------------------------------------------------

    def inject(self, name: str, text: str, *, created_at: str = "") -> Message:
        """Add a human's message, in a participant's name or any other. It takes no turn.

        Raises CannotChange: the name is empty, or the text is a silence.
        """
        if not name.strip() or is_silence(text):
            raise CannotChange(
                "an injected message needs a name and a text, not only quotation marks"
            )
        names = {name_key(each): each for each in (*self._history.names, *self._setup.names)}
        message = Message(
            name=names.get(name_key(name), name.strip()),
            text=text.strip(),
            role="human",
            created_at=created_at,
        )
        self._history = self._history.inject(message)
        return message

    def edit(self, position: int, text: str, *, changed_at: str = "") -> Message:
        """Replace the text of the entry at ``position``; later prompts quote the new one.

        Raises:
            CannotChange: the text is a silence.
            IndexError: there is no such entry.
        """
        self._history = self._history.edit(position, text, changed_at)
        return self.entries[position]

    def silence(self, position: int, *, changed_at: str = "") -> Message:
        """Make the entry at ``position`` a silence, which later prompts do not quote.

        Raises IndexError: there is no such entry.
        """
        self._history = self._history.edit(position, "", changed_at, may_be_silent=True)
        return self.entries[position]

    def unmark(self, position: int, *, changed_at: str = "") -> Message:
        """Remove the guard's marks from the entry at ``position``; its text stays.

        Raises IndexError: there is no such entry.
        """
        self._history = self._history.unmark(position, changed_at)
        return self.entries[position]

    def delete(self, count: int = 1, *, changed_at: str = "") -> tuple[Message, ...]:
        """Delete the last ``count`` entries, but no seed opinion; their turns are open again."""
        position = len(self.entries)
        first = max(0, position - count)
        while position > first and self.entries[position - 1].role != "seed":
            position -= 1
        removed = self.entries[position:]
        self._speaker_override = self.speaker_override  # a past one must not come back
        self._history = self._history.remove("deleted", position, changed_at)
        self._restore_override(removed)
        return removed

    def regenerate(self, *, changed_at: str = "") -> Message:
        """Remove the last message and request it from its speaker again, with another seed.

        Raises CannotChange: no model generated that message, or the setup has changed since.
        """
        if not self.entries:
            raise CannotChange("there is nothing to regenerate: nobody has spoken yet")
        last = self.entries[-1]
        if not last.is_prompted:
            raise CannotChange("there is nothing to regenerate: no model said the last message")
        self._history = self._history.remove("regenerated", len(self.entries) - 1, changed_at)
        request = self.next_request()
        if request is None or (request.name, request.turn) != (last.name, last.turn):
            self.undo()
            raise CannotChange(f"{last.name} cannot be asked again: the setup has changed since")
        return last

    def candidates(self, count: int) -> tuple[TurnRequest, ...]:
        """``count`` further requests for the last message, each with its own seed.

        Raises CannotChange: no model generated that message, or the setup has changed since.
        """
        trial = self.copy()
        trial.regenerate()
        first = trial.next_request()
        assert first
        requests = (trial.next_request(first.attempt + number) for number in range(count))
        return tuple(filter(None, requests))

    def choose(
        self, candidates: Sequence[Message], chosen: int | None, *, changed_at: str = ""
    ) -> None:
        """Replace the last message by candidate number ``chosen``; the change keeps the others.

        None keeps the last message.

        Raises NotTheNextTurn: the candidates are not of the last message's turn.
        """
        if not candidates:
            return
        position = len(self.entries) - 1
        last = self.entries[-1] if self.entries else None
        turns = {(each.name, each.role, each.turn) for each in candidates}
        if last is None or turns != {(last.name, last.role, last.turn)}:
            raise NotTheNextTurn("the candidates are not of the last message")
        if chosen is None:
            self._history = self._history.with_change(
                "chosen", position, tuple(candidates), changed_at, is_undone=True
            )
            return
        others = tuple(each for number, each in enumerate(candidates) if number != chosen)
        history = self._history.remove("chosen", position, changed_at, others)
        self._history = history.append(candidates[chosen])

    def undo(self, *, changed_at: str = "") -> Change | None:
        """Undo the last intervention; None if there is none. What it replaced stays on record.

        Raises CannotChange: somebody has spoken since, and the intervention was no edit.
        """
        change = last_undoable(self.changes)
        self._history = self._history.undo(self._setup, changed_at)
        return change

    def override_next_speaker(self, name: str | None) -> None:
        """Let ``name`` take the next user turn; None leaves it to the turn manager.

        Raises CannotChange: that participant takes no turns.
        """
        if name is None:
            self._speaker_override = None
        elif name in self._setup.turn_takers:
            self._speaker_override = SpeakerOverride(self.turns_taken + 1, name)
        else:
            raise CannotChange(f"{name} takes no turns")

    def fork(self, position: int) -> Discussion:
        """A discussion of its own that shares the first ``position`` entries.

        Raises IndexError: there are fewer entries.
        """
        total = len(self.entries)
        if not 0 <= position <= total:
            raise IndexError(f"message {position} of {total}")
        fork = self.copy()
        fork._history = self._history.fork(position)
        fork._speaker_override = self._speaker_override if position == total else None
        fork._restore_override(self.entries[position:])
        return fork

    def change_setup(self, setup: DiscussionSetup) -> None:
        """Use ``setup`` from the next turn on; earlier turns keep theirs.

        Raises ValueError: nobody would take a turn.
        """
        setup.require_turn_takers()
        if setup.model_copy(update={"title": self._setup.title}) != self._setup:
            self._history = self._history.change_setup(self._setup)
        self._setup = setup

    def copy(self) -> Discussion:
        """An independent copy."""
        parts = self.entries, self.earlier_setups, self.changes
        return Discussion(self._setup, *parts, self._speaker_override)

    def _restore_override(self, removed: Sequence[Message]) -> None:
        """Choose the speaker of a turn that is open again as it was chosen before."""
        if removed and removed[0].speaker_overridden:
            self._speaker_override = SpeakerOverride(removed[0].turn, removed[0].name)

    def _chosen_speaker(self) -> str | None:
        """Who takes the next user turn if the turn manager is not to decide."""
        takers = self._setup.turn_takers
        for choice in (self._history.message_to_regenerate, self._speaker_override):
            if choice and choice.turn == self.turns_taken + 1 and choice.name in takers:
                return choice.name
        return None

    def _other_names(self, speaker: str) -> tuple[str, ...]:
        """The names in which a model may continue: all participants, and all who have spoken."""
        return other_names((*self._setup.names, *self._history.names), speaker)

    def _awaits_moderator(self) -> bool:
        """Whether the moderator answers next."""
        moderator = self._setup.moderator
        if moderator is None or self._setup.moderator_takes_turns:
            return False
        for entry in reversed(self.entries):
            if entry.role == "human" and name_key(entry.name) == name_key(moderator.name):
                return False
            if entry.is_prompted:
                return entry.role == "user" and not entry.is_silence
        return False
