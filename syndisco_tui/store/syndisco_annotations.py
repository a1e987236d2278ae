"""Annotations in SynDisco's two layouts, which hold one annotator's answers about one discussion.

2.0 names the discussion, and pairs the messages' texts with the answers. 2.2 has the annotated
speakers' names, but neither the texts nor the discussion. Neither has the messages' positions,
which are found by their order.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from ..discussion import DiscussionRecord, Message
from ..discussion.annotation import (
    ANNOTATOR_PROMPT_TYPE,
    Annotation,
    AnnotationSet,
    AnnotatorProfile,
    Question,
    annotatable,
    message_id,
)
from ..discussion.scales import TextScale
from .inputs import InputError, validated
from .syndisco import TIMESTAMP, started_at

UNNAMED = "annotator"
"""What an annotator without a username is called."""


def as_2_0(answers: AnnotationSet, record: DiscussionRecord, chosen: Sequence[Annotation]) -> str:
    """``chosen``, the answers of one repeat, in SynDisco 2.0.1's layout.

    The context length in it includes the annotated message.
    """
    length = answers.question.history_context_len
    return _text(
        {
            "conv_id": record.id,
            "timestamp": _timestamp(chosen),
            "annotator_model": _model(answers, chosen),
            "annotator_prompt": _prompt(answers),
            "ctx_length": len(record.entries) if length is None else length + 1,
            "logs": [[record.entries[each.position].text, each.text] for each in chosen],
        }
    )


def as_2_2(answers: AnnotationSet, record: DiscussionRecord, chosen: Sequence[Annotation]) -> str:
    """``chosen``, the answers of one repeat, in SynDisco 2.2.1's layout."""
    prompt = json.dumps(_prompt(answers), ensure_ascii=False)
    logs = [
        {
            "name": each.speaker,
            "text": each.text,
            "model": each.model or _model(answers, chosen),
            "prompt": prompt,
        }
        for each in chosen
    ]
    return _text({"timestamp": _timestamp(chosen), "logs": logs})


def _prompt(answers: AnnotationSet) -> dict[str, Any]:
    """The annotator's prompt; for a person, the question."""
    try:
        value = json.loads(answers.system_prompt)
    except ValueError:
        value = None
    if isinstance(value, dict):
        return value
    question = answers.question
    return {
        "context": question.context,
        "instructions": question.instructions,
        "type": ANNOTATOR_PROMPT_TYPE,
        "persona": {"username": answers.annotator.name, **answers.annotator.persona},
    }


def _model(answers: AnnotationSet, chosen: Sequence[Annotation]) -> str:
    if answers.annotator.kind == "human":
        return "human"
    return next((each.model for each in chosen if each.model), answers.annotator.model)


def _timestamp(chosen: Sequence[Annotation]) -> str:
    latest = max((each.created_at for each in chosen), default="")
    return datetime.fromisoformat(latest or "1970-01-01").strftime(TIMESTAMP)


def _text(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, indent=4, allow_nan=False) + "\n"


# Reading -----------------------------------------------------------------------------------------


class _Log(BaseModel):
    model_config = ConfigDict(extra="ignore")

    name: str
    text: str
    model: str = ""
    prompt: str = ""


class _File20(BaseModel):
    model_config = ConfigDict(extra="ignore")

    conv_id: str
    timestamp: str = ""
    annotator_model: str = ""
    annotator_prompt: str | dict[str, Any] = ""
    ctx_length: Annotated[int, Field(ge=0)] = 1
    logs: tuple[tuple[str, str], ...]


class _File22(BaseModel):
    model_config = ConfigDict(extra="ignore")

    timestamp: str = ""
    logs: tuple[_Log, ...]


