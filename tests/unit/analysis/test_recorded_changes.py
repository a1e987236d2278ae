"""What was changed in a discussion while it ran."""

from __future__ import annotations

from dataclasses import replace

from syndisco_tui.analysis.compare import setup_differences
from syndisco_tui.analysis.recorded_changes import RecordedChange, recorded_changes
from syndisco_tui.discussion import Discussion, DiscussionRecord, Persona
from syndisco_tui.discussion.participant_models import ParticipantModel
from tests.support.people import say, setup

AT = "2026-01-31T09:30:00+00:00"


def changed(discussion: Discussion) -> list[RecordedChange]:
    record = DiscussionRecord("a", AT, discussion.setup)
    return recorded_changes(discussion.to_record(record))


def test_where_nothing_was_changed_there_is_nothing() -> None:
    discussion = Discussion(setup(conv_len=4, seed_opinions=("Hi.",)))
    say(discussion, "One.", "Two.")
    assert changed(discussion) == []


def test_a_setup_s_change_has_both_values_and_its_turn() -> None:
    discussion = Discussion(setup(conv_len=6, temperature=0.6))
    say(discussion, "One.", "Two.")
    warmer = discussion.setup.model_copy(update={"temperature": 1.3})
    discussion.change_setup(warmer)
    say(discussion, "Three.")
    personas = (*warmer.personas, Persona(username="Lin"))
    discussion.change_setup(warmer.model_copy(update={"personas": personas, "moderator": None}))
    assert changed(discussion) == [
        RecordedChange(3, "setup", "temperature", "0.6", "1.3"),
        RecordedChange(4, "setup", "Lin", "—", "user"),
    ]


def test_what_people_did_to_messages() -> None:
    discussion = Discussion(setup(conv_len=6))
    say(discussion, "One.", "Two.")
    names = [entry.name for entry in discussion.entries]
    discussion.edit(0, "Won.")
    discussion.inject("Guest", "Let me in.")
    say(discussion, "Three.", "Four.")
    last = discussion.entries[-1].name
    discussion.delete(1)
    say(discussion, "Fore.")
    discussion.regenerate()
    say(discussion, "For.")
    assert changed(discussion) == [
        RecordedChange(1, "edited", names[0], "One.", "Won."),
        RecordedChange(2, "injected", "Guest", new="Let me in."),
        RecordedChange(4, "deleted", last, old="Four."),
        RecordedChange(4, "regenerated", last, "Fore.", "For."),
    ]


def test_what_was_undone_is_left_out() -> None:
    discussion = Discussion(setup(conv_len=6))
    say(discussion, "One.", "Two.")
    discussion.edit(0, "Won.")
    discussion.undo()
    discussion.delete(1)
    discussion.undo()
    assert changed(discussion) == []


def test_a_fork_knows_the_edits_of_what_it_shares() -> None:
    discussion = Discussion(setup(conv_len=6))
    say(discussion, "One.", "Two.")
    discussion.edit(0, "Won.")
    (change,) = changed(discussion.fork(1))
    assert (change.kind, change.old, change.new) == ("edited", "One.", "Won.")


def test_who_was_chosen_to_speak_is_told() -> None:
    discussion = Discussion(setup(conv_len=6))
    say(discussion, "One.")
    entries = (*discussion.entries[:0], replace(discussion.entries[0], speaker_overridden=True))
    record = DiscussionRecord("a", AT, discussion.setup, entries)
    assert recorded_changes(record) == [
        RecordedChange(1, "next speaker", discussion.entries[0].name)
    ]


def test_another_model_of_one_participant_is_named() -> None:
    before = setup("Ann", "Bob", model="m")
    after = before.model_copy(
        update={"models": {"bob": ParticipantModel(model="n", server=("http://x/v1",))}}
    )
    assert [(each.field, each.a, each.b) for each in setup_differences(before, after)] == [
        ("Bob: model", "m", "n"),
        ("Bob: server", "—", "http://x/v1"),
    ]
    assert [(each.field, each.a, each.b) for each in setup_differences(after, before)] == [
        ("Bob: model", "n", "m"),
        ("Bob: server", "http://x/v1", "—"),
    ]
    assert setup_differences(after, after) == []
