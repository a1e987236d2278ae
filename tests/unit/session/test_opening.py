"""Starting, resuming and leaving discussions."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from syndisco_tui.discussion import EarlierSetup, Persona
from syndisco_tui.engine.base import LoadProgress
from syndisco_tui.session import (
    Condition,
    ErrorRaised,
    ModelReady,
    Opened,
    Posted,
    ReplyDropped,
    ReplyGrew,
    SetupApplied,
)
from syndisco_tui.store.discussions import (
    DiscussionFile,
    discussion_files,
    read_discussion,
    resumable_discussions,
)
from syndisco_tui.store.lock import has_writer
from tests.support.live_session import SETUP, SLOW, Begin, changed, seed_as_reply
from tests.support.project import start_python


class TestAnotherDiscussion:
    def test_the_first_stays_valid_and_can_be_resumed(self, begin: Begin) -> None:
        live = begin(delay=SLOW)
        first = live.until(Opened).path
        live.until(Posted)
        live.until(ReplyGrew)
        live.session.start(changed(conv_len=1))
        live.until(ReplyDropped)
        second = live.until(Opened).path
        live.until_state("finished")
        assert second != first
        assert read_discussion(first).status == "paused"
        assert len(read_discussion(first).entries) == 1
        assert not has_writer(first)
        assert has_writer(second)

    def test_one_that_is_resumed_takes_the_place_of_one_that_was_to_begin(
        self, begin: Begin
    ) -> None:
        live = begin(step=True)
        saved = live.until(Opened).path
        live.until_state("paused")
        other = begin(delay=SLOW, load_steps=5, setup=changed(title="never begun"))
        live.session.close()
        other.until(LoadProgress)
        other.session.resume(saved)
        assert other.until(Opened).path == saved
        other.until_state("finished")
        assert discussion_files(other.folder) == [saved]

    def test_a_setup_without_users_is_refused_and_nothing_is_left(self, begin: Begin) -> None:
        live = begin(step=True)
        live.until_state("paused")
        live.session.start(changed(personas=()))
        told = live.until(ErrorRaised)
        assert told == ErrorRaised("Nobody takes part: choose at least one persona.")
        live.session.run()
        live.until_state("finished")
        assert len(discussion_files(live.folder)) == 1

    def test_a_change_to_nobody_is_refused(self, begin: Begin) -> None:
        live = begin(step=True)
        live.until_state("paused")
        live.session.change_setup(changed(personas=()))
        assert "Nobody takes part" in live.until(ErrorRaised).sentence
        assert live.record.setup == SETUP
        live.session.run()
        live.until_state("finished")


RUN_UNTIL_KILLED = """if True:
    import sys
    from pathlib import Path
    from syndisco_tui.session import LiveSession, Posted, Runner
    from tests.support.scripted_engine import ScriptedEngine
    from tests.support.live_session import SETUP, seed_as_reply
    session = LiveSession(Runner(ScriptedEngine(seed_as_reply, delay=0.02), Path(sys.argv[1])))
    session.start(SETUP.model_copy(update={"conv_len": 8}))
    while True:
        if isinstance(session.events.get(), Posted):
            print("posted", flush=True)
