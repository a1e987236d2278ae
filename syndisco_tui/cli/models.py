"""``syndisco-tui models`` and its options."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import DeviceOption, DtypeOption, ServerOption
from .startup import settings_with


def models(
    server: ServerOption = None,
    device: DeviceOption = None,
    dtype: DtypeOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON")] = False,
) -> int:
    """List the models that can be chosen: on this machine, and on the servers that answer."""
    from ..discussion import DiscussionSetup
    from ..headless.models import print_models
    from ..workspace.folders import Folders
    from ..workspace.inputs import validated_value
    from ..workspace.model_files import Precision
    from ..workspace.models import model_sources

    settings = settings_with(device=device, dtype=dtype)
    precision = Precision(settings.dtype, settings.quantization)
    if server:
        validated_value(DiscussionSetup, "server", server, "--server")
    named = [server] if server else []
    sources = model_sources(Folders.from_environment(), settings, precision, named, trusted=named)
    return print_models(sources, as_json=as_json)
