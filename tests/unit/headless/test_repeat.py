"""Many discussions of one setup at once, and one saved discussion once more."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import resource
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from io import StringIO
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from syndisco_tui.discussion import (
    IMPORTED_FROM,
    DiscussionRecord,
    DiscussionSetup,
    EarlierSetup,
    Persona,
)
from syndisco_tui.discussion.chance import SEED_BITS
from syndisco_tui.engine.base import EngineError, GenerationRequest, LoadProgress
from syndisco_tui.headless.printer import WAITING
from syndisco_tui.headless.repeat import run_repeat
from syndisco_tui.headless.replay import AHEAD, replay
from syndisco_tui.session import ErrorRaised, LiveSession, Runner
from syndisco_tui.session import runner as runner_module
from syndisco_tui.session.batch import Batch
from syndisco_tui.session.batch_run import repeated, saved_runs
from syndisco_tui.store.discussion_format import to_bytes
from syndisco_tui.store.discussions import discussion_files, read_discussion
from syndisco_tui.store.inputs import InputError
from syndisco_tui.store.lock import WriterLock, has_writer
from syndisco_tui.store.setups import setup_to_toml
from syndisco_tui.workspace.batches import (
    SeedClaims,
    continue_batch,
    elsewhere_sentence,
    remaining_runs,
)
from tests.support.command_line import SCRIPTED, call
from tests.support.faulty_disk import FaultyDisk
from tests.support.project import ROOT
from tests.support.scripted_engine import ScriptedEngine

SETUP = DiscussionSetup(
    personas=(Persona(username="Ann"), Persona(username="Bob")),
    moderator=Persona(username="Mod"),
    turn_manager="RandomWeighted",
    conv_len=4,
    seed=7,
)


def answer(request: GenerationRequest) -> str:
    """Words that depend on prompt and seed, as a sampler's do."""
    chat = "|".join(turn.content for turn in request.chat)
    digest = hashlib.sha256(f"{chat}|{request.seed}".encode()).hexdigest()
    return f"I say {digest[:12]}."


def run(
    folder: Path,
    begins: list[DiscussionSetup | Path],
    answer: Callable[[GenerationRequest], str] = answer,
    err: StringIO | None = None,
) -> tuple[int, str, str]:
    """A batch: exit status, standard output, standard error."""
    engine, out, err = ScriptedEngine(answer), StringIO(), err or StringIO()
    session = partial(LiveSession, Runner(engine, folder))
    batch = Batch(session, begins)
    status = run_repeat(batch, out=out, err=err)
    engine.close()
    return status, out.getvalue(), err.getvalue()


def alone(folder: Path, setup: DiscussionSetup) -> DiscussionRecord:
    run(folder, [setup])
    return read_discussion(discussion_files(folder)[0])


def said(record: DiscussionRecord) -> list[tuple[str, str]]:
    return [(entry.name, entry.text) for entry in record.entries]


