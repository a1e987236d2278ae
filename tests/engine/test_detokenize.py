"""Text as it streams: whole characters, nothing of a stop string, and the same when joined."""

from __future__ import annotations

import random
from typing import Any

import pytest

from syndisco_tui.engine.local.tokenization.detokenizer import TextStream
from syndisco_tui.engine.stop_strings import StopStrings


class Slow:
    """A tokenizer as transformers' Python ones are: no stream, only decode."""

    is_fast = False

    def __init__(self, tokenizer: Any) -> None:
        self.decode = tokenizer.decode


@pytest.mark.parametrize("kind", ["fast", "slow"])
@pytest.mark.parametrize(
    "text", ["Hello, world.", "北京 😀👩‍👩‍👧 naïve", " \n\n  x", "a<|im_end|>b"]
)
def test_chunks_join_to_the_text(starter_tokenizer: Any, kind: str, text: str) -> None:
    tokenizer = starter_tokenizer
    ids = tokenizer.encode(text, add_special_tokens=False)
    stream = TextStream(tokenizer if kind == "fast" else Slow(tokenizer))
    chunks = [stream.push(token) for token in ids]
    assert "".join(chunks) + stream.flush() == tokenizer.decode(ids, skip_special_tokens=True)
    assert not any("\ufffd" in chunk for chunk in chunks)


@pytest.mark.parametrize("kind", ["fast", "slow"])
def test_a_character_cut_in_two_is_never_shown(starter_tokenizer: Any, kind: str) -> None:
    tokenizer = starter_tokenizer
    ids = tokenizer.encode("ok 𒀀", add_special_tokens=False)[:-1]
    stream = TextStream(tokenizer if kind == "fast" else Slow(tokenizer))
    assert "".join(stream.push(token) for token in ids) + stream.flush() == "ok "


def test_stop_strings_in_any_pieces() -> None:
    rng = random.Random(0)
    for _ in range(3000):
        text = "".join(rng.choice("ab\n:") for _ in range(rng.randint(0, 30)))
        stops = ["".join(rng.choice("ab\n:") for _ in range(rng.randint(1, 4))) for _ in range(2)]
        found = [at for stop in stops if (at := text.find(stop)) >= 0]
        gate, shown, rest = StopStrings(stops), "", text
        while rest and not gate.has_matched:
            size = rng.randint(1, 3)
            piece, rest = rest[:size], rest[size:]
            before = shown
            shown += gate.push(piece)
            assert text.startswith(shown)
            assert shown.startswith(before)
        shown += gate.flush()
        assert gate.has_matched == bool(found)
        # The first stop string to be complete ends it; what precedes it is shown, no more.
        assert not any(stop in shown for stop in stops)
        assert shown == text if not found else text[len(shown) :].startswith(tuple(stops))


def test_what_cannot_begin_a_stop_string_is_shown_at_once() -> None:
    gate = StopStrings(("\nUser Giannis posted:",))
    assert gate.push("Hello\n") == "Hello"
    assert gate.push("User Em") == "\nUser Em"
    assert gate.push("\nUser Giannis posted") == ""
    assert gate.push(":") == ""
    assert gate.has_matched
