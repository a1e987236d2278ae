"""A saved discussion generated again: is the text the same?"""

from __future__ import annotations

import contextlib
import sys
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, replace
from queue import SimpleQueue
from typing import Any, TextIO

from ..discussion import (
    DiscussionRecord,
    DiscussionSetup,
    Message,
    NotReproducible,
    RebuiltRequest,
    rebuild_request,
)
from ..discussion.past_requests import setups_in_force
from ..engine.base import Engine, EngineError, Generation, Loaded, LoadEvent, LoadFailed
from ..engine.model import EngineInfo, ModelSpec
from ..session.model_path import slower_path
from ..session.model_specs import model_spec, participant_spec
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
    change: Callable[[DiscussionSetup], DiscussionSetup] = lambda setup: setup,
    out: TextIO | None = None,
    err: TextIO | None = None,
) -> int:
    """Generate the replies of ``record`` once more, many at once, and report the first difference.

    Of several models, the first of each. Where models were changed on the way, only the replies of
    the last ones are generated. Returns the exit status: 0 for equal texts, 1 for a difference, 3
    if a model cannot be loaded.

    Args:
        engine: Generates the replies.
        record: The discussion.
        device: Where local models run.
        change: Replaces the models of a setup.
        out: Gets the result; by default standard output.
        err: Gets progress and notes; by default standard error.

    Raises:
        InputError: A reply cannot be requested again.
    """
    out, err = out or sys.stdout, err or sys.stderr
    forgive_encoding(out, err)
    if record.is_foreign:
        raise InputError(
            "this discussion cannot be replayed: SynDisco's files do not record sampling "
            "parameters and seeds"
        )
    indices, others = _replies_of_last_models(record)
    setup = change(setups_in_force(record, indices[-1])[0] if indices else record.setup)

    def spec_of(setup: DiscussionSetup, name: str) -> ModelSpec:
        return participant_spec(change(setup), name, device)

    try:
        loaded = _load(engine, model_spec(setup, device))
    except EngineError as error:
        print(safe(str(error)), file=err)
        return NO_MODEL
    for info in (loaded.info, *loaded.others):
        if note := slower_path(info.name or info.model, info.path, info.path_reason):
            print(note, file=err)
    infos = {name: engine.info_of(spec_of(setup, name)) for name in setup.names}
    for note in _other_numerics(record, loaded.info, infos):
        print(note, file=err)
    names = {record.entries[index].model for index in indices}
    differences: dict[str, Difference] = {}
    counts: Counter[str] = Counter()
    status_line = StatusLine(err)
    with contextlib.closing(_generated(engine, record, indices, spec_of)) as generated:
        for number, (message, text) in enumerate(generated, start=1):
            status_line.show(f"{progress_bar(number, len(indices))} {number} of {len(indices)}")
            counts[message.model] += 1
            difference = _difference(message, text)
            if difference and message.model not in differences:
                differences[message.model] = difference
                if len(differences) == len(names):
                    break
    status_line.clear()
    several = len(names) > 1
    for difference in differences.values():
        _report(difference, out, names_model=several)
    for name, count in counts.items() if several else [("", len(indices))]:
        if name not in differences and not (differences and not several):
            model = f"{one_line(name, 60)}: " if several else ""
            same = f"{counted(count, 'reply', 'replies')}: the same text throughout."
            print(f"{model}{same}", file=out)
    if differences:
        return DIFFERS
    if note := passed_over(record, others):
        print(note, file=err)
    return FINISHED


def _replies_of_last_models(record: DiscussionRecord) -> tuple[list[int], int]:
    """Indices of the replies of the last models, and how many are of earlier ones."""
    replies = [index for index, entry in enumerate(record.entries) if entry.is_prompted]
    if not replies:
        return [], 0
    setups = [setups_in_force(record, index)[0] for index in replies]
    last = model_spec(setups[-1], "")
    specs = (replace(last, others=()), *last.others)
    of_last = [
        index
        for index, setup in zip(replies, setups, strict=True)
        if participant_spec(setup, record.entries[index].name, "") in specs
    ]
    return of_last, len(replies) - len(of_last)


def _generated(
    engine: Engine,
    record: DiscussionRecord,
    indices: Iterable[int],
    spec_of: Callable[[DiscussionSetup, str], ModelSpec],
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
            spec = spec_of(rebuilt.setup, rebuilt.message.name)
            request = generation_request(rebuilt.request, rebuilt.setup, model=spec)
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


def _load(engine: Engine, spec: ModelSpec) -> Loaded:
    events: SimpleQueue[LoadEvent] = SimpleQueue()
    engine.load(spec, events.put)
    while not isinstance(event := events.get(), Loaded):
        if isinstance(event, LoadFailed):
            raise event.error
    return event


def _difference(message: Message, new_text: str) -> Difference | None:
    saved_text = message.model_text
    if saved_text == new_text:
        return None
    pairs = enumerate(zip(saved_text, new_text, strict=False))
    shorter = min(len(saved_text), len(new_text))
    position = next((index for index, (old, new) in pairs if old != new), shorter)
    return Difference(message, position, saved_text, new_text)


def _report(difference: Difference, out: TextIO, *, names_model: bool) -> None:
    message, position = difference.message, difference.position
    who = one_line(message.name, 40)
    who += f" ({one_line(message.model, 60)})" if names_model else ""
    print(f"turn {message.turn}, {who}: differs at character {position + 1}", file=out)
    for label, text in (("saved", difference.saved_text), ("now", difference.new_text)):
        excerpt = text[max(0, position - 30) : position + 50]
        print(f"  {label:6}…{one_line(excerpt, 90)}…", file=out)


def _other_numerics(
    record: DiscussionRecord, main: EngineInfo, infos: Mapping[str, EngineInfo | None]
) -> list[str]:
    """Reasons why texts may differ, one sentence for each model that has any.

    ``infos`` are the participants' models, by name.
    """
    recorded = record.engine.get("participants", {})
    others = {name: info for name, info in infos.items() if info and info is not main}
    pairs = [(info, recorded.get(name, record.engine)) for name, info in others.items()]
    if len(others) < len(infos) or not infos:
        pairs.insert(0, (main, record.engine))
    notes = [
        f"{one_line(info.name or info.model, 60)}: {note}" if others else note
        for info, facts in pairs
        if (note := _other_numerics_of(facts, info))
    ]
    return list(dict.fromkeys(notes))


def _other_numerics_of(recorded: Mapping[str, Any], info: EngineInfo) -> str:
    current = info.as_dict()
    keys = ("name", "revision", "device", "processor", "dtype", "quantization", "path", "versions")
    recorded = {"processor": current.get("processor"), **recorded}  # older records lack it
    other = [key for key in keys if recorded.get(key) != current.get(key)]
    if "path" in other and recorded.get("path"):
        before = one_line(str(recorded["path"]), 20)
        other[other.index("path")] = f"path ({before}, now {current.get('path')})"
    if other:
        return f"The discussion was made with other {', '.join(other)}: the text may differ."
    if not current.get("exact"):
        return "Only float32 on a CPU guarantees the same text."
    return ""
