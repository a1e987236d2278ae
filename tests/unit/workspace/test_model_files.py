"""What a model's files say of it, whatever is wrong with them."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from syndisco_tui.engine.machine import FreeMemory
from syndisco_tui.workspace.model_files import ModelFiles, Precision, read_model_files
from tests.support.model_folders import SMALL, config_of, tensors_of, write_model, write_weights

CPU, GPU = FreeMemory("cpu", 12_000_000_000), FreeMemory("cuda:0", 12_000_000_000)
AUTO = Precision()


def read(folder: Path, precision: Precision = AUTO, free: FreeMemory = CPU) -> ModelFiles:
    return read_model_files(folder, precision, free)


def test_size_family_parameters_precision_and_context(tmp_path: Path) -> None:
    write_model(tmp_path, config_of("llama"), tensors_of(1_000_000_000))
    files = read(tmp_path)
    assert (files.family, files.parameters, files.stored_as) == ("llama", 1_000_000_000, "bfloat16")
    assert files.context_length == 8192
    assert 2_000_000_000 < files.disk_bytes < 2_001_000_000
    assert (files.problem, files.explanation) == ("", "")


@pytest.mark.parametrize(
    ("precision", "free", "needed", "fits", "held"),
    [
        (AUTO, CPU, 16e9, False, "none"),  # float32
        (Precision("bfloat16"), CPU, 8e9, True, "none"),
        (Precision(quantization="8bit"), CPU, 4.12e9, True, "8bit"),
        (AUTO, GPU, 8e9, True, "none"),  # bfloat16
        (AUTO, FreeMemory("cuda:0", 9_000_000_000), 2.28e9, True, "4bit"),  # leaves no room
        (Precision(quantization="none"), FreeMemory("cuda:0", 8_000_000_000), 8e9, False, "none"),
    ],
)
def test_what_it_takes_is_told_as_loading_has_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    precision: Precision,
    free: FreeMemory,
    needed: float,
    fits: bool,
    held: str,
) -> None:
    monkeypatch.setattr("syndisco_tui.engine.local.loading.fit.has_bitsandbytes", lambda: True)
    write_model(tmp_path, config_of("llama"), tensors_of(4_000_000_000))
    memory = read(tmp_path, precision, free).memory
    assert memory is not None
    assert memory.bytes == pytest.approx(needed)
    assert (memory.fits, memory.quantization, memory.free) == (fits, held, free)


def test_weights_that_hold_several_numbers_in_one_are_not_counted(tmp_path: Path) -> None:
    stored = {"quant_method": "bitsandbytes", "load_in_4bit": True}
    write_model(tmp_path, config_of("llama", quantization_config=stored), dtype="U8")
    files = read(tmp_path)
    assert (files.parameters, files.stored_as) == (0, "4bit")
    assert files.memory is not None
    assert files.memory.bytes == pytest.approx(files.disk_bytes, rel=0.2)


def test_the_text_part_of_a_model_that_reads_pictures(tmp_path: Path) -> None:
    text = {"max_position_embeddings": 4096, "torch_dtype": "float16"}
    config = {
        "model_type": "gemma3",
        "architectures": ["Gemma3ForConditionalGeneration"],
        "text_config": text,
    }
    write_model(tmp_path, config)
    files = read(tmp_path)
    assert (files.context_length, files.dtype, files.problem) == (4096, "float16", "")


def without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def with_text(name: str, text: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / name).write_text(text)

    return write


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def half_of_the_shards(folder: Path) -> None:
    weights = {"a": "model-1.safetensors", "b": "model-2.safetensors"}
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": weights}))
    write_weights(folder / "model-1.safetensors", SMALL)


def gguf(folder: Path) -> None:
    (folder / "config.json").unlink()
    (folder / "model.safetensors").rename(folder / "model.gguf")


def header(text: bytes) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text)

    return write


def unreadable(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).chmod(0)


@pytest.mark.parametrize(
    ("breaks", "problem"),
    [
        (without("config.json"), "incomplete"),
        (without("model.safetensors"), "incomplete"),
        (pickled, "pickled weights"),
        (gguf, "GGUF"),
        (half_of_the_shards, "incomplete"),
        (with_text("config.json", "{"), "incomplete"),
        (with_text("config.json", "[" * 50_000), "incomplete"),
        (with_text("config.json", "[]"), "incomplete"),
        (with_text("tokenizer_config.json", "{}"), "no chat template"),
        (with_text("model.safetensors", "weights"), "incomplete"),
        (with_text("model.safetensors", ""), "incomplete"),
        (header(b'{"w": {"dtype": "BF16", "shape": ["many"]}}'), "incomplete"),
        (header(b'{"w": {"dtype": "BF16", "shape": [[]]}}'), "incomplete"),
        (header(b'{"w": 7}'), "incomplete"),
        (header(b"[" * 50_000), "incomplete"),
    ],
)
def test_what_is_wrong_is_a_word_and_a_sentence(
    tmp_path: Path, breaks: Callable[[Path], None], problem: str
) -> None:
    write_model(tmp_path, config_of("llama"))
    breaks(tmp_path)
    files = read(tmp_path)
    assert files.problem == problem
    assert files.explanation.endswith(".")


def test_a_model_that_does_not_write_is_none_to_choose(tmp_path: Path) -> None:
    write_model(tmp_path, {"model_type": "bert", "architectures": ["BertForMaskedLM"]})
    files = read(tmp_path)
    assert (files.problem, files.family) == ("no text model", "bert")


@pytest.mark.parametrize(
    "config",
    [
        {"model_type": 7, "architectures": "LlamaForCausalLM", "max_position_embeddings": "8k"},
        {"model_type": ["llama"], "architectures": [None, 3], "dtype": {"a": 1}},
        {"text_config": [], "torch_dtype": None, "quantization_config": "4bit"},
        {"max_position_embeddings": 10**400, "quantization_config": {"quant_method": None}},
        {},
    ],
)
def test_a_strange_configuration_is_read_as_far_as_it_goes(
    tmp_path: Path, config: dict[str, object]
) -> None:
    write_model(tmp_path, config)
    assert read(tmp_path).disk_bytes > 0


def test_huge_numbers(tmp_path: Path) -> None:
    write_model(tmp_path, config_of("llama"))
    header(b'{"w": {"dtype": "BF16", "shape": [1000000000000, 1000000]}}')(tmp_path)
    files = read(tmp_path)
    assert files.memory is not None
    assert not files.memory.fits
    header(b'{"w": {"dtype": "BF16", "shape": [%s]}}' % (b"9" * 400))(tmp_path)
    assert read(tmp_path).problem == "incomplete"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "."])
def test_what_may_not_be_read(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "model"
    write_model(folder, config_of("llama"))
    unreadable(name)(folder)
    assert read(folder).problem
    folder.chmod(0o700)
