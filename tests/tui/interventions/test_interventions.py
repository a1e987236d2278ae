"""Reaching into a discussion from the keyboard: say, edit, regenerate, choose, delete, fork."""

from __future__ import annotations

import pytest
from syrupy.assertion import SnapshotAssertion

from syndisco_tui.analysis.recorded_changes import recorded_changes
from syndisco_tui.discussion import DiscussionRecord, DiscussionSetup, Persona
from syndisco_tui.session import ReplyDropped
from syndisco_tui.tui.interventions.alternatives import Candidate, CandidatesScreen
from syndisco_tui.tui.interventions.fork import ForkScreen
from syndisco_tui.tui.interventions.next_speaker import NextSpeakerScreen
from syndisco_tui.tui.interventions.write_message import EditScreen, InjectScreen
from tests.support.bench import SIZES, Bench, OpenBench

TWO = DiscussionSetup(
    personas=(Persona(username="Ann"), Persona(username="Bob")), conv_len=6, model="scripted"
)
LONG = "word " * 150
"""Takes as long as anybody needs, until the engine's delay is taken away."""
REPLIES = ("First.", "Second.", "Third.", "Fourth.")


def record(at: Bench) -> DiscussionRecord:
    return at.records()[0]


def said(at: Bench) -> list[str]:
    return [entry.text for entry in record(at).entries]


async def until_said(at: Bench, *texts: str) -> None:
    await at.until(lambda: bool(at.records()) and said(at) == list(texts))
    await at.until(lambda: len(at.laboratory.transcript.lines.entries) == len(texts))


async def two_messages(at: Bench) -> None:
    """First and Second are said, and the transcript has the focus."""
    for count in (1, 2):
        await at.press("s")
        await until_said(at, *REPLIES[:count])
        await at.until_state("paused")
    await at.press("3")


# Say something -----------------------------------------------------------------------------------


async def test_i_says_something_as_a_participant(bench: OpenBench) -> None:
    async with bench(setup=TWO, replies=REPLIES) as at:
        await two_messages(at)
        await at.press("i", "right", "tab")
        await at.type("Hello you")
        await at.press("ctrl+s")
        await until_said(at, "First.", "Second.", "Hello you")
        message = record(at).entries[-1]
        assert (message.name, message.role) == ("Bob", "human")
        assert "Bob  human" in at.text()


async def test_whoever_begins_to_write_means_the_text(bench: OpenBench) -> None:
    async with bench(setup=TWO, replies=REPLIES) as at:
        await two_messages(at)
        await at.press("i", "W")
        await at.type("hat for?")
        await at.press("ctrl+s")
        await until_said(at, "First.", "Second.", "What for?")


async def test_i_says_something_as_somebody_else_on_several_lines(bench: OpenBench) -> None:
    async with bench(setup=TWO, replies=REPLIES) as at:
        await two_messages(at)
        await at.press("i", "left")
        await at.press("tab")
        await at.type("Zoe")
        await at.press("enter")
        await at.type("One")
        await at.press("enter")
        await at.type("two")
        await at.press("ctrl+s")
        await until_said(at, "First.", "Second.", "One\ntwo")
        assert record(at).entries[-1].name == "Zoe"
        await at.press("i")
        assert "somebody else" in at.text()
        assert "Zoe" in at.text(), "whom one spoke as is remembered"


async def test_nothing_and_nobody_cannot_be_said(bench: OpenBench) -> None:
    async with bench(setup=TWO, replies=REPLIES) as at:
        await two_messages(at)
        await at.press("i", "ctrl+s")
        assert "The message is empty." in at.text()
        await at.press("shift+tab", "left", "ctrl+s")
        assert "The name is missing." in at.text()
        await at.press("escape")
        assert not isinstance(at.app.screen, InjectScreen)
        assert said(at) == ["First.", "Second."]


