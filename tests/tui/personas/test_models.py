"""A model for each persona: given in a form, shown in a column where models differ."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.widgets import Input

from syndisco_tui.discussion import DiscussionSetup
from syndisco_tui.discussion.participant_models import ParticipantModel
from syndisco_tui.engine.engines import Engines
from syndisco_tui.engine.server import ServerEngine
from syndisco_tui.engine.server.known_servers import KnownServers
from syndisco_tui.tui.inspect.turn_lab import TurnLab
from syndisco_tui.tui.models.model_dialog import ModelDialog
from syndisco_tui.tui.personas.model_form import ModelForm
from syndisco_tui.tui.personas.model_labels import model_labels
from tests.support.bench import SIZES, Bench, OpenBench, line_of
from tests.support.people import people
from tests.support.scripted_engine import ScriptedEngine
from tests.support.scripted_server import Answer, ScriptedServer


async def give(at: Bench, model: str = "", server: str = "") -> None:
    await at.press("M")
    assert isinstance(at.app.screen, ModelForm)
    for field, text in (("#model", model), ("#server", server)):
        at.app.screen.query_one(field, Input).value = text
    await at.press("ctrl+s")


class TestLabels:
    def of(self, **models: object) -> dict[str, str]:
        values = {"personas": people("Ann", "Bob"), "model": "org/a", "models": models}
        return model_labels(DiscussionSetup.model_validate(values))

    def test_one_model_has_none(self) -> None:
        assert self.of() == self.of(Ann="org/a") == self.of(Ann={"reasoning": "off"}) == {}

    def test_short_names_tell_models_apart(self) -> None:
        far = {"model": "qwen3:8b", "server": "http://127.0.0.1:11434/v1"}
        assert self.of(bob=far) == {"ann": "a", "bob": "qwen3:8b"}

    def test_servers_tell_one_model_apart(self) -> None:
        far = {"model": "org/a", "server": ["http://x:1/v1", "lab"]}
        assert self.of(Bob=far) == {"ann": "a", "bob": "a @x:1,lab"}


async def test_a_model_of_one_shows_a_column_and_undo_takes_it_back(bench: OpenBench) -> None:
    async with bench() as at:
        await at.press("down")
        before = at.text()
        await give(at, "org/other", "http://127.0.0.1:9/v1")
        assert at.laboratory.setup.models == {
            "Giannis": ParticipantModel(model="org/other", server=("http://127.0.0.1:9/v1",))
        }
        assert "other" in line_of(at, "Giannis")
        assert "auto" in line_of(at, "Emma35")
        await at.press("u")
        assert at.laboratory.setup.models == {}
        assert at.text() == before


async def test_empty_fields_are_the_setup_s(bench: OpenBench) -> None:
    async with bench() as at:
        await give(at, "x")
        await at.press("M")
        assert "Speaks with x." in at.text()
        at.app.screen.query_one("#model", Input).value = ""
        await at.until(lambda: "Speaks with the setup’s: auto." in at.text())
        await at.press("ctrl+s")
        assert at.laboratory.setup.models == {}


async def test_what_is_wrong_is_said_and_nothing_is_saved(bench: OpenBench) -> None:
    async with bench() as at:
        await at.press("M")
        at.app.screen.query_one("#server", Input).value = "http://me:secret@x/v1"
        await at.until(lambda: "server: must be a URL" in at.text())
        await at.press("ctrl+s")
        assert isinstance(at.app.screen, ModelForm)
        assert at.laboratory.setup.models == {}


async def test_marked_personas_get_one_together_and_keep_it_under_a_new_name(
    bench: OpenBench,
) -> None:
    async with bench() as at:
        await at.press("v", "v", "M")
        assert "Model of 2 personas" in at.text()
        at.app.screen.query_one("#model", Input).value = "x"
        await at.press("ctrl+s", "escape", "home", "e")
        at.app.screen.query_one("#field-username", Input).value = "Zoe"
        await at.press("ctrl+s")
        assert set(at.laboratory.setup.models) == {"Zoe", "Giannis"}
        await at.press("space")
        assert at.laboratory.setup.names == ("Giannis", "Moderator")
        await at.press("space")
        assert at.laboratory.setup.with_model_of("Zoe").model == "x"


async def test_the_list_of_models_fills_in_what_is_chosen(bench: OpenBench) -> None:
    async with bench() as at:
        await at.press("M", "enter")
        assert isinstance(at.app.screen, ModelDialog)
        await at.type("org/typed")
        await at.press("enter")
        assert isinstance(at.app.screen, ModelForm)
        assert at.app.screen.query_one("#model", Input).value == "org/typed"
        await at.press("ctrl+s")
        assert at.laboratory.setup.models == {"Emma35": ParticipantModel(model="org/typed")}


@pytest.fixture
def servers() -> Iterator[list[ScriptedServer]]:
    servers = [
        ScriptedServer(lambda body, n: Answer(("From ", "alpha.")), models=("org/alpha-8b",)),
        ScriptedServer(lambda body, n: Answer(("From ", "beta.")), models=("beta:3b",)),
    ]
    for server in servers:
        server.start()
    yield servers
    for server in servers:
        server.stop()


def on_servers(servers: list[ScriptedServer]) -> tuple[Engines, DiscussionSetup]:
    known = KnownServers(None)
    engine = Engines(ScriptedEngine, lambda: ServerEngine(lambda url: (url, ""), known))
    values = {
        "personas": people("Ann", "Bob"),
        "conv_len": 4,
        "server": servers[0].url,
        "models": {"Bob": {"server": servers[1].url}},
    }
    return engine, DiscussionSetup.model_validate(values)


@pytest.mark.parametrize("size", SIZES[:2])
async def test_two_participants_on_two_servers(
    bench: OpenBench, servers: list[ScriptedServer], size: tuple[int, int]
) -> None:
    engine, setup = on_servers(servers)
    async with bench(size, setup=setup, engine=engine) as at:
        await at.press("r")
        await at.until_state("finished")
        record = at.records()[0]
        assert [(each.text, each.model) for each in record.entries] == [
            ("From alpha.", "org/alpha-8b"), ("From beta.", "beta:3b"),
        ] * 2  # fmt: skip
        await at.press("1")
        await at.until(lambda: "beta:3b" in line_of(at, "● Bob"))
        assert "alpha-8b" in line_of(at, "● Ann")
        await at.press("t")
        await at.until(lambda: isinstance(at.app.screen, TurnLab))
        await at.until(lambda: "each speaker's share" in at.text())
        await at.press("end")
        await at.until(lambda: "what each of them said" in at.text())
        assert "beta:3b" in at.text()
        await at.press("escape", "3", "enter")
        await at.until(lambda: "X-ray" in at.text())
        assert "beta:3b" in at.text()
        port = servers[1].url.rpartition(":")[2].partition("/")[0]
        assert port in at.text(), "where it is served"


async def test_another_model_in_the_middle_applies_from_the_next_turn(
    bench: OpenBench, servers: list[ScriptedServer]
) -> None:
    engine, setup = on_servers(servers)
    same = setup.model_copy(update={"models": {}})
    async with bench(setup=same, engine=engine) as at:
        await at.press("s")
        await at.until_state("paused")
        await at.press("1", "down")
        await give(at, server=servers[1].url)
        assert "from turn 2" in at.text()
        await at.press("r")
        await at.until_state("finished")
        record = at.records()[0]
        assert [each.model for each in record.entries] == ["org/alpha-8b", "beta:3b"] * 2
        assert record.setup.models["Bob"].model == "beta:3b"
        assert record.earlier_setups[0].last_turn == 1


@pytest.mark.parametrize("size", SIZES)
async def test_the_column_and_the_form(
    bench: OpenBench, size: tuple[int, int], snapshot: SnapshotAssertion
) -> None:
    async with bench(size) as at:
        await at.press("down")
        await give(at, "qwen3:8b", "http://127.0.0.1:11434/v1")
        await at.until(lambda: "qwen3:8b" in at.text())
        assert at.text() == snapshot
        await at.press("M")
        await at.until(lambda: "Speaks with" in at.text())
        assert at.text() == snapshot
