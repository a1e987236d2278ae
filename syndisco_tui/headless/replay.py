"""A saved discussion generated again: is the text the same?"""

from __future__ import annotations

import contextlib
import sys
from collections import deque
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TextIO

from ..discussion import (
    DiscussionRecord,
    DiscussionSetup,
    Message,
    NotReproducible,
    RebuiltRequest,
    rebuild_request,
)
from ..discussion.past_requests import setups_in_force
from ..engine.base import (
    Engine,
    EngineError,
    Generation,
    Loaded,
    LoadEvent,
    LoadFailed,
    ModelSpec,
)
from ..session.model_path import slower_path
from ..session.stream import generation_request
from ..text import counted, one_line, safe
from ..workspace.exit_status import DIFFERS, FINISHED, NO_MODEL
from ..workspace.inputs import InputError
from .output import forgive_encoding
from .status_line import StatusLine, progress_bar

AHEAD = 64
"""Replies asked for at once: as many as an engine makes together."""


@dataclass(frozen=True)
class Difference:
    """Where a reply differs first; ``place`` counts characters."""

    message: Message
    place: int
    saved: str
    now: str


def replay(
    engine: Engine,
    record: DiscussionRecord,
    *,
    device: str = "auto",
    out: TextIO | None = None,
    err: TextIO | None = None,
) -> int:
    """Generate every reply of ``record`` again, many at once; say what differs first.

    Where the model was changed on the way, those of the last one. Returns the exit status: 0 the
    same words, 1 a difference, 3 the model cannot be had. Raises InputError where a reply cannot
    be asked for again.
    """
    out, err = out or sys.stdout, err or sys.stderr
    forgive_encoding(out, err)
    if record.is_foreign:
        raise InputError(
            "this discussion is SynDisco's, which does not record sampling and seed: it cannot be "
            "replayed"
        )
    asked, others = _to_ask(record)
    setup = setups_in_force(record, asked[-1])[0] if asked else record.setup
    try:
        _load(engine, ModelSpec(*_model_of(setup), device))
    except EngineError as error:
        print(safe(str(error)), file=err)
        return NO_MODEL
    info = engine.info
    if info and (note := slower_path(info.name or info.model, info.path, info.path_reason)):
        print(note, file=err)
    if note := _other_numerics(record, engine):
        print(note, file=err)
    status_line = StatusLine(err)
    with contextlib.closing(_generated(engine, record, asked)) as generated:
        for number, (message, now) in enumerate(generated, start=1):
            status_line.show(f"{progress_bar(number, len(asked))} {number} of {len(asked)}")
            if difference := _difference(message, now):
                status_line.clear()
                _report(difference, out)
                return DIFFERS
    status_line.clear()
    print(f"{counted(len(asked), 'reply', 'replies')}: the same text throughout.", file=out)
    if note := passed_over(record, others):
        print(note, file=err)
    return FINISHED


def _to_ask(record: DiscussionRecord) -> tuple[list[int], int]:
    """The replies of the model that spoke last, and how many are of earlier ones."""
    replies = [index for index, entry in enumerate(record.entries) if entry.is_prompted]
    models = [_model_of(setups_in_force(record, index)[0]) for index in replies]
    asked = [index for index, model in zip(replies, models, strict=True) if model == models[-1]]
    return asked, len(replies) - len(asked)


def _model_of(setup: DiscussionSetup) -> tuple[str, str, str]:
    return setup.model, setup.quantization, setup.dtype


def _generated(
    engine: Engine, record: DiscussionRecord, indices: Iterable[int]
) -> Generator[tuple[Message, str]]:
    """Each of these messages and what the model says now, ``AHEAD`` being asked for at once.

    Raises InputError where the record does not say what was asked, or no reply can be had.
    """
    ahead: deque[tuple[Message, Generation]] = deque()
    try:
        for index in indices:
            if len(ahead) == AHEAD:
                yield _outcome(*ahead.popleft())
            asked = _asked(record, index)
            request = generation_request(asked.request, asked.setup)
            ahead.append((asked.message, engine.submit(request)))
        while ahead:
            yield _outcome(*ahead.popleft())
    finally:
        for _, generation in ahead:
            generation.cancel()


def _outcome(message: Message, generation: Generation) -> tuple[Message, str]:
    try:
        return message, generation.result().text
    except EngineError as error:
        who = f"turn {message.turn}, {one_line(message.name, 40)}"
        raise InputError(f"{who}: cannot be generated again: {error}") from None


def _asked(record: DiscussionRecord, index: int) -> RebuiltRequest:
    try:
        return rebuild_request(record, index)
    except NotReproducible as error:
        raise InputError(str(error)) from None


def passed_over(record: DiscussionRecord, others: int) -> str:
    """What of a discussion is not generated again, in a sentence or two; or nothing.

    ``others`` counts the replies of earlier models.
    """
    seeds = sum(entry.role == "seed" for entry in record.entries)
    by_people = sum(entry.role == "human" for entry in record.entries)
    parts = [counted(seeds, "seed opinion")] if seeds else []
    if by_people:
        parts.append(f"{counted(by_people, 'message')} by people")
    if others:
        parts.append(f"{counted(others, 'reply', 'replies')} of an earlier model")
    sentences = [f"Not generated again: {', '.join(parts)}."] if parts else []
    if edited := sum(entry.is_edited and entry.is_prompted for entry in record.entries):
        sentences.append(
            f"{counted(edited, 'edited message')} compared as generated, before the edit."
        )
    return " ".join(sentences)


def _load(engine: Engine, spec: ModelSpec) -> None:
    events: SimpleQueue[LoadEvent] = SimpleQueue()
    engine.load(spec, events.put)
    while not isinstance(event := events.get(), Loaded):
        if isinstance(event, LoadFailed):
            raise event.error


def _difference(message: Message, now: str) -> Difference | None:
    saved = message.model_text
    if saved == now:
        return None
    place = next(
        (i for i, (a, b) in enumerate(zip(saved, now, strict=False)) if a != b),
        min(len(saved), len(now)),
    )
    return Difference(message, place, saved, now)


def _report(found: Difference, out: TextIO) -> None:
    message, place = found.message, found.place
    print(
        f"turn {message.turn}, {one_line(message.name, 40)}: differs at character {place + 1}",
        file=out,
    )
    for label, text in (("saved", found.saved), ("now", found.now)):
        around = text[max(0, place - 30) : place + 50]
        print(f"  {label:6}…{one_line(around, 90)}…", file=out)


def _other_numerics(record: DiscussionRecord, engine: Engine) -> str:
    """Why other words would be no surprise, if so."""
    now = engine.info.as_dict() if engine.info else {}
    keys = ("name", "revision", "device", "processor", "dtype", "quantization", "path", "versions")
    was = {"processor": now.get("processor"), **record.engine}  # not noted once
    other = [key for key in keys if was.get(key) != now.get(key)]
    if "path" in other and was.get("path"):
        before = one_line(str(was["path"]), 20)
        other[other.index("path")] = f"path ({before}, now {now.get('path')})"
    if other:
        return f"The discussion was made with other {', '.join(other)}: the text may differ."
    if not now.get("exact"):
        return "Only float32 on a CPU guarantees the same text."
    return ""