async def test_what_is_said_while_somebody_speaks_comes_after_it(bench: OpenBench) -> None:
    async with bench(setup=TWO, replies=(LONG,)) as at:
        await at.run_until_somebody_speaks()
        await at.press("i")
        assert "It is posted after the current reply by Ann." in at.text()
        await at.press("tab")
        await at.type("Hm")
        await at.press("ctrl+s")
        await at.until(lambda: "1 waits for this reply" in at.text())
        at.engine.may_speak.set()
        await at.until_state("finished")
        assert said(at)[1] == "Hm"
        assert "waits for" not in at.text()


async def test_who_speaks_meanwhile_is_told_while_one_writes(bench: OpenBench) -> None:
    async with bench((60, 20), setup=TWO, replies=(LONG,)) as at:
        await at.run_until_somebody_speaks()
        await at.press("i", "left")
        assert "‹ somebody else ›" in at.text(), "nothing of it is cut"
        assert "after the current reply by Ann." in at.text()
        at.engine.may_speak.set()
        await at.until_state("finished")
        await at.until(lambda: "current reply by" not in at.text())


@pytest.mark.parametrize("open_it", ["inject", "next_speaker"])
async def test_what_happens_while_a_screen_opens_is_shown_when_it_is_there(
    bench: OpenBench, open_it: str
) -> None:
    async with bench(setup=TWO, replies=(LONG,)) as at:
        await at.run_until_somebody_speaks()
        at.session.events.put(ReplyDropped("Ann"))
        getattr(at.laboratory, f"action_{open_it}")()
        at.laboratory._drain()  # the screen is there, but nothing stands on it yet
        await at.until(lambda: "esc" in at.text() and at.app.screen is not at.laboratory)
        await at.until(lambda: "current reply by" not in at.text())
        at.engine.may_speak.set()


async def test_before_anybody_runs_there_is_nothing_to_say(bench: OpenBench) -> None:
    async with bench(setup=TWO) as at:
        await at.press("i", "w")
        assert at.app.screen is at.laboratory


# Edit, delete, undo ------------------------------------------------------------------------------


async def test_e_edits_the_current_message_and_u_puts_it_back(bench: OpenBench) -> None:
    async with bench(setup=TWO, replies=REPLIES) as at:
        await two_messages(at)
        await at.press("up", "E")
        assert "Edit a message of Ann" in at.text()
        await at.press("end")
        await at.type(" And more")
        await at.press("ctrl+s")
        await until_said(at, "First. And more", "Second.")
        await at.until(lambda: "Ann  edited" in at.text())
        assert record(at).entries[0].original_text == "First."
        await at.press("u")
        await until_said(at, "First.", "Second.")
        await at.until(lambda: "edited" not in at.text())


async def test_an_edit_can_be_left_and_an_empty_one_is_refused(bench: OpenBench) -> None:
    async with bench(setup=TWO, replies=REPLIES) as at:
        await two_messages(at)
        await at.press("E", "ctrl+s")
        assert at.app.screen is at.laboratory, "nothing was changed"
        await at.press("E", "backspace", "ctrl+s")
        assert "cancel and delete it" in at.text()
        await at.press("escape", "y")
        assert record(at).changes == ()


async def test_delete_takes_the_last_and_u_brings_it_back(bench: OpenBench) -> None:
    async with bench(setup=TWO, replies=REPLIES) as at:
        await two_messages(at)
        await at.press("delete")
        await until_said(at, "First.")
        await at.press("delete")
        await until_said(at)
        await at.press("u")
        await until_said(at, "First.")
        await at.press("u")
        await until_said(at, "First.", "Second.")
        await at.press("u")
        assert "Nothing to undo." in at.toasts()


async def test_what_u_brings_back_can_be_seen(bench: OpenBench) -> None:
    async with bench((60, 20), setup=TWO, replies=("word " * 60,)) as at:
        await at.press("r")
        await at.until_state("finished")
        await at.press("3", "up", "up", "delete", "y")
        await at.until(lambda: len(said(at)) == 3)
        await at.press("u")
        await at.until(lambda: len(at.laboratory.transcript.lines.entries) == 6)
        assert at.laboratory.transcript.current == 3
        await at.until(lambda: "▋" in at.text())


