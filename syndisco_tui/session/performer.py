"""Performs the effects of one session: its files, its submissions to the engine, its events."""

from __future__ import annotations

import logging
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from ..discussion import DiscussionRecord, DiscussionSetup
from ..engine.base import Engine, Failed, Finished, GenerationEvent, LoadEvent, Retracted, Waiting
from ..engine.model import EngineInfo, ModelSpec
from ..store.discussions import DiscussionFile, read_discussion
from ..store.inputs import InputError
from . import effects, inputs
from .events import PreloadFailed, SessionEvent
from .last_model import LastModelFile
from .model_specs import model_spec, participant_spec
from .opening import NOBODY
from .state import SessionState
from .stream import ReplyStream, generation_request
from .transition import transition

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Surroundings:
    """What the sessions of one runner share. ``silence`` is in seconds."""

    engine: Engine
    folder: Path
    device: str
    clock: Callable[[], datetime]
    silence: float
    last_model: LastModelFile | None


@dataclass(frozen=True)
class PreloadIfLast:
    """Load the model of ``setup`` if it is the one that was loaded last."""

    setup: DiscussionSetup


@dataclass(frozen=True)
class Generated:
    """The engine reports on ``submission``."""

    submission: int
    event: GenerationEvent


Message = inputs.Input | PreloadIfLast | Generated


