"""The transition table of a session: every input in every phase, without threads or sleeps.

``transitions.txt`` holds the table. A row names an input, phases, the phase that front ends see
next, and the effects in their order, events by their names. An input that a phase has no row for
changes nothing and has no effect.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from syndisco_tui.discussion import DiscussionRecord, DiscussionSetup, Persona
from syndisco_tui.engine.base import (
    Cancelled,
    EngineError,
    GenerationResult,
    Loaded,
    LoadFailed,
    LoadProgress,
    OutOfMemory,
)
from syndisco_tui.engine.model import EngineInfo, ModelSpec
from syndisco_tui.session import StateChanged, inputs
from syndisco_tui.session.effects import CreateFile, Effect, Emit, OpenFile, Save, Submit
from syndisco_tui.session.inputs import Input
from syndisco_tui.session.intervention import Delete, Edit, Inject, Regenerate
from syndisco_tui.session.last_model import LastModel
from syndisco_tui.session.state import SessionState
from syndisco_tui.session.transition import transition

SETUP = DiscussionSetup(
    personas=(Persona(username="Ann"), Persona(username="Bob")), conv_len=2, seed=7, model="m"
)
INFO = EngineInfo("m", name="m")
LAST_MODEL = LastModel(ModelSpec("m"), INFO)
PATH, OTHER = Path("a.json"), Path("b.json")
RESULT = GenerationResult("Hello there.", "stop", 9, 3, 0, 1.0, 0.1)
LOADED = inputs.LoadReport(1, Loaded(INFO))


def record_of(setup: DiscussionSetup) -> DiscussionRecord:
    return DiscussionRecord("1", "2026-01-01T00:00:00+00:00", setup, status="paused")


def play(state: SessionState, *events: Input) -> tuple[SessionState, list[Effect]]:
    """The state after ``events`` on a disk that works, and all effects."""
    effects: list[Effect] = []
    pending = list(events)
    while pending:
        event = pending.pop(0)
        if isinstance(event, inputs.LoadReport) and isinstance(event.event, Loaded):
            state = replace(state, engine_info=event.event.info)
        state, caused = transition(state, event)
        effects += caused
        pending[:0] = [report for effect in caused for report in reports(effect)]
    return state, effects


def reports(effect: Effect) -> Sequence[Input]:
    """What a runner reports of an effect when all goes well."""
    match effect:
        case Save():
            return [inputs.Saved(effect.record)]
        case CreateFile():
            return [inputs.FileOpened(effect.record, PATH, effect.intent)]
        case OpenFile():
            return [inputs.FileOpened(record_of(SETUP), effect.path, effect.intent)]
    return []


def after(*events: Input) -> SessionState:
    return play(SessionState(), *events)[0]


LOADING = (inputs.Start(SETUP),)
RUNNING = (*LOADING, LOADED)
ONE_MESSAGE = (*RUNNING, inputs.Pause(), inputs.ReplyFinished(0, RESULT))
REPLIED = inputs.ReplyFinished(0, RESULT)

PHASES: dict[str, SessionState] = {
    "idle": SessionState(),
    "preloading": after(inputs.Preload(SETUP, LAST_MODEL)),
    "loading": after(*LOADING),
    "running": after(*RUNNING),
    "pausing": after(*RUNNING, inputs.Pause()),
    "silent": after(*RUNNING, inputs.EngineSilent(60)),
    "throttled": after(*RUNNING, inputs.ServerWaits("the server is busy", 5)),
    "queued": after(*RUNNING, inputs.Intervene(Inject("Zoe", "Hm."))),
    "paused": after(*ONE_MESSAGE),
    "staged": after(*ONE_MESSAGE, inputs.ChangeSetup(SETUP.model_copy(update={"seed": 8}))),
    "choosing": after(*ONE_MESSAGE, inputs.OfferCandidates(2), inputs.ReplyFinished(1, RESULT)),
    "finished": after(*RUNNING, REPLIED, inputs.ReplyFinished(1, RESULT)),
    "saving": transition(after(*RUNNING), REPLIED)[0],
    "unsaved": transition(transition(after(*RUNNING), REPLIED)[0], inputs.SaveFailed("Full"))[0],
    "closed": after(inputs.Quit()),
}

INPUTS: dict[str, Input] = {
    "start": inputs.Start(SETUP),
    "resume": inputs.Resume(OTHER),
    "run": inputs.Continue("run"),
    "step": inputs.Continue("step"),
    "pause": inputs.Pause(),
    "stop": inputs.Stop(),
    "change setup": inputs.ChangeSetup(SETUP.model_copy(update={"seed": 9})),
    "inject": inputs.Intervene(Inject("Zoe", "Excuse me.")),
    "regenerate": inputs.Intervene(Regenerate()),
    "delete": inputs.Intervene(Delete()),
    "offer candidates": inputs.OfferCandidates(2),
    "choose": inputs.Choose(0),
    "choose none": inputs.Choose(None),
    "fork": inputs.Fork(0, SETUP),
    "close discussion": inputs.CloseDiscussion(),
    "rename": inputs.Rename("Rain"),
    "load": inputs.LoadModel(SETUP),
    "preload": inputs.Preload(SETUP, LAST_MODEL),
    "cancel preload": inputs.CancelPreload(SETUP.model_copy(update={"model": "other"})),
    "quit": inputs.Quit(),
    "opened": inputs.FileOpened(record_of(SETUP), OTHER, "run"),
    "cannot open": inputs.OpenFailed("No."),
    "saved": inputs.Saved(replace(record_of(SETUP), status="running")),
    "cannot save": inputs.SaveFailed("Full", "folder"),
    "retry": inputs.RetryDue(),
    "load progress": inputs.LoadReport(1, LoadProgress("reading weights")),
    "loaded": LOADED,
    "load failed": inputs.LoadReport(1, LoadFailed(EngineError("No model."))),
    "load cancelled": inputs.LoadReport(1, LoadFailed(Cancelled("Cancelled."))),
    "reply": REPLIED,
    "out of memory": inputs.ReplyFailed(0, OutOfMemory("Full.")),
    "reply failed": inputs.ReplyFailed(0, EngineError("Broken.")),
    "candidate": inputs.ReplyFinished(2, RESULT),
    "candidate failed": inputs.ReplyFailed(2, EngineError("Broken.")),
    "silence": inputs.EngineSilent(60),
    "speech": inputs.EngineSpoke(),
    "server waits": inputs.ServerWaits("the server broke off", 2),
    "server answers": inputs.ServerAnswered(),
    "engine died": inputs.EngineDied(),
    "low space": inputs.SpaceChecked("Nearly full.", "folder"),
    "crash": inputs.Crashed("Unexpected."),
}

GROUPS = {
    "any": [phase for phase in PHASES if phase != "closed"],
    "discussing": [phase for phase, state in PHASES.items() if state.discussion],
    "speaking": ["running", "pausing", "silent", "throttled", "queued"],
    "audible": ["running", "pausing", "queued"],
    "delayed": ["silent", "throttled"],
    "resting": ["paused", "staged", "finished"],
    "loads": ["preloading", "loading"],
}
"""Names for several phases at once."""

TABLE = Path(__file__).with_name("transitions.txt")


def rows() -> dict[tuple[str, str], tuple[str, str]]:
    """The table by phase and input: the phase that follows and the effects."""
    table: dict[tuple[str, str], tuple[str, str]] = {}
    for line in TABLE.read_text().splitlines()[1:]:
        name, phases, follows, effects = (column.strip() for column in line.split("|"))
        for phase in (each for word in phases.split() for each in GROUPS.get(word, [word])):
            assert (phase, name) not in table, "two rows for one input in one phase"
            table[phase, name] = (follows, effects)
    return table


ROWS = rows()


def name_of(effect: Effect) -> str:
    return type(effect.event if isinstance(effect, Emit) else effect).__name__


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize("phase", PHASES)
def test_the_table(phase: str, name: str) -> None:
    before = PHASES[phase]
    entries = before.discussion.entries if before.discussion else ()
    state, effects = transition(before, INPUTS[name])
    assert (before.discussion.entries if before.discussion else ()) == entries
    if (phase, name) not in ROWS:
        assert (state, effects) == (before, ())
        return
    follows, names = ROWS[phase, name]
    assert state.phase == (before.phase if follows == "same" else follows)
    assert " ".join(map(name_of, effects)) == names
    told = [each.event for each in effects if isinstance(each, Emit)]
    states = [event.state for event in told if isinstance(event, StateChanged)]
    assert not states or states[-1] == state.phase


def test_every_row_is_of_a_phase_and_an_input() -> None:
    assert {phase for phase, _ in ROWS} <= set(PHASES)
    assert {name for _, name in ROWS} == set(INPUTS)


def events(effects: Sequence[Effect]) -> list[str]:
    return [name_of(each) for each in effects if isinstance(each, Emit)]


def test_a_discussion_from_start_to_end() -> None:
    state, effects = play(SessionState(), *RUNNING, REPLIED, inputs.ReplyFinished(1, RESULT))
    assert [name_of(each) for each in effects] == [
        *("Load", "StateChanged", "RememberModel", "ModelReady", "StateChanged"),
        *("CreateFile", "Opened", "StateChanged"),
        *("ReplyStarted", "Submit", "StateChanged", "Save", "Posted", "StateChanged"),
        *("ReplyStarted", "Submit", "StateChanged", "Save", "Posted", "StateChanged"),
    ]
    assert state.record
    assert state.record.status == "finished"
    assert [entry.turn for entry in state.record.entries] == [1, 2]


def test_nothing_is_told_before_it_is_saved() -> None:
    state, effects = transition(PHASES["running"], REPLIED)
    (save,) = effects
    assert isinstance(save, Save)
    assert [entry.text for entry in save.record.entries] == ["Hello there."]
    _, effects = transition(state, inputs.Saved(save.record))
    assert events(effects)[0] == "Posted"


def test_what_was_not_saved_is_told_once_and_posted_later() -> None:
    state = PHASES["saving"]
    state, effects = transition(state, inputs.SaveFailed("Full"))
    assert events(effects) == ["NotSaved", "Condition", "StateChanged"]
    state, effects = transition(state, inputs.RetryDue())
    state, effects = transition(state, inputs.SaveFailed("Full"))
    assert events(effects) == ["StateChanged"]
    state, effects = play(state, inputs.RetryDue())
    assert events(effects) == [
        "Condition",
        "Posted",
        "StateChanged",
        "ReplyStarted",
        "StateChanged",
    ]
    assert state.intent == "run"  # it continues by itself


def test_stopping_while_the_disk_refuses_stays_stopped() -> None:
    state, _ = play(PHASES["unsaved"], inputs.Stop(), inputs.RetryDue())
    assert (state.phase, state.unsaved) == ("paused", None)


def test_a_staged_setup_is_applied_by_run_and_step_alone() -> None:
    for name, is_applied in {"run": True, "step": True, "regenerate": False}.items():
        state, effects = play(PHASES["staged"], INPUTS[name])
        assert ("SetupApplied" in events(effects)) == is_applied
        assert (state.staged is None) == is_applied


def test_interventions_wait_for_the_reply_and_are_saved_with_it() -> None:
    state, effects = play(PHASES["queued"], REPLIED)
    assert state.record
    assert [entry.name for entry in state.record.entries] == ["Ann", "Zoe"]
    assert events(effects)[:3] == ["Posted", "DiscussionChanged", "InterventionsQueued"]
    assert len([each for each in effects if isinstance(each, Save)]) == 1


def test_full_memory_is_answered_with_half_the_history_once() -> None:
    state, effects = transition(PHASES["running"], INPUTS["out of memory"])
    submit = effects[-1]
    assert isinstance(submit, Submit)
    assert submit.request.shortened
    failed = inputs.ReplyFailed(submit.submission, OutOfMemory("Full."))
    state, effects = transition(state, failed)
    assert "ErrorRaised" in events(effects)
    assert state.reply is None


def test_a_reply_that_was_dropped_comes_too_late() -> None:
    state, _ = play(PHASES["running"], inputs.Stop())
    assert transition(state, REPLIED) == (state, ())


def test_an_impossible_intervention_costs_no_reply() -> None:
    state, effects = transition(PHASES["queued"], inputs.Intervene(Edit(0, "Other words.")))
    assert state.reply == PHASES["queued"].reply
    assert events(effects) == ["InterventionsQueued"]


def test_an_engine_that_no_longer_answers_is_restarted_before_the_next_load() -> None:
    state, _ = play(PHASES["silent"], inputs.Stop())
    _, effects = play(state, inputs.Continue())
    assert [name_of(each) for each in effects if not isinstance(each, Emit)] == [
        *("RestartEngine", "Load"),
    ]


@pytest.mark.parametrize(
    ("preloaded", "named", "is_joined"),
    [
        ("auto", "auto", True),
        ("auto", "starter", True),
        ("starter", "auto", True),
        ("auto", "another", False),
    ],
)
def test_a_discussion_joins_the_preload_of_its_model_by_any_name(
    preloaded: str, named: str, is_joined: bool
) -> None:
    last_model = LastModel(ModelSpec(preloaded), EngineInfo("starter"), auto_model="starter")
    setup = SETUP.model_copy(update={"model": preloaded})
    state, _ = play(SessionState(), inputs.Preload(setup, last_model))
    state, effects = play(state, inputs.Start(SETUP.model_copy(update={"model": named})))
    assert ("Load" not in map(name_of, effects)) == is_joined
    assert state.phase == "loading"


def test_the_disk_s_refusal_to_quit_does_not_keep_the_session_open() -> None:
    state, _ = transition(PHASES["running"], inputs.Quit())
    state, effects = transition(state, inputs.SaveFailed("Full"))
    assert state.is_closed
    assert [name_of(each) for each in effects[-2:]] == ["CloseFile", "Closed"]


def test_a_crash_leaves_nothing_that_waits_for_ever() -> None:
    for phase in ("loading", "running", "choosing", "saving"):
        state, _ = play(PHASES[phase], inputs.Crashed("Unexpected."))
        assert (state.reply, state.model.loading, state.is_saving) == (None, None, False)
        assert state.phase in ("idle", "paused")
