"""Decides which model to load, and when a load is joined, cancelled or ignored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..discussion import DiscussionSetup
from ..discussion.participant_models import PYTHON
from ..engine.base import Cancelled, Loaded, LoadProgress
from ..engine.model import EngineInfo, ModelSpec
from .effects import CancelLoad, Load, RememberModel, RestartEngine
from .events import ModelReady, PreloadFailed
from .inputs import LoadReport
from .last_model import LastModel
from .model_path import slower_path
from .model_specs import model_spec
from .outcome import Outcome
from .state import ModelState, SessionState


def has_model(state: SessionState, setup: DiscussionSetup) -> bool:
    """Whether the models of ``setup`` are loaded."""
    return _has(state, model_spec(setup, state.device))


def model_ready_for(state: SessionState, setup: DiscussionSetup) -> SessionState:
    """The state in which the loaded model counts as the one that ``setup`` names."""
    return replace(state, model=replace(state.model, ready=model_spec(setup, state.device)))


def load(outcome: Outcome, setup: DiscussionSetup) -> None:
    """Load the model of ``setup`` unless it is loaded or being loaded; a preload is joined."""
    spec, model = model_spec(setup, outcome.state.device), outcome.state.model
    if _has(outcome.state, spec):
        return
    if model.loading and not model.is_cancelled:
        if model.preload and _is_preloaded(model, spec):
            joined = replace(model, loading=spec, preload=None)
            outcome.state = replace(outcome.state, model=joined)
            outcome.mark_status_due()
            return
        if model.loading == spec and not model.preload:
            return
    _begin(outcome, spec, None)


def preload(outcome: Outcome, setup: DiscussionSetup, last_model: LastModel) -> None:
    """Load the model of ``setup`` before it is needed, unless another one is being loaded."""
    spec = model_spec(setup, outcome.state.device)
    if outcome.state.model.loading is None and not _has(outcome.state, spec):
        _begin(outcome, spec, last_model)


def cancel_preload(outcome: Outcome, unless: DiscussionSetup) -> None:
    """Cancel a preload unless it is of the model of ``unless``."""
    model = outcome.state.model
    if model.preload and not _is_preloaded(model, model_spec(unless, outcome.state.device)):
        cancel_load(outcome)


def cancel_load(outcome: Outcome) -> None:
    """Cancel the load in progress; its end is reported as a failure."""
    if outcome.state.model.loading:
        model = replace(outcome.state.model, is_cancelled=True)
        outcome.state = replace(outcome.state, model=model)
        outcome.do(CancelLoad())


def forget_load(outcome: Outcome) -> None:
    """Cancel the load in progress and ignore how it ends."""
    if outcome.state.model.loading:
        cancel_load(outcome)
        model = ModelState(load=outcome.state.model.load)
        outcome.state = replace(outcome.state, model=model)


def load_reported(outcome: Outcome, report: LoadReport) -> None:
    """React to progress of a load and to its end."""
    state, model = outcome.state, outcome.state.model
    if model.loading is None or report.load != model.load:
        return
    event = report.event
    if isinstance(event, LoadProgress):
        outcome.emit(event)
        return
    ended = replace(model, loading=None, preload=None)
    if isinstance(event, Loaded):
        info = event.info
        ready = replace(ended, requested=model.loading, ready=model.loading, ready_info=info)
        others = dict(zip(model.loading.others, event.others, strict=True))
        outcome.state = replace(state, model=ready, engine_info=info, other_infos=others)
        if not model.loading.server and not model.loading.model.startswith(PYTHON):
            outcome.do(RememberModel(replace(model.loading, others=()), info))
        outcome.emit(ModelReady(info, event.others))
        outcome.end_conditions("engine")
        unusable = [each for model in (info, *event.others) for each in model.unusable]
        outcome.set_condition("server", " ".join(unusable))
        outcome.set_condition("speed", _slower_paths((info, *event.others)))
    else:
        outcome.state = replace(state, model=ended)
        is_cancelled = isinstance(event.error, Cancelled)
        sentence = "Loading was cancelled." if is_cancelled else str(event.error)
        if not model.preload:
            is_needed = state.intent != "wait"
            outcome.fail(sentence, is_fatal=is_needed and not is_cancelled)
        elif not is_cancelled:
            outcome.emit(PreloadFailed(sentence))
    outcome.mark_status_due()


def _begin(outcome: Outcome, spec: ModelSpec, last_model: LastModel | None) -> None:
    if outcome.state.model.is_stuck:
        outcome.do(RestartEngine())
    cancel_load(outcome)
    model = ModelState(loading=spec, load=outcome.state.model.load + 1, preload=last_model)
    outcome.state = replace(outcome.state, model=model)
    outcome.end_conditions("speed")
    outcome.do(Load(spec, model.load))
    outcome.mark_status_due()


def _slower_paths(infos: Sequence[EngineInfo]) -> str:
    """A sentence about the models, out of several, that are slower than they could be."""
    sentences = dict.fromkeys(
        slower_path(each.name or each.model, each.path, each.path_reason) for each in infos
    )
    return " ".join(filter(None, sentences))


def _has(state: SessionState, spec: ModelSpec) -> bool:
    # Another session of this engine may have loaded another model since.
    model, info = state.model, state.engine_info
    if info is None or model.ready_info is None or model.ready != spec:
        return False
    is_same = info.without_news == model.ready_info.without_news
    return is_same and all(other in state.other_infos for other in spec.others)


def _is_preloaded(model: ModelState, spec: ModelSpec) -> bool:
    """Whether the model that is being preloaded is the one of ``spec``, by any of its names."""
    loading, last = model.loading, model.preload
    if loading is None or last is None:
        return False
    names = (loading.model, last.spec.model, last.info.model)
    resolved = last.auto_model if spec.model == "auto" else spec.model
    return (
        bool({spec.model, resolved}.intersection(names))
        and replace(spec, model=loading.model) == loading
    )
