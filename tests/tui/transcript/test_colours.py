"""Speakers' colours in the app: theirs alone, and the same when a discussion is opened again."""

from __future__ import annotations

from syndisco_tui.discussion import DiscussionSetup
from syndisco_tui.tui.transcript.read_only import ReadOnlyScreen
from syndisco_tui.tui.transcript.transcript import Transcript
from syndisco_tui.tui.widgets.speaker_colours import SpeakerColours
from tests.support.bench import OpenBench, finished
from tests.support.people import people

FOUR = DiscussionSetup(personas=people("Ann", "Bob", "Cem", "Dia"), conv_len=4, model="scripted")
OTHERS = FOUR.model_copy(update={"personas": people("Zoe", "Cem", "Yan", "Ann")})


async def test_colours_differ_and_stay_with_a_discussion(bench: OpenBench) -> None:
    async with bench(setup=FOUR) as at:
        await finished(at)
        names = FOUR.names
        colours = {name: at.laboratory.transcript._colours[name] for name in names}
        assert len(set(colours.values())) == len(names)
        path = next(iter(at.folders.discussions.glob("*.json")))

        at.session.start(OTHERS, step=False)
        await at.until(lambda: len(at.records()) == 2)
        await at.until(lambda: at.laboratory.transcript._colours.keys() >= set(OTHERS.names))
        await at.until_state("finished")
        others = [at.laboratory.transcript._colours[name] for name in OTHERS.names]
        assert len(set(others)) == len(others)

        await at.app.push_screen(ReadOnlyScreen(path, SpeakerColours()))
        reader = at.app.screen
        await at.until(lambda: bool(reader.query_one(Transcript).lines.entries))
        assert reader.query_one(Transcript)._colours == colours
        await at.press("escape")

        at.session.resume(path, run=False)
        await at.until(lambda: at.laboratory.transcript._colours.items() >= colours.items())