async def test_delete_further_up_asks_first(bench: OpenBench) -> None:
    async with bench(setup=TWO, replies=REPLIES) as at:
        await two_messages(at)
        await at.press("up", "delete")
        assert "Delete the last 2 messages?" in at.text()
        await at.press("n")
        assert said(at) == ["First.", "Second."]
        await at.press("delete", "y")
        await until_said(at)


async def test_what_was_asked_about_is_deleted_though_more_is_said_meanwhile(
    bench: OpenBench,
) -> None:
    async with bench(setup=TWO, replies=REPLIES) as at:
        await two_messages(at)
        at.engine.may_speak.clear()
        await at.press("r")
        await at.until_state("running")
        await at.press("home", "delete")
        assert "Delete the last 2 messages?" in at.text()
        at.engine.may_speak.set()
        await at.until_state("finished")
        await at.press("y")
        await until_said(at)


@pytest.mark.parametrize("key", ["n", "escape", "q"])
async def test_the_key_that_goes_back_is_no_yes(bench: OpenBench, key: str) -> None:
    async with bench(setup=TWO, replies=REPLIES) as at:
        await two_messages(at)
        await at.press("up", "delete", key, "s")
        await until_said(at, "First.", "Second.", "Third.")


async def test_seed_opinions_stay(bench: OpenBench) -> None:
    async with bench(replies=REPLIES) as at:
        await at.press("s")
        await at.until_state("paused")
        await at.press("3", "home", "delete")
        assert "they stay" in at.toasts()


# Again -------------------------------------------------------------------------------------------


async def test_g_says_the_last_message_again(bench: OpenBench) -> None:
    async with bench(setup=TWO, replies=REPLIES) as at:
        await two_messages(at)
        seed = record(at).entries[-1].seed
        await at.press("g")
        await until_said(at, "First.", "Third.")
        assert record(at).entries[-1].seed != seed
        await at.until(lambda: "regenerated" in at.text())
        assert record(at).changes[0].before[0].text == "Second."
        await at.until_state("paused")
        await at.press("u")
        await until_said(at, "First.", "Second.")


async def test_g_after_a_humans_words_says_why_not(bench: OpenBench) -> None:
    async with bench(setup=TWO, replies=REPLIES) as at:
        await two_messages(at)
        await at.press("i", "tab", "x", "ctrl+s")
        await until_said(at, "First.", "Second.", "x")
        await at.press("g")
        await at.until(lambda: "no model said the last message" in at.toasts())


async def test_candidates_are_shown_and_one_is_taken(bench: OpenBench) -> None:
    async with bench(setup=TWO, replies=REPLIES) as at:
        await two_messages(at)
        await at.press("G")
        assert "Alternatives for" in at.text()
        await at.press("backspace", "2", "enter")
        await at.until(lambda: isinstance(at.app.screen, CandidatesScreen))
        await at.until(lambda: "Third." in at.text() and "Fourth." in at.text())
        assert "current" in at.text()
        await at.press("right", "right", "enter")
        await until_said(at, "First.", "Fourth.")
        kept = [message.text for message in record(at).changes[-1].before]
        assert kept == ["Second.", "Third."]
        await at.press("u")
        await until_said(at, "First.", "Second.")


async def test_down_goes_to_the_candidate_below(bench: OpenBench) -> None:
    async with bench((120, 40), setup=TWO, replies=REPLIES) as at:
        await two_messages(at)
        await at.press("G", "enter")
        await at.until(lambda: isinstance(at.app.screen, CandidatesScreen))
        for key, number in (("down", 3), ("up", 0), ("right", 1), ("down", 4), ("left", 3)):
            await at.press(key)  # current, 1, 2 | 3, 4
            current = at.app.screen.query_one(".candidate.-current", Candidate)
            assert (current.number is None) == (number == 0)
            assert number == 0 or current.number == number - 1
        await at.press("escape")


