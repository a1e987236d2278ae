"""How fast discussions are generated: SynDisco, transformers and this engine, in one run.

    python tests/benchmarks/generation.py [--device cpu|cuda] [--dtype DTYPE]
        [--model starter|FOLDER|NAME-random] [--peer PYTHON] [--json FILE] [--quick]

Every contestant runs alone, in a process of its own, with the same weights, dtype, prompts and
reply length, after a warm-up. The prompts are turns of recorded discussions; throughput is from
first prompt to last token, reading the prompts included. ``NAME-random`` makes random weights of
a known configuration (Llama-3.2-3B, …); PYTHON is an interpreter that has SynDisco 2.2.1.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

if not __package__:  # run as a file
    sys.path.insert(0, str(Path(__file__).parents[2]))

from syndisco_tui.engine.local.loading.starter import prepare_starter
from syndisco_tui.engine.machine import processor_name
from syndisco_tui.workspace.folders import Folders
from tests.benchmarks.workload import Workload

CONTESTANTS = Path(__file__).with_name("contestants.py")
LLAMA = {"max_position_embeddings": 131072, "vocab_size": 128256, "num_key_value_heads": 8}
KNOWN: dict[str, dict[str, Any]] = {
    "SmolLM2-135M": {
        "hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30,
        "num_attention_heads": 9, "num_key_value_heads": 3, "vocab_size": 49152,
        "max_position_embeddings": 8192, "tie_word_embeddings": True,
    },
    "Llama-3.2-1B": {
        **LLAMA, "hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16,
        "num_attention_heads": 32, "head_dim": 64, "tie_word_embeddings": True,
    },
    "Llama-3.2-3B": {
        **LLAMA, "hidden_size": 3072, "intermediate_size": 8192, "num_hidden_layers": 28,
        "num_attention_heads": 24, "head_dim": 128, "tie_word_embeddings": True,
    },
    "Llama-3.1-8B": {
        **LLAMA, "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
        "num_attention_heads": 32,
    },
}  # fmt: skip
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory() as scratch:
        result = _run(options, Path(scratch))
    table = as_table(result)
    print(table)
    options.json.write_text(json.dumps({**result, "table": table}, indent=2) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="", help="float32 on a CPU, bfloat16 on CUDA")
    parser.add_argument("--model", default="starter")
    parser.add_argument("--peer", default="", help="an interpreter that has SynDisco 2.2.1")
    parser.add_argument("--json", type=Path, default=Path("generation.json"))
    parser.add_argument("--quick", action="store_true", help="short replies, the main rows only")
    parser.add_argument("--only", default="", help="contestants, separated by commas")
    return parser.parse_args()


def _run(options: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    dtype = options.dtype or ("float32" if options.device == "cpu" else "bfloat16")
    quick, work = options.quick, Workload()
    job: dict[str, Any] = {
        "device": options.device,
        "dtype": dtype,
        "threads": os.cpu_count() or 1,
        "tokens": 32 if quick else 128,
        "live": {"3": work.turns(0, 2 if quick else 6, 3)},
        "before": {"3": work.before(0, 9, 3)},
        "many": [work.turns(number, 1 if quick else 3, 3) for number in range(64)],
        "many_full": [],
        "long": {},
        "sizes": [8, 32] if quick else [8, 32, 64],
        "padded": [8] if quick else [8, 32],
    }
    if not quick:
        job["live"]["full"] = work.turns(0, 8, None)
        job["many_full"] = [work.turns(number, 2, None) for number in range(32)]
        job["long"] = {"20": work.long(20), "200": work.long(200)}
    job["model"] = str(_model(options.model, job, scratch))
    result: dict[str, Any] = {
        "machine": machine(options.device),
        "model": options.model,
        "dtype": dtype,
        "prompts": "recorded discussions" if work.is_recorded else "the demonstration",
        "reply_tokens": job["tokens"],
        "rows": [],
        "long": {},
        **_contestant("bandwidth", job, scratch),
    }
    only = options.only.split(",") if options.only else []
    for name in ("syndisco", "transformers", "continuous", "ours"):
        if only and name not in only:
            continue
        part = _contestant(name, job, scratch, options.peer if name == "syndisco" else "")
        result["rows"] += part.get("rows", [])
        result["long"].update(part.get("long", {}))
    _add_shares(result, Path(job["model"]))
    return result


def _model(name: str, job: dict[str, Any], scratch: Path) -> Path:
    """The folder with the weights."""
    if name != "starter" and Path(name).is_dir():
        return Path(name)
    cache = Path(os.environ.get("SYNDISCO_TUI_TEST_CACHE") or Folders.from_environment().cache)
    starter = prepare_starter(cache)
    if name == "starter":
        return starter
    config = KNOWN.get(name.removesuffix("-random"))
    if config is None or not name.endswith("-random"):
        raise SystemExit(f"There is no model “{name}”: choose starter, a folder, or one of "
                         f"{', '.join(f'{known}-random' for known in KNOWN)}.")  # fmt: skip
    folder = scratch / name
    _contestant("weights", {**job, "config": config, "model": str(folder)}, scratch)
    for file in TOKENIZER_FILES:
        shutil.copy(starter / file, folder / file)
    return folder


def _contestant(name: str, job: dict[str, Any], scratch: Path, python: str = "") -> dict[str, Any]:
    """Run ``name`` alone; if it cannot run, say so and leave it out."""
    print(f"  {name} …", file=sys.stderr, flush=True)
    answer = scratch / f"{name}.json"
    root = str(Path(__file__).parents[2])
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), root])),
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_VERBOSITY": "error",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }
    done = subprocess.run(
        [python or sys.executable, str(CONTESTANTS), name, str(answer)],
        input=json.dumps(job), text=True, env=environment, stdout=sys.stderr,
    )  # fmt: skip
    if done.returncode or not answer.exists():
        print(f"  {name} could not run and is left out.", file=sys.stderr)
        return {}
    content: dict[str, Any] = json.loads(answer.read_text())
    return content


def _add_shares(result: dict[str, Any], folder: Path) -> None:
    """Add to each row its speed relative to SynDisco, and its share of the memory bandwidth.

    A step reads all weights once, whatever the number of sequences. A share of 1 is a device that
    only reads them in ``dtype``; weights packed in fewer bits give more. An embedding that is not
    the output layer is hardly read, and not counted.
    """
    config = json.loads((folder / "config.json").read_text())
    bytes_ = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
    stored = 2 if config.get("dtype", config.get("torch_dtype")) == "bfloat16" else 4
    bytes_ = bytes_ * (4 if result["dtype"] == "float32" else 2) // stored
    if not config.get("tie_word_embeddings"):
        element = 4 if result["dtype"] == "float32" else 2
        bytes_ -= config["vocab_size"] * config["hidden_size"] * element
    result["weight_bytes"] = bytes_
    by_history = {row["history"]: row for row in result["rows"] if row["name"] == "SynDisco"}
    for row in result["rows"]:
        peer = by_history.get(row["history"])
        row["ratio"] = row["tokens_per_second"] / peer["tokens_per_second"] if peer else None
        step = row["token_p50"]
        row["share"] = bytes_ / step / result["bandwidth"] if step else None


def machine(device: str) -> str:
    """The machine in words."""
    words = f"{os.cpu_count()} cores of an {processor_name()}"
    if device.startswith("cuda"):
        import torch

        words = f"{torch.cuda.get_device_name(device)}, {words}"
    return words


def as_table(result: dict[str, Any]) -> str:
    """All rows as one Markdown table, and the long discussion under it."""
    lines = [
        "| | history | tokens/s | × SynDisco | first token | a token, p50 · p95 | memory | share |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    for row in result["rows"]:
        ratio = f"{row['ratio']:.1f}" if row["ratio"] else ""
        share = f"{row['share']:.0%}" if row["share"] else ""
        steps = ""
        if row["token_p50"]:
            steps = f"{row['token_p50'] * 1e3:.0f} · {row['token_p95'] * 1e3:.0f} ms"
        lines.append(
            f"| {row['name']} | {row['history']} | {row['tokens_per_second']:.0f} | {ratio} "
            f"| {row['first_token']:.2f} s | {steps} | {row['memory'] / 1e9:.1f} GB | {share} |"
        )
    lines.append(
        f"\n{result['model']}, {result['dtype']}, prompts of {result['prompts']}, replies of "
        f"{result['reply_tokens']} tokens; {result['machine']}, which reads "
        f"{result['bandwidth'] / 1e9:.0f} GB/s."
    )
    for name, seconds in result["long"].items():
        if seconds:
            turns = ", ".join(f"turn {turn}: {taken:.1f} s" for turn, taken in seconds.items())
            lines.append(f"{name}, full history: {turns}.")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
