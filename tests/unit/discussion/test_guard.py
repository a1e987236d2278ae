"""What a model said → what the persona said: each thing that models really do.

The examples are shortened from SynDisco's published runs, and at the end are those runs whole.
"""

from __future__ import annotations

import itertools
import json
import re
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndisco_tui.discussion.guard import Guard, GuardResult, clean
from syndisco_tui.discussion.marks import Mark
from tests.support.syndisco_files import RUNS, each_run, name_of


def said(raw: str, *, complete: bool = True) -> str:
    """What Ann said, with Bob and the moderator about."""
    return clean(raw, "Ann", ["Bob", "moderator"], complete=complete)


def read(raw: str, speaker: str, others: list[str]) -> GuardResult:
    """A finished reply, with what the guard says of it."""
    return Guard(speaker, others).read(raw, complete=True)


# Nothing to take off --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "I agree.",
        "Well…\n\n  - one\n  - two\n",
        'He said "no" to me.',
        '"Freedom" is a big word.',
        'I call it "freedom"',
        '"Yes" and "no"',
        '"One."\n\n"Two."',
        "'tis so, isn't it",
        "the user Bob posted: that was wrong",
        "As Bob: wrote, no",
        "Bob, I agree: yes.",
        "Ann is my name: hello",
        "```\ncode\n```\nand words",
        "“One” or “two”",
    ],
)
def test_what_was_simply_said_stays(text: str) -> None:
    assert said(text) == text.strip()


def test_white_space_around_goes() -> None:
    assert said(" \n\t Hello\n there \n") == "Hello\n there"


# The echoed header ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        "User Ann posted:",
        "User Ann posted: ",
        "User Ann posted:\n",
        "User Ann posted:\n\n",
        "user ann posted:",
        "User @Ann posted:",
        "User Ann:",
        "Ann:",
        "Ann posted:",
        "Comment by user Ann:",
        "Comment by user Ann: ",
    ],
)
@pytest.mark.parametrize("times", [1, 2, 5])
def test_an_echoed_header_goes_once_or_repeated(header: str, times: int) -> None:
    assert said((header + "\n") * times + "Hello") == "Hello"
    assert said(header * times + "Hello") == "Hello"


@pytest.mark.parametrize(
    "raw",
    [
        '"User Ann posted: "Hello""',
        '"User Ann posted: Hello"',
        '"User Ann posted:\n\n"Hello"',
        'User Ann posted:\n"Hello"',
        'Comment by user Ann: "\nHello\n"',
        'Comment by user Ann: "\nHello',
        '"User Ann: Hello"',
    ],
)
def test_header_and_quotation_marks_go_together(raw: str) -> None:
    assert said(raw) == "Hello"


def test_a_header_alone_is_a_silence() -> None:
    assert said("User Ann posted:") == ""
    assert said('"User Ann posted: ""') == ""


def test_a_header_in_the_middle_of_a_line_is_something_said() -> None:
    assert said("I saw that User Ann posted: so what") == "I saw that User Ann posted: so what"


def test_a_header_of_a_longer_name_is_not_ones_own() -> None:
    assert clean("Anna: Hello", "Ann", []) == "Anna: Hello"
    assert read("User Anna posted: Hello", "Ann", ["Anna"]) == GuardResult(
        "Hello", (Mark("speaks_as", "Anna"),)
    )


# Quotation marks ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw", ['"Hello"', "“Hello”", "«Hello»", "„Hello“", '""Hello""', '" Hello "', '"\nHello\n"']
)
def test_marks_around_the_whole_reply_go(raw: str) -> None:
    assert said(raw) == "Hello"


def test_marks_within_the_quoted_reply_stay() -> None:
    assert said('"She said "no" to me."') == 'She said "no" to me.'
    assert said('"I call it "freedom""') == 'I call it "freedom"'
    assert said("“She said “no” to me.”") == "She said “no” to me."


@pytest.mark.parametrize("raw", ['"Yes", he said, "and no"', '"One." "Two."', "“A” and “B”"])
def test_marks_that_open_and_close_twice_embrace_nothing(raw: str) -> None:
    assert said(raw) == raw


def test_escaped_marks_go_like_plain_ones() -> None:
    assert said('\\"Hello\\"') == "Hello"
    assert said('"User Ann posted: \\"Hello\\""') == "Hello"
    assert said('"User Ann posted: \\"Hello\\"') == "Hello"


def test_escaped_marks_within_stay() -> None:
    assert said('"I call it \\"freedom\\" here."') == 'I call it \\"freedom\\" here.'


