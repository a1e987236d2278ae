"""Entries are to everybody what a tuple of messages is, however many of them are packed."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndisco_tui.discussion import Entries, Message, entries
from syndisco_tui.discussion.record import Shortened

messages = st.builds(
    Message,
    name=st.sampled_from(["Ann", "Bob"]),
    text=st.sampled_from(["", "a\nb", "\ud800", "é🙂"]) | st.text(max_size=9),
    role=st.sampled_from(["user", "moderator", "human"]),
    turn=st.integers(0, 2**70),
    seconds=st.floats(0, 9),
    seed=st.none() | st.integers(0, 2**64),
    shortened=st.none() | st.just(Shortened(2, 50)),
)
Both = tuple[Entries, tuple[Message, ...]]
Step = Callable[[Both], Both]


def added(said: list[Message]) -> Step:
    return lambda both: (both[0].plus(*said), (*both[1], *said))


def added_singly(said: list[Message]) -> Step:
    def step(both: Both) -> Both:
        packed = both[0]
        for each in said:
            packed = packed.plus(each)
        return packed, (*both[1], *said)

    return step


def cut(share: float) -> Step:
    """Everything after a place is taken back."""

    def step(both: Both) -> Both:
        count = round(share * len(both[1]))
        return both[0].first(count), both[1][:count]

    return step


def changed(share: float, message: Message) -> Step:
    def step(both: Both) -> Both:
        packed, plain = both
        if not plain:
            return both
        at = int(share * (len(plain) - 1))
        return packed.changed(at, message), (*plain[:at], message, *plain[at + 1 :])

    return step


said = st.lists(messages, max_size=12)
shares = st.floats(0, 1)
steps = st.lists(
    st.builds(added, said)
    | st.builds(added_singly, said)
    | st.builds(cut, shares)
    | st.builds(changed, shares, messages),
    max_size=8,
)


@pytest.fixture(scope="module", autouse=True)
def _small_blocks() -> Iterator[None]:
    """Few messages make many blocks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(entries, "BLOCK", 4)
        patch.setattr(entries, "PLAIN", 6)
        yield


@settings(deadline=None)
@given(begin=said.map(tuple), steps=steps, start=st.integers(-40, 40), stop=st.integers(-40, 40))
def test_they_are_what_a_tuple_is(
    begin: tuple[Message, ...], steps: list[Step], start: int, stop: int
) -> None:
    both: Both = Entries(begin), begin
    history = [both]
    for step in steps:
        both = step(both)
        history.append(both)
    for packed, plain in history:  # no step changed what it started from
        assert packed == plain
        assert plain == packed
        assert list(packed) == list(plain)
        assert list(reversed(packed)) == list(reversed(plain))
        assert len(packed) == len(plain)
        assert [packed[at] for at in range(-len(plain), len(plain))] == [*plain, *plain]
        upside_down = range(len(plain) - 1, -1, -1)
        for positions in (range(len(plain)), upside_down, range(0, len(plain), 3)):
            assert list(packed.texts(positions)) == [plain[at].text for at in positions]
        for part in (slice(stop), slice(start, None), slice(start, stop), slice(None, None, -1)):
            assert packed[part] == plain[part]
        for beyond in (len(plain), -len(plain) - 1):
            with pytest.raises(IndexError):
                packed[beyond]
    for one, plain_one in history:
        for other, plain_other in history:
            assert (one == other) == (plain_one == plain_other)
            assert (one == plain_other) == (plain_one == plain_other)


def counted(number: int) -> Message:
    return Message("Ann", f"Comment {number}.", "user", number)


def test_what_has_become_old_is_packed_and_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    packed: list[int] = []
    really = pickle.dumps
    monkeypatch.setattr(
        pickle, "dumps", lambda value, protocol: packed.append(1) or really(value, protocol)
    )
    said = Entries()
    for number in range(100):
        said = said.plus(counted(number))
    assert len(packed) == 2 * ((100 - 6) // 4)  # texts and rest of each block once
    assert said.first(50).plus(*(counted(number) for number in range(50, 100))) == said


def test_what_is_shared_is_not_unpacked_to_compare(monkeypatch: pytest.MonkeyPatch) -> None:
    said = Entries((counted(0),)).plus(*(counted(number) for number in range(1, 1000)))
    longer = said.plus(*(counted(number) for number in range(1000, 1010)))
    unpacked: list[int] = []
    really = pickle.loads
    monkeypatch.setattr(pickle, "loads", lambda value: unpacked.append(1) or really(value))
    assert longer[:1000] == said
    assert len(unpacked) < 10
