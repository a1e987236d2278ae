"""What differs between two setups, and where two discussions part."""

from __future__ import annotations

from syndisco_tui.analysis.compare import (
    MessagePair,
    SetupDifference,
    align,
    first_difference,
    relation_to,
    setup_differences,
)
from syndisco_tui.discussion import (
    BatchMembership,
    Discussion,
    DiscussionRecord,
    DiscussionSetup,
    Message,
    Parent,
    Persona,
)
from tests.support.people import say, setup


def base(**fields: object) -> DiscussionSetup:
    return DiscussionSetup(
        **{
            "personas": (
                Persona(username="Emma35", age=35, hobbies=["chess"]),
                Persona(username="Bob"),
            ),
            "moderator": Persona(username="Mod"),
            **fields,
        }
    )


class TestSetupDifferences:
    def test_of_the_same_there_are_none(self) -> None:
        assert setup_differences(base(), base()) == []

    def test_plain_fields(self) -> None:
        other = base(temperature=1.2, history_context_len=None, seed_opinions=("Cats.",))
        assert setup_differences(base(), other) == [
            SetupDifference("seed_opinions", "—", "Cats."),
            SetupDifference("history_context_len", "5", "all"),
            SetupDifference("temperature", "0.8", "1.2"),
        ]

    def test_persona_fields_are_named_with_their_persona(self) -> None:
        emma = Persona(username="emma35", age=53, sex="female", hobbies=["chess", "go"])
        other = base(personas=(emma, Persona(username="Bob", sex="")))
        assert setup_differences(base(), other) == [
            SetupDifference("Emma35: username", "Emma35", "emma35"),
            SetupDifference("Emma35: age", "35", "53"),
            SetupDifference("Emma35: hobbies", "chess", "chess; go"),
            SetupDifference("Emma35: sex", "—", "female"),
        ]

    def test_who_takes_part_and_as_what(self) -> None:
        other = base(
            personas=(Persona(username="Mod"), Persona(username="Cleo")),
            moderator=Persona(username="Bob"),
        )
        assert setup_differences(base(), other) == [
            SetupDifference("Emma35", "user", "—"),
            SetupDifference("Bob: role", "user", "moderator"),
            SetupDifference("Mod: role", "moderator", "user"),
            SetupDifference("Cleo", "—", "user"),
            SetupDifference("order", "Emma35, Bob, Mod", "Mod, Cleo, Bob"),
        ]

    def test_the_order_counts(self) -> None:
        found = setup_differences(base(), base(personas=base().personas[::-1]))
        assert found == [SetupDifference("order", "Emma35, Bob, Mod", "Bob, Emma35, Mod")]


class TestAlign:
    def test_a_fork_shares_its_beginning(self) -> None:
        discussion = Discussion(setup(conv_len=4, moderated=True, seed_opinions=("Hi.",)))
        say(discussion, "a", "mod a", "b", "mod b")
        fork = discussion.fork(3)
        say(fork, "B")
        rows = align(discussion.entries, fork.entries)
        assert [row.turn for row in rows] == [0, 1, 1, 2, 2]
        assert [row.is_common for row in rows] == [True, True, True, False, False]
        assert rows[-1].b is None
        assert first_difference(rows) == 3

    def test_turns_stay_side_by_side_where_one_has_more_to_say(self) -> None:
        one = [Message("A", "1", "user", turn=1), Message("B", "2", "user", turn=2)]
        guest = Message("Guest", "!", "human")
        other = [one[0], guest, one[1]]
        rows = align(one, other)
        assert rows == [
            MessagePair(1, one[0], one[0]),
            MessagePair(1, None, guest),
            MessagePair(2, one[1], one[1]),
        ]
        assert first_difference(rows) == 1

    def test_the_same_never_part(self) -> None:
        entries = [Message("A", "1", "user", turn=1)]
        assert first_difference(align(entries, entries)) == 1
        assert align([], []) == []


def test_kinship_of_forks() -> None:
    def record(own: str, parent: str | None = None, batch: str = "") -> DiscussionRecord:
        fork_of = Parent(parent, 2) if parent else None
        place = BatchMembership(batch, 2, 8) if batch else None
        return DiscussionRecord(
            own, "2026-01-31T09:30:00+00:00", setup(), parent=fork_of, batch=place
        )

    assert relation_to(record("a"), record("b", "a")) == "fork of this one"
    assert relation_to(record("a", "b"), record("b")) == "this one forks it"
    assert relation_to(record("a", "c"), record("b", "c")) == "fork of the same"
    assert relation_to(record("a"), record("b")) == ""
    assert relation_to(record("a"), record("b", "c")) == ""
    assert (
        relation_to(record("a", batch="x"), record("b", batch="x")) == "same batch, 2 of 8, seed 0"
    )
    assert relation_to(record("a", batch="x"), record("b", batch="y")) == ""