def test_an_opening_mark_without_partner_goes() -> None:
    """The end of the reply, its closing mark too, was cut off."""
    assert said('"I think that we', complete=False) == "I think that we"
    assert said('"I think that "we', complete=False) == 'I think that "we'


def test_an_opening_mark_that_closes_further_on_stays() -> None:
    assert said('"Freedom" is what', complete=False) == '"Freedom" is what'


# Silence --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw", ["", " ", "\n\n", '""', '"', "“”", "''", '\\"\\"', '"" ', '" "', '""""', "«»", '"\n"']
)
@pytest.mark.parametrize("complete", [True, False])
def test_nothing_or_only_marks_is_a_silence(raw: str, complete: bool) -> None:
    assert said(raw, complete=complete) == ""


def test_empty_marks_before_words_go() -> None:
    assert said('""\nPlease be kind.') == "Please be kind."
    assert said('""\n\n"Please be kind."') == "Please be kind."


# Going on as somebody else --------------------------------------------------------------------


@pytest.mark.parametrize(
    "going_on",
    [
        "User Bob posted:\nNo.",
        "User Bob posted: No.",
        "User @Bob posted: No.",
        '"User Bob posted: No."',
        "User moderator posted:\nBe kind.\nUser Ann posted:\nSorry.",
        "User Bob: No.",
        "Bob: No.",
        'Bob:"No."',
        "Bob:",
        'Comment by user Bob: "\nNo.',
        "User Ann posted:\nAnd another thing.",
        'Comment by user Ann: "\nAnd another thing.',
    ],
)
@pytest.mark.parametrize("between", ["\n", "\n\n"])
def test_what_is_said_in_anothers_name_or_in_a_further_post_is_left_out(
    going_on: str, between: str
) -> None:
    assert said(f"Yes.{between}{going_on}") == "Yes."


def test_a_quoted_reply_that_goes_on_loses_its_marks_too() -> None:
    assert said('"Yes."\nUser Bob posted: "No."') == "Yes."
    assert said('User Ann posted:\n"Yes."\n\nUser Bob posted:\n"No."') == "Yes."
    assert said('"Yes.\nUser Bob posted:\nNo."') == "Yes."
    assert said('"I call it "free\nUser Bob posted:\nNo.') == 'I call it "free'


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("Bob: I agree with you", "Bob: I agree with you"),  # perhaps she addresses him
        ('"Bob: I agree with you"', "Bob: I agree with you"),
        ("User Bob posted:\nNo.", "No."),
        ('"User Bob posted:\n\nNo."', "No."),
        ("Comment by user Bob: No.", "No."),
        ("User Ann posted:\nUser Bob posted:\nNo.", "No."),
    ],
)
def test_a_reply_that_begins_with_anothers_name_is_posted_with_a_mark(raw: str, text: str) -> None:
    assert read(raw, "Ann", ["Bob", "moderator"]) == GuardResult(text, (Mark("speaks_as", "Bob"),))


def test_of_several_headers_at_the_start_the_last_one_says_who_speaks() -> None:
    assert said("User Bob posted:\nUser Ann posted:\nNo.") == "No."
    assert said("Bob: Ann: No.") == "No."


@pytest.mark.parametrize(
    "silence", ['""\n', '"" ', '\\"\\"\\n', '""\n```\n', 'User Ann posted: ""\n']
)
def test_a_silence_that_goes_on_as_somebody_else_stays_one_and_says_so(silence: str) -> None:
    raw = f"{silence}User Bob posted:\nNo.\nUser Ann posted:\nYes."
    assert read(raw, "Ann", ["Bob"]) == GuardResult("", (Mark("left_out", "Bob"),))


def test_a_name_that_is_addressed_with_an_at_sign_is_no_header() -> None:
    for raw in ("@Bob: I agree.", "User @Bob: I agree."):
        assert read(raw, "Ann", ["Bob"]) == GuardResult(raw)


def test_that_a_user_posted_something_can_be_said() -> None:
    raw = "User Bob posted a good point. I agree."
    assert read(raw, "Ann", ["Bob"]) == GuardResult(raw)
    assert read(f"Hm.\n{raw}", "Ann", ["Bob"]) == GuardResult(f"Hm.\n{raw}")


def test_line_breaks_may_be_escaped() -> None:
    """Mistral-7B writes whole threads as one escaped string."""
    raw = '"User Ann posted: \\"@Bob, yes.\\"\\nUser Bob posted: \\"@Ann, no.\\"\\nUser Ann posted'
    assert said(raw, complete=False) == "@Bob, yes."
    assert said('\\"Yes.\\"\\nUser moderator posted:\\n\\"\\"') == "Yes."


