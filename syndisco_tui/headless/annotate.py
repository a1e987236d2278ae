"""``syndisco-tui annotate``: annotates messages, and prints how far annotators agree."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TextIO

from ..analysis.annotations import TaskSummary
from ..discussion.annotation import AnnotationTask
from ..engine.base import Engine
from ..session.annotation_batch import AnnotationBatch
from ..text import counted, duration, one_line, safe
from ..workspace.annotations import AnnotationPlan, summarize
from ..workspace.exit_status import BAD_INPUT, FINISHED, NO_MODEL, NOT_FINISHED
from .output import forgive_encoding, tell
from .signals import caught_signals
from .status_line import StatusLine, progress_bar

TELL_SECONDS = 0.2
MAX_IN_FLIGHT = 64
"""Answers requested at once, unless asked otherwise."""


def run_annotations(
    engine: Engine,
    plan: AnnotationPlan,
    task: AnnotationTask,
    *,
    folder: Path | None = None,
    max_in_flight: int | None = None,
    out: TextIO | None = None,
    err: TextIO | None = None,
) -> int:
    """Request missing annotations, then print the agreement. Returns the exit status.

    Args:
        engine: Runs the models.
        plan: The annotations to make.
        task: The task.
        folder: The folder of the annotations; None: next to each discussion.
        max_in_flight: Answers requested at once.
        out: Gets the agreement.
        err: Gets progress and errors.
    """
    out, err = out or sys.stdout, err or sys.stderr
    forgive_encoding(out, err)
    for sentence in (*plan.errors, *notices(plan, task)):
        tell(safe(sentence), err)
    status = FINISHED
    jobs = [job for job in plan.jobs if job.done < job.total]
    if jobs:
        with caught_signals() as received:
            batch = AnnotationBatch(engine, jobs, max_in_flight=max_in_flight or MAX_IN_FLIGHT)
            try:
                status = _follow(batch, plan, received, err)
            finally:
                batch.stop()
    else:
        tell("Nothing to do: every message is annotated.", err)
    for summary in summarize(plan.discussions, folder, task.question.digest):
        tell(summary_text(summary), out)
    return status or (BAD_INPUT if plan.errors else FINISHED)


def notices(plan: AnnotationPlan, task: AnnotationTask) -> list[str]:
    """Sentences to show before annotating starts."""
    sentences = []
    if plan.running:
        verb = "is" if plan.running == 1 else "are"
        sentences.append(f"{counted(plan.running, 'discussion')} {verb} still running and skipped.")
    for annotator in task.annotators:
        is_greedy = not task.profile(annotator).temperature
        if annotator.repeats > 1 and is_greedy:
            sentences.append(
                f"warning: {one_line(annotator.label, 40)}: at temperature 0 all "
                f"{annotator.repeats} repeats are the same; give a temperature."
            )
    return sentences


def _follow(batch: AnnotationBatch, plan: AnnotationPlan, received: list[int], err: TextIO) -> int:
    status_line, stage, models, waits = StatusLine(err, interval=TELL_SECONDS), "", 0, ""
    failed: set[Path] = set()

    def say(line: str) -> None:
        status_line.clear()
        tell(line, err)

    while not batch.is_over and not received:
        batch.drain(TELL_SECONDS)
        if batch.loading and batch.loading.stage != stage:
            stage = batch.loading.stage
            say(f"{one_line(stage)} …")
        for model in batch.models[models:]:
            say(one_line(model))
        models = len(batch.models)
        if batch.waits and batch.waits != waits:
            say(safe(batch.waits))
        waits = batch.waits
        for job in batch.jobs:
            if job.state == "failed" and job.target not in failed:
                failed.add(job.target)
                if job.error != batch.fatal:
                    name = one_line(job.begin.annotator.name, 40)
                    say(safe(f"{job.discussion.name}, {name}: {job.error}"))
        status_line.show(progress_line(batch))
    batch.stop()
    say(progress_line(batch))
    if batch.fatal:
        say(safe(batch.fatal))
    elsewhere = sum(job.state == "elsewhere" for job in batch.jobs)
    if elsewhere:
        say(f"{elsewhere} of {len(plan.jobs)} are being annotated by another syndisco-tui.")
    if batch.is_finished:
        return FINISHED
    if received or batch.fatal or failed:
        say("Run the same command again to continue.")
    if received:
        return 128 + received[0]
    return NO_MODEL if batch.fatal and not batch.models else NOT_FINISHED


def progress_line(batch: AnnotationBatch) -> str:
    """Annotations done and invalid, speed, and remaining time, as one line."""
    figures = batch.figures()
    bar = progress_bar(figures.done, figures.total)
    parts = [f"{bar} {figures.done:,} of {counted(figures.total, 'annotation')}"]
    if figures.invalid:
        parts.append(f"{figures.invalid:,} invalid")
    if figures.failed:
        parts.append(f"{figures.failed:,} failed")
    if figures.per_second:
        parts.append(f"{figures.per_second:.1f}/s")
    if figures.seconds_left:
        parts.append(f"{duration(figures.seconds_left)} left")
    return "  ".join(parts)


def dry_run_text(plan: AnnotationPlan, task: AnnotationTask) -> str:
    """The annotations that a run would make, as text."""
    missing = plan.total - plan.done
    discussions = counted(len(plan.discussions), "discussion")
    messages = counted(plan.messages, "message")
    tokens = f"{plan.prompt_tokens:,} tokens to read (four characters each)"
    lines = [
        *map(safe, (*plan.errors, *notices(plan, task))),
        f"{discussions}, {messages}, {counted(len(task.annotators), 'annotator')}",
        f"{counted(plan.total, 'annotation')}, {missing:,} still to be made",
        f"{tokens}, up to {missing * task.max_out_tokens:,} to write",
    ]
    return "\n".join(lines) + "\n"


def summary_text(summary: TaskSummary) -> str:
    """A task's agreement and its annotators, as lines."""
    question, figures = summary.question, summary.agreement
    alpha = f"{question.scale.level} α {_figure(figures.alpha)}"
    parts = [alpha, f"raw agreement {_figure(figures.raw)}"]
    if summary.ndfu is not None:
        parts.append(f"nDFU {_figure(summary.ndfu)}")
    messages = counted(len(summary.messages), "message")
    discussions = counted(summary.discussions, "discussion")
    lines = [
        f"{one_line(question.name, 60)}: {messages} in {discussions}",
        f"  {'  '.join(parts)}  ({counted(figures.units, 'message')} with several answers)",
    ]
    width = max(len(one_line(each.name, 40)) for each in summary.annotators)
    for each in summary.annotators:
        mean = f"  mean {each.mean:.2f}" if each.mean is not None else ""
        invalid = f"  {each.invalid:,} invalid" if each.invalid else ""
        name = one_line(each.name, 40).ljust(width)
        lines.append(f"  {name}  {counted(each.answers, 'annotation')}{mean}{invalid}")
    if summary.counts and len(summary.counts) <= 12:
        shown = (f"{one_line(str(value), 30)} × {n:,}" for value, n in summary.counts.items())
        lines.append(f"  answers: {', '.join(shown)}")
    return "\n".join(lines)


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
