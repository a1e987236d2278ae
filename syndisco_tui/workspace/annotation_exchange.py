"""Exports and imports annotations: SynDisco's two layouts, and a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from ..analysis.annotations import Coded, summarize_tasks
from ..discussion import DiscussionRecord
from ..discussion.annotation import Annotation, AnnotationSet, Question, annotatable
from ..store.annotations import annotation_path, read_annotations, write_annotations
from ..store.discussions import json_files, read_discussion
from ..store.export.csv_rows import cell
from ..store.inputs import MAX_DISCUSSION_BYTES, InputError, read_json
from ..store.syndisco_annotations import (
    ForeignAnnotations,
    as_2_0,
    as_2_2,
    is_annotations,
    read_foreign,
)
from .annotations import annotations_of_record
from .importing import importable

AnnotationFormat = Literal[
    "annotations-csv", "syndisco-annotations-2.0", "syndisco-annotations-2.2"
]
ANNOTATION_FORMATS: tuple[AnnotationFormat, ...] = get_args(AnnotationFormat)
TABLE: AnnotationFormat = "annotations-csv"
COLUMNS = (
    "discussion", "file", "position", "speaker", "role", "message", "task", "task_hash",
    "annotator", "kind", "repeat", "value", "valid", "text", "probability", "model", "seed",
    "created_at", "ndfu",
)  # fmt: skip
"""Of the table; ``ndfu`` is that of all answers about the message."""


@dataclass
class AnnotatedDiscussions:
    """The annotated discussions among ``paths``, read one after the other.

    ``errors`` gets a sentence for each file that cannot be read.
    """

    paths: Sequence[Path]
    folder: Path | None = None
    errors: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[tuple[Path, DiscussionRecord, list[Coded]]]:
        for path in json_files(self.paths):
            try:
                record = read_discussion(path)
                coded = annotations_of_record(path, record, self.folder)
            except InputError as error:
                self.errors.append(str(error))
            else:
                if coded:
                    yield path, record, coded


def exported_files(
    discussions: AnnotatedDiscussions, to: AnnotationFormat
) -> Iterator[tuple[str, str]]:
    """Name and content of one file for each annotator and repeat, in a layout of SynDisco's."""
    write = as_2_0 if to == "syndisco-annotations-2.0" else as_2_2
    for path, record, coded in discussions:
        for answers, current in coded:
            name = annotation_path(path, answers, None).name.removesuffix(".annotations.json")
            repeats = sorted({each.repeat for each in current})
            for repeat in repeats:
                chosen = [each for each in current if each.repeat == repeat]
                suffix = f".r{repeat:03}" if len(repeats) > 1 else ""
                yield f"{name}{suffix}.json", write(answers, record, chosen)


