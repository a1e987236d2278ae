"""What a transition collects: the next state and the effects, in their order."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from .effects import Effect, Emit, Save
from .events import Cause, Condition, ErrorRaised, SessionEvent
from .state import SessionState, Unsaved


@dataclass
class Outcome:
    """Lives within one transition; ``state`` and ``effects`` are its result."""

    state: SessionState
    effects: list[Effect] = field(default_factory=list)

    def do(self, *effects: Effect) -> None:
        """Add effects."""
        self.effects += effects

    def emit(self, *events: SessionEvent) -> None:
        """Tell the front end at once."""
        self.effects += map(Emit, events)

    def owe_status(self) -> None:
        """Tell the front end the state, after the save if one comes next."""
        self.state = replace(self.state, owes_status=True)

    def pay_status(self) -> None:
        """Tell the state now if that is due."""
        if self.state.owes_status:
            self.state = replace(self.state, owes_status=False)
            self.emit(self.state.status_event())

    def say(self, cause: Cause, sentence: str, where: str = "") -> None:
        """From now on the condition ``sentence`` holds; an empty one ends it. Told on change."""
        known = next((each for each in self.state.conditions if each.cause == cause), None)
        condition = Condition(cause, sentence, where if sentence else "")
        if condition != (known or Condition(cause, "")):
            others = tuple(each for each in self.state.conditions if each.cause != cause)
            lasting = (*others, condition) if sentence else others
            self.state = replace(self.state, conditions=lasting)
            self.emit(condition)

    def end(self, *causes: Cause) -> None:
        """These conditions no longer hold."""
        for cause in causes:
            self.say(cause, "")

    def give_up(self, sentence: str, *, is_fatal: bool = False) -> None:
        """Tell of an error and stay where the session is, with everything kept."""
        self.stand_still()
        self.emit(ErrorRaised(sentence, fatal=is_fatal))
        self.owe_status()

    def stand_still(self) -> None:
        """Give up every plan: the next reply, another discussion, candidates."""
        self.state = replace(self.state, intent="wait", starting=None, candidates_wanted=0)

    def mark_unsaved(self, *events: SessionEvent) -> None:
        """The discussion has changed; ``events`` are told once that is saved."""
        unsaved = self.state.unsaved or Unsaved()
        unsaved = replace(unsaved, events=unsaved.events + events, has_failed=False)
        self.state = replace(self.state, unsaved=unsaved)

    def save(self) -> None:
        """Write the open discussion. Nothing else happens before Saved or SaveFailed."""
        assert self.state.path
        self.do(Save(self.state.path, self.state.snapshot()))
        self.state = replace(self.state, is_saving=True, unsaved=self.state.unsaved or Unsaved())
