"""Turn managers: who speaks next. A turn manager gives the odds; a seeded draw decides.

The rules are SynDisco's (``RandomWeighted`` as its 2.2.1 does it). A turn manager can be used
alone, as an iterator over names: ``next(RoundRobin(["John", "Mary"]))``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence

from .chance import draw
from .names import name_clash, name_key


class TurnManager(ABC):
    """Chooses speakers from ``names``; ``seed`` makes every choice repeatable.

    Raises:
        ValueError: there is no name, or two are the same.
    """

    def __init__(self, names: Sequence[str], *, seed: int = 0) -> None:
        if not names:
            raise ValueError("a turn manager needs at least one name")
        if clash := name_clash(names):
            raise ValueError(f"the names “{clash[0]}” and “{clash[1]}” are the same")
        self.names = tuple(names)
        self.seed = seed
        self._spoken: list[str] = []

    @abstractmethod
    def odds(self, previous: Sequence[str]) -> dict[str, float]:
        """The probability of every name to speak next, given who has spoken, oldest first."""

    def choose(self, previous: Sequence[str]) -> str:
        """Who speaks after ``previous`` (oldest first), drawn by seed and turn."""
        odds = self.odds(previous)
        point = draw(self.seed, "speaker", len(previous))
        cumulative = 0.0
        for name, probability in odds.items():
            cumulative += probability
            if point < cumulative:
                return name
        # Rounding may leave the sum slightly below 1.
        return next(name for name in reversed(odds) if odds[name] > 0)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        name = self.choose(self._spoken)
        self._spoken.append(name)
        return name


class RoundRobin(TurnManager):
    """The names in order, forever."""

    def odds(self, previous: Sequence[str]) -> dict[str, float]:
        turn = len(previous) % len(self.names)
        return {name: float(i == turn) for i, name in enumerate(self.names)}


class RandomWeighted(TurnManager):
    """With probability ``p_respond`` the one before the last speaker, else anybody but the last.

    The first speaker is drawn uniformly, the second uniformly from the others. A single name
    always speaks.
    """

    def __init__(self, names: Sequence[str], p_respond: float = 0.5, *, seed: int = 0) -> None:
        super().__init__(names, seed=seed)
        if not 0 <= p_respond <= 1:
            raise ValueError(f"p_respond is a probability, so {p_respond} is not between 0 and 1")
        self.p_respond = p_respond

    def odds(self, previous: Sequence[str]) -> dict[str, float]:
        last = name_key(previous[-1]) if previous else None
        others = {name_key(name): name for name in self.names if name_key(name) != last}
        others = others or {name_key(name): name for name in self.names}
        odds = {name: 1 / len(others) if name_key(name) in others else 0.0 for name in self.names}
        earlier = (name_key(name) for name in reversed(previous))
        answering = next((key for key in earlier if key != last), "")
        if len(previous) >= 2 and answering in others:
            odds = {name: (1 - self.p_respond) * chance for name, chance in odds.items()}
            odds[others[answering]] += self.p_respond
        return odds


class RandomTurn(RandomWeighted):
    """Anybody but the last speaker, with equal odds."""

    def __init__(self, names: Sequence[str], *, seed: int = 0) -> None:
        super().__init__(names, 0.0, seed=seed)


TURN_MANAGERS: dict[str, Callable[..., TurnManager]] = {
    "RoundRobin": RoundRobin,
    "RandomWeighted": RandomWeighted,
    "RandomTurn": RandomTurn,
}


SYNDISCO_NAMES = {
    "QueueTurnManager": "RoundRobin",
    "RespondTurnManager": "RandomWeighted",
    "RandomTurnManager": "RandomTurn",
}
"""SynDisco 2.2's names for our turn managers."""


def make_turn_manager(
    kind: str, names: Sequence[str], *, p_respond: float, seed: int
) -> TurnManager:
    """The turn manager called ``kind``, one of ``TURN_MANAGERS`` or ``SYNDISCO_NAMES``."""
    kind = SYNDISCO_NAMES.get(kind, kind)
    if kind == "RandomWeighted":
        return RandomWeighted(names, p_respond, seed=seed)
    return TURN_MANAGERS[kind](names, seed=seed)
