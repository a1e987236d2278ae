"""Actors: personas in a role, with the instructions that a model gets."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from .persona import Persona

ActorRole = Literal["user", "moderator"]

SYSTEM_PROMPT_TYPE = "1"  # what SynDisco writes for users and moderators alike


@dataclass(frozen=True)
class Actor:
    """``persona`` as a user or the moderator of a discussion."""

    persona: Persona
    role: ActorRole
    context: str
    instructions: str

    @property
    def name(self) -> str:
        return self.persona.name

    def prompt_fields(self) -> dict[str, Any]:
        """The system prompt as SynDisco's object ``{context, instructions, type, persona}``."""
        return {
            "context": self.context,
            "instructions": self.instructions,
            "type": SYSTEM_PROMPT_TYPE,
            "persona": self.persona.attributes(),
        }

    def system_prompt(self) -> str:
        """The system prompt that the model gets: ``prompt_fields`` as JSON text."""
        return json.dumps(self.prompt_fields(), ensure_ascii=False)
