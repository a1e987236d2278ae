"""Hostile text through standard output and error of `run`: nothing a terminal would obey."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

from syndisco_tui.discussion import Message
from syndisco_tui.engine.base import EngineInfo, LoadProgress
from syndisco_tui.headless.printer import Printer
from syndisco_tui.session import Hindrance, ModelReady, Posted, ReplyGrew, ReplyStarted, Trouble
from tests.hostile_text import forbidden, giants, payloads


def test_a_thousand_payloads_in_every_event() -> None:
    out, err = StringIO(), StringIO()
    printer = Printer(out, err)
    texts = [*payloads(1000), *giants().values()]
    for turn, text in enumerate(texts, start=1):
        info = EngineInfo(text, name=text, device=text, dtype=text, path=text, context_length=9)
        printer.show(LoadProgress(text, 1, 2))
        printer.show(ModelReady(info))
        printer.show(ReplyStarted(text, "user", turn))
        for part in (text[: len(text) // 2], text):
            printer.show(ReplyGrew(text, part, 1, 1, 1.0))
        printer.show(Posted(Message(text, text, "user", turn), 1.0))
        printer.show(Trouble(text))
        printer.show(Hindrance("saving", text, text))
    printer.path = Path("x.json")
    printer.end(0)
    for printed in (out.getvalue(), err.getvalue()):
        assert not forbidden(printed, lines=True)
        assert all(f"p{number}q" in printed for number in range(1000))
