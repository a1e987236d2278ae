"""Plans the annotation of saved discussions, and reads and summarizes annotations.

An annotator's answers are known from its file alone, so running the same command again requests
only missing answers, and several processes can work on one folder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..analysis.annotations import Coded, TaskSummary, coded, summarize_tasks
from ..discussion import DiscussionRecord
from ..discussion.annotation import (
    AnnotationSet,
    AnnotationTask,
    Annotator,
    annotatable,
    annotation_chat,
    annotator_system_prompt,
)
from ..engine.model import ModelSpec
from ..session.annotation_job import AnnotationJob, sort_answers
from ..store.annotations import (
    annotation_path,
    annotations_of,
    read_annotations,
    read_task,
)
from ..store.discussions import json_files, read_discussion
from ..store.inputs import InputError
from ..store.lock import has_writer

__all__ = [
    "AnnotationPlan",
    "annotations_of",
    "annotations_of_record",
    "plan_annotations",
    "read_task",
    "summarize",
    "task_with_defaults",
]

Progress = Callable[[int, int], object]


@dataclass(frozen=True)
class AnnotationPlan:
    """The jobs of a task."""

    jobs: tuple[AnnotationJob, ...]
    discussions: tuple[Path, ...]
    messages: int
    running: int
    """Discussions that are left out because they are being run."""
    prompt_tokens: int
    """To be read for what is missing; four characters a token."""
    errors: tuple[str, ...]
    """A sentence for each file that could not be read."""

    @property
    def total(self) -> int:
        """Number of answers when the task is done."""
        return sum(job.total for job in self.jobs)

    @property
    def done(self) -> int:
        """Number of answers so far."""
        return sum(job.done for job in self.jobs)


def task_with_defaults(task: AnnotationTask, defaults: Mapping[str, Any]) -> AnnotationTask:
    """``task`` with fields that are “auto” replaced by ``defaults``."""
    fields = task.model_dump()
    auto = {name: value for name, value in defaults.items() if fields[name] in ("auto", ())}
    return task.model_copy(update=auto)


def plan_annotations(
    paths: Sequence[Path],
    task: AnnotationTask,
    *,
    device: str = "auto",
    output: Path | None = None,
    progress: Progress = lambda done, total: None,
) -> AnnotationPlan:
    """Plan the jobs of each annotator of ``task`` in the discussions among ``paths``.

    Args:
        paths: Discussions, and folders of them at any depth.
        task: The question and the annotators.
        device: The device of local models.
        output: The folder of the annotations; None: next to each discussion.
        progress: Called with the number of files read and their total.

    Raises:
        InputError: The task has no annotators.
    """
    if not task.annotators:
        raise InputError(
            "The task has no annotators: add [[annotators]] with a persona, or persona_file"
        )
    files = list(dict.fromkeys(path.absolute() for path in json_files(paths)))
    jobs: list[AnnotationJob] = []
    discussions: list[Path] = []
    errors: list[str] = []
    messages = running = tokens = 0
    for number, file in enumerate(files, start=1):
        try:
            record = read_discussion(file)
            if record.status == "running" and has_writer(file):
                running += 1
                continue
            new = [_job(file, record, task, each, device, output) for each in task.annotators]
        except InputError as error:
            errors.append(str(error))
        else:
            discussions.append(file)
            messages += len(annotatable(record.entries))
            jobs += [job for job, _ in new]
            tokens += sum(prompt_tokens for _, prompt_tokens in new)
        progress(number, len(files))
    return AnnotationPlan(tuple(jobs), tuple(discussions), messages, running, tokens, tuple(errors))


def _job(
    file: Path,
    record: DiscussionRecord,
    task: AnnotationTask,
    annotator: Annotator,
    device: str,
    output: Path | None,
) -> tuple[AnnotationJob, int]:
    """The job of one annotator, and the number of tokens to read."""
    profile = task.profile(annotator)
    begin = AnnotationSet(
        discussion=record.id,
        question=task.question,
        annotator=profile,
        file=file.name,
        system_prompt=annotator_system_prompt(task, annotator.persona),
    )
    target = annotation_path(file, begin, output)
    server = task.server_of(annotator)
    if server:
        spec = ModelSpec(profile.model, server=server)
    else:
        spec = ModelSpec(profile.model, profile.quantization, profile.dtype, device)
    positions = annotatable(record.entries)
    job = AnnotationJob(
        discussion=file,
        target=target,
        begin=begin,
        persona=annotator.persona,
        repeats=annotator.repeats,
        spec=spec,
        total=len(positions) * annotator.repeats,
    )
    answered: set[tuple[int, int]] = set()
    if target.exists():
        known = read_annotations(target)
        current, _ = sort_answers(known, annotator.persona, record.entries)
        answered = {key for key in current if key[1] <= annotator.repeats}
        job.done = len(answered)
        job.invalid = sum(not current[key].is_valid for key in answered)
    characters = 0
    for position in positions:
        missing = sum((position, n) not in answered for n in range(1, annotator.repeats + 1))
        if missing:
            chat = annotation_chat(task, annotator.persona, record.entries, position)
            characters += missing * sum(len(message.content) for message in chat)
    return job, characters // 4


def annotations_of_record(
    discussion: Path, record: DiscussionRecord, folder: Path | None = None
) -> list[Coded]:
    """The annotations of a saved discussion's messages that have not changed since.

    Args:
        discussion: The discussion's file.
        record: The file's content.
        folder: The folder of its annotations; None: next to it.

    Raises:
        InputError: A file of annotations cannot be read.
    """
    return coded(annotations_of(discussion, record.id, folder), record.entries)


def summarize(
    discussions: Sequence[Path],
    folder: Path | None = None,
    question_digest: str | None = None,
) -> list[TaskSummary]:
    """Summarize the annotations of these discussions, of all questions or one.

    Raises:
        InputError: A file cannot be read.
    """

    def every() -> Iterator[Coded]:
        for path in discussions:
            yield from annotations_of_record(path, read_discussion(path), folder)

    chosen = (
        each
        for each in every()
        if question_digest is None or each[0].question.digest == question_digest
    )
    return summarize_tasks(chosen)
