"""Models that are classes of the user's own, in both of SynDisco's shapes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from queue import SimpleQueue
from textwrap import dedent
from typing import Any

import pytest

from syndisco_tui.discussion import ChatMessage
from syndisco_tui.engine.base import (
    Cancelled,
    Chunk,
    EngineError,
    Generation,
    GenerationEvent,
    GenerationRequest,
    Loaded,
    LoadEvent,
    LoadFailed,
    LoadProgress,
    RenderedPrompt,
)
from syndisco_tui.engine.model import ModelSpec
from syndisco_tui.engine.python_class import PythonEngine

CHAT = (ChatMessage("system", "You are Ann."), ChatMessage("user", "User Ann posted:"))
_numbers = count(1)


class Own:
    """An engine for the class ``Model`` of a module that has ``code``."""

    def __init__(self, code: str, folder: Path, target: str = "Model") -> None:
        self.module = f"own_model_{next(_numbers)}"
        (folder / f"{self.module}.py").write_text(dedent(code))
        self.model = f"python:{self.module}:{target}"
        self.engine = PythonEngine([self.model])

    def load(self) -> LoadEvent:
        events: SimpleQueue[LoadEvent] = SimpleQueue()
        self.engine.load(ModelSpec(self.model), events.put)
        while isinstance(event := events.get(timeout=10), LoadProgress):
            pass
        return event

    def ask(self, listener: Any = None, **fields: Any) -> Generation:
        return self.engine.submit(GenerationRequest(CHAT, 40, **fields), listener)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Own]]:
    monkeypatch.syspath_prepend(tmp_path)
    made: list[Own] = []

    def make(code: str, target: str = "Model") -> Own:
        made.append(Own(code, tmp_path, target))
        return made[-1]

    yield make
    for each in made:
        each.engine.close()


TWO_TEXTS = """
    class Model:
        def __init__(self):
            self.name, self.max_out_tokens = "mine", 5
        def prompt(self, system_prompt, user_prompt):
            return f"{system_prompt}|{user_prompt}|{self.max_out_tokens}"
"""
PAIR = """
    class Model:
        def __init__(self, name, max_out_tokens, stop_list=None):
            self.name, self.max_out_tokens = name, max_out_tokens
        def prompt(self, json_prompt, stop_words):
            system, user = json_prompt
            return f"{system['role']} {system['content']}|{user['content']}|{stop_words}"
"""


def test_two_texts(own: Callable[..., Own]) -> None:
    at = own(TWO_TEXTS)
    loaded = at.load()
    assert isinstance(loaded, Loaded)
    info = loaded.info
    assert (info.model, info.name, info.exact, info.path) == (at.model, "mine", False, "class")
    result = at.ask().result(5)
    assert result.text == "You are Ann.|User Ann posted:|40"
    assert result.finish_reason == "stop"
    assert result.completion_tokens == 0  # it does not say


def test_a_pair_of_messages(own: Callable[..., Own]) -> None:
    at = own(PAIR)
    loaded = at.load()
    assert isinstance(loaded, Loaded)
    assert loaded.info.name == "Model"
    result = at.ask(stop=("\n!",)).result(5)
    assert result.text == r"system You are Ann.|User Ann posted:|['\n!']"


def test_a_function_that_makes_it(own: Callable[..., Own]) -> None:
    code = (
        TWO_TEXTS
        + """
    def small():
        model = Model()
        model.name = "small"
        return model
    """
    )
    loaded = own(code, "small").load()
    assert isinstance(loaded, Loaded)
    assert loaded.info.name == "small"


def test_pieces_stream_and_reasoning_is_told_apart(own: Callable[..., Own]) -> None:
    at = own("""
        class Model:
            def prompt(self, system_prompt, user_prompt):
                yield from ["<th", "ink>I should", " stop.</think>", "No ", "way. ###", " More"]
    """)
    at.load()
    events: list[GenerationEvent] = []
    result = at.ask(events.append, stop=("###",)).result(5)
    assert (result.text, result.reasoning) == ("No way. ", "I should stop.")
    assert [event.text for event in events if isinstance(event, Chunk)] == ["No ", "way. "]


def test_the_version_of_its_package_is_recorded(own: Callable[..., Own]) -> None:
    engine = PythonEngine(["python:pytest:Config"])
    events: SimpleQueue[LoadEvent] = SimpleQueue()
    engine.load(ModelSpec("python:pytest:Config"), events.put)
    failed = [events.get(timeout=10) for _ in range(2)][-1]
    assert isinstance(failed, LoadFailed)
    assert "needs pluginmanager" in str(failed.error)
    engine.close()


@pytest.mark.parametrize(
    ("code", "target", "sentence"),
    [
        ("import not_there_at_all", "Model", "cannot be imported (ModuleNotFoundError: No module"),
        ("1 / 0", "Model", "cannot be imported (ZeroDivisionError: division by zero)."),
        ("", "Model", "has no class Model."),
        ("class Model: pass", "Model", "has no method prompt(system_prompt, user_prompt)"),
        ("class Model:\n    def prompt(self, one): ...", "Model", "does not take two arguments"),
        ("class Model:\n    def __init__(self, path): ...", "Model", "needs path: name a function"),
        ("class Model:\n    def __init__(self): raise OSError('disk')", "Model",
         "could not be made (OSError: disk)."),
    ],
)  # fmt: skip
def test_what_cannot_be_had_is_one_sentence(
    own: Callable[..., Own], code: str, target: str, sentence: str
) -> None:
    failed = own(code, target).load()
    assert isinstance(failed, LoadFailed)
    assert sentence in str(failed.error)
    assert str(failed.error).endswith(".")


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        ("python:no_such_module_here:Model", "There is no module no_such_module_here: install it"),
        ("python:Model", "write a class as python:package.module:Class."),
    ],
)
def test_a_name_that_is_wrong(model: str, sentence: str) -> None:
    engine = PythonEngine([model])
    events: SimpleQueue[LoadEvent] = SimpleQueue()
    engine.load(ModelSpec(model), events.put)
    failed = [events.get(timeout=10) for _ in range(2)][-1]
    engine.close()
    assert isinstance(failed, LoadFailed)
    assert sentence in str(failed.error)


def test_what_nobody_named_is_not_imported(own: Callable[..., Own], tmp_path: Path) -> None:
    at = own(f"open({str(tmp_path / 'trace')!r}, 'w')")
    at.engine._allowed = frozenset(["auto"])
    failed = at.load()
    assert isinstance(failed, LoadFailed)
    assert f"start with --model {at.model}." in str(failed.error)
    assert not (tmp_path / "trace").exists()


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("raise ValueError('no key')", "Model.prompt failed (ValueError: no key)."),
        ("raise SystemExit(3)", "Model.prompt failed (SystemExit: 3)."),
        ("return None", "Model.prompt returned NoneType, where text is expected."),
        ("return ['a']", "Model.prompt returned list, where text is expected."),
        ("yield 3", "Model.prompt returned int, where text is expected."),
    ],
)
def test_a_class_that_fails_fails_one_reply(
    own: Callable[..., Own], body: str, sentence: str
) -> None:
    code = f"class Model:\n    def prompt(self, system_prompt, user_prompt):\n        {body}\n"
    at = own(code)
    at.load()
    for _ in range(2):  # and goes on after it
        with pytest.raises(EngineError) as raised:
            at.ask().result(5)
        assert str(raised.value) == sentence


SLOW = """
    import threading
    may_speak = threading.Event()
    class Model:
        def prompt(self, system_prompt, user_prompt):
            may_speak.wait(20)
            return "late"