class Performer:
    """Owns the state of one session. Used on the runner's thread alone, but for ``state``.

    ``post`` brings a message back to ``take`` on that thread; ``emit`` hands an event to the
    front end.
    """

    def __init__(
        self,
        surroundings: Surroundings,
        *,
        post: Callable[[Message], object],
        emit: Callable[[SessionEvent], object],
    ) -> None:
        self._surroundings = surroundings
        self._engine = surroundings.engine
        self._post = post
        self._emit = emit
        self.state = SessionState(device=surroundings.device)
        self._files: dict[Path, DiscussionFile] = {}
        self._streams: dict[int, ReplyStream] = {}
        self._saved_at = 0.0

    def take(self, message: Message) -> None:
        """React to a message, and to the reports of the effects that it has."""
        try:
            match message:
                case Generated():
                    self._hear(message)
                case PreloadIfLast():
                    self._preload(message.setup)
                case _:
                    self._decide(message)
        except Exception as error:  # the other sessions of the runner continue
            self._decide(_crashed(error))

    @property
    def needs_looks(self) -> bool:
        """Whether ``look`` has anything to do."""
        return self.state.needs_engine or self.state.unsaved is not None

    def look(self, retry_after: float) -> None:
        """Look after the engine and the disk; ``retry_after`` is in seconds."""
        now = time.monotonic()
        if self.state.needs_engine and not self._engine.is_alive:
            self._decide(inputs.EngineDied())
        for stream in self._streams.values():
            is_watched = stream.submission.candidate is None and not stream.is_silent
            if is_watched and now - stream.heard_at >= self._surroundings.silence:
                stream.is_silent = True
                self._decide(inputs.EngineSilent(self._surroundings.silence))
                break
        unsaved = self.state.unsaved
        if unsaved and unsaved.has_failed and now - self._saved_at >= retry_after:
            self._decide(inputs.RetryDue())

    def _decide(self, event: inputs.Input) -> None:
        pending = deque([event])
        while pending:
            event = pending.popleft()
            try:
                pending.extend(self._reports(event))
            except Exception as error:
                if isinstance(event, inputs.Crashed):
                    raise
                pending.append(_crashed(error, isinstance(event, inputs.Quit)))

    def _reports(self, event: inputs.Input) -> list[inputs.Input]:
        now = self._surroundings.clock().isoformat(timespec="milliseconds")
        observed = replace(
            self.state, now=now, engine_info=self._info, other_infos=self._other_infos
        )
        self.state, caused = transition(observed, event)
        reports = (self._perform(effect) for effect in caused)
        return [report for report in reports if report]

    @property
    def _info(self) -> EngineInfo | None:
        """The model of this session; other sessions may have others."""
        return self._engine.info_of(self.state.model.requested)

    @property
    def _other_infos(self) -> dict[ModelSpec, EngineInfo]:
        """Infos of the models beside the main one, by their requested or loaded specs."""
        model = self.state.model
        specs = {other for each in (model.requested, model.ready) if each for other in each.others}
        infos = ((spec, self._engine.info_of(spec)) for spec in specs)
        return {spec: info for spec, info in infos if info is not None}

    def _perform(self, effect: effects.Effect) -> inputs.Input | None:
        match effect:
            case effects.Emit():
                if isinstance(effect.event, PreloadFailed):
                    _log.info("The last model could not be loaded: %s", effect.event.sentence)
                self._emit(effect.event)
            case effects.Load():
                self._load(effect)
            case effects.CancelLoad():
                self._engine.cancel_load()
            case effects.RestartEngine():
                self._engine.restart()
            case effects.RememberModel():
                if self._surroundings.last_model:
                    self._surroundings.last_model.remember(effect.spec, effect.info)
            case effects.Submit():
                self._submit(effect)
            case effects.Cancel():
                if stream := self._streams.pop(effect.submission, None):
                    stream.generation.cancel()
            case effects.OpenFile():
                return self._open(effect)
            case effects.CreateFile():
                return self._create(effect)
            case effects.Save():
                return self._save(effect)
            case effects.CloseFile():
                self._files.pop(effect.path).close()
        return None

    # The engine -------------------------------------------------------------------------------

    def _preload(self, setup: DiscussionSetup) -> None:
        file = self._surroundings.last_model
        last = file.read() if file else None
        spec = model_spec(setup, self._surroundings.device)
        if last and last.is_named_by(spec):
            self._decide(inputs.Preload(setup, last))

    def _load(self, effect: effects.Load) -> None:
        def report(event: LoadEvent) -> None:
            self._post(inputs.LoadReport(effect.load, event))

        self._engine.load(effect.spec, report)

    def _submit(self, effect: effects.Submit) -> None:
        def report(event: GenerationEvent) -> None:
            self._post(Generated(effect.submission, event))

        record = self.state.record
        conversation = record.id if record else ""
        spec = participant_spec(effect.setup, effect.request.name, self._surroundings.device)
        request = generation_request(effect.request, effect.setup, conversation, spec)
        generation = self._engine.submit(request, report)
        self._streams[effect.submission] = ReplyStream(effect, generation)

    def _hear(self, generated: Generated) -> None:
        """Growing text is passed on as it is: nothing depends on it."""
        stream = self._streams.get(generated.submission)
        if stream is None:  # it was dropped
            return
        if stream.is_silent:
            stream.is_silent = False
            self._decide(inputs.EngineSpoke())
        match generated.event:
            case Waiting(reason=""):
                stream.take(generated.event)
                return
            case Waiting():
                stream.is_waiting = True
                stream.take(generated.event)
                self._decide(inputs.ServerWaits(generated.event.reason, generated.event.seconds))
                return
            case Retracted():
                pass
            case _ if stream.is_waiting:
                stream.is_waiting = False
                self._decide(inputs.ServerAnswered())
        match generated.event:
            case Finished():
                del self._streams[generated.submission]
                self._decide(inputs.ReplyFinished(generated.submission, generated.event.result))
            case Failed():
                del self._streams[generated.submission]
                self._decide(inputs.ReplyFailed(generated.submission, generated.event.error))
            case _ if growth := stream.take(generated.event):
                self._emit(growth)

    # Files ------------------------------------------------------------------------------------

    def _open(self, effect: effects.OpenFile) -> inputs.FileOpened | inputs.OpenFailed:
        path = effect.path
        try:
            file = DiscussionFile(path)
        except InputError as error:
            return inputs.OpenFailed(str(error))
        except OSError as error:
            return inputs.OpenFailed(f"{path}: cannot be opened for writing: {error.strerror}")
        try:
            record = continuable_record(path)
        except InputError as error:
            file.close()
            return inputs.OpenFailed(str(error))
        self._files[path] = file
        return inputs.FileOpened(record, path, effect.intent)

    def _create(
        self, effect: effects.CreateFile
    ) -> inputs.FileOpened | inputs.OpenFailed | inputs.SaveFailed:
        if effect.path and effect.path.exists():
            return self._open(effects.OpenFile(effect.path, effect.intent))
        now = self._surroundings.clock()
        record = replace(
            effect.record, id=str(uuid.uuid4()), started_at=now.isoformat(timespec="seconds")
        )
        try:
            file = self._new_file(effect.path, now)
            try:
                file.write(record)
            except OSError:
                file.close()
                raise
        except OSError as error:
            return _save_failed(error)
        except InputError as error:
            return inputs.OpenFailed(str(error))
        self._files[file.path] = file
        return inputs.FileOpened(record, file.path, effect.intent)

    def _new_file(self, path: Path | None, now: datetime) -> DiscussionFile:
        if path is None:
            return DiscussionFile.create(self._surroundings.folder, now)
        file = DiscussionFile(path)
        if path.exists():  # somebody was quicker
            file.close()
            raise InputError(
                f"{path.name}: another process has begun it; the next run continues it"
            )
        return file

    def _save(self, effect: effects.Save) -> inputs.Saved | inputs.SaveFailed:
        self._saved_at = time.monotonic()
        try:
            self._files[effect.path].write(effect.record)
        except OSError as error:
            return _save_failed(error)
        return inputs.Saved(effect.record)


def continuable_record(path: Path) -> DiscussionRecord:
    """The record of a discussion that can be continued. Raises InputError."""
    record = read_discussion(path)
    if record.is_foreign:
        raise InputError(f"{path}: this is SynDisco's own file; it is finished and stays as it is")
    if not record.setup.turn_takers:
        raise InputError(NOBODY)
    return record


def _crashed(error: Exception, ends_session: bool = False) -> inputs.Crashed:
    _log.error("A session failed", exc_info=error)
    sentence = f"Unexpected {type(error).__name__}: {error}. Nothing is lost."
    return inputs.Crashed(sentence, ends_session)


def _save_failed(error: OSError) -> inputs.SaveFailed:
    reason = error.strerror or str(error) or type(error).__name__
    return inputs.SaveFailed(reason, str(Path(error.filename).parent) if error.filename else "")