def test_taking_one_post_off_does_not_lay_another_bare() -> None:
    assert said('""Bob:\nUser Ann posted: x') == "x"
    assert said('""Bob:\nUser Bob posted: x') == ""


def test_it_is_said_in_whose_name_a_reply_went_on() -> None:
    assert read("Yes.\nUser Bob posted:\nNo.", "Ann", ["Bob"]) == GuardResult(
        "Yes.", (Mark("left_out", "Bob"),)
    )
    assert read("Yes.\nUser Ann posted:\nNo.", "Ann", ["Bob"]) == GuardResult(
        "Yes.", (Mark("left_out", "Ann"),)
    )
    assert read("Yes.", "Ann", ["Bob"]) == GuardResult("Yes.")


@pytest.mark.parametrize(
    "text",
    [
        "I list:\nBob: right\nmoderator: wrong",
        "I list:\n\nBob: right about the tax.\n\nmoderator: wrong, I think.",
        "I list: \nmoderator: wrong",
        "My marks\nBob: right\nmoderator: wrong",
        "Bob: right\nmoderator: wrong",
        "I list:\\nBob: right\\nmoderator: wrong",
    ],
)
def test_a_list_of_names_stays_whole(text: str) -> None:
    assert said(text) == text
    shown = [said(text[:length], complete=False) for length in range(len(text) + 1)]
    assert shown[-1] == text


@pytest.mark.parametrize(
    "going_on",
    [
        "Bob: No.\nmoderator: Be kind.",
        "Bob: I think that you are wrong about this\nmoderator: right",
        "Bob: right\nBob: wrong",
        "Bob: right\nUser moderator posted:\nBe kind.",
        "Bob: right\n\nI mean it.",
        "Bob: right",
    ],
)
def test_a_conversation_is_no_list(going_on: str) -> None:
    assert said(f"Yes.\n{going_on}") == "Yes."


def test_a_list_ends_where_its_names_come_again() -> None:
    raw = "I list:\nBob: right\nmoderator: wrong\nBob: That is not fair!\nmoderator: It is."
    assert said(raw) == "I list:\nBob: right\nmoderator: wrong"


@pytest.mark.parametrize(
    "raw",
    [
        '"\\nUser Ann posted: No way."',
        "User Ann posted: \\nUser Ann posted: \\n\\nNo way.",
        'User Ann posted: "User Ann posted: \\nUser Ann posted: \\n\\nNo way."',
        '"User Ann posted: \\n\\"User Ann posted: \\\\\\"No way.\\\\\\"\\""',
        '"User Ann posted:\n\\n\\"User Ann posted:\n\\n\\"No way.\\"\\n"',
        "'User Ann posted: \"No way.\"'",
        "\"User Ann posted: \\n'No way.'\"",
        '"\\n\\nNo way."',
        '\\"\\"\\nUser Ann posted: No way.',
        '""No way."',
        '"\\"No way.\\"',
    ],
)
def test_whatever_line_breaks_and_marks_stand_before_it_speech_is_not_lost(raw: str) -> None:
    if raw == '""No way."':  # only a cut reply may leave marks without their partners
        assert said(raw, complete=False) == "No way."
    else:
        assert said(raw) == "No way."


def test_names_are_found_composed_and_decomposed() -> None:
    assert clean("User Rene\u0301 posted: Oui.", "René", ["Zoé"]) == "Oui."
    assert clean("Oui.\nUser Zoe\u0301 posted: Non.", "René", ["Zoé"]) == "Oui."


def test_going_on_is_seen_as_it_grows() -> None:
    assert said("Yes.\nUser Bob post", complete=False) == "Yes.\nUser Bob post"
    assert said("Yes.\nUser Bob posted", complete=False) == "Yes."


def test_a_colon_in_the_middle_of_a_word_is_no_header() -> None:
    assert said("Bob:Ann is the score") == "Bob:Ann is the score"


@pytest.mark.parametrize(
    "name",
    [
        "'Q'",
        "“Q” Quist",
        "\\n",
        "C++",
        "a.b",
        "(x)",
        "O'Brien",
        "what?",
        "John Smith",
        "[b]",
        "李雷",
    ],
)
def test_a_name_is_taken_letter_by_letter(name: str) -> None:
    assert clean(f"User {name} posted: Hello", name, ["Bob"]) == "Hello"
    for header in (f"User {name} posted:", f"{name}:", f"Comment by user {name}:"):
        assert clean(f"Yes.\n{header} No.", "Ann", [name]) == "Yes."
    assert clean("Yes.\nUser aXb posted: No.", "Ann", ["a.b"]) == "Yes.\nUser aXb posted: No."