def exported_table(discussions: AnnotatedDiscussions) -> str:
    """All annotations as CSV, one row each, including invalid ones."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    for path, record, coded in discussions:
        split = {
            (task.question.digest, each.unit): each.ndfu
            for task in summarize_tasks(coded)
            for each in task.messages
            if len(each.values) > 1
        }
        for answers, current in coded:
            for each in current:
                key = answers.question.digest, (record.id, each.position)
                row = _row(path, record, answers.question, each, split.get(key))
                profile = answers.annotator
                row |= {"annotator": profile.name, "kind": profile.kind}
                writer.writerow({column: cell(value) for column, value in row.items()})
    return text.getvalue()


def _row(
    path: Path,
    record: DiscussionRecord,
    question: Question,
    annotation: Annotation,
    ndfu: float | None,
) -> dict[str, Any]:
    entry = record.entries[annotation.position]
    return {
        "discussion": record.id,
        "file": path.name,
        "position": annotation.position,
        "speaker": entry.name,
        "role": entry.role,
        "message": entry.text,
        "task": question.name,
        "task_hash": question.digest,
        "repeat": annotation.repeat,
        "value": annotation.value,
        "valid": annotation.is_valid,
        "text": annotation.text,
        "probability": annotation.probability,
        "model": annotation.model,
        "seed": annotation.seed,
        "created_at": annotation.created_at,
        "ndfu": ndfu,
    }


# Importing ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ImportedAnnotations:
    """The result of importing one file. ``path`` is the new file; None if it existed already."""

    source: Path
    discussion: Path
    path: Path | None
    count: int


class AnnotationImporter:
    """Imports SynDisco's annotations of the discussions in ``candidates``.

    Args:
        candidates: Discussions, and folders of them.
        question: The question whose scale the answers use; None: they are text.
    """

    def __init__(self, candidates: Iterable[Path], question: Question | None = None) -> None:
        self._question = question
        self._discussions: list[tuple[Path, DiscussionRecord]] = []
        for path in json_files(candidates):
            try:
                value = read_json(path, max_bytes=MAX_DISCUSSION_BYTES)
                if not is_annotations(value):
                    self._discussions.append((path, read_discussion(path)))
            except InputError:  # it is none of the discussions that annotations are about
                continue

    def import_file(self, path: Path) -> ImportedAnnotations:
        """Write the annotations in ``path`` next to their discussion.

        Raises:
            InputError: They cannot be read, or their discussion is not clear.
            OSError: They cannot be written.
        """
        foreign = read_foreign(
            read_json(path, max_bytes=MAX_DISCUSSION_BYTES, expected="annotations (JSON)"), path
        )
        file, record = self._discussion_of(foreign, path)
        answers = foreign.as_set(record, file.name, self._question)
        target = annotation_path(file, answers, None)
        count = len(answers.annotations)
        if target.exists():
            merged = _with_repeat(read_annotations(target), answers.annotations)
            if merged is None:
                return ImportedAnnotations(path, file, None, 0)
            answers = merged
        target.parent.mkdir(mode=0o700, exist_ok=True)
        write_annotations(target, answers)
        return ImportedAnnotations(path, file, target, count)

    def _discussion_of(
        self, foreign: ForeignAnnotations, path: Path
    ) -> tuple[Path, DiscussionRecord]:
        if foreign.discussion:
            same = [each for each in self._discussions if each[1].id == foreign.discussion]
            if not same:
                raise InputError(
                    f"{path}: is about the discussion {foreign.discussion}, which was not found; "
                    "import it first, or name it with --discussion FILE"
                )
            if foreign.positions(same[0][1].entries) is None:
                raise InputError(
                    f"{path}: the annotated messages are not those of {same[0][0].name}"
                )
            return same[0]
        fitting = [
            each for each in self._discussions if foreign.positions(each[1].entries) is not None
        ]
        chosen = [each for each in fitting if _may_be_all_of(foreign, each[1])] or fitting
        if not chosen:
            raise InputError(
                f"{path}: no discussion has these speakers in this order; name it with "
                "--discussion FILE"
            )
        if len(chosen) > 1:
            names = ", ".join(each[0].name for each in chosen[:3])
            more = f" and {len(chosen) - 3} more" if len(chosen) > 3 else ""
            raise InputError(
                f"{path}: does not say which discussion it is about, and several fit ({names}"
                f"{more}); name one with --discussion FILE"
            )
        return chosen[0]


def _with_repeat(known: AnnotationSet, new: Sequence[Annotation]) -> AnnotationSet | None:
    """``known`` with the same annotator's further answers as one more repeat; None: it has them."""

    def given(annotations: Iterable[Annotation]) -> list[tuple[int, str, str]]:
        return [(each.position, each.message, each.text) for each in annotations]

    repeats = sorted({each.repeat for each in known.annotations})
    for repeat in repeats:
        if given(each for each in known.annotations if each.repeat == repeat) == given(new):
            return None
    number = max(repeats, default=0) + 1
    added = (replace(each, repeat=number) for each in new)
    return replace(known, annotations=(*known.annotations, *added))


def _may_be_all_of(foreign: ForeignAnnotations, record: DiscussionRecord) -> bool:
    """Whether the number of answers is that of the messages, with or without silences."""
    counts = len(annotatable(record.entries)), len(record.entries)
    return len(foreign.about) in counts


def split_annotations(paths: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Split ``paths`` into SynDisco's annotations and all others; folders stay as they are.

    A folder that contains annotations is replaced by its files.
    """
    annotations: list[Path] = []
    others: list[Path] = []
    for path in paths:
        files = importable([path])
        annotation_files = [file for file in files if _holds_annotations(file)]
        annotations += annotation_files
        others += (
            [file for file in files if file not in annotation_files] if annotation_files else [path]
        )
    return annotations, others


_SIGNS = (b"annotator_model", b'\\"2\\"')
"""One of them is in every such file: a look that costs less than reading the JSON."""


def _holds_annotations(path: Path) -> bool:
    try:
        content = path.read_bytes() if path.is_file() else b""
        if not any(sign in content for sign in _SIGNS):
            return False
        return is_annotations(read_json(path, max_bytes=MAX_DISCUSSION_BYTES))
    except (InputError, OSError):  # whoever imports it reports the error
        return False
