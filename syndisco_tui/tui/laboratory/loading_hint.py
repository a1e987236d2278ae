"""What stands in the middle of an empty transcript while a model is loaded."""

from __future__ import annotations

from textual.content import Content

from ...engine.base import LoadProgress
from ...text import one_line
from .status_line import bar

BAR_WIDTH = 32


def loading_hint(model: str, progress: LoadProgress | None, seconds: float) -> list[Content]:
    """Lines that say what is loaded, how far it is, and for how many ``seconds`` it has run."""
    name = "the model" if model == "auto" else one_line(model, 60)
    lines = [Content.styled(f"Loading {name}", "bold"), Content("")]
    share = ""
    if progress and progress.total:
        share = f"{100 * progress.done / progress.total:.0f} %   "
        lines.append(bar(progress.done, progress.total, BAR_WIDTH))
    else:
        lines.append(Content.styled("╌" * BAR_WIDTH, "$quiet"))
    amount = ""
    if progress and progress.unit == "bytes":
        amount = f"   {progress.done / 1e6:.0f}"
        amount += f" of {progress.total / 1e6:.0f} MB" if progress.total else " MB"
    stage = one_line(progress.stage, 40) if progress else "starting"
    lines.append(Content.styled(f"{share}{stage}{amount}   {seconds:.0f} s", "$quiet"))
    return lines