"""


class TestResuming:
    def test_a_killed_run_goes_on_as_if_nothing_had_been(self, begin: Begin, folder: Path) -> None:
        process = start_python(RUN_UNTIL_KILLED, folder)
        assert process.stdout is not None
        for _ in range(3):
            assert process.stdout.readline() == "posted\n"
        process.kill()
        process.communicate()
        (path,) = discussion_files(folder)
        record = read_discussion(path)
        assert [(path, record)] == list(resumable_discussions(folder))
        said = len(record.entries)
        assert 3 <= said < 8

        live = begin(seed_as_reply, setup=None)
        live.session.resume(path)
        live.until_state("finished")
        whole = begin(seed_as_reply, setup=changed(conv_len=8))
        whole.until_state("finished")
        assert live.engine.requests == whole.engine.requests[said:]
        assert [entry.text for entry in read_discussion(path).entries] == whole.texts()
        assert read_discussion(path).status == "finished"
        assert read_discussion(path).id == record.id

    @pytest.mark.parametrize("turn", [1, 2, 3])
    def test_wherever_it_was_paused_the_rest_is_the_same(self, begin: Begin, turn: int) -> None:
        moderated = changed(moderator=Persona(username="Mod"), turn_manager="RandomWeighted")
        whole = begin(seed_as_reply, setup=moderated)
        whole.until_state("finished")
        live = begin(seed_as_reply, setup=moderated, step=True)
        path = live.until(Opened).path
        for _ in range(turn - 1):
            live.until_state("paused")
            live.session.step()
        live.until_state("paused")
        live.session.close()
        again = begin(seed_as_reply, setup=None)
        again.session.resume(path)
        assert len(again.until(Opened).record.entries) == turn
        again.until_state("finished")
        assert live.engine.requests + again.engine.requests == whole.engine.requests

    def test_it_can_be_opened_without_going_on(self, begin: Begin) -> None:
        live = begin(step=True)
        live.until_state("paused")
        live.session.close()
        again = begin(setup=None)
        again.session.resume(live.path, run=False)
        again.until_state("paused")
        assert again.quiet()
        again.session.run()
        again.until_state("finished")

    def test_a_changed_setup_is_remembered(self, begin: Begin) -> None:
        live = begin(step=True)
        live.until_state("paused")
        live.session.change_setup(changed(context="It is raining."))
        live.session.step()
        live.until(SetupApplied)
        live.session.close()
        again = begin(setup=None)
        again.session.resume(live.path)
        again.until_state("finished")
        assert again.record.earlier_setups == (EarlierSetup(1, SETUP, 1),)
        assert "It is raining." in again.engine.requests[0].chat[0].content

    def test_what_cannot_be_opened_leaves_the_open_one_running(
        self, begin: Begin, tmp_path: Path
    ) -> None:
        live = begin(delay=SLOW)
        live.until(Posted)
        nowhere = tmp_path / "gone" / "a.json"
        live.session.resume(nowhere)
        told = live.until(ErrorRaised).sentence
        assert told == f"{nowhere}: cannot be opened for writing: No such file or directory"
        live.until_state("finished")
        assert not live.all(Condition)

    def test_a_file_in_use_is_refused_with_a_sentence(self, begin: Begin, folder: Path) -> None:
        file = DiscussionFile.create(folder, datetime.now(UTC))
        file.path.write_text("{}")
        live = begin(setup=None)
        live.session.resume(file.path)
        told = live.until(ErrorRaised)
        assert told.sentence == (
            f"{file.path.name}: another syndisco-tui is running this discussion"
        )
        assert not told.fatal
        live.until_state("idle")
        assert file.path.read_text() == "{}"
        file.close()

    @pytest.mark.parametrize("content", ["{", "[]", '{"logs": []}', '{"logs": 3}'])
    def test_garbage_is_refused_and_let_go(self, begin: Begin, folder: Path, content: str) -> None:
        path = folder / "garbage.json"
        path.write_text(content)
        live = begin(setup=None)
        live.session.resume(path)
        assert "Unexpected" not in live.until(ErrorRaised).sentence
        live.until_state("idle")
        assert path.read_text() == content
        assert os.listdir(folder) == ["garbage.json"]

    def test_a_finished_one_is_shown_and_stays_finished(self, begin: Begin) -> None:
        live = begin()
        live.until_state("finished")
        live.session.close()
        again = begin(setup=None)
        again.session.resume(live.path)
        again.until_state("finished")
        assert len(again.all(Opened)[0].record.entries) == 4
        assert again.record.entries == live.record.entries
        assert again.quiet()
        assert not again.all(ModelReady)  # nobody needs it
