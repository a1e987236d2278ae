"""The machine: what computes, and whether the hub is in reach."""

from __future__ import annotations

import http.client
import json
import os
import platform
import shutil
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from ...engine.machine import processor_name, usable_cores
from .check import Check, CheckFunction
from .run_program import answer_of

HUB = "https://huggingface.co"
HUB_SECONDS = 3.0
TORCH_SECONDS = 12.0
"""Seconds for another process to import torch and look at the GPU; only where there is one."""

_DEVICES = ("/dev/nvidia0", "/dev/nvidiactl", "/dev/kfd", "/dev/dxg")
_ASK_TORCH = """if True:
    import json, torch
    there = torch.cuda.is_available()
    names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    print(json.dumps([there, names]))
"""


def processor() -> Iterator[Check]:
    """Python and the cores it may use."""
    yield Check("processor", f"{usable_cores()} cores, {processor_name()}, {platform.system()}")
    yield Check("Python", platform.python_version())


def graphics() -> Iterator[Check]:
    """The GPU as its driver sees it, and as torch does."""
    listed = answer_of(
        "nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"
    )
    if not listed:
        if any(Path(device).exists() for device in _DEVICES) or shutil.which("nvidia-smi"):
            yield Check(
                "GPU",
                "present, but its driver does not answer",
                "could be better",
                "Run nvidia-smi to see why; until then models run on the CPU.",
            )
        else:
            yield Check("GPU", "none; models run on the CPU")
        return
    for line in listed.splitlines():
        name, memory, driver = [*(part.strip() for part in line.split(",")), "", ""][:3]
        yield Check("GPU", f"{name}, {memory}, driver {driver}")
    yield _seen_by_torch()


def _seen_by_torch() -> Check:
    what = "CUDA in torch"
    answer = answer_of(sys.executable, "-P", "-c", _ASK_TORCH, seconds=TORCH_SECONDS)
    try:
        there, names = json.loads((answer or "").splitlines()[-1])
    except (ValueError, IndexError):
        advice = f"Try it: {sys.executable} -c 'import torch; print(torch.cuda.is_available())'"
        return Check(what, "torch cannot be imported, or hangs", "could be better", advice)
    if there:
        return Check(what, ", ".join(names))
    advice = "Install torch for your CUDA (see pytorch.org). Until then, models run on the CPU."
    return Check(what, "torch does not see the GPU", "could be better", advice)


def hub() -> Iterator[Check]:
    """Whether models can be fetched. Asks for headers alone and sends no token."""
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "TRUE", "YES", "ON"):
        yield Check("hub", "off (HF_HUB_OFFLINE); downloaded models can be used")
        return
    parts = urllib.parse.urlsplit(os.environ.get("HF_ENDPOINT") or HUB)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host:
        advice = "Set HF_ENDPOINT to an address such as https://huggingface.co, or unset it."
        yield Check("hub", "HF_ENDPOINT is not a web address", "could be better", advice)
        return
    where = parts.netloc.rpartition("@")[2]  # a password in the address is nobody's business
    began = time.monotonic()
    try:
        request = urllib.request.Request(f"{parts.scheme}://{where}{parts.path}", method="HEAD")
        urllib.request.urlopen(request, timeout=HUB_SECONDS).close()
    except urllib.error.HTTPError as error:
        if error.code >= 500:
            yield _out_of_reach(host, f"it answers {error.code}")
            return
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        yield _out_of_reach(host, str(getattr(reason, "strerror", None) or reason))
        return
    yield Check("hub", f"{host}, answered in {time.monotonic() - began:.1f} s")


def _out_of_reach(host: str, reason: str) -> Check:
    advice = (
        "Check the network, https_proxy or HF_ENDPOINT. Downloaded models and the starter work "
        "without it."
    )
    return Check("hub", f"{host} cannot be reached: {reason}", "could be better", advice)


CHECKS: tuple[CheckFunction, ...] = (processor, graphics, hub)
