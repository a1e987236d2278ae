"""Annotation: the questions about messages, the annotators, and their answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from .chance import SEED_BITS, draw_seed
from .participant_models import Dtype, Quantization, Reasoning, ReasoningTokens, Server
from .persona import Persona
from .prompt import ChatMessage, comments_so_far, window
from .record import Message
from .scales import Scale, Value

ANNOTATOR_PROMPT_TYPE = "2"
"""What SynDisco writes as the type of an annotator's system prompt."""
_DIGEST_BYTES = 6
_SAYS_NOTHING = re.compile(r'[\s"]*')


class Question(BaseModel):
    """A question about a message, independent of who annotates.

    ``history_context_len`` is the number of earlier messages shown (None: all).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=100)] = "annotation"
    context: str = ""
    instructions: Annotated[str, Field(min_length=1)]
    scale: Scale
    history_context_len: Annotated[int, Field(ge=0)] | None = 3

    @property
    def digest(self) -> str:
        """A hash of the question's text, scale and context length."""
        values = self.model_dump(mode="json", exclude={"scale": {"level"}})
        return _digest(values)


class Annotator(BaseModel):
    """An annotator of a task. Fields that are None or empty are those of the task.

    ``name`` is by default the persona's. ``repeats`` is how often each message is annotated.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    persona: Persona
    name: str = ""
    model: str = ""
    server: Server | None = None
    temperature: Annotated[float, Field(ge=0, le=10)] | None = None
    repeats: Annotated[int, Field(ge=1, le=1000)] = 1

    @property
    def label(self) -> str:
        """The annotator's name."""
        return self.name.strip() or self.persona.name


class AnnotationTask(Question):
    """A question and its annotators: models in the role of personas.

    Without annotators it is a task for people.
    """

    annotators: tuple[Annotator, ...] = ()
    model: str = "auto"
    server: Server = ()
    quantization: Quantization = "auto"
    dtype: Dtype = "auto"
    max_out_tokens: Annotated[int, Field(ge=1, le=100_000)] = 30
    temperature: Annotated[float, Field(ge=0, le=10)] = 0.0
    seed: Annotated[int, Field(ge=0, lt=1 << SEED_BITS)] = 0
    reasoning: Reasoning = "off"
    max_reasoning_tokens: ReasoningTokens = 0

    @model_validator(mode="after")
    def _distinct(self) -> AnnotationTask:
        seen: set[str] = set()
        for annotator in self.annotators:
            key = annotator.label.casefold()
            if key in seen:
                raise ValueError(
                    f"two annotators are called “{annotator.label}”; give one of them a name, or "
                    "repeats to ask it more often"
                )
            seen.add(key)
        return self

    @property
    def question(self) -> Question:
        """The task without its annotators."""
        return Question.model_validate(
            {name: getattr(self, name) for name in Question.model_fields}
        )

    def profile(self, annotator: Annotator) -> AnnotatorProfile:
        """Everything that the answers of ``annotator`` depend on."""
        temperature = annotator.temperature
        return AnnotatorProfile(
            name=annotator.label,
            kind="model",
            persona=annotator.persona.attributes(),
            model=annotator.model or self.model,
            quantization=self.quantization,
            dtype=self.dtype,
            temperature=self.temperature if temperature is None else temperature,
            max_out_tokens=self.max_out_tokens,
            reasoning=self.reasoning,
            max_reasoning_tokens=self.max_reasoning_tokens,
            seed=self.seed,
        )

    def server_of(self, annotator: Annotator) -> tuple[str, ...]:
        """The servers with the model of ``annotator``; empty for a local model."""
        return self.server if annotator.server is None else annotator.server


@dataclass(frozen=True)
class AnnotatorProfile:
    """A person, or a model with a persona and parameters, that annotated."""

    name: str
    kind: Literal["model", "human"]
    persona: dict[str, Any] = field(default_factory=dict)
    model: str = ""
    """As it was asked for."""
    quantization: str = ""
    dtype: str = ""
    temperature: float | None = None
    max_out_tokens: int | None = None
    reasoning: Reasoning = "auto"
    max_reasoning_tokens: int | None = None
    seed: int | None = None

    @property
    def digest(self) -> str:
        """A hash of the annotator and all parameters."""
        return _digest(vars(self))


