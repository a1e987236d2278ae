"""Pictures of single moments. What the personas say is written below.

So the pictures need no model, and are the same on every machine.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from syndisco_tui.discussion import DiscussionRecord, DiscussionSetup, Persona
from syndisco_tui.discussion.record import Status
from syndisco_tui.store.discussion_format import to_bytes
from syndisco_tui.store.discussions import discussion_files, read_discussion
from syndisco_tui.store.setups import read_setup
from syndisco_tui.workspace.folders import DEMONSTRATION
from tests.pictures.studio import BEGIN, personas_by_name, studio
from tests.support.scripted_engine import ScriptedEngine

SIZE = (118, 36)
SPEAKERS = ("Emma35", "Giannis", "OldTom", "priya.dev")
SEED = 15
CONTRARY = "Speaks against whatever was said last."
"""What Giannis is told in the fork."""

SAID = """
I drove the number 9 for thirty years, so home was where I slept. What I would have missed is the
regulars: you learn a whole town from that one seat.

(silent)

Two hours a day came back to me, and most of them go into my own game. But the evenings blur into
work. Last night I pushed a fix at one and called it a hobby.

Giannis, what would help you stop in the evening?

A nurse cannot take the ward home, so I only have the paperwork days. Those are calm. Then I
notice that I have not spoken aloud since breakfast.

(silent)

Calm is not the same as good. My team ships more since we went remote, and we argue less, which
worries me. Nobody disagrees in a chat window unless it matters a lot.

(silent)

That is it exactly. On the ward we disagree at the coffee machine, for two minutes, and it is
over. In a message it stays.

So what is lost is the small talk that settles things. Has anybody found a way to bring it back?

We tried a call that stays open all afternoon, and half of us muted it. What worked was one day a
week in the same room, with nothing in the calendar.

(silent)

We had a canteen at the depot. Nobody planned it, it had bad tea and one heater, and everything
that mattered was said beside that heater.

(silent)

A closed door helps me a little. At seven I walk around the block, buy bread, and come back as
somebody who is not at work. It sounds silly, but it is the best patch I have shipped.

(silent)

Not silly. I took the long way from the depot every night, for the same reason.

(silent)

Then I will call it the long way home.

Thank you all: a room for disagreeing, and a long way home.
"""
SAID_IN_THE_FORK = """
Learning a town from a seat is a nice way to say that you could not leave it. I like people best
when I can mute them, and at home I can.

Giannis, is there anybody whom you would not mute?

You would not mute us on the ward. A patient who is alone all day talks to the drip.

(silent)

My team mutes itself, and then says that all agree. I would rather hear the argument.

(silent)
"""
OTHERS: tuple[tuple[str, tuple[str, ...], int, Status], ...] = (
    ("Should the centre be closed to cars?", ("Amina_K", "OldTom", "Mateo"), 12, "finished"),
    ("Is a four-day week fair to everybody?", ("Sigrid", "Lin", "Kwame"), 6, "paused"),
    ("Who should pay for the new school?", ("Kwame", "Amina_K", "Mateo"), 9, "running"),
    ("Is it rude to film strangers?", ("nico_nico", "Lin"), 8, "finished"),
    ("Would you eat meat from a tank?", ("Sigrid", "Mateo", "nico_nico"), 12, "finished"),
)
"""Further discussions in the library: title, who takes part, turns taken, state."""


def replies(text: str) -> list[str]:
    """What a model would say: a reply a paragraph."""
    said = [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]
    return ['""' if reply == "(silent)" else reply for reply in said]


def demonstration(personas: dict[str, Persona]) -> DiscussionSetup:
    """The shipped demonstration with two more people."""
    setup = read_setup(DEMONSTRATION)
    speakers = tuple(personas[name] for name in SPEAKERS)
    changes = {"personas": speakers, "seed": SEED, "conv_len": 10, "model": "scripted"}
    return setup.model_copy(update=changes)


def save_others(folder: Path, record: DiscussionRecord, personas: dict[str, Persona]) -> None:
    """Discussions of other people, a few days older than ``record``."""
    for days, (title, names, turns, status) in enumerate(OTHERS, start=1):
        started_at = BEGIN - timedelta(days=3 * days, hours=2 * days, minutes=11 * days)
        people = tuple(personas[name] for name in names)
        spoken = [entry for entry in record.entries if entry.role == "user"]
        entries = tuple(
            replace(spoken[turn % len(spoken)], name=names[turn % len(names)], turn=turn + 1)
            for turn in range(turns)
        )
        length = turns if status == "finished" else 12
        changes = {"title": title, "personas": people, "conv_len": length}
        setup = record.setup.model_copy(update=changes)
        other = replace(
            record,
            id=f"picture-{days}",
            title=title,
            setup=setup,
            entries=entries,
            status=status,
            started_at=started_at.isoformat(),
        )
        path = folder / f"{started_at:%Y%m%dT%H%M%S}000Z-{days:08}.json"
        path.write_bytes(to_bytes(other))


async def take_all(folder: Path) -> None:
    """Write every picture beside this file."""
    personas = personas_by_name()
    setup = demonstration(personas)
    said, said_in_the_fork = replies(SAID), replies(SAID_IN_THE_FORK)
    engine = ScriptedEngine([*said, *said_in_the_fork])
    async with studio(folder, engine, setup, tuple(personas.values()), SIZE) as at:

        async def take(name: str) -> None:
            await at.pilot.pause(0.6)
            (Path(__file__).parent / f"{name}.svg").write_text(at.picture(), encoding="utf-8")

        engine.delay = 0.02
        await at.press("r")
        await at.until(lambda: at.speaks("priya.dev", 4, tokens=20))
        engine.may_speak.clear()
        await take("laboratory")
        engine.may_speak.set()
        engine.delay = 0.0
        await at.until_shown("finished", 1 + len(said))

        await at.press("3", "home", *["down"] * 9, "enter")
        await take("xray")
        await at.press("escape", "t")
        await take("turn-lab")
        await at.press("escape")

        (path,) = discussion_files(at.folders.discussions)
        record = read_discussion(path)
        contrary = personas["Giannis"].model_copy(update={"special_instructions": CONTRARY})
        people = tuple(contrary if p.name == contrary.name else p for p in setup.personas)
        changes = {"personas": people, "title": f"{setup.title} (fork)"}
        at.session.fork(3, setup.model_copy(update=changes))
        await at.until_shown("paused", 3)
        for count, _ in enumerate(said_in_the_fork, start=4):
            await at.press("s")
            await at.until_shown("paused", count)
        await at.press("c", "enter")
        await take("compare")
        await at.press("escape")

        save_others(at.folders.discussions, record, personas)
        await at.press("o")
        await take("library")
