"""What was changed in a discussion while it ran."""

from __future__ import annotations

from dataclasses import replace

from syndisco_tui.analysis.edits import ChangeOnTheWay, changes_on_the_way
from syndisco_tui.discussion import Discussion, DiscussionRecord, Persona
from tests.support.people import say, setup

AT = "2026-01-31T09:30:00+00:00"


def changed(discussion: Discussion) -> list[ChangeOnTheWay]:
    record = DiscussionRecord("a", AT, discussion.setup)
    return changes_on_the_way(discussion.onto(record))


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
        ChangeOnTheWay(3, "setup", "temperature", "0.6", "1.3"),
        ChangeOnTheWay(4, "setup", "Lin", "—", "user"),
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
        ChangeOnTheWay(1, "edited", names[0], "One.", "Won."),
        ChangeOnTheWay(2, "injected", "Guest", new="Let me in."),
        ChangeOnTheWay(4, "deleted", last, old="Four."),
        ChangeOnTheWay(4, "regenerated", last, "Fore.", "For."),
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
    entries = (*discussion.entries[:0], replace(discussion.entries[0], floor_given=True))
    record = DiscussionRecord("a", AT, discussion.setup, entries)
    assert changes_on_the_way(record) == [
        ChangeOnTheWay(1, "next speaker", discussion.entries[0].name)
    ]
