"""Runs the annotation of many discussions by many annotators, on one engine.

Like ``Batch`` it has no thread of its own: the engine's events are queued, and ``drain`` handles
them, saves answers that are due and submits the next requests.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from queue import Empty, SimpleQueue

from ..discussion import DiscussionRecord
from ..discussion.annotation import (
    Annotation,
    annotation_chat,
    annotation_seed,
    message_id,
)
from ..engine.base import (
    Engine,
    EngineError,
    Failed,
    Finished,
    Generation,
    GenerationEvent,
    GenerationRequest,
    GenerationResult,
    Loaded,
    LoadEvent,
    LoadFailed,
    LoadProgress,
    ModelUnavailable,
    Sampling,
    Waiting,
)
from ..engine.model import ModelSpec
from ..engine.reasoning import ReasoningSplitter
from .annotation_job import AnnotationJob

SAVE_SECONDS = 1.0
"""How old an answer may get before it is saved."""
MAX_FAILURES = 20
"""So many failures in a row end the run."""

JSON_ROOM = 16
"""Tokens for what stands around an answer."""


@dataclass(frozen=True)
class _OpenRequest:
    """A request to an annotator that has not been answered."""

    job: AnnotationJob
    annotation: Annotation
    """Without its answer."""
    seconds_from: float


@dataclass(frozen=True)
class AnnotationFigures:
    """The progress of annotating. ``seconds_left`` is None until it can be estimated."""

    total: int
    done: int
    invalid: int
    failed: int
    per_second: float
    seconds_left: float | None


class AnnotationBatch:
    """Runs ``jobs``, with at most ``max_in_flight`` requests at a time.

    Models on servers run at the same time as each other and as the first local model; further local
    models follow one after the other. Call ``drain`` repeatedly.
    """

    def __init__(
        self, engine: Engine, jobs: Sequence[AnnotationJob], *, max_in_flight: int = 64
    ) -> None:
        self.jobs = list(jobs)
        self.loading: LoadProgress | None = None
        self.models: list[str] = []
        """The models that were loaded, in words."""
        self.waits = ""
        """Why a server has to be waited for; empty where none has."""
        self.fatal = ""
        """Why nothing can go on."""
        self._engine = engine
        self._max_in_flight = max_in_flight
        self._events: SimpleQueue[LoadEvent | GenerationEvent] = SimpleQueue()
        self._in_flight: dict[Generation, _OpenRequest] = {}
        self._phases = phases([job.spec for job in jobs])
        self._phase: tuple[ModelSpec, ...] = ()
        self._requests: Iterator[tuple[GenerationRequest, _OpenRequest]] = iter(())
        self._is_loading = False
        self._failed = self._failures_in_a_row = 0
        self._done_before = sum(job.done for job in jobs)
        self._first_answer_at = self._saved_at = 0.0
        self._answered = 0
        self._stopped = False
        self._next_phase()

    def _next_phase(self) -> None:
        if not self._phases or self._stopped:
            self._phase = ()
            return
        self._phase = self._phases.pop(0)
        self._is_loading = True
        main, *others = self._phase
        self._engine.load(replace(main, others=tuple(others)), self._events.put)

    def drain(self, timeout: float = 0.0) -> None:
        """Handle queued events, waiting at most ``timeout`` seconds for the first."""
        events: list[LoadEvent | GenerationEvent] = []
        with contextlib.suppress(Empty):
            events.append(self._events.get(block=timeout > 0, timeout=timeout or None))
            while True:
                events.append(self._events.get_nowait())
        for event in events:
            self._note(event)
        if self._in_flight and not events and not self._engine.is_alive:
            self._end("The model has ended. Run the same command again to continue.")
        self._submit()
        self._save_due()
        if not (self._is_loading or self._in_flight or self._stopped):
            self._next_phase()

    def _note(self, event: LoadEvent | GenerationEvent) -> None:
        match event:
            case LoadProgress():
                self.loading = event
            case Loaded():
                self.loading, self._is_loading = None, False
                for spec in self._phase:
                    if info := self._engine.info_of(spec):
                        self.models.append(f"{info.name or info.model} on {info.where}")
                self._requests = self._requests_of(self._phase)
            case LoadFailed():
                self._is_loading = False
                self._end(str(event.error))
            case Waiting():
                self.waits = event.reason
            case Finished(generation=generation, result=result):
                if open_request := self._in_flight.pop(generation, None):
                    self._answer(open_request, result, generation.request)
            case Failed(generation=generation, error=error):
                if open_request := self._in_flight.pop(generation, None):
                    self._fail(open_request, error)
            case _:
                pass

    def _answer(
        self, open_request: _OpenRequest, result: GenerationResult, request: GenerationRequest
    ) -> None:
        self.waits = ""
        self._failures_in_a_row = 0
        if result.finish_reason == "cancelled":
            self._fail(open_request, EngineError("The answer was cancelled."))
            return
        self._first_answer_at = self._first_answer_at or open_request.seconds_from
        self._answered += 1
        text, reasoning = _told_apart(result)
        info = self._engine.info_of(request.model)
        scale = open_request.job.begin.question.scale
        annotation = replace(
            open_request.annotation,
            value=scale.read(text),
            text=text,
            reasoning=reasoning,
            probability=result.answer_probabilities.get(text),
            probabilities=dict(result.answer_probabilities),
            model=(info.name or info.model) if info else "",
            finish_reason=result.finish_reason,
            prompt_tokens=result.prompt_tokens,
            completion_tokens=result.completion_tokens,
            notes=result.notes,
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        open_request.job.note(annotation, info.as_dict() if info else {})
        self._less_pending(open_request.job)

    def _fail(self, open_request: _OpenRequest, error: EngineError) -> None:
        open_request.job.error = str(error)
        self._failed += 1
        self._failures_in_a_row += 1
        if isinstance(error, ModelUnavailable) or self._failures_in_a_row >= MAX_FAILURES:
            self._end(str(error))
        self._less_pending(open_request.job)

    def _less_pending(self, job: AnnotationJob) -> None:
        job.pending -= 1
        if job.is_submitted and job.pending == 0 and job.state == "open":
            self._close(job)

    def _close(self, job: AnnotationJob) -> None:
        """Save a job that has no more requests, and close it."""
        if self._save(job):
            job.state = "finished" if job.done == job.total else "failed"
            job.close()

    def _requests_of(
        self, specs: Sequence[ModelSpec]
    ) -> Iterator[tuple[GenerationRequest, _OpenRequest]]:
        for job in self.jobs:
            if job.spec not in specs or job.state != "waiting":
                continue
            try:
                record = job.open()
            except OSError as error:
                job.fail(f"{job.target}: cannot be written: {error.strerror or error}")
                record = None
            if record is None:
                continue
            for position, repeat in job.missing(record):
                job.pending += 1
                yield self._request(job, record, position, repeat)
            job.is_submitted = True
            if job.pending == 0:
                self._close(job)

    def _request(
        self, job: AnnotationJob, record: DiscussionRecord, position: int, repeat: int
    ) -> tuple[GenerationRequest, _OpenRequest]:
        question, profile = job.begin.question, job.begin.annotator
        chat = annotation_chat(question, job.persona, record.entries, position)
        seed = annotation_seed(profile, record.id, position, repeat)
        message = record.entries[position]
        annotation = Annotation(
            position=position,
            message=message_id(message),
            speaker=message.name,
            repeat=repeat,
            prompt=chat[-1].content,
            seed=seed,
        )
        # What a server restricts, it writes as a JSON object around the answer.
        room = max((len(answer) + JSON_ROOM for answer in question.scale.answers), default=0)
        request = GenerationRequest(
            chat=chat,
            max_out_tokens=max(profile.max_out_tokens or 1, room),
            sampling=Sampling(profile.temperature or 0.0, 1.0, 0, 1.0),
            seed=seed,
            reasoning=profile.reasoning,
            max_reasoning_tokens=profile.max_reasoning_tokens or 0,
            answers=question.scale.answers,
            model=job.spec,
            conversation=job.begin.key,
        )
        return request, _OpenRequest(job, annotation, time.monotonic())

    def _submit(self) -> None:
        while (
            not (self._is_loading or self._stopped) and len(self._in_flight) < self._max_in_flight
        ):
            following = next(self._requests, None)
            if following is None:
                return
            request, open_request = following
            if self._stopped:  # a job could not be saved
                return
            generation = self._engine.submit(request, self._hear)
            self._in_flight[generation] = open_request

    def _hear(self, event: GenerationEvent) -> None:
        """Queue an event, on the engine's thread."""
        if isinstance(event, Finished | Failed | Waiting):
            self._events.put(event)

    def _save_due(self) -> None:
        if time.monotonic() - self._saved_at >= SAVE_SECONDS:
            self._saved_at = time.monotonic()
            for job in self.jobs:
                if job.is_dirty:
                    self._save(job)

    def _save(self, job: AnnotationJob) -> bool:
        try:
            job.save()
        except OSError as error:
            job.state = "failed"
            job.error = f"{job.target}: cannot be written: {error.strerror or error}"
            self._end(job.error)
            return False
        return True

    def _end(self, sentence: str) -> None:
        self.fatal = self.fatal or sentence
        self.stop()

    def stop(self) -> None:
        """Cancel the requests in flight and save all answers."""
        if self._stopped:
            return
        self._stopped = True
        if self._is_loading:
            self._engine.cancel_load()
        for generation in self._in_flight:
            generation.cancel()
        self._in_flight.clear()
        self._is_loading, self._phase, self._phases = False, (), []
        for job in self.jobs:
            if job.state in ("open", "waiting"):
                job.state = "stopped"
                with contextlib.suppress(OSError):  # said already, or about to be said
                    job.save()
            job.close()

    @property
    def is_over(self) -> bool:
        """Whether no more requests will be made."""
        idle = not (self._in_flight or self._is_loading or self._phases or self._phase)
        return self._stopped or idle

    @property
    def is_finished(self) -> bool:
        """Whether every message has its answers."""
        return all(job.state == "finished" for job in self.jobs)

    def figures(self) -> AnnotationFigures:
        """Progress and speed."""
        ours = [job for job in self.jobs if job.state != "elsewhere"]
        total, done = sum(job.total for job in ours), sum(job.done for job in ours)
        seconds = time.monotonic() - self._first_answer_at if self._first_answer_at else 0.0
        speed = self._answered / seconds if seconds else 0.0
        return AnnotationFigures(
            total=total,
            done=done,
            invalid=sum(job.invalid for job in ours),
            failed=self._failed,
            per_second=speed,
            seconds_left=(total - done) / speed if speed else None,
        )


def phases(specs: Sequence[ModelSpec]) -> list[tuple[ModelSpec, ...]]:
    """The models that are loaded together: one local model, and in the first phase all servers."""
    distinct = list(dict.fromkeys(specs))
    servers = [spec for spec in distinct if spec.server]
    local = [spec for spec in distinct if not spec.server]
    if not local:
        return [tuple(servers)] if servers else []
    return [(local[0], *servers), *((spec,) for spec in local[1:])]


def _told_apart(result: GenerationResult) -> tuple[str, str]:
    """Separate answer and reasoning, in case the engine left the tags in the text."""
    if result.reasoning:
        return result.text, result.reasoning
    splitter = ReasoningSplitter()
    splitter.feed(result.text)
    splitter.finish()
    if not splitter.reasoning:
        return result.text, ""
    return splitter.speech, splitter.reasoning