async def test_escape_keeps_what_stands_there_and_the_file_keeps_the_others(
    bench: OpenBench,
) -> None:
    async with bench(setup=TWO, replies=REPLIES) as at:
        await two_messages(at)
        await at.press("G", "enter")
        await at.until(lambda: "Fourth." in at.text())
        await at.press("down", "escape")
        await at.until(lambda: bool(record(at).changes))
        assert said(at) == ["First.", "Second."]
        assert len(record(at).changes[0].before) == 4


async def test_one_that_is_not_finished_is_not_taken(bench: OpenBench) -> None:
    async with bench(setup=TWO, replies=(*REPLIES[:2], LONG)) as at:
        await two_messages(at)
        at.engine.delay = 0.05
        await at.press("G", "enter")
        await at.until(lambda: "word word" in at.text() and "▌" in at.text())
        await at.press("1", "enter")
        assert "not finished yet" in at.toasts()
        at.engine.delay = 0
        await at.press("escape")
        await at.until(lambda: at.app.screen is at.laboratory)
        assert said(at) == ["First.", "Second."]


# Who is next -------------------------------------------------------------------------------------


async def test_w_gives_the_floor_and_takes_it_back(bench: OpenBench) -> None:
    async with bench(setup=TWO, replies=REPLIES) as at:
        await two_messages(at)
        await at.press("w")
        assert "Who speaks at turn 3" in at.text()
        assert "100%  next" in at.text()
        await at.press("down", "enter")
        await at.until(lambda: "chosen by you" in at.text())
        assert record(at).speaker_override is not None
        await at.press("enter")
        await at.until(lambda: "chosen by you" not in at.text())
        await at.press("enter")
        await at.until(lambda: "chosen by you" in at.text())
        await at.press("escape", "s")
        await until_said(at, "First.", "Second.", "Third.")
        assert record(at).entries[-1].name == "Bob"
        await at.until(lambda: "chosen by you" in at.text())


async def test_who_left_the_cast_has_the_floor_no_longer(bench: OpenBench) -> None:
    async with bench(setup=TWO, replies=(LONG,)) as at:
        await at.run_until_somebody_speaks()
        await at.press("w", "end", "enter")
        await at.until(lambda: "Bob" in at.text() and "chosen by you" in at.text())
        await at.press("escape", "1", "down", "space")
        assert at.laboratory.setup.names == ("Ann",)
        await at.press("w")
        assert isinstance(at.app.screen, NextSpeakerScreen)
        assert "chosen by you" not in at.text()
        at.engine.may_speak.set()


async def test_while_somebody_speaks_the_floor_is_that_of_the_turn_after(bench: OpenBench) -> None:
    async with bench(setup=TWO, replies=(LONG,)) as at:
        await at.run_until_somebody_speaks()
        await at.press("w")
        assert "Who speaks at turn 2" in at.text()
        assert isinstance(at.app.screen, NextSpeakerScreen)
        await at.press("up", "enter")
        await at.until(lambda: "chosen by you" in at.text())
        at.engine.may_speak.set()
        await at.press("escape")
        await at.until_state("finished")
        assert [entry.name for entry in record(at).entries[:2]] == ["Ann", "Ann"]


# Fork --------------------------------------------------------------------------------------------


