"""How long ``run`` takes to the starter's first words, against a minimal script.

    python -m tests.benchmarks.startup [--repeat N] [--json FILE]

The script imports torch and transformers, loads the same weights and generates one token after
the same prompt. Both run in turns, as processes, with all files cached.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from syndisco_tui.engine.local.loading.starter import STARTER, prepare_starter
from syndisco_tui.engine.machine import processor_name
from syndisco_tui.workspace.folders import Folders
from tests.benchmarks.workload import demonstration_prompt

BARE = """
import json, sys
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
folder, prompt = sys.argv[1], json.loads(sys.argv[2])
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
inputs = tokenizer.apply_chat_template(
    prompt, add_generation_prompt=True, return_tensors="pt", return_dict=True
)
with torch.inference_mode():
    print(model.generate(**inputs, max_new_tokens=1, do_sample=False)[0, -1])
"""
FIRST_WORDS = re.compile(r"\n\n[^\n]+:\n\S")
"""A blank line after the seed opinion, a speaker's line, and the beginning of a reply."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--json", type=Path, default=Path("startup.json"))
    options = parser.parse_args()
    cache = Path(os.environ.get("SYNDISCO_TUI_TEST_CACHE") or Folders.from_environment().cache)
    folder = prepare_starter(cache)
    assert folder.name == STARTER
    with tempfile.TemporaryDirectory() as scratch:
        environment = _environment(Path(scratch), cache)
        _bare(folder, environment)
        _ours(environment)  # compiles the kernels, once and for all
        pairs = [(_bare(folder, environment), _ours(environment)) for _ in range(options.repeat)]
    bare, ours = (statistics.median(times) for times in zip(*pairs, strict=True))
    ratio = statistics.median(second / first for first, second in pairs)
    print("| | seconds |\n|---|--:|")
    print(f"| a bare script: torch, transformers, weights, one token | {bare:.1f} |")
    print(f"| `syndisco-tui run`: the first words | {ours:.1f} |")
    print(f"\nMedians of {options.repeat}; ratio {ratio:.2f}; {os.cpu_count()} cores of an "
          f"{processor_name()}.")  # fmt: skip
    options.json.write_text(json.dumps({"pairs": pairs, "ratio": ratio}, indent=2) + "\n")


def _environment(scratch: Path, cache: Path) -> dict[str, str]:
    (scratch / "syndisco-tui").symlink_to(cache.resolve())
    folders = {
        f"XDG_{name}_HOME": str(scratch / name.lower()) for name in ("CONFIG", "DATA", "STATE")
    }
    return {**os.environ, **folders, "XDG_CACHE_HOME": str(scratch), "HF_HUB_OFFLINE": "1"}


def _bare(folder: Path, environment: dict[str, str]) -> float:
    began = time.perf_counter()
    command = [sys.executable, "-c", BARE, str(folder), json.dumps(demonstration_prompt())]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return time.perf_counter() - began


def _ours(environment: dict[str, str]) -> float:
    """Seconds to the first characters of the first reply on standard output."""
    began, printed = time.perf_counter(), ""
    command = [sys.executable, "-m", "syndisco_tui", "run", "--model", "starter", "--seed", "1"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        while not FIRST_WORDS.search(printed):
            chunk = os.read(process.stdout.fileno(), 65536)
            if not chunk:
                raise SystemExit("run ended without a word")
            printed += chunk.decode(errors="replace")
        seconds = time.perf_counter() - began
        process.terminate()
    return seconds


if __name__ == "__main__":
    main()
