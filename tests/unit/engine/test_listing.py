"""Asking servers which models they serve."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from syndisco_tui.engine.server.listing import (
    ASK_SECONDS,
    ServedModel,
    ServerAddress,
    ServerAnswer,
    ServerQuery,
    served_models,
)
from tests.support.scripted_server import Answer, Refused, ScriptedServer


def server_with(models: Any) -> ScriptedServer:
    return ScriptedServer(lambda *_: Answer(), models=models)


def answers(*addresses: ServerAddress) -> dict[str, ServerAnswer]:
    """What servers answer, by URL."""
    heard: dict[str, ServerAnswer] = {}
    query = ServerQuery(addresses, lambda answer: heard.update({answer.address.url: answer}))
    query.start()
    assert query.done.wait(10)
    return heard


@pytest.fixture
def hung() -> Iterator[str]:
    """A server that takes connections and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"


@pytest.mark.parametrize(
    ("entry", "length"),
    [
        ({"max_model_len": 32768}, 32768),  # vLLM, SGLang
        ({"context_length": 8192}, 8192),  # gateways
        ({"meta": {"n_ctx_train": 4096}}, 4096),  # llama.cpp
        ({"max_model_len": "many", "context_length": True, "meta": []}, 0),
        ({"max_model_len": -1}, 0),
        ({}, 0),
    ],
)
def test_the_context_length_by_all_its_names(entry: dict[str, Any], length: int) -> None:
    assert served_models({"data": [{"id": "m", **entry}]}) == [ServedModel("m", length)]


@pytest.mark.parametrize("entries", [["m"], [{}], [{"id": 7}], [{"id": ""}], [None], []], ids=repr)
def test_entries_that_are_no_models_are_passed_over(entries: list[Any]) -> None:
    assert served_models({"data": entries}) == []


@pytest.mark.parametrize("answer", [None, [], "models", {}, {"data": {}}, {"data": None}], ids=repr)
def test_another_answer_is_none_of_a_server_of_models(answer: object) -> None:
    with pytest.raises(ValueError, match="not a list"):
        served_models(answer)


def test_all_are_asked_at_the_same_time_and_none_holds_up_the_others(hung: str) -> None:
    with server_with(["a", "b"]) as server:
        began = time.monotonic()
        heard = answers(
            ServerAddress(hung),
            ServerAddress(f"{hung}/"),
            ServerAddress(server.url),
            ServerAddress(server.url.removesuffix("/v1")),
            ServerAddress("http://127.0.0.1:1/v1"),
        )
        assert time.monotonic() - began < ASK_SECONDS + 1
    assert heard[hung].error == f"{hung} did not answer within 1 s"
    assert [each.name for each in heard[server.url].models] == ["a", "b"]
    assert [each.name for each in heard[server.url.removesuffix("/v1")].models] == ["a", "b"]
    assert heard["http://127.0.0.1:1/v1"].error == "nobody answers at http://127.0.0.1:1/v1"


@pytest.mark.parametrize(
    ("models", "error"),
    [
        (Refused(401, "no"), "{url} rejected the API key (401)"),
        (Refused(403, "no"), "{url} rejected the API key (403)"),
        (Refused(500, "oh"), "{url} does not say which models it serves (500)"),
        (
            Refused(200, body="<html>hello</html>"),
            "{url} does not answer as a server of models does",
        ),
        (Refused(200, body="[" * 5_000), "{url} does not answer as a server of models does"),
        (Refused(200, body="x" * 5_000_000), "{url} does not answer as a server of models does"),
        (Refused(200, body={"data": 7}), "{url} does not answer as a server of models does"),
    ],
)
def test_other_answers_are_one_sentence(models: Refused, error: str) -> None:
    with server_with(models) as server:
        answer = answers(ServerAddress(server.url, "sk-secret"))[server.url]
        assert answer.error == error.format(url=server.url)
        assert answer.models == ()


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999/v1", "http://[::/v1", "http://"])
def test_a_url_that_is_none_is_an_answer_too(url: str) -> None:
    assert answers(ServerAddress(url))[url].error


def test_a_connection_that_ends_within_the_answer_is_one_too() -> None:
    cut = Refused(200, body='{"data": [', headers={"content-length": "1000"})
    with server_with(cut) as server:
        assert "cannot be asked" in answers(ServerAddress(server.url))[server.url].error


def test_a_redirect_leads_nowhere_from_a_port_that_nobody_named() -> None:
    with server_with(["a"]) as elsewhere:
        away = Refused(307, headers={"location": f"{elsewhere.url}/models"})
        with server_with(away) as server:
            unnamed = answers(ServerAddress(server.url, is_named=False))[server.url]
            named = answers(ServerAddress(server.url))[server.url]
    assert unnamed.models == ()
    assert [each.name for each in named.models] == ["a"]


def test_a_port_that_nobody_named_is_asked_without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with server_with(["a"]) as server:
        assert answers(ServerAddress(server.url, is_named=False))[server.url].models
        assert not answers(ServerAddress(server.url))[server.url].models


def test_a_cancelled_query_tells_nothing_more(hung: str) -> None:
    heard: list[ServerAnswer] = []
    query = ServerQuery([ServerAddress(hung)], heard.append)
    query.start()
    time.sleep(0.2)
    query.cancel()
    assert query.done.wait(0.5)
    assert heard == []


def test_a_query_can_be_cancelled_before_and_after() -> None:
    query = ServerQuery([ServerAddress("http://127.0.0.1:1/v1")], lambda _: None)
    query.cancel()
    query.start()
    assert query.done.wait(2)
    query.cancel()
