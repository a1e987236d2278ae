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
        """Emit events."""
        self.effects += map(Emit, events)

    def mark_status_due(self) -> None:
        """Have StateChanged emitted, after the save if one comes next."""
        self.state = replace(self.state, is_status_due=True)

    def emit_due_status(self) -> None:
        """Emit StateChanged if it is due."""
        if self.state.is_status_due:
            self.state = replace(self.state, is_status_due=False)
            self.emit(self.state.status_event())

    def set_condition(self, cause: Cause, sentence: str, where: str = "") -> None:
        """Begin or change the condition ``cause``; an empty ``sentence`` ends it."""
        condition = Condition(cause, sentence, where if sentence else "")
        others = tuple(each for each in self.state.conditions if each.cause != cause)
        has_changed = condition not in self.state.conditions
        if has_changed and (sentence or others != self.state.conditions):
            lasting = (*others, condition) if sentence else others
            self.state = replace(self.state, conditions=lasting)
            self.emit(condition)

    def end_conditions(self, *causes: Cause) -> None:
        """End these conditions."""
        for cause in causes:
            self.set_condition(cause, "")

    def fail(self, sentence: str, *, is_fatal: bool = False) -> None:
        """Emit an error and drop all plans; the discussion stays open as it is."""
        self.drop_plans()
        self.emit(ErrorRaised(sentence, fatal=is_fatal))
        self.mark_status_due()

    def drop_plans(self) -> None:
        """Ask for nothing more: no reply, no other discussion, no candidates."""
        self.state = replace(self.state, intent="wait", starting=None, candidates_wanted=0)

    def mark_unsaved(self, *events: SessionEvent) -> None:
        """Have the discussion saved; ``events`` are emitted once it is."""
        unsaved = self.state.unsaved or Unsaved()
        unsaved = replace(unsaved, events=unsaved.events + events, has_failed=False)
        self.state = replace(self.state, unsaved=unsaved)

    def save(self) -> None:
        """Write the open discussion. Nothing else happens before Saved or SaveFailed."""
        assert self.state.path
        self.do(Save(self.state.path, self.state.snapshot()))
        self.state = replace(self.state, is_saving=True, unsaved=self.state.unsaved or Unsaved())
