"""What was found out about servers: remembered for other starts, forgotten where they changed."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from syndisco_tui.engine.server.capabilities import Capabilities
from syndisco_tui.engine.server.known_servers import KnownServers
from tests.support.opened_servers import Opened
from tests.support.scripted_server import Answer, Refused

LEARNED = Capabilities(left_out=("seed",), version="vllm 0.12", context_length=2048)


@pytest.mark.parametrize(
    ("version", "context_length", "left_out"),
    [
        ("vllm 0.12", 2048, ("seed",)),
        ("", 0, ("seed",)),  # it does not say
        ("vllm 0.13", 2048, ()),
        ("vllm 0.12", 4096, ()),
    ],
)
def test_another_version_or_length_forgets(
    version: str, context_length: int, left_out: tuple[str, ...]
) -> None:
    recalled = LEARNED.recalled_for(version, context_length)
    assert recalled.left_out == left_out
    assert recalled.version == (version or "vllm 0.12")
    assert recalled.context_length == (context_length or 2048)


def test_what_is_found_out_first_is_no_change() -> None:
    recalled = Capabilities(left_out=("seed",)).recalled_for("vllm 0.12", 2048)
    assert recalled == LEARNED


@pytest.mark.parametrize(
    ("capabilities", "facts"),
    [
        (Capabilities(), ()),
        (Capabilities(left_out=("seed", "top_k")), ("refuses seed, top_k",)),
        (Capabilities(thoughts="reasoning"), ("sends thoughts as reasoning",)),
        (
            Capabilities(thoughts="text", opens_reasoning=True),
            ("sends thoughts within the text, opened by its template",),
        ),
        (
            Capabilities(system_role=False, alternates=True, context_length=32768),
            (
                "takes no system message: its text goes before the first user message",
                "wants user and assistant to alternate",
                "32,768 tokens of context",
            ),
        ),
        (
            Capabilities(output_limit="max_completion_tokens", ends_without_reason=True),
            (
                "calls the limit of a reply max_completion_tokens",
                "does not say why a reply ended",
            ),
        ),
    ],
)
def test_facts_for_people(capabilities: Capabilities, facts: tuple[str, ...]) -> None:
    assert capabilities.facts == facts


def test_two_processes_learn_of_two_servers(tmp_path: Path) -> None:
    file = tmp_path / "servers.json"
    one, other = KnownServers(file), KnownServers(file)
    one.set("http://one", "m", Capabilities(left_out=("seed",)))
    other.set("http://other", "m", Capabilities(left_out=("stop",)))
    assert {url for url, _ in KnownServers(file).all()} == {"http://one", "http://other"}


@pytest.mark.parametrize("text", ["", "[]", "{", '{"http://one": 7}', '{"http://one": {"m": [1]}}'])
def test_a_broken_file_counts_as_empty(tmp_path: Path, text: str) -> None:
    file = tmp_path / "servers.json"
    file.write_text(text)
    known = KnownServers(file)
    assert known.get("http://one", "m") == Capabilities()
    known.set("http://one", "m", LEARNED)
    assert KnownServers(file).get("http://one", "m") == LEARNED


def remember(known: Path, at: Opened, capabilities: Capabilities) -> None:
    KnownServers(known).set(at.servers[0].url, "tiny", capabilities)


def test_a_server_that_now_refuses_what_it_wanted_before_is_asked_afresh(
    serve: Any, tmp_path: Path
) -> None:
    def script(body: dict[str, Any], number: int) -> Answer | Refused:
        if "max_completion_tokens" in body:
            return Refused(400, "Unknown parameter: max_completion_tokens")
        return Answer()

    known = tmp_path / "servers.json"
    at = serve(script, known=known)
    before = Capabilities(left_out=("seed",), output_limit="max_completion_tokens")
    remember(known, at, before)
    again = Opened(at.servers, known)
    try:
        assert again.open().left_out == ("seed",)
        assert again.reply().text == "Hello there."
        assert again.engine.info is not None
        assert again.engine.info.left_out == ()
    finally:
        again.engine.close()
    assert [("seed" in each) for each in at.servers[0].requests] == [False, True]
    assert KnownServers(known).get(at.servers[0].url, "tiny").output_limit == "max_tokens"


def test_an_error_that_is_not_about_the_request_s_form_is_said_after_one_more_attempt(
    serve: Any, tmp_path: Path
) -> None:
    known = tmp_path / "servers.json"
    at = serve(lambda *_: Refused(400, "The picture is too dark"), known=known)
    remember(known, at, Capabilities(left_out=("seed",)))
    again = Opened(at.servers, known)
    try:
        again.open()
        with pytest.raises(Exception, match="too dark"):
            again.reply()
        assert len(at.servers[0].requests) == 2
        with pytest.raises(Exception, match="too dark"):
            again.reply()
        assert len(at.servers[0].requests) == 3
    finally:
        again.engine.close()


def test_where_thoughts_arrive_is_remembered_with_the_context(serve: Any, tmp_path: Path) -> None:
    known = tmp_path / "servers.json"
    at = serve(lambda *_: Answer([{"reasoning": "Hm."}, "Hello."]), known=known)
    at.open()
    at.reply()
    deadline = time.monotonic() + 10  # it is remembered just after the reply was told
    while not at.engine.info.server_facts and time.monotonic() < deadline:
        time.sleep(0.01)
    assert at.engine.info.server_facts == ("sends thoughts as reasoning",)
    assert at.engine.info.as_dict()["server_facts"] == ["sends thoughts as reasoning"]
    assert json.loads(known.read_text())[at.servers[0].url]["tiny"]["thoughts"] == "reasoning"