async def test_f_forks_at_the_current_message_with_one_thing_changed(bench: OpenBench) -> None:
    async with bench(setup=TWO, replies=REPLIES) as at:
        await two_messages(at)
        parent = record(at)
        await at.press("up", "f")
        assert "The first of 2 messages is kept." in at.text()
        await at.type("What if")
        await at.press("tab", "tab", *["down"] * 9, "right")
        assert "Changed: Seed" in at.text()
        await at.press("ctrl+s")
        await at.until(lambda: len(at.records()) == 2)
        await at.until(lambda: "What if" in at.text())
        fork = record(at)
        assert (fork.title, fork.setup.seed) == ("What if", 1)
        assert fork.parent is not None
        assert (fork.parent.id, fork.parent.turn) == (parent.id, 1)
        assert at.records()[1] == parent
        await at.until_state("paused")
        await at.press("r")
        await at.until_state("finished")
        assert len(record(at).entries) == 6
        assert at.records()[1] == parent


async def test_a_personas_field_can_be_the_one_thing(bench: OpenBench) -> None:
    async with bench(setup=TWO, replies=REPLIES) as at:
        await two_messages(at)
        await at.press("f", "tab", "tab", *["down"] * 28, "enter")
        await at.type("64")
        await at.press("enter")
        assert "Changed: Ann Age" in at.text()
        await at.press("ctrl+s")
        await at.until(lambda: len(at.records()) == 2)
        assert [persona.age for persona in record(at).setup.personas] == [64, None]


async def test_a_fork_can_change_who_takes_part_and_who_moderates(bench: OpenBench) -> None:
    async with bench((80, 24), setup=TWO, replies=REPLIES) as at:
        await two_messages(at)
        parent = record(at)
        await at.press("f", "tab")
        assert "space takes part" in at.text()
        await at.press("space", "down", "space")
        assert "Nobody takes part: choose at least one user." in at.text()
        await at.press("ctrl+s")
        assert isinstance(at.app.screen, ForkScreen), "nobody could speak in it"
        await at.press("space", "down", "space", "down", "m")
        assert "Changed: Emma35 joins, Ann leaves, Giannis moderates" in at.text()
        await at.press("tab", *["down"] * 28, "enter")
        await at.type("33")
        await at.press("enter")
        assert "Giannis moderates, Bob Age" in at.text()
        await at.press("shift+tab", "end", "m")
        assert "nico_nico moderates, Bob Age" in at.text(), "what was typed stays"
        await at.press("ctrl+s")
        await at.until(lambda: len(at.records()) == 2 and at.laboratory.is_current)
        fork = record(at)
        assert [persona.name for persona in fork.setup.personas] == ["Bob", "Emma35"]
        assert fork.setup.personas[0].age == 33
        assert fork.setup.moderator
        assert fork.setup.moderator.name == "nico_nico"
        (earlier,) = fork.earlier_setups
        assert (earlier.last_turn, earlier.setup.personas) == (2, TWO.personas)
        changed = {change.subject: change for change in recorded_changes(fork)}
        assert {change.turn for change in changed.values()} == {3}
        assert (changed["Ann"].old, changed["Ann"].new) == ("user", "—")
        assert (changed["nico_nico"].old, changed["nico_nico"].new) == ("—", "moderator")
        assert at.records()[1] == parent
        await at.press("r")
        await at.until_state("finished")
        speakers = {entry.name for entry in record(at).entries[2:]}
        assert speakers <= {"Bob", "Emma35", "nico_nico"}
        assert "nico_nico" in speakers


async def test_who_leaves_a_fork_takes_their_instructions_along(bench: OpenBench) -> None:
    own = TWO.model_copy(update={"own_instructions": {"Ann": "Provoke.", "Bob": "Agree."}})
    async with bench(setup=own, replies=REPLIES) as at:
        await two_messages(at)
        await at.press("f", "tab", "space", "ctrl+s")
        await at.until(lambda: len(at.records()) == 2)
        assert record(at).setup.own_instructions == {"Bob": "Agree."}


async def test_a_fork_of_a_fork_has_a_number(bench: OpenBench) -> None:
    async with bench(setup=TWO.model_copy(update={"title": "Trains"}), replies=REPLIES) as at:
        await two_messages(at)
        for title in ("Trains (fork)", "Trains (fork 2)", "Trains (fork 3)"):
            await at.press("f", "ctrl+s")
            await at.until(lambda title=title: at.laboratory.setup.title == title)
            await at.until(lambda: at.app.screen is at.laboratory)
            await at.press("3")


