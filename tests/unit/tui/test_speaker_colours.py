"""Colours go to those who take part, differ, and stay with a discussion."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syndisco_tui.discussion import DiscussionRecord, DiscussionSetup, EarlierSetup, Message
from syndisco_tui.tui.widgets.speaker_colours import DISTINCT, SpeakerColours, speakers_of
from tests.support.people import people

NAMES = tuple(f"P{number}" for number in range(DISTINCT + 2))


@pytest.mark.parametrize("dark", [True, False])
def test_participants_differ_up_to_the_palettes_end(dark: bool) -> None:
    colours = SpeakerColours()
    for name in ("Zoe", "Yan", "Xia", "Wim"):  # looked at before, in a list of personas
        colours.of(name, dark=dark)
    colours.give(NAMES)
    given = [colours.of(name, dark=dark) for name in NAMES]
    assert len(set(given[:DISTINCT])) == DISTINCT
    assert given[DISTINCT:] == given[:2]


def test_those_at_hand_take_no_colour_from_participants() -> None:
    colours = SpeakerColours()
    colours.give(NAMES[:3])
    theirs = {colours.of(name, dark=True) for name in NAMES[:3]}
    assert not theirs & {colours.of(f"other {number}", dark=True) for number in range(9)}


def test_a_discussion_has_the_same_colours_whatever_was_on_the_screen_before() -> None:
    fresh, used = SpeakerColours(), SpeakerColours()
    used.give(("Zoe", "P2", "Yan"))
    for each in (fresh, used):
        each.give(NAMES[:4])
    assert fresh.all_of(NAMES[:4], dark=True) == used.all_of(NAMES[:4], dark=True)
    assert fresh.by_name(NAMES[:4], dark=True) == fresh.all_of(NAMES[:4], dark=True)


def test_one_name_has_one_colour_however_it_is_spelt() -> None:
    colours = SpeakerColours().by_name(["Ren\u00e9", "Rene\u0301", "RENE\u0301", "Zoe"], dark=True)
    assert len(set(colours.values())) == 2


def test_nobody_changes_colour_while_a_discussion_goes_on() -> None:
    before = DiscussionSetup(personas=people("Ann", "Bob"))
    record = DiscussionRecord(
        "id", "2026-01-01T00:00:00Z", before, (Message("Ann", "Hi", "user", 1),)
    )
    grown = replace(
        record,
        setup=DiscussionSetup(personas=people("Cem", "Bob")),
        earlier_setups=(EarlierSetup(1, before, 1),),
        entries=(*record.entries, Message("Guest", "Ho", "human"), Message("Cem", "He", "user", 2)),
    )
    assert speakers_of(record) == ("Ann", "Bob")
    assert speakers_of(None, grown) == ("Ann", "Bob", "Cem", "Guest")
