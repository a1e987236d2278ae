"""One annotator's job on one discussion: its file of answers, and which are missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from ..discussion import DiscussionRecord, Message, Persona
from ..discussion.annotation import (
    Annotation,
    AnnotationSet,
    annotatable,
    annotation_chat,
    message_id,
)
from ..engine.model import ModelSpec
from ..store.annotations import read_annotations, write_annotations
from ..store.discussions import read_discussion
from ..store.inputs import InputError
from ..store.lock import WriterLock

JobState = Literal["waiting", "open", "finished", "failed", "elsewhere", "stopped"]


@dataclass(eq=False)
class AnnotationJob:
    """One annotator's job on one discussion, updated as answers arrive."""

    discussion: Path
    target: Path
    """The file of its annotations."""
    begin: AnnotationSet
    """The set without answers, for a target that does not exist."""
    persona: Persona
    repeats: int
    spec: ModelSpec
    total: int
    """Answers that there are when it is done."""
    done: int = 0
    invalid: int = 0
    error: str = ""
    state: JobState = "waiting"
    _lock: WriterLock | None = None
    _answers: dict[tuple[int, int], Annotation] = field(default_factory=dict)
    _outdated: tuple[Annotation, ...] = ()
    _engine: dict[str, object] = field(default_factory=dict)
    pending: int = 0
    is_submitted: bool = False
    """Whether everything that was missing has been requested."""
    is_dirty: bool = False

    def open(self) -> DiscussionRecord | None:
        """Lock the target and read its answers. None if no answer is missing."""
        self.target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            self._lock = WriterLock(self.target)
        except BlockingIOError:
            self.state = "elsewhere"
            return None
        try:
            record = read_discussion(self.discussion)
            known = read_annotations(self.target) if self.target.exists() else self.begin
        except InputError as error:
            self.fail(str(error))
            return None
        current, outdated = sort_answers(known, self.persona, record.entries)
        self._answers = {key: each for key, each in current.items() if key[1] <= self.repeats}
        more = [each for key, each in current.items() if key[1] > self.repeats]
        self._outdated = (*outdated, *more)
        self._engine = dict(known.engine)
        self.total = len(annotatable(record.entries)) * self.repeats
        self._count()
        self.state, self.error = "open", ""
        return record

    def missing(self, record: DiscussionRecord) -> Iterator[tuple[int, int]]:
        """Position and repeat of every missing answer."""
        for position in annotatable(record.entries):
            for repeat in range(1, self.repeats + 1):
                if (position, repeat) not in self._answers:
                    yield position, repeat

    def note(self, annotation: Annotation, engine: dict[str, object]) -> None:
        """Add an answer."""
        self._answers[annotation.position, annotation.repeat] = annotation
        self._engine = engine or self._engine
        self._count()
        self.is_dirty = True

    def _count(self) -> None:
        self.done = len(self._answers)
        self.invalid = sum(not each.is_valid for each in self._answers.values())

    def fail(self, sentence: str) -> None:
        """Note an error that ends the job."""
        self.state, self.error = "failed", sentence
        self.close()

    def save(self) -> None:
        """Save new answers. Raises OSError."""
        if not self.is_dirty:
            return
        answers = [self._answers[key] for key in sorted(self._answers)]
        write_annotations(
            self.target,
            replace(
                self.begin,
                annotations=(*answers, *self._outdated),
                engine=self._engine,
                error=self.error,
            ),
        )
        self.is_dirty = False

    def close(self) -> None:
        """Release the lock of the target."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None


def sort_answers(
    known: AnnotationSet, persona: Persona, entries: Sequence[Message]
) -> tuple[dict[tuple[int, int], Annotation], tuple[Annotation, ...]]:
    """Split answers into those of current messages, by position and repeat, and all others."""
    current: dict[tuple[int, int], Annotation] = {}
    outdated: list[Annotation] = []
    for each in known.annotations:
        is_same = 0 <= each.position < len(entries) and each.prompt == _user_prompt(
            known, persona, entries, each.position
        )
        if is_same and each.message == message_id(entries[each.position]):
            current[each.position, each.repeat] = each
        else:
            outdated.append(each)
    return current, tuple(outdated)


def _user_prompt(
    known: AnnotationSet, persona: Persona, entries: Sequence[Message], position: int
) -> str:
    return annotation_chat(known.question, persona, entries, position)[-1].content