class TestRepeat:
    def test_each_has_its_own_file_and_its_own_seed(self, folder: Path) -> None:
        status, out, err = run(folder, list(repeated(SETUP, 8)))
        assert status == 0
        records = [read_discussion(path) for path in discussion_files(folder)]
        assert sorted(record.setup.seed for record in records) == list(range(7, 15))
        assert all(record.status == "finished" for record in records)
        assert sorted(out.split()) == sorted(map(str, discussion_files(folder)))
        assert "8 of 8 discussions finished  64 messages" in err

    def test_a_discussion_of_a_batch_is_the_one_it_would_be_alone(
        self, folder: Path, tmp_path: Path
    ) -> None:
        run(folder, list(repeated(SETUP, 4)))
        other = tmp_path / "alone"
        other.mkdir()
        for path in discussion_files(folder):
            record = read_discussion(path)
            lone = alone(other, SETUP.model_copy(update={"seed": record.setup.seed}))
            assert said(record) == said(lone)

    def test_after_the_largest_seed_comes_0(self) -> None:
        largest = (1 << SEED_BITS) - 1
        setups = repeated(SETUP.model_copy(update={"seed": largest}), 2)
        assert [DiscussionSetup(**dict(setup)).seed for setup in setups] == [largest, 0]

    def test_an_interrupted_batch_goes_on_where_it_was(self, folder: Path) -> None:
        setups = repeated(SETUP, 3)
        run(folder, list(setups[:2]))
        whole = {path: read_discussion(path) for path in discussion_files(folder)}
        cut = discussion_files(folder)[0]
        record = whole[cut]
        cut.write_bytes(to_bytes(replace(record, entries=record.entries[:3], status="running")))
        found = saved_runs(folder, setups)
        assert [path is not None for path in found] == [True, True, False]
        begins: list[DiscussionSetup | Path] = [cut, setups[2]]
        status, _, err = run(folder, begins)
        assert status == 0
        assert "2 of 2 discussions" in err
        assert said(read_discussion(cut)) == said(record)
        assert len(discussion_files(folder)) == 3

    def test_each_file_says_which_of_the_batch_it_is(self, folder: Path) -> None:
        run(folder, list(repeated(SETUP, 3)))
        records = [read_discussion(path) for path in discussion_files(folder)]
        places = {r.setup.seed: r.batch for r in records}
        assert {place.id for place in places.values() if place} == {records[0].batch.id}
        assert {s: (p.number, p.count) for s, p in places.items() if p} == {
            7: (1, 3),
            8: (2, 3),
            9: (3, 3),
        }

    def test_a_saved_batch_knows_what_it_lacks_and_goes_on(self, folder: Path) -> None:
        run(folder, list(repeated(SETUP, 3)))
        whole = {path: read_discussion(path) for path in discussion_files(folder)}
        first, second, third = sorted(whole, key=lambda path: whole[path].setup.seed)
        second.unlink()
        cut = replace(whole[third], entries=whole[third].entries[:3], status="running")
        third.write_bytes(to_bytes(cut))
        engine = ScriptedEngine(answer)
        session = partial(LiveSession, Runner(engine, folder))
        batch = Batch.saved(session, [third, first])
        assert [(r.number, r.seed, r.state) for r in batch.runs] == [
            (1, 7, "finished"),
            (2, 8, "missing"),
            (3, 9, "stopped"),
        ]
        assert batch.is_over
        assert not engine.requests, "nothing runs before it is continued"
        before = first.read_bytes()
        batch.resume()
        while not batch.is_over:
            batch.drain(0.1)
        assert batch.is_finished
        assert batch.figures().finished == 3
        assert first.read_bytes() == before
        assert said(read_discussion(third)) == said(whole[third])
        again = {r.setup.seed: r for r in map(read_discussion, discussion_files(folder))}
        assert said(again[8]) == said(whole[second])
        assert again[8].batch == whole[second].batch
        batch.close()
        engine.close()

    def test_what_somebody_has_open_is_left_out(self, folder: Path) -> None:
        run(folder, list(repeated(SETUP, 2)))
        for path in discussion_files(folder):
            record = read_discussion(path)
            path.write_bytes(to_bytes(replace(record, entries=record.entries[:3], status="paused")))
        held, other = discussion_files(folder)
        engine = ScriptedEngine(answer)
        session = partial(LiveSession, Runner(engine, folder))
        batch = Batch.saved(session, [held, other])
        continue_batch(batch, SeedClaims(folder), held)
        while not batch.is_over:
            batch.drain(0.1)
        assert {run.path: run.state for run in batch.runs} == {held: "stopped", other: "finished"}
        assert "open in the laboratory" in next(r.error for r in batch.runs if r.path == held)
        batch.close()
        engine.close()

    def test_what_is_stopped_can_be_continued_and_its_files_are_free(self, folder: Path) -> None:
        engine = ScriptedEngine(answer, delay=0.01)
        session = partial(LiveSession, Runner(engine, folder))
        batch = Batch(session, repeated(SETUP, 2))
        while not batch.runs[0].messages:
            batch.drain(0.1)
        batch.stop()
        deadline = time.monotonic() + 5
        while any(map(has_writer, discussion_files(folder))) and time.monotonic() < deadline:
            batch.drain(0.05)
        assert {read_discussion(path).status for path in discussion_files(folder)} == {"paused"}
        assert not any(map(has_writer, discussion_files(folder)))
        engine.delay = 0
        batch.resume()
        while not batch.is_over:
            batch.drain(0.1)
        assert batch.is_finished
        assert len(discussion_files(folder)) == 2
        batch.close()
        engine.close()

    def test_other_setups_are_not_taken_for_it(self, folder: Path) -> None:
        run(folder, [SETUP])
        assert saved_runs(folder, [SETUP.model_copy(update={"conv_len": 5})]) == [None]

    def test_what_is_stopped_while_the_model_loads_has_not_failed(self, folder: Path) -> None:
        engine = ScriptedEngine(delay=0.02, load_steps=50)
        session = partial(LiveSession, Runner(engine, folder))
        batch = Batch(session, repeated(SETUP, 3))
        while not any(isinstance(event, LoadProgress) for _, event in batch.drain(0.1)):
            pass
        batch.stop()
        heard, deadline = 0, time.monotonic() + 5
        while heard < 3 and time.monotonic() < deadline:
            heard += sum(isinstance(event, ErrorRaised) for _, event in batch.drain(0.1))
        assert [(run.state, run.error) for run in batch.runs] == [("stopped", "")] * 3
        batch.close()
        engine.close()

    def test_a_model_that_cannot_be_had_ends_it_with_3(self, folder: Path) -> None:
        setups = repeated(SETUP.model_copy(update={"model": "nowhere"}), 2)
        status, out, err = run(folder, list(setups))
        assert (status, out) == (3, "")
        assert err.splitlines()[-1] == "There is no model “nowhere”; try --model starter."

    def test_a_disk_that_refuses_is_said_once_and_waited_for(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(runner_module, "RETRY_SECONDS", 0.05)
        disk, faults = FaultyDisk(monkeypatch), count()

        class Err(StringIO):
            def write(self, text: str) -> int:
                if "Cannot save" in text:
                    disk.is_mended()
                return super().write(text)

        def answer_on_a_full_disk(request: GenerationRequest) -> str:
            if len(discussion_files(folder)) == 4 and next(faults) == 0:
                disk.breaks("sync", errno.ENOSPC)
            return answer(request)

        status, _, told = run(folder, list(repeated(SETUP, 4)), answer_on_a_full_disk, Err())
        assert status == 0
        assert told.count(f"Cannot save: no space left on device. ({folder})\n{WAITING}") == 1
        assert "Saved; the discussion continues." in told

    def test_why_they_cannot_begin_is_said(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        FaultyDisk(monkeypatch).breaks("make", errno.EACCES)
        status, out, err = run(folder, list(repeated(SETUP, 3)))
        assert (status, out) == (1, "")
        assert err.count(f"Cannot save: permission denied. ({folder})") == 1
        assert WAITING not in err
        assert err.endswith(
            "0 of 3 discussions finished  0 messages; "
            "run the same command with --resume to continue them\n"
        )

    def test_many_have_the_files_they_need(self, folder: Path) -> None:
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        open_now = len(os.listdir("/dev/fd"))
        resource.setrlimit(resource.RLIMIT_NOFILE, (open_now + 30, limits[1]))
        try:
            status, _, err = run(folder, list(repeated(SETUP, 30)))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        assert (status, "Cannot save" in err) == (0, False)

    def test_that_the_engine_has_ended_is_said(self, folder: Path) -> None:
        def dies(request: GenerationRequest) -> str:
            raise SystemExit

        status, _, err = run(folder, list(repeated(SETUP, 3)), dies)
        assert status == 1
        assert err.count("The model's thread has ended.") == 1


class TestClaims:
    def test_a_seed_is_claimed_once(self, folder: Path) -> None:
        with SeedClaims(folder) as first, SeedClaims(folder) as second:
            assert first.claim(repeated(SETUP, 3)) == [True] * 3
            assert second.claim(repeated(SETUP, 5)) == [False] * 3 + [True] * 2
            first.release()
            assert second.claim(repeated(SETUP, 1)) == [True]
        assert os.listdir(folder) == []

    def test_another_setup_has_its_own_seeds(self, folder: Path) -> None:
        other = SETUP.model_copy(update={"conv_len": 5})
        with SeedClaims(folder) as first, SeedClaims(folder) as second:
            assert first.claim([SETUP]) == second.claim([other]) == [True]

    def test_what_is_finished_running_or_claimed_elsewhere_is_not_run_again(
        self, folder: Path
    ) -> None:
        setups = repeated(SETUP, 5)
        run(folder, list(setups[:3]))
        saved = saved_runs(folder, setups)
        finished, cut, written = (path for path in saved if path)
        for path in (cut, written):
            record = read_discussion(path)
            path.write_bytes(to_bytes(replace(record, entries=record.entries[:3], status="paused")))
        lock = WriterLock(written)
        remaining = remaining_runs(setups, saved, [False, True, True, False, True])
        lock.release()
        assert read_discussion(finished).status == "finished"
        assert remaining.sources == [cut, setups[4]]
        assert (remaining.finished, remaining.elsewhere, remaining.total) == (1, 2, 5)
        assert elsewhere_sentence(2, 5) == (
            "2 of 5 are being run by another syndisco-tui and left to it."
        )

    def test_resumed_while_the_first_still_loads_no_seed_is_run_twice(
        self, home: Path, tmp_path: Path
    ) -> None:
        setup = tmp_path / "setup.toml"
        setup.write_text(setup_to_toml(SETUP), encoding="utf-8")
        arguments = ["run", str(setup), "--repeat"]
        loads = os.environ | {"SCRIPT": json.dumps({"load_steps": 30, "delay": 0.05})}
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        first = subprocess.Popen(
            [*SCRIPTED, *arguments, "3"], cwd=ROOT, env=loads, stdin=subprocess.DEVNULL, **pipes
        )
        assert first.stderr is not None
        assert first.stderr.readline() == "reading weights …\n"
        same = call(*arguments, "3", "--resume", command=SCRIPTED)
        more = call(*arguments, "4", "--resume", command=SCRIPTED)
        out, _ = first.communicate(timeout=30)
        assert (first.returncode, len(out.split())) == (0, 3)
        assert (same.returncode, same.stdout) == (1, "")
        assert "3 of 3 are being run by another syndisco-tui" in same.stderr
        assert (more.returncode, len(more.stdout.split())) == (1, 1)
        folder = home / "data" / "syndisco-tui" / "discussions"
        seeds = [read_discussion(path).setup.seed for path in discussion_files(folder)]
        assert sorted(seeds) == [7, 8, 9, 10]
        after = call(*arguments, "4", "--resume", command=SCRIPTED)
        assert (after.returncode, after.stderr) == (0, "4 of 4 discussions are finished.\n")


class TestReplay:
    def again(self, record: DiscussionRecord) -> tuple[int, str]:
        engine, out = ScriptedEngine(answer), StringIO()
        status = replay(engine, record, out=out, err=StringIO())
        engine.close()
        return status, out.getvalue()

    def test_the_same_words(self, folder: Path) -> None:
        assert self.again(alone(folder, SETUP)) == (
            0,
            "8 replies: the same text throughout.\n",
        )

    def test_syndisco_s_own_cannot_be_asked_for_again(self, folder: Path) -> None:
        record = replace(alone(folder, SETUP), engine={IMPORTED_FROM: "SynDisco 2.0"})
        with pytest.raises(InputError, match="do not record sampling"):
            self.again(record)

    def test_the_first_difference_is_shown(self, folder: Path) -> None:
        record = alone(folder, SETUP)
        entries = list(record.entries)
        entries[-1] = replace(entries[-1], text=entries[-1].text.replace("say", "think"))
        status, out = self.again(replace(record, entries=tuple(entries)))
        assert status == 1
        assert "turn 4, Mod: differs at character 3" in out
        assert "I think" in out

    @pytest.mark.parametrize(
        ("numerics", "note"),
        [
            ({"processor": "Another"}, "made with other processor: the text may differ."),
            ({"processor": None}, "Only float32 on a CPU guarantees the same text."),
        ],
    )
    def test_another_processor_may_say_other_words(
        self, folder: Path, numerics: dict[str, str | None], note: str
    ) -> None:
        """Records of before the processor was noted say nothing of it."""
        record = alone(folder, SETUP)
        noted = {**record.engine, **numerics}
        kept = {key: value for key, value in noted.items() if value is not None}
        engine, err = ScriptedEngine(answer), StringIO()
        replay(engine, replace(record, engine=kept), out=StringIO(), err=err)
        engine.close()
        assert note in err.getvalue()

    def test_a_setup_changed_on_the_way_is_followed(self, folder: Path) -> None:
        engine = ScriptedEngine(answer, delay=0.01)
        session = LiveSession(Runner(engine, folder))
        session.start(SETUP)
        while type(session.events.get()).__name__ != "Posted":
            pass
        session.change_setup(SETUP.model_copy(update={"instructions": "Shout."}))
        while getattr(session.events.get(), "state", "") != "finished":
            pass
        session.close()
        engine.close()
        record = read_discussion(discussion_files(folder)[0])
        assert record.earlier_setups
        status, out = self.again(record)
        assert (status, out) == (0, "8 replies: the same text throughout.\n")

    def test_replies_of_an_earlier_model_are_not_asked_of_the_last(self, folder: Path) -> None:
        record = alone(folder, SETUP)
        before = SETUP.model_copy(update={"model": "another"})
        earlier = (EarlierSetup(2, before, length=4),)
        engine, out, err = ScriptedEngine(answer), StringIO(), StringIO()
        status = replay(engine, replace(record, earlier_setups=earlier), out=out, err=err)
        engine.close()
        assert (status, out.getvalue()) == (0, "4 replies: the same text throughout.\n")
        assert "Not generated again: 4 replies of an earlier model." in err.getvalue()

    def test_only_a_few_are_asked_for_ahead(self, folder: Path) -> None:
        record = alone(folder, SETUP.model_copy(update={"conv_len": 100}))
        entries = (replace(record.entries[0], text="Another word."), *record.entries[1:])
        engine = ScriptedEngine(answer)
        assert replay(engine, replace(record, entries=entries), out=StringIO(), err=StringIO()) == 1
        engine.close()
        assert len(engine.requests) == AHEAD

    def test_a_reply_that_cannot_be_had_is_told(self, folder: Path) -> None:
        engine = ScriptedEngine([EngineError("There is no memory.")])
        with pytest.raises(
            InputError, match=r"turn 1, \w+: cannot be generated again: There is no"
        ):
            replay(engine, alone(folder, SETUP), out=StringIO(), err=StringIO())
        engine.close()
