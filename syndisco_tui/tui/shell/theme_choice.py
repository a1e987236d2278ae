"""Which themes are offered: the app's and the user's own first, and what the terminal can show."""

from __future__ import annotations

from collections.abc import Iterable

from rich.color import Color as RichColor
from rich.color import ColorSystem
from rich.color_triplet import ColorTriplet
from rich.terminal_theme import DEFAULT_TERMINAL_THEME
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from .terminal_capabilities import FEW, has_terminals_colours

DEFAULT_THEME = "lamplight"
READABLE = 3.0
"""The least contrast of text that can be read, as WCAG measures it."""
_PAIRS = (
    ("foreground", "background"),
    ("quiet", "background"),
    ("accent", "background"),
    ("error", "background"),
    ("foreground", "panel"),
)
"""A theme's text colours, each with what it stands on."""


def offered_themes(
    themes: Iterable[Theme], current: str, color_system: str | None
) -> tuple[dict[str, str], str]:
    """The themes to choose from, each with what it is; and a sentence on those left out, if any.

    The app's and the user's own stand first. The ``current`` one is always there.
    """
    offered, left_out = {}, 0
    for theme in sorted(themes, key=_place):
        if theme.name == current or can_show(theme, color_system):
            shade = "dark" if theme.dark else "light"
            offered[theme.name] = shade if _is_own(theme) else f"{shade} · Textual's"
        else:
            left_out += 1
    more = "1 more theme needs" if left_out == 1 else f"{left_out} more themes need"
    return offered, f"{more} 256 colours." if left_out else ""


def _is_own(theme: Theme) -> bool:
    return theme is not BUILTIN_THEMES.get(theme.name)


def _place(theme: Theme) -> tuple[bool, bool, str]:
    return not _is_own(theme), theme.name != DEFAULT_THEME, theme.name


def can_show(theme: Theme, color_system: str | None) -> bool:
    """Whether the theme's texts stay readable in the terminal's nearest colours."""
    if has_terminals_colours(theme) or color_system not in FEW:
        return True
    variables = theme.to_color_system().generate()
    variables = {"quiet": quiet_of(variables), **variables, **theme.variables}
    return all(
        _contrast(_nearest(variables[text]), _nearest(variables[ground])) >= READABLE
        for text, ground in _PAIRS
    )


def quiet_of(variables: dict[str, str]) -> str:
    """The colour of text that steps back, made from a theme's ``background`` and ``foreground``."""
    ground = Color.parse(variables["background"])
    return ground.blend(Color.parse(variables["foreground"]), 0.6).hex


def _nearest(colour: str) -> ColorTriplet:
    """The one of sixteen colours that is shown instead, as most terminals draw it."""
    triplet = ColorTriplet(*Color.parse(colour).rgb)
    shown = RichColor.from_triplet(triplet).downgrade(ColorSystem.STANDARD)
    return shown.get_truecolor(DEFAULT_TERMINAL_THEME)


def _contrast(one: ColorTriplet, other: ColorTriplet) -> float:
    """The contrast ratio of WCAG 2, from 1 to 21."""
    darker, lighter = sorted(map(_luminance, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(triplet: ColorTriplet) -> float:
    linear = [
        share / 12.92 if share <= 0.03928 else ((share + 0.055) / 1.055) ** 2.4
        for share in triplet.normalized
    ]
    red, green, blue = linear
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
