"""Figures for a paper: a file for each measure, as SVG and as PNG."""

from __future__ import annotations

import re
from pathlib import Path

from ..exporting import encoded
from ..folders import write_output
from ..inputs import InputError
from ..study import Study
from .dot_plot import dot_plot

PNG_SCALE = 3.125
"""Of pixels: 300 dots per inch where a pixel is a 96th of an inch."""
NO_PNG = (
    "PNG files need vl-convert-python: pip install 'syndisco-tui[report]' or pip install "
    "vl-convert-python; the SVG files are written"
)


def kinds_of(study: Study) -> list[int]:
    """The colour and shape of each condition: its level of the last factor."""
    if not study.factors:
        return [0] * len(study.conditions)
    levels = study.levels(study.factors[-1])
    return [levels.index(one.factors[study.factors[-1]]) for one in study.conditions]


def svg_figures(study: Study, *, stand_alone: bool) -> dict[str, str]:
    """The dot plot of each measure, by name."""
    kinds = kinds_of(study)
    return {
        measure.name: dot_plot(
            measure, study.figures[measure.name], kinds, stands_alone=stand_alone
        )
        for measure in study.measures
    }


def write_figures(study: Study, folder: Path) -> list[Path]:
    """Write all figures into ``folder``. Returns the files.

    Raises:
        InputError: The figures cannot be written, or only as SVG.
    """
    written = []
    plots = {_file_name(name): svg for name, svg in svg_figures(study, stand_alone=True).items()}
    for name, svg in plots.items():
        path = folder / f"{name}.svg"
        write_output(path, encoded(f'<?xml version="1.0" encoding="UTF-8"?>\n{svg}\n'))
        written.append(path)
    try:
        from vl_convert import svg_to_png
    except ImportError:
        raise InputError(f"{folder}: {NO_PNG}") from None
    for name, svg in plots.items():
        path = folder / f"{name}.png"
        write_output(path, svg_to_png(svg, scale=PNG_SCALE, ppi=72))
        written.append(path)
    return written


def _file_name(measure: str) -> str:
    return re.sub(r"[^\w-]+", "-", measure).strip("-")[:100] or "figure"
