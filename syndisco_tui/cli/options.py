"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

ModelOption = Annotated[
    Optional[str],  # noqa: UP045 - typer reads the annotation at run time
    typer.Option(
        "--model",
        "-m",
        help="auto, starter, a hub id, a folder or python:module:Class",
        metavar="ID",
    ),
]
ServerOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--server", help="URL of a server with the model, or its name", metavar="URL"),
]
ModelForOption = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option(
        "--model-for",
        help="Model of one participant (repeatable)",
        metavar="NAME=MODEL[@SERVER]",
    ),
]
PersonaFileOption = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--persona-file", help="List or table of personas; all take part", metavar="FILE"),
]
TurnsOption = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option("--turns", help="Number of the users' turns (conv_len)", metavar="N"),
]
SeedOption = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option("--seed", help="Seed of the discussion", metavar="N"),
]
OutputOption = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(
        "--output", "-o", help="Also write the JSON here; - prints only the JSON", metavar="FILE"
    ),
]
DeviceOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--device", help="auto, cpu, cuda or cuda:N", metavar="DEVICE"),
]
DtypeOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--dtype", help="auto, float32, bfloat16 or float16", metavar="DTYPE"),
]
ThreadsOption = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option(
        "--threads", help="Torch threads (default: all cores; all but one in the app)", metavar="N"
    ),
]
