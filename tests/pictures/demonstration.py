"""The moving picture: a discussion runs, a persona's mood is changed, X-ray and turn lab open."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from syndisco_tui.engine.base import GenerationRequest
from syndisco_tui.store.setups import read_setup
from syndisco_tui.workspace.folders import DEMONSTRATION
from tests.pictures.animation import Frame, animated
from tests.pictures.studio import Studio, personas_by_name, studio
from tests.support.scripted_engine import ScriptedEngine

FILE = Path(__file__).parents[2] / "docs" / "pictures" / "demonstration.svg"
SIZE = (118, 34)
SECONDS_PER_WORD = 0.06
SECONDS_PER_FRAME = 0.12
SPEAKERS = ("Emma35", "Giannis", "OldTom", "priya.dev")
SEED = 246
"""With it they speak in the order OldTom, Giannis, Emma35, Giannis, priya.dev, OldTom."""

WORDS = """
OldTom: I drove the number 9 for thirty years. Home was where I slept; the regulars were my day.

Giannis: Two hours a day came back to me, and most of them go into my own game. I am not going
back.

Emma35: A nurse cannot take the ward home. On paperwork days I notice that I have not spoken aloud
since breakfast, and by noon I talk to the kettle. It is a good listener, but it never asks how my
night was.

furious: Calm? They sold us “flexible”, and now they count badges at the door! I did NOT move back
to my parents' island to be called into an open-plan office. No. Absolutely not.

priya.dev: He is right about the offer. Flexible hours that end in a badge reader are not flexible.

OldTom: There is no bus to a kitchen table, and nobody to miss the bus with. I would miss that.
"""
"""What is said, and by whom; “furious” is whoever is in that mood."""


class Script:
    """Makes replies: what a persona has to say next."""

    def __init__(self) -> None:
        self._comments: dict[str, list[str]] = {}
        for paragraph in WORDS.strip().split("\n\n"):
            name, _, comment = paragraph.partition(": ")
            self._comments.setdefault(name, []).append(" ".join(comment.split()))

    def __call__(self, request: GenerationRequest) -> str:
        persona = json.loads(request.chat[0].content)["persona"]
        mood = persona.get("mood", "")
        return self._comments[mood if mood in self._comments else persona["username"]].pop(0)


class Camera:
    """Records frames; ``caption`` is that of the frames to come."""

    def __init__(self, at: Studio) -> None:
        self._at = at
        self.caption = ""
        self.frames: list[Frame] = []

    async def hold(self, seconds: float) -> None:
        """One frame that stays."""
        await self._at.pilot.pause(0.3)
        self.frames.append(Frame(self._at.picture(), seconds, self.caption))

    async def film(self) -> None:
        """One frame of something that moves."""
        await self._at.pilot.pause(SECONDS_PER_FRAME)
        self.frames.append(Frame(self._at.picture(), SECONDS_PER_FRAME, self.caption))

    async def film_until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            await self.film()

    async def press(self, *keys: str) -> None:
        """Press keys, a frame each."""
        for key in keys:
            await self._at.pilot.press(key)
            await self.film()


async def record(folder: Path, frames_folder: Path | None = None) -> None:
    """Write the moving picture; into ``frames_folder`` a still of every half second."""
    personas = personas_by_name()
    personas["Giannis"] = personas["Giannis"].model_copy(update={"mood": "calm"})
    setup = read_setup(DEMONSTRATION).model_copy(
        update={
            "personas": tuple(personas[name] for name in SPEAKERS),
            "moderator": None,
            "seed": SEED,
            "conv_len": 6,
            "model": "scripted",
        }
    )
    engine = ScriptedEngine(Script(), delay=SECONDS_PER_WORD)
    async with studio(folder, engine, setup, tuple(personas.values()), SIZE) as at:
        camera = Camera(at)

        camera.caption = "Personas and a setup: who discusses what"
        await camera.hold(1.5)
        camera.caption = "r   runs the discussion: every reply streams in"
        await camera.press("r")
        await camera.film_until(lambda: at.speaks("Emma35", 3, tokens=3))

        camera.caption = "f   changes a persona while the discussion runs"
        engine.delay = 2.5 * SECONDS_PER_WORD  # Emma35 still speaks when the mood is saved
        await camera.press("1", "down", "f", "left", "left")
        for _ in range(4):
            await camera.film()
        await camera.press(*"furious")
        for _ in range(3):
            await camera.film()
        await camera.press("enter", "3")
        engine.delay = SECONDS_PER_WORD
        await camera.film_until(lambda: at.speaks("Giannis", 4))
        camera.caption = "From the next turn on, Giannis is furious"
        await camera.film_until(lambda: at.shows("finished", 7))
        await camera.hold(0.8)

        camera.caption = "⏎   X-ray: the exact prompt behind any message"
        await camera.press("up", "up")
        await camera.press("enter")
        await camera.hold(2.5)
        camera.caption = "t   Turn lab: who speaks, how much, how diverse, how fast"
        await at.press("escape", "t")
        await camera.hold(2.5)
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(animated(camera.frames), encoding="utf-8")
    print(f"{FILE}: {FILE.stat().st_size / 1000:.0f} kB, {len(camera.frames)} frames")
    if frames_folder:
        write_stills(camera.frames, frames_folder)


def write_stills(frames: list[Frame], folder: Path) -> None:
    """Every fifth frame as an SVG of its own, drawn as in the moving picture."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, frame in enumerate(frames):
        if number % 5 == 0 or frame.seconds > 1:
            (folder / f"{number:03}.svg").write_text(animated([frame]), encoding="utf-8")
