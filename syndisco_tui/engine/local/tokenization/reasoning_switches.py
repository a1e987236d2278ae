"""Finds the variables of a chat template that switch reasoning, by rendering it with each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ...base import EngineError, Reasoning
from ...model import ReasoningField

_ON_OFF = ("enable_thinking", "thinking", "reasoning", "enable_reasoning")
"""Qwen 3, GLM, SmolLM3, Gemma 4 · DeepSeek, Granite, Kimi · Cohere Command A · others."""
_BUDGET = "thinking_budget"  # Seed-OSS; 0 is off
_EFFORT = "reasoning_effort"  # gpt-oss, Mistral
_LEVELS = ("none", "minimal", "low", "medium", "high")
_NO_LEVEL = "no such level"

Variables = Mapping[str, object]
Render = Callable[[Variables], str]
"""Renders a short chat with some variables. Raises EngineError where the template refuses them."""


@dataclass(frozen=True)
class ReasoningSwitches:
    """The variables that switch reasoning in a chat template."""

    on: Variables | None = None
    """None where it cannot be switched on."""
    off: Variables | None = None
    """None where it cannot be switched off."""
    levels: frozenset[str] = field(default_factory=frozenset)
    """The values of ``reasoning_effort`` that it takes."""
    takes_any_level: bool = False

    def variables(self, reasoning: Reasoning, effort: str) -> dict[str, object]:
        """The template's variables for these fields of a request; unsupported ones are left out."""
        variables: dict[str, object] = {}
        if reasoning != "off" and self._takes(effort):
            variables[_EFFORT] = effort
        return {**variables, **({"on": self.on, "off": self.off}.get(reasoning) or {})}

    def notes(self, reasoning: Reasoning, effort: str) -> tuple[str, ...]:
        """Notes on the fields of a request that the template does not support.

        For a model that does not reason, a missing “off” is not noted.
        """
        notes = []
        if reasoning == "on" and self.on is None:
            notes.append("the model's chat template cannot switch reasoning on")
        if effort and reasoning != "off" and not self._takes(effort):
            notes.append(f"the model's chat template has no reasoning effort “{effort}”")
        return tuple(notes)

    @property
    def fields(self) -> tuple[ReasoningField, ...]:
        """The fields of a request that the template supports."""
        has_levels = self.takes_any_level or bool(self.levels)
        able: dict[ReasoningField, bool] = {
            "on": self.on is not None,
            "off": self.off is not None,
            "effort": has_levels,
        }
        return tuple(name for name, is_able in able.items() if is_able)

    def _takes(self, effort: str) -> bool:
        return bool(effort) and (self.takes_any_level or effort in self.levels)


def find_switches(template: str, render: Render) -> ReasoningSwitches:
    """Try the variables that ``template`` mentions.

    Args:
        template: The template's text.
        render: Renders the template with variables.
    """

    def rendered(**variables: object) -> str | None:
        try:
            return render(variables)
        except EngineError:
            return None

    names = [name for name in _ON_OFF if name in template]
    names = [name for name in names if rendered(**{name: True}) != rendered(**{name: False})]
    on: Variables | None = dict.fromkeys(names, True) or None
    off: Variables | None = dict.fromkeys(names, False) or None
    levels: frozenset[str] = frozenset()
    takes_any = False
    if _EFFORT in template and rendered(**{_EFFORT: "low"}) != rendered(**{_EFFORT: "high"}):
        levels = frozenset(level for level in _LEVELS if rendered(**{_EFFORT: level}) is not None)
        takes_any = rendered(**{_EFFORT: _NO_LEVEL}) is not None
        on = on or {}  # a model with levels reasons by itself
        if off is None and "none" in levels and not takes_any:
            off = {_EFFORT: "none"}
    if off is None and _BUDGET in template and rendered(**{_BUDGET: 0}) != rendered():
        on, off = on or {}, {_BUDGET: 0}
    return ReasoningSwitches(on, off, levels, takes_any)
