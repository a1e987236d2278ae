"""Keep libraries from writing to the terminal, which belongs to the app."""

from __future__ import annotations

import logging
import os
import warnings

_ENVIRONMENT = {
    "TOKENIZERS_PARALLELISM": "false",
    "BITSANDBYTES_NOWELCOME": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
}
_LIBRARIES = (
    "accelerate", "bitsandbytes", "gguf", "huggingface_hub", "numba", "numpy", "safetensors",
    "tokenizers", "torch", "transformers",
)  # fmt: skip


def quieten_libraries() -> None:
    """Turn off warnings, progress bars and telemetry of libraries; call it before importing torch.

    Environment variables that the user has set stay as they are.
    """
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if "OMP_WAIT_POLICY" not in os.environ:
        # Waiting threads spin for so long by default that other programs slow the model down:
        # with one of two cores busy, 6 tokens/s instead of 20 (128 if both are free).
        os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    warnings.filterwarnings("ignore", module=rf"({'|'.join(_LIBRARIES)})")
    for name in _LIBRARIES:
        logger = logging.getLogger(name)
        logger.setLevel(logging.ERROR)
        logger.handlers.clear()
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
