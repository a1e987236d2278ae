"""How often the output guard is needed, by prompt style.

Runs the demonstration with every style over the same seeds, all discussions of a style at once,
and counts the replies that the guard had to change, the silences and the cut sentences.

    python -m tests.benchmarks.prompt_styles [--runs 20] [--turns N] [--model starter] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path
from typing import Any, get_args

from syndisco_tui.discussion import DiscussionSetup, Message
from syndisco_tui.discussion.setup import PromptStyle
from syndisco_tui.engine.local import LocalEngine
from syndisco_tui.session import ErrorRaised, LiveSession, Posted, Runner, StateChanged
from syndisco_tui.store.setups import read_setup
from syndisco_tui.workspace.folders import DEMONSTRATION, Folders


def replies(engine: LocalEngine, setups: list[DiscussionSetup]) -> list[Message]:
    """Every prompted reply of all these discussions, run at once."""
    messages: list[Message] = []
    with tempfile.TemporaryDirectory() as folder:
        sessions = [LiveSession(Runner(engine, Path(folder))) for _ in setups]
        for session, setup in zip(sessions, setups, strict=True):
            session.start(setup)
        for session in sessions:
            while True:
                event = session.events.get()
                if isinstance(event, Posted):
                    messages.append(event.message)
                elif isinstance(event, ErrorRaised):
                    raise SystemExit(event.sentence)
                elif isinstance(event, StateChanged) and event.state == "finished":
                    break
            session.close()
    return messages


def figures(messages: list[Message]) -> dict[str, Any]:
    """Shares of the replies, and their mean length in tokens."""
    count = len(messages)
    changed = sum(m.raw_text is not None and m.raw_text.strip() != m.text for m in messages)
    return {
        "replies": count,
        "guarded": changed / count,
        "silent": sum(message.is_silence for message in messages) / count,
        "cut": sum(message.is_cut for message in messages) / count,
        "tokens": sum(message.completion_tokens for message in messages) / count,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--turns", type=int, help="users' turns of each run")
    parser.add_argument("--model", default="starter")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    engine = LocalEngine(Folders.from_environment().cache, threads=os.cpu_count())
    setup = read_setup(DEMONSTRATION)
    if options.turns:
        setup = setup.model_copy(update={"conv_len": options.turns})
    table: dict[str, dict[str, Any]] = {}
    print(f"{'style':14}{'replies':>8}{'guarded':>9}{'silent':>8}{'cut':>7}{'tokens':>8}")
    for style in get_args(PromptStyle):
        changes = {"prompt_style": style, "model": options.model}
        setups = [setup.model_copy(update={**changes, "seed": n}) for n in range(options.runs)]
        row = table[style] = figures(replies(engine, setups))
        print(
            f"{style:14}{row['replies']:8}{row['guarded']:9.1%}{row['silent']:8.1%}"
            f"{row['cut']:7.1%}{row['tokens']:8.0f}",
            flush=True,
        )
    if options.json:
        options.json.write_text(json.dumps(table, indent=2) + "\n")
    os._exit(0)


if __name__ == "__main__":
    main()
