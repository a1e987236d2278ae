"""A discussion's setup: one value that files, the TUI and the engine share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from .actor import Actor
from .chance import SEED_BITS, draw
from .ending import said_pattern
from .names import name_clash, name_key
from .participant_models import (
    AUTO,
    Dtype,
    ParticipantModel,
    Quantization,
    Reasoning,
    ReasoningTokens,
    Server,
)
from .persona import Persona
from .turns import SYNDISCO_NAMES

TurnManagerName = Literal["RoundRobin", "RandomWeighted", "RandomTurn"]
PromptStyle = Literal["syndisco-2.0", "syndisco-2.2", "chat"]

DEFAULT_CONTEXT = "You are taking part in an online conversation"
DEFAULT_INSTRUCTIONS = "Act like a human would"
FIELDS_LEFT_OUT = (
    "own_instructions", "guard", "silence_words", "server", "models",
    "reasoning", "reasoning_effort", "max_reasoning_tokens",
    "stop_when_silent_for", "stop_when_said", "max_discussion_tokens", "tell_turns_left",
)  # fmt: skip
DEFAULT_MODERATOR_INSTRUCTIONS = "You are a moderator. Oversee the discussion"


class DiscussionSetup(BaseModel):
    """Everything that defines a run. Field names are SynDisco's where it has them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = ""
    personas: tuple[Persona, ...] = ()
    moderator: Persona | None = None
    moderator_takes_turns: bool = False
    """Whether the turn manager may choose the moderator, who then does not answer every user."""

    context: str = DEFAULT_CONTEXT
    instructions: str = DEFAULT_INSTRUCTIONS
    own_instructions: dict[str, str] = Field(default_factory=dict)
    """By username, for users with other instructions than the rest (trolls, say)."""
    moderator_instructions: str = DEFAULT_MODERATOR_INSTRUCTIONS
    seed_opinions: tuple[str, ...] = ()
    seed_opinion_usernames: tuple[str, ...] = ()
    """The authors of the seed opinions. Without them, users are drawn by ``seed``, each once."""

    turn_manager: TurnManagerName = "RoundRobin"
    p_respond: Annotated[float, Field(ge=0, le=1)] = 0.5
    """RandomWeighted: the probability that the one before the last speaker answers."""
    conv_len: Annotated[int, Field(ge=1, le=100_000)] = 10
    """Turns of users."""
    stop_when_silent_for: Annotated[int, Field(ge=0, le=100_000)] = 0
    """End early after so many rounds in which nobody says anything; 0: never."""
    stop_when_said: str = ""
    """End early when a message fits this regular expression (RE2); empty: never."""
    max_discussion_tokens: Annotated[int, Field(ge=0)] = 0
    """End early when all replies together have so many tokens; 0: never."""
    tell_turns_left: bool = False
    """Whether each prompt says how many turns are left."""
    history_context_len: Annotated[int, Field(ge=0)] | None = 5
    """How many messages a prompt quotes; null for all."""
    prompt_style: PromptStyle = "syndisco-2.0"
    guard: Literal["on", "off"] = "on"
    """Whether replies are cleaned of what is not the speaker's, and marked."""
    silence_words: tuple[str, ...] = ()
    """Replies that count as a silence; case and punctuation do not matter."""

    model: Annotated[str, Field(min_length=1)] = AUTO
    quantization: Quantization = "auto"
    dtype: Dtype = "auto"
    max_out_tokens: Annotated[int, Field(ge=1, le=100_000)] = 200
    """Tokens of one reply."""
    temperature: Annotated[float, Field(ge=0, le=10)] = 0.8
    """0 is greedy."""
    top_p: Annotated[float, Field(gt=0, le=1)] = 0.95
    """1 is off."""
    top_k: Annotated[int, Field(ge=0)] = 50
    """0 is off."""
    repetition_penalty: Annotated[float, Field(gt=0, le=10)] = 1.1
    seed: Annotated[int, Field(ge=0, lt=1 << SEED_BITS)] = 0

    server: Server = ()
    models: dict[str, ParticipantModel] = Field(default_factory=dict)
    """By username, for participants with another model than the rest, the moderator included."""
    reasoning: Reasoning = "auto"
    reasoning_effort: str = ""
    max_reasoning_tokens: ReasoningTokens = 0

    @field_validator("stop_when_said")
    @classmethod
    def _is_an_expression(cls, expression: str) -> str:
        if expression:
            said_pattern(expression)
        return expression

    @field_validator("turn_manager", mode="before")
    @classmethod
    def _accept_syndisco_names(cls, name: object) -> object:
        return SYNDISCO_NAMES.get(name, name) if isinstance(name, str) else name

    @model_validator(mode="after")
    def _consistent(self) -> DiscussionSetup:
        if clash := name_clash(self.names):
            raise ValueError(f"the usernames “{clash[0]}” and “{clash[1]}” are the same")
        opinions, names = len(self.seed_opinions), len(self.seed_opinion_usernames)
        if names not in (0, opinions):
            raise ValueError(
                f"seed_opinions has {opinions} entries and seed_opinion_usernames {names}: "
                "give one username an opinion, or none at all"
            )
        for number, name in enumerate(self.seed_opinion_usernames, start=1):
            if not name.strip():
                raise ValueError(f"seed_opinion_usernames: username {number} is empty")
        if not names and opinions > len(self.personas) and self.turn_takers:
            raise ValueError(
                f"seed_opinions has {opinions} entries but only {len(self.personas)} users take "
                "part: name their authors in seed_opinion_usernames"
            )
        return self

    @property
    def unused_fields(self) -> set[str]:
        """Fields that few setups use and that are as by default: files leave them out."""
        return {
            name
            for name in FIELDS_LEFT_OUT
            if getattr(self, name)
            == type(self).model_fields[name].get_default(call_default_factory=True)
        }

    @property
    def everybody(self) -> tuple[Persona, ...]:
        """The users, then the moderator."""
        return (*self.personas, self.moderator) if self.moderator else self.personas

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the users, then the moderator's."""
        return tuple(persona.name for persona in self.everybody)

    @property
    def all_instructions(self) -> tuple[str, ...]:
        """All instructions that participants get besides their personas."""
        of_moderator = (self.moderator_instructions,) if self.moderator else ()
        return (self.context, self.instructions, *self.own_instructions.values(), *of_moderator)

    @property
    def texts(self) -> tuple[str, ...]:
        """All texts of the setup in natural language."""
        described = (str(value) for each in self.everybody for value in each.attributes().values())
        return (*self.all_instructions, *self.seed_opinions, *described)

    @property
    def heading(self) -> str:
        """The title of its discussions, or else the names of the participants."""
        return self.title or join_names(self.names)

    @property
    def turn_takers(self) -> tuple[str, ...]:
        """The names from which the turn manager chooses."""
        return self.names if self.moderator_takes_turns else self.names[: len(self.personas)]

    def require_turn_takers(self) -> None:
        """Raise ValueError if nobody would take a turn."""
        if not self.turn_takers:
            raise ValueError("nobody takes part: choose at least one persona")

    def actor(self, name: str) -> Actor:
        """The participant called ``name``. Raises KeyError if there is none."""
        if self.moderator and self.moderator.name == name:
            return Actor(self.moderator, "moderator", self.context, self.moderator_instructions)
        for persona in self.personas:
            if persona.name == name:
                own = {name_key(user): text for user, text in self.own_instructions.items()}
                instructions = own.get(name_key(name), self.instructions)
                return Actor(persona, "user", self.context, instructions)
        raise KeyError(name)

    def model_entry(self, name: str) -> ParticipantModel | None:
        """The entry in ``models`` for the participant called ``name``."""
        key = name_key(name)
        return next((each for user, each in self.models.items() if name_key(user) == key), None)

    def with_model_of(self, name: str) -> DiscussionSetup:
        """The setup with its model replaced by that of the participant called ``name``."""
        entry = self.model_entry(name)
        return self.model_copy(update=entry.values) if entry else self

    def names_models_of(self, other: DiscussionSetup) -> bool:
        """Whether this equals ``other`` except that it names models where ``other`` says “auto”."""
        models = {
            name: entry.model_copy(update={"model": other.models[name].model})
            if name in other.models and other.with_model_of(name).model == AUTO
            else entry
            for name, entry in self.models.items()
        }
        model = AUTO if other.model == AUTO else self.model
        return self.model_copy(update={"model": model, "models": models}) == other

    def seeded(self) -> list[tuple[str, str]]:
        """The seed opinions as (username, text), in order."""
        authors = list(self.seed_opinion_usernames)
        if not authors:
            users = [persona.name for persona in self.personas]
            for turn in range(len(self.seed_opinions)):
                authors.append(users.pop(int(draw(self.seed, "seed author", turn) * len(users))))
        known = {name_key(name): name for name in self.names}
        return [
            (known.get(name_key(name), name.strip()), text.strip())
            for name, text in zip(authors, self.seed_opinions, strict=True)
            if text.strip()
        ]


def join_names(names: Sequence[str]) -> str:
    """“Ann, Bob and Cyd”; of more than four the first three, and how many more."""
    if len(names) > 4:
        return f"{', '.join(names[:3])} and {len(names) - 3} more"
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)
