"""Reads the annotations next to discussions, as measures and for agreement."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path

from ..analysis.annotations import Coded, coded
from ..discussion import DiscussionRecord
from ..discussion.annotation import AnnotationSet
from ..discussion.scales import ChoiceScale, IntegerScale
from ..store.annotations import FOLDER, is_annotation_file, read_annotations


class AnnotationReader:
    """Reads annotations of many discussions, each folder's list of files once."""

    def __init__(self) -> None:
        self.read: list[Coded] = []
        """Everything that was read so far."""
        self._files: dict[Path, list[str]] = {}
        self._names: dict[str, str] = {}

    def measures(
        self, discussion: Path, record: DiscussionRecord
    ) -> dict[str, tuple[float, float]]:
        """Sum and count of the valid answers about a discussion's messages, by measure.

        A scale of numbers gives a mean, each choice a share, texts nothing. All annotators and
        repeats have the same weight; annotations of messages that have changed since do not count.

        Raises:
            InputError: A file of annotations cannot be read.
        """
        every = coded(self._sets(discussion, record), record.entries)
        self.read += every
        measures: dict[str, tuple[float, float]] = {}
        for answer_set, current in every:
            name = self._name(answer_set.question.name, answer_set.question.digest)
            values = [each.value for each in current if each.value is not None]
            match answer_set.question.scale:
                case IntegerScale():
                    numbers = [value for value in values if isinstance(value, int)]
                    _add(measures, f"annotation_{name}_mean", sum(numbers), len(numbers))
                case ChoiceScale(choices=choices):
                    for choice in choices:
                        chosen = sum(value == choice for value in values)
                        _add(measures, f"annotation_{name}_{choice}_share", chosen, len(values))
        return measures

    def _sets(self, discussion: Path, record: DiscussionRecord) -> Iterator[AnnotationSet]:
        folder = discussion.parent / FOLDER
        if folder not in self._files:
            present = folder.iterdir() if folder.is_dir() else ()
            self._files[folder] = sorted(path.name for path in present if is_annotation_file(path))
        names = self._files[folder]
        prefix = discussion.stem.encode()[:120].decode(errors="ignore") + "."
        for name in names[bisect_left(names, prefix) :]:
            if not name.startswith(prefix):
                break
            answer_set = read_annotations(folder / name)
            if answer_set.discussion == record.id:
                yield answer_set

    def _name(self, name: str, digest: str) -> str:
        """The question's name, numbered if several questions have it."""
        key = self._names.get(digest)
        if key is None:
            key, number = name, 1
            while key in self._names.values():
                number += 1
                key = f"{name} {number}"
            self._names[digest] = key
        return key


def _add(measures: dict[str, tuple[float, float]], name: str, total: float, count: int) -> None:
    before = measures.get(name, (0.0, 0.0))
    measures[name] = before[0] + total, before[1] + count