def test_alone_there_is_nobody_to_go_on_as() -> None:
    assert clean("Yes.\nBob: No.", "Ann") == "Yes.\nBob: No."
    assert clean("Yes.\nUser Ann posted:\nMore.", "Ann") == "Yes."


# Fences ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw",
    [
        "```\nHello\n```",
        "```markdown\nHello\n```",
        '""\n```\nHello\n```',
        "```\nUser Ann posted:\nHello\n```",
        "User Ann posted:\n```\nHello\n```",
        '```\n"Hello"\n```',
    ],
)
def test_a_fence_around_the_whole_reply_goes(raw: str) -> None:
    assert said(raw) == "Hello"


def test_a_fence_within_stays() -> None:
    assert said("Try:\n```\nx = 1\n```") == "Try:\n```\nx = 1\n```"


# A cut sentence -------------------------------------------------------------------------------


def test_a_cut_sentence_stays_as_far_as_it_went() -> None:
    assert said("I think that the govern", complete=False) == "I think that the govern"
    assert said("User Ann posted:\nI think that the", complete=False) == "I think that the"


# Any text -------------------------------------------------------------------------------------

WHAT_MODELS_WRITE = (
    '"', '""', '\\"', "“", "”", "«", "»", "„", "'", "```", "```md\n", "\n```", "\n", "\\n", " ",
    "User Ann posted:", "User Bob posted:", "Ann:", "Bob:", "Comment by user Bob: \"",
    "Comment by user Ann: \"", "posted", "User ", "Ann", "Bob", "@", "*", "(", "Hi.", "a",
)  # fmt: skip
replies = st.lists(st.sampled_from(WHAT_MODELS_WRITE), max_size=12).map("".join) | st.text()
any_reply = settings(deadline=None, derandomize=True, database=None, max_examples=400)


@any_reply
@given(replies, st.booleans())
def test_the_guard_takes_off_and_never_adds_or_changes(raw: str, complete: bool) -> None:
    assert said(raw, complete=complete) in raw


@any_reply
@given(replies, st.booleans())
def test_cleaning_the_cleaned_changes_nothing(raw: str, complete: bool) -> None:
    once = said(raw, complete=complete)
    assert said(once, complete=complete) == once


@any_reply
@given(replies, st.booleans())
def test_what_is_left_says_something_and_in_no_other_name(raw: str, complete: bool) -> None:
    text = said(raw, complete=complete)
    assert text == text.strip()
    assert text == "" or text.strip("\"“”„«»'‘’`\\ \n\t")
    assert not re.search(r"^User (Ann|Bob) posted:", text, re.MULTILINE)


plain = st.text(
    st.characters(exclude_characters='"“”„«»`\\:', exclude_categories=["Cs"]), max_size=40
).filter(lambda text: text.strip("'‘’ \n") and text == text.strip())


@any_reply
@given(plain, st.sampled_from(['"{}"', "“{}”", "{}", "User Ann posted:\n{}", '\\"{}\\"']))
def test_whatever_the_wrapping_plain_words_come_out(text: str, wrapping: str) -> None:
    if not said(text):  # only marks, by Unicode's white space
        return
    assert said(wrapping.format(text)) == text


HOSTILE = (
    '"', '"" ', '\\"', '" ', 'a "', "“", "“ ", "'", "``` ", "```\n", '"" ```\n', "\n", "\\n", "\\",
    "x", "x\n", '"x" ', '("', "User Ann posted: ", '"User Ann posted: "', "User Bob posted: ",
    "\nBob: x", "\nUser ",
    "Bob:", "a: ", ":\nBob: hi\nmoderator: x", "\nBob:\n", "Comment   ", " \t",
)  # fmt: skip
FRONTS = ("", "x", '"x', "User Ann posted: ")


def seconds_for(raw: str, *, complete: bool) -> float:
    """The shortest of three tries at reading it."""
    guard, times = Guard("Ann", ["Bob", "moderator", "a"]), []
    for _ in range(3):
        started = time.perf_counter()
        guard.read(raw, complete=complete)
        times.append(time.perf_counter() - started)
    return min(times)


