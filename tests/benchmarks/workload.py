"""The prompts of the benchmark: turns of recorded discussions, as from a repeated setup."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

from syndisco_tui.discussion import DiscussionSetup, Message
from syndisco_tui.discussion.prompt import chat_prompt
from syndisco_tui.store.discussions import read_discussion
from syndisco_tui.store.setups import read_setup
from syndisco_tui.workspace.folders import DEMONSTRATION

RECORDED = Path(__file__).parents[3] / "shared" / "data" / "syndisco" / "discussions"
SETUP = "main-llama8b_vanilla-*.json"  # seven users with a moderator, as in SynDisco's experiments
BEGINNING, MIDDLE = 2, 12  # after the two seed opinions; where a history of three is full

Prompt = tuple[str, str]
"""A system prompt and a user prompt."""


class Workload:
    """Discussions of one setup: its actors in order, with messages of recorded discussions.

    Every discussion has other messages and another first speaker, as different seeds would give.
    Without recorded files, sentences of the demonstration are repeated.
    """

    def __init__(self, recorded: Path = RECORDED) -> None:
        files = sorted(recorded.glob("*.json")) if recorded.is_dir() else []
        self.is_recorded = bool(files)
        if files:
            record = read_discussion(sorted(recorded.glob(SETUP))[0])
            self._setup = record.setup
            self._speakers = [message.name for message in record.entries]
            self._words = [[m.text for m in read_discussion(path).entries] for path in files]
        else:
            self._setup = read_setup(DEMONSTRATION)
            self._speakers = list(self._setup.names)
            self._words = [_own_words(self._setup)]
        # Two hundred messages of the long discussion must fit into a small context.
        self._short_words = min(self._words, key=lambda words: sum(map(len, words)) / len(words))

    def turns(self, discussion: int, count: int, history: int | None) -> list[Prompt]:
        """The prompts of ``count`` turns of a discussion. ``history`` None: all messages.

        With a full history they are its first turns, otherwise turns of its middle.
        """
        first = MIDDLE if history is not None else BEGINNING
        return self._turns(discussion, first, first + count, history)

    def before(self, discussion: int, count: int, history: int) -> list[Prompt]:
        """The ``count`` turns before those in the middle of a discussion."""
        return self._turns(discussion, MIDDLE - count, MIDDLE, history)

    def _turns(self, discussion: int, first: int, end: int, history: int | None) -> list[Prompt]:
        own, times = discussion % len(self._words), discussion // len(self._words)
        words = itertools.cycle(self._words[own])
        texts = list(itertools.islice(words, times, times + end))
        order = self._speakers
        speakers = [order[(turn + discussion) % len(order)] for turn in range(end)]
        posted = self._messages(speakers, texts)
        return [self._prompt(posted, turn, history) for turn in range(first, end)]

    def long(self, turn: int) -> list[Prompt]:
        """A turn of three users who remember everything, after the three turns before it."""
        users = [persona.name for persona in self._setup.personas][:3]
        texts = list(itertools.islice(itertools.cycle(self._short_words), turn))
        posted = self._messages([users[number % len(users)] for number in range(turn)], texts)
        return [self._prompt(posted, number, None) for number in range(turn - 4, turn)]

    def _messages(self, speakers: Sequence[str], texts: Sequence[str]) -> list[Message]:
        return [Message(name, text, "user") for name, text in zip(speakers, texts, strict=True)]

    def _prompt(self, posted: Sequence[Message], turn: int, history: int | None) -> Prompt:
        window = posted[:turn] if history is None else posted[turn - history : turn]
        speaker = posted[turn].name
        system = self._setup.actor(speaker).system_prompt()
        _, user = chat_prompt("syndisco-2.0", system, window, speaker)
        return system, user.content


def _own_words(setup: DiscussionSetup) -> list[str]:
    sentences = [*setup.seed_opinions, setup.context + ".", setup.instructions]
    return [" ".join(sentences[number % 3 :] + sentences) for number in range(9)]


def demonstration_prompt() -> list[dict[str, str]]:
    """The chat of the demonstration's first turn, as transformers' templates take it."""
    setup = read_setup(DEMONSTRATION)
    speaker = setup.names[-1]
    posted = [Message(name, text, "user") for name, text in zip(
        setup.seed_opinion_usernames, setup.seed_opinions, strict=True)]  # fmt: skip
    chat = chat_prompt(setup.prompt_style, setup.actor(speaker).system_prompt(), posted, speaker)
    return [{"role": message.role, "content": message.content} for message in chat]
