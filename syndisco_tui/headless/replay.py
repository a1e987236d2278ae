"""A saved discussion once more: are the words the same?"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TextIO

from ..discussion import Asked, DiscussionRecord, Message, NotOnRecord, asked_for
from ..engine.base import (
    Engine,
    EngineError,
    Generation,
    Loaded,
    LoadEvent,
    LoadFailed,
    ModelSpec,
)
from ..exit_status import DIFFERS, FINISHED, NO_MODEL
from ..session.reply import generation_request
from ..text import one_line, safe
from .live import forgive_encoding
from .printer import progress_bar


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
    """Generate every reply of ``record`` again, all at once; say what differs first.

    Returns the exit status: 0 the same words, 1 a difference, 3 the model cannot be had.
    """
    out, err = out or sys.stdout, err or sys.stderr
    forgive_encoding(out, err)
    setup = record.setup
    try:
        _load(engine, ModelSpec(setup.model, setup.quantization, setup.dtype, device))
    except EngineError as error:
        print(safe(str(error)), file=err)
        return NO_MODEL
    if note := _other_numerics(record, engine):
        print(note, file=err)
    asked = [(each.message, _submit(engine, each)) for each in _asked(record)]
    for number, (message, generation) in enumerate(asked, start=1):
        now = generation.result().text
        if err.isatty():
            err.write(f"\r\x1b[K{progress_bar(number, len(asked))} {number} of {len(asked)}")
            err.flush()
        if found := _difference(message, now):
            for _, other in asked:
                other.cancel()
            _report(found, out)
            return DIFFERS
    print(f"{len(asked)} replies, every one with the same words.", file=out)
    if note := passed_over(record):
        print(note, file=err)
    return FINISHED


def _asked(record: DiscussionRecord) -> list[Asked]:
    """Every reply that a model made, with the request that asked for it. Raises EngineError."""
    try:
        return [
            asked_for(record, index)
            for index, message in enumerate(record.entries)
            if message.is_prompted
        ]
    except NotOnRecord as error:
        raise EngineError(safe(str(error))) from None


def passed_over(record: DiscussionRecord) -> str:
    """What of a discussion no model is asked for again, in a sentence or two; or nothing."""
    roles = {"seed": "seed opinions", "human": "messages of humans"}
    counts = {what: sum(e.role == role for e in record.entries) for role, what in roles.items()}
    parts = [f"{count} {what}" for what, count in counts.items() if count]
    sentences = [f"Not asked for again: {', '.join(parts)}."] if parts else []
    if edited := sum(entry.is_edited and entry.is_prompted for entry in record.entries):
        sentences.append(f"Compared with the words before they were edited: {edited}.")
    return " ".join(sentences)


def _load(engine: Engine, spec: ModelSpec) -> None:
    events: SimpleQueue[LoadEvent] = SimpleQueue()
    engine.load(spec, events.put)
    while not isinstance(event := events.get(), Loaded):
        if isinstance(event, LoadFailed):
            raise event.error


def _submit(engine: Engine, asked: Asked) -> Generation:
    return engine.submit(generation_request(asked.request, asked.setup))


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
    if other:
        return f"The discussion was made with other {', '.join(other)}: words may differ."
    if not now.get("exact"):
        return "Only float32 on a CPU promises the same words."
    return ""
