"""Foreign text as Markdown that only shows: nothing in it can be followed, opened or decoded."""

from __future__ import annotations

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from textual.widgets import Markdown

from ...text import safe

_ACTING = ["link", "image", "autolink", "linkify", "reference", "html_inline", "html_block"]
_DECODING = ["entity"]  # &#27; would become an escape character behind the door of text.py


def showing_parser() -> MarkdownIt:
    """A parser for which links are their text; a line break in the text is one on the screen."""
    parser = MarkdownIt("gfm-like", {"linkify": False, "html": False})
    parser.disable([*_ACTING, *_DECODING], ignoreInvalid=True)
    parser.core.ruler.push("keep_breaks", _keep_breaks)
    return parser


def _keep_breaks(state: StateCore) -> None:
    for token in state.tokens:
        for child in token.children or ():
            if child.type == "softbreak":
                child.type = "hardbreak"


class SafeMarkdown(Markdown):
    """Markdown behind the door for foreign text."""

    def __init__(self, text: str) -> None:
        super().__init__(safe(text), parser_factory=showing_parser, open_links=False)
