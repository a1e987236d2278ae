"""The three prompt styles, letter by letter, and where generation stops."""

from __future__ import annotations

from typing import get_args

import pytest

from syndisco_tui.discussion import ChatMessage, Message
from syndisco_tui.discussion.prompt import (
    EARLIER_LEFT_OUT,
    NOTHING_YET,
    chat_prompt,
    stop_strings,
)
from syndisco_tui.discussion.setup import PromptStyle

STYLES: tuple[PromptStyle, ...] = get_args(PromptStyle)

SEED = Message("Zoe", "Shall we ban cars?", "seed")
ANN = Message("Ann", "No.\n\n  Never!", "user", 1)
MODERATOR = Message("Moderator", "Be kind.", "moderator", 1)
BOB = Message("Bob", "Yes.", "user", 2)
HISTORY = [SEED, ANN, MODERATOR, BOB]


def turns(style: PromptStyle, history: list[Message], speaker: str) -> list[tuple[str, str]]:
    """Role and content of every turn after the system prompt."""
    system, *rest = chat_prompt(style, "SYSTEM", history, speaker)
    assert system == ChatMessage("system", "SYSTEM")
    return [(message.role, message.content) for message in rest]


# syndisco-2.0 ---------------------------------------------------------------------------------


def test_syndisco_2_0_is_a_block_a_message_and_ones_own_header() -> None:
    content = (
        "User Zoe posted:\n"
        "Shall we ban cars?\n"
        "User Ann posted:\n"
        "No.\n\n  Never!\n"
        "User Moderator posted:\n"
        "Be kind.\n"
        "User Bob posted:\n"
        "Yes.\n"
        "User Ann posted:"
    )
    assert turns("syndisco-2.0", HISTORY, "Ann") == [("user", content)]


def test_syndisco_2_0_without_history_is_the_header_alone() -> None:
    assert turns("syndisco-2.0", [], "Ann") == [("user", "User Ann posted:")]


# syndisco-2.2 ---------------------------------------------------------------------------------


def test_syndisco_2_2_is_the_comments_so_far_and_your_comment() -> None:
    content = (
        "Comments so far:\n"
        'Comment by user Zoe: "\n'
        'Shall we ban cars?"\n'
        'Comment by user Ann: "\n'
        'No.\n\n  Never!"\n'
        'Comment by user Moderator: "\n'
        'Be kind."\n'
        'Comment by user Bob: "\n'
        'Yes."\n'
        "Your comment:"
    )
    assert turns("syndisco-2.2", HISTORY, "Ann") == [("user", content)]


def test_syndisco_2_2_without_history() -> None:
    assert turns("syndisco-2.2", [], "Ann") == [("user", "Comments so far:\nYour comment:")]


# chat -----------------------------------------------------------------------------------------


def test_chat_has_ones_own_words_as_assistant_and_joins_neighbours() -> None:
    assert turns("chat", HISTORY, "Ann") == [
        ("user", "Zoe: Shall we ban cars?"),
        ("assistant", "No.\n\n  Never!"),
        ("user", "Moderator: Be kind.\n\nBob: Yes."),
    ]


def test_chat_joins_ones_own_neighbours_too() -> None:
    again = Message("Ann", "Really.", "human")
    assert turns("chat", [SEED, ANN, again, BOB], "Ann")[1] == (
        "assistant",
        "No.\n\n  Never!\n\nReally.",
    )


def test_chat_is_another_chat_for_everybody() -> None:
    assert turns("chat", HISTORY, "Bob") == [
        ("user", "Zoe: Shall we ban cars?\n\nAnn: No.\n\n  Never!\n\nModerator: Be kind."),
        ("assistant", "Yes."),
    ]


def test_chat_starts_with_a_user_turn_even_without_history() -> None:
    assert turns("chat", [], "Ann") == [("user", NOTHING_YET)]


def test_chat_starts_with_a_user_turn_even_where_the_window_opens_with_oneself() -> None:
    assert turns("chat", [ANN, BOB], "Ann") == [
        ("user", EARLIER_LEFT_OUT),
        ("assistant", "No.\n\n  Never!"),
        ("user", "Bob: Yes."),
    ]


@pytest.mark.parametrize("speaker", ["Ann", "Bob", "Moderator", "Nobody"])
@pytest.mark.parametrize("length", range(len(HISTORY) + 1))
def test_chat_alternates_from_a_user_turn_on(speaker: str, length: int) -> None:
    roles = [role for role, _ in turns("chat", HISTORY[:length], speaker)]
    assert roles == (["user", "assistant"] * len(roles))[: len(roles)]


# All of them ----------------------------------------------------------------------------------


@pytest.mark.parametrize("style", STYLES)
def test_text_is_never_re_wrapped(style: PromptStyle) -> None:
    long = "word " * 400 + "\n\t  code\n\n\n" + "x" * 300
    prompt = chat_prompt(style, "SYSTEM " * 100, [Message("Bob", long, "user", 1)], "Ann")
    assert prompt[0].content == "SYSTEM " * 100
    assert long in prompt[1].content


@pytest.mark.parametrize("style", STYLES)
def test_braces_and_percents_in_a_text_stay_as_they_are(style: PromptStyle) -> None:
    text = "{name} {} {0} %s %(x)s \\n $x {{ }}"
    assert text in chat_prompt(style, "", [Message("Bob", text, "user", 1)], "Ann")[1].content


# Stop strings ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        ("syndisco-2.0", {"\nUser Bob posted:", "\nUser Mod posted:"}),
        (
            "syndisco-2.2",
            {
                "\nComment by user Bob:",
                "\nComment by user Mod:",
                "\nUser Bob posted:",
                "\nUser Mod posted:",
            },
        ),
        ("chat", {"\n\nBob:", "\n\nMod:", "\nUser Bob posted:", "\nUser Mod posted:"}),
    ],
)
def test_generation_stops_where_somebody_elses_post_begins(
    style: PromptStyle, expected: set[str]
) -> None:
    assert set(stop_strings(style, ["Ann", "Bob", "Mod"], "Ann")) == expected


@pytest.mark.parametrize("style", STYLES)
def test_nobody_stops_at_their_own_name(style: PromptStyle) -> None:
    assert stop_strings(style, ["Ann"], "Ann") == ()


@pytest.mark.parametrize("style", STYLES)
def test_a_name_with_braces_is_a_name(style: PromptStyle) -> None:
    assert any("{x}" in stop for stop in stop_strings(style, ["Ann", "{x}"], "Ann"))


@pytest.mark.parametrize("style", STYLES)
def test_the_prompt_itself_holds_what_would_stop_the_reply(style: PromptStyle) -> None:
    """What the history teaches the model to write is what generation stops at."""
    prompt = chat_prompt(style, "", [SEED, MODERATOR, BOB], "Ann")[-1].content
    assert any(stop in prompt for stop in stop_strings(style, ["Ann", "Bob"], "Ann"))
