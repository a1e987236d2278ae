"""GGUF file → folder of safetensors and tokenizer, as a process: ``python convert.py GGUF FOLDER``.

Run by ``starter`` alone; knows nothing but transformers.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def convert(gguf: Path, folder: Path) -> None:
    """Write the model of ``gguf`` to ``folder``, dequantized to float32, with its tokenizer."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    place = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    tokenizer = AutoTokenizer.from_pretrained(**place)
    quantized = AutoModelForCausalLM.from_pretrained(**place, dtype=torch.float32)
    # A model read from GGUF counts as quantized and refuses to be saved; a fresh one with the
    # same (by now dequantized) tensors does not.
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