"""


def may_speak(at: Own) -> threading.Event:
    import importlib

    event: threading.Event = importlib.import_module(at.module).may_speak
    return event


def test_cancel_drops_the_reply_while_the_class_is_at_work(own: Callable[..., Own]) -> None:
    at = own(SLOW)
    at.load()
    working, waiting, after = at.ask(), at.ask(), at.ask()
    time.sleep(0.1)
    began = time.monotonic()
    working.cancel()
    waiting.cancel()
    assert working.result(2).finish_reason == waiting.result(2).finish_reason == "cancelled"
    assert time.monotonic() - began < 1
    assert not after.is_done
    may_speak(at).set()
    assert after.result(5).text == "late"
    assert working.result().text == ""


def test_restart_abandons_code_that_hangs(own: Callable[..., Own]) -> None:
    at = own(SLOW)
    at.load()
    stuck = at.ask()
    time.sleep(0.1)
    at.engine.restart()
    with pytest.raises(EngineError, match="restarted"):
        stuck.result(5)
    assert at.engine.info is None
    assert isinstance(at.load(), Loaded)
    may_speak(at).set()
    assert at.ask().result(5).text == "late"


def test_loading_is_cancelled_within_a_second(own: Callable[..., Own]) -> None:
    at = own("import time\nclass Model:\n    def __init__(self): time.sleep(3)")
    events: SimpleQueue[LoadEvent] = SimpleQueue()
    at.engine.load(ModelSpec(at.model), events.put)
    assert isinstance(events.get(timeout=5), LoadProgress)
    at.engine.cancel_load()
    failed = events.get(timeout=1)
    assert isinstance(failed, LoadFailed)
    assert isinstance(failed.error, Cancelled)


def test_close_cancels_what_runs(own: Callable[..., Own]) -> None:
    at = own(SLOW)
    at.load()
    generations = [at.ask() for _ in range(3)]
    at.engine.close()
    assert {each.result(1).finish_reason for each in generations} == {"cancelled"}
    with pytest.raises(EngineError, match="closed"):
        at.ask().result(1)


def test_a_chat_of_several_turns_is_two_texts(own: Callable[..., Own]) -> None:
    at = own(TWO_TEXTS)
    chat = (*CHAT, ChatMessage("assistant", "Hi."), ChatMessage("user", "Bob: Yes?"))
    answers: SimpleQueue[RenderedPrompt | EngineError] = SimpleQueue()
    at.engine.render(GenerationRequest(chat, 5), answers.put)
    prompt = answers.get(timeout=1)
    assert isinstance(prompt, RenderedPrompt)
    assert prompt.parts[3][0] == "User Ann posted:\n\nYou: Hi.\n\nBob: Yes?"
