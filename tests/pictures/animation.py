"""One animated SVG from the screenshots of an app: a row of the terminal that stays is drawn once.

Frames are switched by CSS, which browsers also run inside of an ``<img>``. A program without
animations shows the last frame.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

CELL_HEIGHT = 24.4
MARGIN, TOP = 9, 41
"""Where Textual's screenshots have the terminal in their window, in pixels."""
CAPTION_HEIGHT = 56
_SVG = "{http://www.w3.org/2000/svg}"
_STYLE = re.compile(r"\.terminal-\d+-(r\d+) \{ (.*?) \}")
_WINDOW = (
    '<rect fill="{background}" stroke="#ffffff" stroke-opacity="0.35" x="1" y="1" '
    'width="{width:g}" height="{height:g}" rx="8"/>'
    '<g transform="translate(26,22)"><circle r="7" fill="#ff5f57"/>'
    '<circle cx="22" r="7" fill="#febc2e"/><circle cx="44" r="7" fill="#28c840"/></g>'
)


@dataclass(frozen=True)
class Frame:
    """A screenshot as Textual exports it, shown for so many seconds under a caption."""

    svg: str
    seconds: float
    caption: str = ""


@dataclass(frozen=True)
class _Picture:
    """The rows of a screenshot as SVG elements, each relative to its row."""

    rows: tuple[str, ...]
    width: float
    background: str


class _Styles:
    """Text styles of all frames: each is one class."""

    def __init__(self) -> None:
        self._classes: dict[str, str] = {}

    def class_of(self, style: str) -> str:
        return self._classes.setdefault(style, f"c{len(self._classes)}")

    def css(self) -> str:
        return "".join(f".{name}{{{style}}}" for style, name in self._classes.items())


def animated(frames: Sequence[Frame]) -> str:
    """The frames one after the other, over and over, as one SVG."""
    styles = _Styles()
    pictures = [_picture(frame.svg, styles) for frame in frames]
    ends = [0.0]
    for frame in frames:
        ends.append(ends[-1] + frame.seconds)
    total = ends[-1]
    keyframes: dict[tuple[int, int], str] = {}
    body = []

    def draw(parts: Sequence[str], top: float) -> None:
        first = 0
        for content, run in groupby(parts):
            last = first + len(list(run))
            if content:
                attributes = ""
                if (first, last) != (0, len(parts)):
                    name = keyframes.setdefault((first, last), f"k{len(keyframes)}")
                    hidden = "" if last == len(parts) else ' visibility="hidden"'
                    attributes = f' style="animation-name:{name}" class="a"{hidden}'
                body.append(f'<g transform="translate({MARGIN},{top:g})"{attributes}>{content}</g>')
            first = last

    row_count = len(pictures[0].rows)
    for row in range(row_count):
        draw([picture.rows[row] for picture in pictures], TOP + row * CELL_HEIGHT)
    height = TOP + row_count * CELL_HEIGHT + MARGIN
    width = pictures[0].width + 2 * MARGIN
    captions = [
        f'<text class="caption" x="{width / 2 - MARGIN:g}" y="36">{escape(frame.caption)}</text>'
        for frame in frames
    ]
    draw(captions, height)
    rules = []
    for (first, last), name in keyframes.items():
        start, end = (100 * ends[position] / total for position in (first, last))
        steps = "" if first == 0 else "0%{visibility:hidden}"
        steps += f"{start:.2f}%{{visibility:visible}}"
        steps += "" if last == len(frames) else f"{end:.2f}%{{visibility:hidden}}"
        rules.append(f"@keyframes {name}{{{steps}}}")
    css = (
        f".a{{animation:{total:.2f}s step-end infinite}}"
        "text{font:20px Fira Code,DejaVu Sans Mono,Menlo,Consolas,monospace}"
        ".caption{font:bold 26px Helvetica,Arial,sans-serif;text-anchor:middle;fill:#8a8884}"
        f"{styles.css()}{''.join(rules)}"
    )
    window = _WINDOW.format(width=width - 2, height=height - 2, background=pictures[0].background)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xml:space="preserve" '
        f'viewBox="0 0 {width:g} {height + CAPTION_HEIGHT:g}">'
        f"<style>{css}</style>{window}{''.join(body)}</svg>\n"
    )


def _picture(svg: str, styles: _Styles) -> _Picture:
    """Take a screenshot apart."""
    root = ElementTree.fromstring(svg)
    style_of = dict(_STYLE.findall(svg))
    clip = root.find(f".//{_SVG}clipPath/{_SVG}rect")
    assert clip is not None
    width, height = float(clip.attrib["width"]), float(clip.attrib["height"])
    rows: list[list[str]] = [[] for _ in range(round(height / CELL_HEIGHT))]
    terminal = next(g for g in root.iterfind(f"{_SVG}g") if "clip-path" in g.attrib)
    areas: Counter[str] = Counter()
    for rect in terminal.iter(f"{_SVG}rect"):
        areas[rect.attrib["fill"]] += round(float(rect.attrib["width"]))
    background = areas.most_common(1)[0][0]
    for rect in terminal.iter(f"{_SVG}rect"):
        fill, y = rect.attrib["fill"], float(rect.attrib["y"])
        if fill != background:
            x, length = float(rect.attrib["x"]), float(rect.attrib["width"])
            element = f'<rect fill="{fill}" x="{x:g}" width="{length:g}" height="24.65"/>'
            rows[int(y / CELL_HEIGHT)].append(element)
    for text in terminal.iter(f"{_SVG}text"):
        content, y = text.text or "", float(text.attrib["y"])
        if not content.strip():
            continue
        name = styles.class_of(style_of[text.attrib["class"].rpartition("-")[2]])
        x, length = float(text.attrib["x"]), float(text.attrib["textLength"])
        place = f'x="{x:g}" y="18.5" textLength="{length:g}"'
        rows[int(y / CELL_HEIGHT)].append(
            f"<text class={quoteattr(name)} {place}>{escape(content)}</text>"
        )
    return _Picture(tuple("".join(row) for row in rows), width, background)
