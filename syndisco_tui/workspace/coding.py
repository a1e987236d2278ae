"""Annotation by a person: one discussion, one question, one answer after the other."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from ..discussion import DiscussionRecord
from ..discussion.annotation import (
    Annotation,
    AnnotationSet,
    AnnotatorProfile,
    Question,
    annotatable,
    message_id,
)
from ..discussion.scales import Value
from ..store.annotations import (
    annotation_path,
    annotations_of,
    read_annotations,
    read_task,
    write_annotations,
)
from ..store.atomic import write_atomic
from ..store.inputs import InputError, read_json
from ..store.lock import WriterLock

DEFAULT_ANNOTATOR = "human-1"
MAX_REMEMBERED = 20


class HumanCoding:
    """The answers of a person to a question about a saved discussion, and their file.

    Answers are given on one thread and may be saved on another.

    Args:
        discussion: The discussion's file.
        record: The file's content.
        question: The question to answer.
        annotator: The person's name.

    Raises:
        InputError: The file of the answers cannot be read, or another process writes it.
        OSError: Its folder cannot be made.
    """

    def __init__(
        self, discussion: Path, record: DiscussionRecord, question: Question, annotator: str
    ) -> None:
        profile = AnnotatorProfile(annotator, "human")
        self.question = question
        self.record = record
        self.positions = tuple(annotatable(record.entries))
        """Indices of the messages to be annotated."""
        self._set = AnnotationSet(record.id, question, profile, file=discussion.name)
        self.path = annotation_path(discussion, self._set, None)
        self.path.parent.mkdir(mode=0o700, exist_ok=True)
        try:
            self._lock = WriterLock(self.path)
        except BlockingIOError:
            raise InputError(
                f"{annotator} is annotating this discussion in another syndisco-tui; choose "
                "another name in the settings"
            ) from None
        try:
            known = read_annotations(self.path) if self.path.exists() else self._set
        except InputError:
            self._lock.release()
            raise
        current = list(known.current(record.entries))
        self._answers = {each.position: each for each in current}
        self._outdated = tuple(each for each in known.annotations if each not in current)
        self._undo: list[tuple[int, Annotation | None]] = []
        self._saving = threading.Lock()
        self._changes = self._saved_changes = 0
        self._latest: tuple[int, tuple[Annotation, ...]] = (0, ())
        """What is to be saved, and after how many changes."""

    @property
    def done(self) -> int:
        """Number of messages with an answer."""
        return len(self._answers)

    @property
    def total(self) -> int:
        """Number of messages."""
        return len(self.positions)

    @property
    def is_saved(self) -> bool:
        """Whether the file has every answer."""
        return self._changes == self._saved_changes

    def value(self, position: int) -> Value | None:
        """The answer about a message, or None."""
        answer = self._answers.get(position)
        return answer.value if answer else None

    def answer(self, position: int, text: str) -> bool:
        """Record an answer; returns False if it is not on the scale."""
        value = self.question.scale.read(text)
        if value is None:
            return False
        message = self.record.entries[position]
        self._undo.append((position, self._answers.get(position)))
        self._answers[position] = Annotation(
            position=position,
            message=message_id(message),
            speaker=message.name,
            value=value,
            text=text,
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        self._changed()
        return True

    def undo(self) -> int | None:
        """Undo the last answer; returns its position, or None."""
        if not self._undo:
            return None
        position, before = self._undo.pop()
        if before is None:
            self._answers.pop(position, None)
        else:
            self._answers[position] = before
        self._changed()
        return position

    def _changed(self) -> None:
        self._changes += 1
        answers = tuple(self._answers[position] for position in sorted(self._answers))
        self._latest = self._changes, (*answers, *self._outdated)

    def next_open(self, position: int) -> int | None:
        """The next message without an answer after ``position``, or else the first, or None."""
        open_positions = [each for each in self.positions if each not in self._answers]
        later = [each for each in open_positions if each > position]
        return next(iter(later or open_positions), None)

    def save(self) -> None:
        """Save new answers. If it raises OSError, they are kept and can be saved again."""
        with self._saving:
            changes, annotations = self._latest
            if changes > self._saved_changes:
                write_annotations(self.path, replace(self._set, annotations=annotations))
                self._saved_changes = changes

    def close(self) -> None:
        """Release the lock of the file."""
        self._lock.release()


@dataclass(frozen=True)
class KnownTask:
    """A question that a person can answer. ``source`` is a task's file, or another annotator."""

    question: Question | None
    source: str
    path: Path | None = None
    error: str = ""

    def __str__(self) -> str:
        return self.source

    @property
    def name(self) -> str:
        """The task's name."""
        return self.question.name if self.question else (self.path.stem if self.path else "")


class RecentTasks:
    """The task files that were used, the latest first; ``file`` holds their paths."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def paths(self) -> list[Path]:
        """The files that still exist."""
        try:
            value = read_json(self._file) if self._file.exists() else []
        except InputError:  # of our own making, and of no great worth
            return []
        names = [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
        return [path for path in map(Path, names) if path.is_file()]

    def remember(self, path: Path) -> None:
        """Put ``path`` first. Raises OSError."""
        path = path.absolute()
        paths = [path, *(each for each in self.paths() if each != path)][:MAX_REMEMBERED]
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomic(self._file, json.dumps([str(each) for each in paths], indent=1).encode())


def known_tasks(
    recent: Sequence[Path], discussion: Path, record: DiscussionRecord
) -> list[KnownTask]:
    """The tasks of ``recent`` files, and those with which others annotated this discussion."""
    tasks = [_task_in(path) for path in recent]
    digests = {task.question.digest for task in tasks if task.question}
    answered: dict[str, tuple[Question, list[str]]] = {}
    for each in annotations_of(discussion, record.id):
        if each.question.digest not in digests:
            _, names = answered.setdefault(each.question.digest, (each.question, []))
            names.append(each.annotator.name)
    return [
        *tasks,
        *(KnownTask(question, ", ".join(names)) for question, names in answered.values()),
    ]


def _task_in(path: Path) -> KnownTask:
    try:
        return KnownTask(read_task(path).question, str(path), path)
    except InputError as error:
        return KnownTask(None, str(path), path, str(error))
