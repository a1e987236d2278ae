"""How fast many discussions run on a server, against a bare client that asks for the same.

A process emits 5,000 tokens a second over all its streams. It is asked by the ``openai`` client
alone, by ``syndisco-tui run --repeat`` and by the app in a terminal with its batch on the screen,
one after the other; the server counts. Then keys are typed into the app while a batch runs, and
each is timed until it is seen.

    python -m tests.benchmarks.servers [--at-once 64 256] [--rounds 3] [--json FILE]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from openai import AsyncOpenAI

from syndisco_tui.discussion import Discussion, DiscussionSetup, Reply
from syndisco_tui.store.setups import read_setup
from syndisco_tui.workspace.folders import DEMONSTRATION
from tests.benchmarks.echo import CLEAR, REPEAT, Terminal

TOKENS_PER_SECOND = 5000
MAX_TOKENS = 100
SECONDS = 12.0
"""About how long each run lasts."""
GOALS = {"share of the bare client": 0.95, "key to echo p99, ms": 50.0}

Figures = dict[str, float]


def turns_for(at_once: int) -> int:
    """Turns of each discussion, so that a run lasts as long as it should."""
    return max(2, round(SECONDS * TOKENS_PER_SECOND / (at_once * 0.75 * MAX_TOKENS)))


def setup_for(turns: int, url: str) -> DiscussionSetup:
    fields = {"conv_len": turns, "max_out_tokens": MAX_TOKENS, "server": (url,), "model": "paced",
              "moderator": None, "turn_manager": "RoundRobin"}  # fmt: skip
    return DiscussionSetup.model_validate({**read_setup(DEMONSTRATION).model_dump(), **fields})


def write_setup(path: Path, turns: int, url: str) -> None:
    personas = Path(__file__).parents[2] / "personas" / "demonstration.json"
    path.write_text(
        f'conv_len = {turns}\nmax_out_tokens = {MAX_TOKENS}\nturn_manager = "RoundRobin"\n'
        f'persona_file = "{personas}"\nserver = "{url}"\nmodel = "paced"\n'
    )


def temporary_home() -> tempfile.TemporaryDirectory[str]:
    """A folder for one run; an app that is being ended may still write into it."""
    return tempfile.TemporaryDirectory(ignore_cleanup_errors=True)


class Server:
    """The paced server, in a process of its own."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.benchmarks.paced_server"]
        command += ["--tokens", str(TOKENS_PER_SECOND)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        self.url = self._process.stdout.readline().strip()

    def figures(self) -> Figures:
        """What it has emitted since the last look, and how fast."""
        with urllib.request.urlopen(f"{self.url}/figures") as answer:
            figures: Figures = json.loads(answer.read())
        seconds = figures["last"] - figures["first"]
        return {
            "tokens/s": figures["tokens"] / seconds if seconds else 0.0,
            "tokens": figures["tokens"],
            "streams": figures["most_streams"],
        }

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()


def requests_of(setup: DiscussionSetup) -> list[dict[str, Any]]:
    """The bodies of one discussion's requests, as the app sends them."""
    discussion, bodies = Discussion(setup), []
    words = "the work from home is calm but we miss our friends and some days do not end " * 4
    while request := discussion.next_request():
        chat = [{"role": each.role, "content": each.content} for each in request.chat]
        sampling = {"temperature": 0.8, "top_p": 0.95, "stop": list(request.stop)}
        extra = {"top_k": 50, "repetition_penalty": 1.1}
        options = {"stream_options": {"include_usage": True}, "extra_body": extra}
        limit = {"model": "paced", "max_tokens": MAX_TOKENS}
        bodies.append({**limit, "messages": chat, **sampling, **options})
        discussion.post(request, Reply(words, "stop", "paced", 0, 75, 1.0), created_at="")
    return bodies


async def ask_barely(url: str, at_once: int, bodies: list[dict[str, Any]]) -> None:
    """What a script does that has nothing but the client: no files, no screen, no prompts."""
    client: Any = AsyncOpenAI(base_url=url, api_key="none", max_retries=0)

    async def discussion(number: int) -> None:
        for body in bodies:
            text = ""
            async for chunk in await client.chat.completions.create(
                **body, seed=number, stream=True
            ):
                if chunk.choices and chunk.choices[0].delta.content:
                    text += chunk.choices[0].delta.content

    await asyncio.gather(*(discussion(number) for number in range(at_once)))
    await client.close()


def bare(server: Server, at_once: int) -> Figures:
    bodies = requests_of(setup_for(turns_for(at_once), server.url))
    script = (
        "import asyncio, json, sys; from tests.benchmarks.servers import ask_barely; "
        "asyncio.run(ask_barely(sys.argv[1], int(sys.argv[2]), json.load(sys.stdin)))"
    )
    command = [sys.executable, "-c", script, server.url, str(at_once)]
    subprocess.run(command, input=json.dumps(bodies), text=True, check=True)
    return server.figures()


def environment(home: Path) -> dict[str, str]:
    folders = {
        f"XDG_{kind}_HOME": str(home / kind) for kind in ("DATA", "CONFIG", "CACHE", "STATE")
    }
    return {**os.environ, **folders}


def headless(server: Server, at_once: int, home: Path) -> Figures:
    write_setup(home / "setup.toml", turns_for(at_once), server.url)
    command = [sys.executable, "-m", "syndisco_tui", "run", str(home / "setup.toml")]
    command += ["--repeat", str(at_once), "--max-concurrent", str(at_once)]
    if profile := os.environ.get("PROFILE"):
        command = [sys.executable, "-m", "cProfile", "-o", profile, *command[1:]]
    quiet = subprocess.DEVNULL
    subprocess.run(command, env=environment(home), check=True, stdout=quiet, stderr=quiet)
    return server.figures()


class BatchOnScreen:
    """The app in a terminal with a batch that has begun."""

    def __init__(self, server: Server, at_once: int, turns: int, home: Path) -> None:
        write_setup(home / "setup.toml", turns, server.url)
        arguments = ["--setup", str(home / "setup.toml"), "--max-concurrent", str(at_once)]
        self.terminal = Terminal(home, arguments)
        self.terminal.wait_for("1Personas", 30)
        self.terminal.read(1)
        self.terminal.app.send(REPEAT)
        self.terminal.wait_for("atthesametime", 20)
        self.terminal.app.send(CLEAR)
        self.terminal.read(0.5)
        server.figures()
        self.terminal.app.send(f"{at_once}\r")

    def close(self) -> None:
        self.terminal.app.close(force=True)


def on_screen(server: Server, at_once: int, home: Path) -> Figures:
    """The whole batch, looked at."""
    turns = turns_for(at_once)
    shown = BatchOnScreen(server, at_once, turns, home)
    shown.terminal.wait_for(f"{at_once}of{at_once}finished", 20 * SECONDS)
    shown.close()
    return server.figures()


def echoes(server: Server, at_once: int, home: Path, keys: int) -> list[float]:
    """Milliseconds from each key typed into a running batch's first discussion to its echo."""
    shown = BatchOnScreen(server, at_once, 10_000, home)
    terminal = shown.terminal
    terminal.wait_for("tok/s", 60)
    for _ in range(30):
        terminal.read(0.1)
    terminal.app.send("\r")
    terminal.wait_for("Discussion1", 20)
    terminal.app.send("/")
    terminal.read(1)
    terminal.app.delaybeforesend = None
    taken, pause, typed = [], random.Random(1), ""
    for number in range(keys):
        if len(typed) == 20:
            terminal.app.send(CLEAR)
            terminal.read(0.5)
            typed = ""
        typed += "qzjx"[number % 4]
        until = time.monotonic() + pause.uniform(0.05, 0.2)  # as a person types
        while time.monotonic() < until:
            terminal.read(0.01)
        taken.append(1000 * terminal.echo(typed[-1], typed))
    shown.close()
    server.figures()
    return taken


def measure(at_once: int, rounds: int, keys: int) -> dict[str, float]:
    """One row of the table. Every round asks in all three ways, so that all share the weather."""
    rates: dict[str, list[float]] = {"bare client": [], "without screen": [], "with screen": []}
    server = Server()
    try:
        for _ in range(rounds):
            with temporary_home() as home:
                rates["bare client"].append(bare(server, at_once)["tokens/s"])
                rates["without screen"].append(headless(server, at_once, Path(home))["tokens/s"])
            with temporary_home() as home:
                rates["with screen"].append(on_screen(server, at_once, Path(home))["tokens/s"])
        with temporary_home() as home:
            taken = sorted(echoes(server, at_once, Path(home), keys)) if keys else [0.0]
    finally:
        server.close()
    row = {name: statistics.median(each) for name, each in rates.items()}
    return {
        "discussions": at_once,
        **row,
        "without screen / bare": row["without screen"] / row["bare client"],
        "with screen / bare": row["with screen"] / row["bare client"],
        "with / without screen": row["with screen"] / row["without screen"],
        "echo p50, ms": statistics.median(taken),
        "echo p99, ms": taken[int(0.99 * (len(taken) - 1))],
    }


def show(rows: list[dict[str, float]]) -> None:
    for name in rows[0]:
        digits = 2 if "/" in name else 0
        print(f"{name:24}" + "".join(f"{row[name]:10.{digits}f}" for row in rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--at-once", type=int, nargs="+", default=[64, 256])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keys", type=int, default=200)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = [measure(at_once, options.rounds, options.keys) for at_once in options.at_once]
    show(rows)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
