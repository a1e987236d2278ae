"""Discussions with a local model that reasons, from the template to the file."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from syndisco_tui.discussion import DiscussionRecord, DiscussionSetup
from syndisco_tui.discussion.past_requests import rebuild_request
from syndisco_tui.engine.base import EngineError, RenderedPrompt
from syndisco_tui.engine.local import LocalEngine
from syndisco_tui.session import LiveSession, Runner, SessionEvent
from syndisco_tui.session.batch import Batch
from syndisco_tui.session.batch_run import repeated
from syndisco_tui.session.events import Condition, ErrorRaised, ReplyGrew
from syndisco_tui.store.discussions import discussion_files, read_discussion
from tests.support.engines import THREADS
from tests.support.people import people
from tests.support.reasoning_families import FAMILIES, endless, model_of

THOUGHTS = (" I should be short", " I should be kind")


class Run:
    """Discussions of two with a scripted model in this process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "discussions"
        self.folder.mkdir()
        self.engine = LocalEngine(folder, threads=THREADS)
        self.events: list[SessionEvent] = []
        self.runner = Runner(self.engine, self.folder)
        self.session = LiveSession(self.runner, self.events.append)

    def setup(self, model: Path, **fields: Any) -> DiscussionSetup:
        setup = {"personas": people("Ann", "Bob"), "conv_len": 3, "model": str(model)}
        return DiscussionSetup.model_validate(setup | fields)

    def ended(self) -> DiscussionRecord:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            record = self.session.record
            if record is not None and record.status in ("finished", "paused"):
                return record
            time.sleep(0.01)
        raise AssertionError(self.events[-5:])

    def close(self) -> None:
        self.session.close()
        self.engine.close()


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    run = Run(tmp_path)
    yield run
    run.close()


def saved(folder: Path, tiny_folder: Path, name: str, **follows: Sequence[str]) -> Path:
    model, tokenizer = model_of(tiny_folder, FAMILIES[name], **follows)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("name", ["qwen3", "deepseek r1, whose template opens the thought",
                                  "mistral, with special tokens"])  # fmt: skip
def test_reasoning_is_kept_and_is_in_nobody_s_prompt(
    run: Run, tiny_folder: Path, tmp_path: Path, name: str
) -> None:
    model = saved(tmp_path / "model", tiny_folder, name)
    setup = run.setup(model, prompt_style="chat", reasoning="on")
    run.session.start(setup)
    record = run.ended()
    assert [entry.text for entry in record.entries] == ["No way."] * 3
    (file,) = discussion_files(run.folder)
    assert all(entry.reasoning.rstrip() in THOUGHTS for entry in read_discussion(file).entries)
    assert all(entry.reasoning_tokens >= 4 for entry in record.entries)
    grown = [event for event in run.events if isinstance(event, ReplyGrew)]
    assert not any("should" in event.text for event in grown)
    for index, entry in enumerate(record.entries):
        rebuilt = rebuild_request(record, index)
        answers: SimpleQueue[RenderedPrompt | EngineError] = SimpleQueue()
        run.session.render(rebuilt.request, rebuilt.setup, answers.put)
        prompt = answers.get(timeout=10)
        assert isinstance(prompt, RenderedPrompt)
        assert prompt.tokens == entry.prompt_tokens  # X-ray shows what was sent
        assert prompt.text.count("No way.") == index
        assert "should" not in prompt.text


def test_a_batch_gives_what_one_gives(run: Run, tiny_folder: Path, tmp_path: Path) -> None:
    model = saved(tmp_path / "model", tiny_folder, "qwen3", **endless(FAMILIES["qwen3"]))
    setup = run.setup(model, max_reasoning_tokens=9)
    batch = Batch(lambda listener: LiveSession(run.runner, listener), repeated(setup, 4))
    while not batch.is_over:
        batch.drain(0.1)
    batch.close()
    together = {r.setup.seed: r for r in map(read_discussion, discussion_files(run.folder))}
    assert len(together) == 4
    run.session.start(setup.model_copy(update={"seed": 2}))
    for alone, one in zip(run.ended().entries, together[2].entries, strict=True):
        assert (alone.text, alone.reasoning) == (one.text, one.reasoning)
        assert alone.text == "No way."
        assert alone.notes == ("its reasoning was ended after 9 tokens",)


def test_all_tokens_for_reasoning_then_more_room(
    run: Run, tiny_folder: Path, tmp_path: Path
) -> None:
    """Asked again once with more room, of which the model leaves some for speech."""
    model = saved(tmp_path / "model", tiny_folder, "qwen3", **endless(FAMILIES["qwen3"]))
    run.session.start(run.setup(model, max_out_tokens=20))
    record = run.ended()
    assert record.status == "finished"
    assert {entry.text for entry in record.entries} == {"No way."}
    assert {entry.notes for entry in record.entries} == {
        ("its reasoning was ended after 40 tokens",)
    }


def test_all_tokens_for_reasoning_twice(run: Run, tiny_folder: Path, tmp_path: Path) -> None:
    """A model that never stops to think: the discussion pauses and says what to change."""
    never = {**endless(FAMILIES["qwen3"]), "\n\n": ["<think>"]}
    model = saved(tmp_path / "model", tiny_folder, "qwen3", **never)
    run.session.start(run.setup(model, max_out_tokens=20))
    record = run.ended()
    assert (record.status, record.entries) == ("paused", ())
    (error,) = (event.sentence for event in run.events if isinstance(event, ErrorRaised))
    assert "tokens for reasoning. Raise max_reasoning_tokens, or set reasoning to “off”." in error


def test_nothing_but_a_thought_is_no_silence(run: Run, tiny_folder: Path, tmp_path: Path) -> None:
    model = saved(tmp_path / "model", tiny_folder, "qwen3", **{"</think>": [""]})
    run.session.start(run.setup(model), step=True)
    (message,) = run.ended().entries
    assert message.notes == ("the model returned nothing 3 times",)
    assert message.reasoning.rstrip() in THOUGHTS


def test_a_switch_that_is_missing_is_said_and_recorded(
    run: Run, tiny_folder: Path, tmp_path: Path
) -> None:
    model = saved(tmp_path / "model", tiny_folder, "mistral, with special tokens")
    run.session.start(run.setup(model, reasoning="off"))
    record = run.ended()
    said = [e.sentence for e in run.events if isinstance(e, Condition) and e.cause == "reasoning"]
    assert said == ["model does not heed reasoning = “off”: it has no such switch."]
    assert record.engine["reasoning"] == []
    assert record.entries[0].notes == ("it reasoned although reasoning is off",)
