"""An experiment in the library's folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from syndisco_tui.discussion import DiscussionRecord, DiscussionSetup, ExperimentMembership, Message
from syndisco_tui.store.atomic import write_atomic
from syndisco_tui.store.discussion_format import to_bytes
from tests.support.people import people

WORDS = (
    "trains should be free for everybody who works in the city",
    "who pays for that in the end and why",
    "my bus is late every day",
    "I would rather have more of them than cheaper ones",
)


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    """Two factors of two levels, six repeats, saved in the folder of discussions."""
    folder = tmp_path / "discussions"
    folder.mkdir(exist_ok=True)
    cells = [(turns, mod) for turns in ("robin", "respond") for mod in ("none", "moderated")]
    for repeat in range(1, 7):
        for number, (turns, mod) in enumerate(cells, start=1):
            setup = DiscussionSetup(
                title="Does a moderator help?",
                personas=people("Ann", "Bob", "Cem"),
                moderator=people("Mod")[0] if mod == "moderated" else None,
                conv_len=6,
                seed=repeat,
            )
            record = DiscussionRecord(
                f"{repeat}-{number}",
                f"2026-03-04T05:{repeat:02}:{number:02}+00:00",
                setup,
                tuple(_entries(repeat, number, with_moderator=mod == "moderated")),
                "finished",
                setup.title,
                experiment=ExperimentMembership({"turns": turns, "moderation": mod}, repeat),
            )
            write_atomic(folder / f"c00{number}-r000{repeat}.json", to_bytes(record))
    return folder


def _entries(repeat: int, number: int, *, with_moderator: bool) -> list[Message]:
    entries = []
    for turn in range(1, 7):
        is_silent = (turn * repeat + number) % (5 if with_moderator else 3) == 0
        text = WORDS[(turn * number + repeat) % 4] + " really" * (turn % repeat)
        entries.append(
            Message(
                ("Ann", "Bob", "Cem")[(turn + turn // 3 * (number // 3)) % 3],
                "" if is_silent else text,
                "user",
                turn,
                model="m",
                raw_text='""' if is_silent else None,
                completion_tokens=len(text.split()),
            )
        )
        if with_moderator:
            said = "" if (turn + repeat) % 3 else "Please stay on the subject."
            raw = None if said else '""'
            entries.append(Message("Mod", said, "moderator", turn, model="m", raw_text=raw))
    return entries
