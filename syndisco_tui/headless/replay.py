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
from ..session.model_specs import model_spec
from ..session.stream import generation_request
from ..text import counted, one_line, safe
from ..workspace.exit_status import DIFFERS, FINISHED, NO_MODEL
from ..workspace.inputs import InputError
from .output import forgive_encoding
from .status_line import StatusLine, progress_bar

AHEAD = 64
"""Replies requested at once: as many as an engine generates together."""


@dataclass(frozen=True)
class Difference:
    """The first difference of a reply: at the character ``position``, from 0."""

    message: Message
    position: int
    saved_text: str
    new_text: str


def replay(
    engine: Engine,
    record: DiscussionRecord,
    *,
    device: str = "auto",
    out: TextIO | None = None,
    err: TextIO | None = None,
) -> int:
    """Generate the replies of ``record`` once more, many at once, and report the first difference.

    Where the model was changed on the way, only those of the last one. Returns the exit status: 0
    for equal texts, 1 for a difference, 3 if the model cannot be loaded. Raises InputError where
    a reply cannot be requested again.
    """
    out, err = out or sys.stdout, err or sys.stderr
    forgive_encoding(out, err)
    if record.is_foreign:
        raise InputError(
            "this discussion is SynDisco's, which does not record sampling and seed: it cannot be "
            "replayed"
        )
    indices, others = _replies_of_last_model(record)
    setup = setups_in_force(record, indices[-1])[0] if indices else record.setup
    try:
        _load(engine, model_spec(setup, device))
    except EngineError as error:
        print(safe(str(error)), file=err)
        return NO_MODEL
    info = engine.info
    if info and (note := slower_path(info.name or info.model, info.path, info.path_reason)):
        print(note, file=err)
    if note := _other_numerics(record, engine):
        print(note, file=err)
    status_line = StatusLine(err)
    with contextlib.closing(_generated(engine, record, indices)) as generated:
        for number, (message, text) in enumerate(generated, start=1):
            status_line.show(f"{progress_bar(number, len(indices))} {number} of {len(indices)}")
            if difference := _difference(message, text):
                status_line.clear()
                _report(difference, out)
                return DIFFERS
    status_line.clear()
    print(f"{counted(len(indices), 'reply', 'replies')}: the same text throughout.", file=out)
    if note := passed_over(record, others):
        print(note, file=err)
    return FINISHED


def _replies_of_last_model(record: DiscussionRecord) -> tuple[list[int], int]:
    """Indices of the replies of the last model, and how many are of earlier ones."""
    replies = [index for index, entry in enumerate(record.entries) if entry.is_prompted]
    models = [model_spec(setups_in_force(record, index)[0], "") for index in replies]
    of_last = [index for index, model in zip(replies, models, strict=True) if model == models[-1]]
    return of_last, len(replies) - len(of_last)


def _generated(
    engine: Engine, record: DiscussionRecord, indices: Iterable[int]
) -> Generator[tuple[Message, str]]:
    """Each of these messages with its new text, ``AHEAD`` being requested at once.

    Raises InputError where the record does not tell the request, or a reply fails.
    """
    ahead: deque[tuple[Message, Generation]] = deque()
    try:
        for index in indices:
            if len(ahead) == AHEAD:
                yield _outcome(*ahead.popleft())
            rebuilt = _rebuilt(record, index)
            request = generation_request(rebuilt.request, rebuilt.setup)
            ahead.append((rebuilt.message, engine.submit(request)))
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


def _rebuilt(record: DiscussionRecord, index: int) -> RebuiltRequest:
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


def _difference(message: Message, new_text: str) -> Difference | None:
    saved_text = message.model_text
    if saved_text == new_text:
        return None
    pairs = enumerate(zip(saved_text, new_text, strict=False))
    shorter = min(len(saved_text), len(new_text))
    position = next((index for index, (old, new) in pairs if old != new), shorter)
    return Difference(message, position, saved_text, new_text)


def _report(difference: Difference, out: TextIO) -> None:
    message, position = difference.message, difference.position
    print(
        f"turn {message.turn}, {one_line(message.name, 40)}: differs at character {position + 1}",
        file=out,
    )
    for label, text in (("saved", difference.saved_text), ("now", difference.new_text)):
        excerpt = text[max(0, position - 30) : position + 50]
        print(f"  {label:6}…{one_line(excerpt, 90)}…", file=out)


def _other_numerics(record: DiscussionRecord, engine: Engine) -> str:
    """Why the text may differ, or an empty string."""
    current = engine.info.as_dict() if engine.info else {}
    keys = ("name", "revision", "device", "processor", "dtype", "quantization", "path", "versions")
    recorded = {"processor": current.get("processor"), **record.engine}  # older records lack it
    other = [key for key in keys if recorded.get(key) != current.get(key)]
    if "path" in other and recorded.get("path"):
        before = one_line(str(recorded["path"]), 20)
        other[other.index("path")] = f"path ({before}, now {current.get('path')})"
    if other:
        return f"The discussion was made with other {', '.join(other)}: the text may differ."
    if not current.get("exact"):
        return "Only float32 on a CPU guarantees the same text."
    return ""