@dataclass(frozen=True)
class ForeignAnnotations:
    """SynDisco's annotations. ``about`` has messages' texts in 2.0 and their speakers in 2.2."""

    version: str
    discussion: str
    """Its id; empty in 2.2."""
    about: tuple[str, ...]
    answers: tuple[str, ...]
    prompt: dict[str, Any]
    model: str
    context_length: int | None
    created_at: str

    def positions(self, entries: Sequence[Message]) -> tuple[int, ...] | None:
        """Positions of the annotated messages, in order; None if they are of another discussion.

        A file may include silences, or only a part of the messages.
        """
        everything, spoken = list(range(len(entries))), annotatable(entries)
        for candidates in (spoken, everything):
            if len(candidates) == len(self.about):
                positions = self._matched(entries, candidates)
                if positions is not None:
                    return positions
        of_spoken = self._matched(entries, spoken)
        return self._matched(entries, everything) if of_spoken is None else of_spoken

    def _matched(
        self, entries: Sequence[Message], candidates: Sequence[int]
    ) -> tuple[int, ...] | None:
        """For each answer, the next matching position in ``candidates``."""
        positions: list[int] = []
        left = iter(candidates)
        for each in self.about:
            for position in left:
                entry = entries[position]
                if (entry.text if self.version == "2.0" else entry.name).strip() == each.strip():
                    positions.append(position)
                    break
            else:
                return None
        return tuple(positions)

    def as_set(
        self, record: DiscussionRecord, file: str, question: Question | None
    ) -> AnnotationSet:
        """The answers as a set about ``record``, on the scale of ``question`` if given."""
        positions = self.positions(record.entries) or ()
        persona = self.prompt.get("persona")
        persona = persona if isinstance(persona, dict) else {}
        asked = question or Question(
            name="imported",
            context=str(self.prompt.get("context") or ""),
            instructions=str(self.prompt.get("instructions") or "").strip() or "imported",
            scale=TextScale(),
            history_context_len=self.context_length,
        )
        annotations = tuple(
            Annotation(
                position=position,
                message=message_id(record.entries[position]),
                speaker=record.entries[position].name,
                value=asked.scale.read(answer),
                text=answer,
                model=self.model,
                created_at=self.created_at,
            )
            for position, answer in zip(positions, self.answers, strict=False)
        )
        return AnnotationSet(
            discussion=record.id,
            question=asked,
            annotator=AnnotatorProfile(
                name=str(persona.get("username") or UNNAMED),
                kind="human" if self.model == "human" else "model",
                persona=persona,
                model="" if self.model == "human" else self.model,
            ),
            annotations=annotations,
            file=file,
            system_prompt=json.dumps(self.prompt, ensure_ascii=False) if self.prompt else "",
            engine={"imported_from": f"SynDisco {self.version}"},
        )


def is_annotations(value: object) -> bool:
    """Whether a JSON value is such a file; one of 2.2 is recognized only by its prompts."""
    if not isinstance(value, dict) or not isinstance(logs := value.get("logs"), list):
        return False
    if "annotator_model" in value:
        return True
    prompts = [each.get("prompt") for each in logs if isinstance(each, dict)]
    return (
        bool(prompts)
        and "syndisco_tui" not in value
        and all(_fields(each).get("type") == ANNOTATOR_PROMPT_TYPE for each in prompts)
    )


def read_foreign(value: object, where: object) -> ForeignAnnotations:
    """Read SynDisco's annotations from a JSON value. Raises InputError."""
    if isinstance(value, dict) and "annotator_model" in value:
        old = validated(_File20, value, where)
        return ForeignAnnotations(
            "2.0",
            old.conv_id,
            tuple(message for message, _ in old.logs),
            tuple(answer for _, answer in old.logs),
            _fields(old.annotator_prompt),
            old.annotator_model,
            max(0, old.ctx_length - 1),
            started_at(old.timestamp),
        )
    new = validated(_File22, value, where)
    if not new.logs:
        raise InputError(f"{where}: holds no annotations")
    return ForeignAnnotations(
        "2.2",
        "",
        tuple(log.name for log in new.logs),
        tuple(log.text for log in new.logs),
        _fields(new.logs[0].prompt),
        new.logs[0].model,
        None,
        started_at(new.timestamp),
    )


def _fields(prompt: object) -> dict[str, Any]:
    try:
        fields = json.loads(prompt) if isinstance(prompt, str) else prompt
    except (ValueError, RecursionError):
        return {}
    return fields if isinstance(fields, dict) else {}
