"""4- and 8-bit weights with bitsandbytes, on its CPU kernels."""

from __future__ import annotations

from pathlib import Path

import pytest

from syndisco_tui.discussion import ChatMessage
from syndisco_tui.engine.base import GenerationRequest, Loaded, Sampling
from syndisco_tui.engine.local import LocalEngine
from syndisco_tui.engine.model import ModelSpec
from tests.support.engines import load

pytest.importorskip("bitsandbytes")
pytestmark = pytest.mark.model

CHAT = (
    ChatMessage("system", "You are Emma35, a nurse."),
    ChatMessage("user", "Giannis: What is the capital of France?"),
)


def replies(engine: LocalEngine, spec: ModelSpec) -> tuple[Loaded, list[str]]:
    """A sampled reply, twice, and the facts of the model that made it."""
    loaded = load(engine, spec)
    assert isinstance(loaded, Loaded), loaded
    request = GenerationRequest(CHAT, 12, Sampling(), seed=4)
    return loaded, [engine.submit(request).result(120).text for _ in range(2)]


# 8 bits round by which rows are computed together, so far that the slots cannot be checked.
@pytest.mark.parametrize(
    ("bits", "share", "path"),
    [
        ("4bit", 0.45, "slots"),
        pytest.param("8bit", 0.55, "generate", marks=pytest.mark.campaign),
    ],
)
def test_a_model_is_quantized_while_it_is_loaded(
    starter_cache: Path, bits: str, share: float, path: str
) -> None:
    engine = LocalEngine(starter_cache, threads=2)
    whole = load(engine, ModelSpec("starter"))
    assert isinstance(whole, Loaded)
    loaded, (first, second) = replies(engine, ModelSpec("starter", bits))
    engine.close()
    assert loaded.info.quantization == bits
    assert loaded.info.path == path
    assert "bitsandbytes" in loaded.info.versions
    assert loaded.info.memory_bytes < share * whole.info.memory_bytes
    assert first.strip()
    assert first == second


@pytest.mark.campaign
def test_a_checkpoint_in_4_bit_is_loaded_as_it_is(starter_cache: Path, tmp_path: Path) -> None:
    """As the default model with CUDA is stored."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

    source = starter_cache / "SmolLM2-135M-Instruct"
    config = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.float32
    )
    model = AutoModelForCausalLM.from_pretrained(source, quantization_config=config)
    folder = tmp_path / "in-4-bit"
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(source).save_pretrained(folder)
    engine = LocalEngine(starter_cache, threads=2)
    loaded, (first, second) = replies(engine, ModelSpec(str(folder)))
    engine.close()
    assert loaded.info.quantization == "4bit"
    assert first.strip()
    assert first == second
