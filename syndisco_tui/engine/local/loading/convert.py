"""Convert a GGUF file to safetensors and a tokenizer: ``python convert.py GGUF FOLDER``.

Run by ``starter.py`` as a child process.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def convert(gguf: Path, folder: Path) -> None:
    """Dequantize the model in ``gguf`` to float32, and save it in ``folder`` with its tokenizer."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    source = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    tokenizer = AutoTokenizer.from_pretrained(**source)
    quantized = AutoModelForCausalLM.from_pretrained(**source, dtype=torch.float32)
    # A model read from GGUF counts as quantized and cannot be saved; a new one with its tensors,
    # which are dequantized by then, can.
    config = quantized.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    with torch.device("meta"):
        model = type(quantized)(config)
    model.load_state_dict(quantized.state_dict(), assign=True)
    model.tie_weights()
    model.generation_config = quantized.generation_config
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)


if __name__ == "__main__":
    os.environ["HF_HUB_OFFLINE"] = "1"
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
