"""A username is what people can see and write: joiners where scripts and emoji need them."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from syndisco_tui.discussion import Persona
from syndisco_tui.discussion.usernames import MAX_NAME_LENGTH

ZWNJ, ZWJ = "\u200c", "\u200d"


@pytest.mark.parametrize(
    "name",
    [
        f"👩{ZWJ}👩{ZWJ}👧",
        f"Ann 🏳\ufe0f{ZWJ}🌈",
        f"👩🏽{ZWJ}🔬",
        f"🧔{ZWJ}♂\ufe0f Bob",
        f"نرگس{ZWNJ}خاتون",  # Persian
        f"لڑکے{ZWNJ}والا",  # Urdu
        f"क्{ZWJ}षमा",  # Devanagari, after a virama
        f"ശ്രീകുമാര്{ZWJ}കുട്ടി",  # Malayalam
        f"ক্{ZWNJ}ষমা",  # Bengali
        "José",
        "Jose\u0301",
        "☮️",
        "小明",
        "!?",
    ],
)
def test_what_people_can_see_is_a_name(name: str) -> None:
    assert Persona(username=name).name == name


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("", "a persona needs a username"),
        (" \u00a0", "a persona needs a username"),
        ("x" * (MAX_NAME_LENGTH + 1), "at most 100 characters"),
        ("a\nb", "one line of printable characters, without U+000A"),
        ("a\x1b[31m", "without U+001B"),
        ("\u202eabc", "without U+202E"),  # an override of the direction
        ("abc\u2067", "without U+2067"),
        ("a\u200fb", "without U+200F"),
        ("a\u200bb", "without U+200B"),
        ("\ud800", "without U+D800"),
        (f"An{ZWJ}n", "without U+200D"),  # looks like Ann
        (f"An{ZWNJ}n", "without U+200C"),
        (f"{ZWJ}Ann", "without U+200D"),
        (f"خاتون{ZWNJ}", "without U+200C"),
        (f"نرگس{ZWNJ}{ZWNJ}خاتون", "without U+200C"),
        (f"👩{ZWJ} 👩", "without U+200D"),
        (f"👩{ZWJ}n", "without U+200D"),
        (f"{ZWNJ}{ZWJ}", "without U+200C"),
        ("\u3164", "needs a visible character"),
        ("\u2800\u115f", "needs a visible character"),
        ("\ufe0f", "needs a visible character"),
        ("\u0301", "needs a visible character"),
    ],
)
def test_what_cannot_be_seen_is_none(name: str, fault: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Persona(username=name)
    assert fault in str(caught.value)