async def test_a_fork_can_be_left(bench: OpenBench) -> None:
    async with bench(setup=TWO, replies=REPLIES) as at:
        await two_messages(at)
        await at.press("f")
        assert isinstance(at.app.screen, ForkScreen)
        await at.press("escape")
        assert at.app.screen is at.laboratory
        assert len(at.records()) == 1


# What waits --------------------------------------------------------------------------------------


async def test_a_change_while_somebody_speaks_says_from_when_and_u_takes_it_back(
    bench: OpenBench,
) -> None:
    async with bench(setup=TWO, replies=(LONG,)) as at:
        await at.run_until_somebody_speaks()
        await at.press("2", "end", *["up"] * 6, "left")
        await at.until(lambda: "2 Setup  from turn 2" in at.text())
        await at.press("u")
        await at.until(lambda: "from turn 2" not in at.text())
        assert at.laboratory.setup == TWO
        await at.press("1", "down", "m")
        await at.until(lambda: "from turn 2" in at.text())
        await at.press("u")
        await at.until(lambda: "from turn 2" not in at.text())
        at.engine.may_speak.set()
        await at.until_state("finished")
        assert record(at).earlier_setups == ()


async def test_on_a_small_terminal_the_title_says_from_which_turn(bench: OpenBench) -> None:
    async with bench((60, 20), setup=TWO, replies=(LONG,)) as at:
        await at.run_until_somebody_speaks()
        await at.press("1", "f", "ctrl+u")
        await at.type("40")
        await at.press("enter")
        await at.until(lambda: "3 Transcript   from turn 2" in at.text())


async def test_what_was_staged_applies_and_the_note_goes(bench: OpenBench) -> None:
    async with bench(setup=TWO, replies=(LONG,)) as at:
        await at.run_until_somebody_speaks()
        await at.press("2", "end", *["up"] * 6, "left")
        await at.until(lambda: "from turn 2" in at.text())
        at.engine.may_speak.set()
        await at.until_state("finished")
        assert "from turn 2" not in at.text()
        assert record(at).earlier_setups[0].last_turn == 1


async def test_u_in_the_setup_takes_changes_back_one_by_one(bench: OpenBench) -> None:
    async with bench(setup=TWO) as at:
        await at.press("2", "end", *["up"] * 6, "left", "up", "right", "u")
        assert at.laboratory.setup.top_k == TWO.top_k
        assert at.laboratory.setup.repetition_penalty != TWO.repetition_penalty
        await at.press("u")
        assert at.laboratory.setup == TWO
        await at.press("u")
        assert "Nothing to undo." in at.toasts()


# Pictures ----------------------------------------------------------------------------------------

SCREENS = {
    "say": ("i", "left"),
    "edit": ("up", "E"),
    "next": ("w",),
    "fork": ("up", "f"),
}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("keys", SCREENS.values(), ids=SCREENS.keys())
async def test_picture_of(
    bench: OpenBench, size: tuple[int, int], keys: tuple[str, ...], snapshot: SnapshotAssertion
) -> None:
    async with bench(size, setup=TWO, replies=REPLIES) as at:
        await two_messages(at)
        await at.press(*keys)
        assert isinstance(at.app.screen, InjectScreen | EditScreen | NextSpeakerScreen | ForkScreen)
        assert at.text() == snapshot


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_picture_of_candidates(
    bench: OpenBench, size: tuple[int, int], snapshot: SnapshotAssertion
) -> None:
    async with bench(size, setup=TWO, replies=REPLIES) as at:
        await two_messages(at)
        await at.press("G", "enter")
        await at.until(lambda: at.text().count("1 token") == 4)
        await at.press("down")
        assert at.text() == snapshot