@dataclass(frozen=True)
class Annotation:
    """One answer about one message. ``value`` is None if the answer was invalid."""

    position: int
    """Index of the message among the discussion's entries, silences included."""
    message: str
    """The message's ``message_id``."""
    speaker: str
    repeat: int = 1
    value: Value | None = None
    text: str = ""
    """What was answered, unchanged."""
    reasoning: str = ""
    probability: float | None = None
    """Of the answer among those allowed, where the engine tells it."""
    probabilities: dict[str, float] = field(default_factory=dict)
    """Of all allowed answers."""
    model: str = ""
    prompt: str = ""
    """The user prompt; the system prompt is the set's."""
    seed: int | None = None
    finish_reason: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    notes: tuple[str, ...] = ()
    """What the engine had to change about the request, in a sentence each."""
    created_at: str = ""
    """ISO 8601, UTC."""

    @property
    def is_valid(self) -> bool:
        """Whether the answer is on the scale."""
        return self.value is not None


@dataclass(frozen=True)
class AnnotationSet:
    """All answers of one annotator to one question about one discussion."""

    discussion: str
    """The discussion's id."""
    question: Question
    annotator: AnnotatorProfile
    annotations: tuple[Annotation, ...] = ()
    file: str = ""
    """The discussion's file, by name."""
    system_prompt: str = ""
    engine: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    """Why some messages have no answer, where that is not because nobody was asked."""

    def current(self, entries: Sequence[Message]) -> Iterator[Annotation]:
        """The annotations of messages that have not changed in ``entries`` since."""
        for annotation in self.annotations:
            position = annotation.position
            if 0 <= position < len(entries) and annotation.message == message_id(entries[position]):
                yield annotation

    @property
    def key(self) -> str:
        """Identifies the set: there is one for each discussion, question and annotator."""
        return _digest([self.discussion, self.question.digest, self.annotator.digest])


def message_id(message: Message) -> str:
    """A hash of a message's name and text, to notice whether it has changed."""
    return _digest([message.name, message.text])


def annotatable(entries: Sequence[Message]) -> list[int]:
    """Indices of the entries to annotate: all messages except silences.

    In SynDisco's files, silences are messages that consist of quotation marks only.
    """
    return [index for index, entry in enumerate(entries) if not _SAYS_NOTHING.fullmatch(entry.text)]


def annotation_seed(profile: AnnotatorProfile, discussion: str, position: int, repeat: int) -> int:
    """The sampler's seed of one answer."""
    purpose = f"annotation|{discussion}|{profile.digest}"
    return draw_seed(profile.seed or 0, purpose, position, repeat)


def annotation_chat(
    question: Question, persona: Persona, entries: Sequence[Message], position: int
) -> tuple[ChatMessage, ...]:
    """The annotator's prompt about the message at ``position``, in SynDisco 2.2's format."""
    shown = [*messages_before(question, entries, position), entries[position]]
    return (
        ChatMessage("system", annotator_system_prompt(question, persona)),
        ChatMessage("user", comments_so_far(shown, "Your annotation:")),
    )


def annotator_system_prompt(question: Question, persona: Persona) -> str:
    """The annotator's system prompt: persona and question as JSON."""
    system = {
        "context": question.context,
        "instructions": f"{question.instructions}\n{question.scale.description}",
        "type": ANNOTATOR_PROMPT_TYPE,
        "persona": persona.attributes(),
    }
    return json.dumps(system, ensure_ascii=False)


def messages_before(question: Question, entries: Sequence[Message], position: int) -> list[Message]:
    """The messages before ``position`` that the prompt shows."""
    return [entries[index] for index in window(entries[:position], question.history_context_len)]


def _digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=True)
    return blake2b(text.encode(), digest_size=_DIGEST_BYTES).hexdigest()
