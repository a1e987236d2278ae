"""ModelSpec → model and tokenizer on a device, with progress and plain errors."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .base import EngineInfo, LoadProgress, ModelSpec, ModelUnavailable
from .starter import REVISION, prepare_starter

Report = Callable[[LoadProgress], object]
IsCancelled = Callable[[], bool]

@dataclass
class LoadedModel:
    model: Any
    tokenizer: Any
    info: EngineInfo
    eos: frozenset[int]


def load_model(spec: ModelSpec, cache_folder: Path, report: Report, is_cancelled: IsCancelled) -> LoadedModel:
    folder = prepare_starter(cache_folder, report, is_cancelled)
    report(LoadProgress("starting torch and transformers"))
    import platform
    import torch, transformers
    from transformers import AutoModelForCausalLM, AutoTokenizer
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    report(LoadProgress("reading weights"))
    dtype = {"auto": torch.float32}.get(spec.dtype) or getattr(torch, spec.dtype)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype)
    model.eval().requires_grad_(False)
    eos = {2}
    info = EngineInfo("SmolLM2-135M-Instruct", REVISION, "cpu", str(dtype)[6:], "none", "slots", model.config.max_position_embeddings, sum(p.numel()*p.element_size() for p in model.parameters()), {"torch": torch.__version__, "transformers": transformers.__version__, "python": platform.python_version()})
    return LoadedModel(model, tokenizer, info, frozenset(eos))