@pytest.mark.parametrize("unit", HOSTILE)
def test_a_reply_takes_a_time_that_is_linear_in_its_length(unit: str) -> None:
    """Quadratic, 100 KB would take minutes: each bound is generous for a machine at work."""
    for front, complete in itertools.product(FRONTS, (True, False)):
        raw = front + unit * (100_000 // len(unit)) + "x"
        assert seconds_for(raw, complete=complete) < 0.1


# SynDisco's runs ------------------------------------------------------------------------------


class RealReply(NamedTuple):
    raw: str
    speaker: str
    others: tuple[str, ...]

    def cleaned(self, length: int | None = None) -> str:
        raw = self.raw[:length]
        return clean(raw, self.speaker, self.others, complete=length is None)


@cache
def replies_in(path: Path) -> tuple[RealReply, ...]:
    """Every reply of a model in this run."""
    return tuple(_replies_in(json.loads(path.read_text("utf-8"))))


def _replies_in(run: dict[str, Any]) -> Iterator[RealReply]:
    everybody = [*run["users"], run["moderator"], *(log["name"] for log in run["logs"])]
    for log in run["logs"]:
        if log["model"] != "hardcoded":
            others = {name for name in everybody if name and name != log["name"]}
            yield RealReply(log["text"], log["name"], tuple(sorted(others)))


def words_of(text: str) -> str:
    """Letters and digits, without written-out line breaks."""
    return re.sub(r"\\+[nrt]|\W", "", text)


def test_most_replies_need_the_guard() -> None:
    replies = [reply for path in RUNS for reply in replies_in(path)]
    changed = [reply for reply in replies if reply.cleaned() != reply.raw]
    assert len(changed) > len(replies) / 2


@each_run
def test_a_real_reply_loses_headers_marks_and_what_the_guard_says_and_nothing_else(
    path: Path,
) -> None:
    for reply in replies_in(path):
        guarded = Guard(reply.speaker, reply.others).read(reply.raw, complete=True)
        header = rf"(?:User |Comment by user )?@?{re.escape(reply.speaker)}(?: posted)?:"
        words = words_of(re.sub(rf"{header}|```\w*", "", reply.raw))
        kinds = {mark.kind for mark in guarded.marks}
        if "left_out" in kinds:
            assert words.startswith(words_of(guarded.text)), reply
            if not guarded.text:
                continue
            name = next(mark.name for mark in guarded.marks if mark.kind == "left_out")
            left_out = reply.raw.partition(guarded.text)[2]
            header = rf"(?:\\n|\W)*(?:User |Comment by user )?@?{re.escape(name)}(?: posted)?:"
            assert re.match(header, left_out), reply
        elif "speaks_as" in kinds:
            assert words.endswith(words_of(guarded.text)), reply
        else:
            assert words_of(re.sub(rf"{header}|```\w*", "", guarded.text)) == words, reply


@each_run
def test_no_header_and_no_other_voice_is_left_of_a_real_reply(path: Path) -> None:
    for reply in replies_in(path):
        voices = "|".join(map(re.escape, (reply.speaker, *reply.others)))
        text = reply.cleaned()
        assert not re.search(rf"(?:^|\\n)\W*User (?:{voices}) posted:", text, re.M), reply
        assert not re.match(rf"\W*(?:User )?{re.escape(reply.speaker)}:", text), reply


@each_run
def test_a_quoted_real_reply_is_unquoted(path: Path) -> None:
    for reply in replies_in(path):
        if re.fullmatch(r'"[^"]*"', reply.raw):
            assert not reply.cleaned().startswith('"')


@each_run
def test_cleaning_a_cleaned_real_reply_changes_nothing(path: Path) -> None:
    for reply in replies_in(path):
        assert reply._replace(raw=reply.cleaned()).cleaned() == reply.cleaned()


@each_run
def test_a_real_reply_is_clean_at_every_moment_it_grows(path: Path) -> None:
    for reply in replies_in(path):
        for length in range(len(reply.raw) + 1):
            assert reply.cleaned(length) in reply.raw[:length]


def is_of_a_quiet_moderator(path: Path) -> bool:
    return path.stem.startswith(("2026-moderated", "main-qwen32b_vanilla"))


@pytest.mark.parametrize(
    "path", [path for path in RUNS if is_of_a_quiet_moderator(path)], ids=name_of
)
def test_quotation_marks_alone_are_a_moderator_s_silence(path: Path) -> None:
    answers = [reply.cleaned() for reply in replies_in(path) if reply.speaker == "moderator"]
    assert answers.count("") > len(answers) / 2
