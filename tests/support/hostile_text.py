"""Text that somebody made up to be obeyed, and what nothing on its way to a terminal may hold."""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import islice

SEQUENCES = (
    *("\x1b", "\x1b[31m", "\x1b[2J", "\x1b[999;999H", "\x1b[?1049l", "\x1b[6n", "\x1b[>c", "\x1bc"),
    *(
        "\x1b]0;owned\x07",
        "\x1b]2;owned\x1b\\",
        "\x1b]8;;file:///etc/passwd\x1b\\here\x1b]8;;\x1b\\",
    ),
    *("\x1b]52;c;b3duZWQ=\x07", "\x1b]1337;File=inline=1:AAAA\x07", "\x1b]104\x07"),
    *(
        "\x1bP$qm\x1b\\",
        "\x1bP1;1|17/ab\x9c",
        "\x1b_Ga=d\x1b\\",
        "\x1b^secret\x1b\\",
        "\x1bX\x1b\\",
    ),
    *("\x9b31m", "\x9b2J", "\x9d0;owned\x9c", "\x90q\x9c", "\x9e", "\x9f", "\x84", "\x85", "\x8d"),
    *(
        "\x07",
        "\x00",
        "\x08\x08\x08",
        "\x7f",
        "\x0e",
        "\x0f",
        "\x05",
        "\r",
        "\r\n",
        "\t",
        "\v",
        "\f",
    ),
    *("\u202egnp.exe", "\u202d", "\u2066", "\u2067x\u2069", "\u200f", "\u061c", "\u202a\u202c"),
    *("\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u180e", "\ufff9x\ufffb", "\U000e0041"),
    *("\u2028", "\u2029", "\u206a", "\u2064", "\ud800", "\udfff", "\udc9b", "\ud83d"),
)
MARKUP = (
    *(
        "[/]",
        "[/b]",
        "[",
        "]",
        "[]",
        "[b",
        "[b]",
        "\\[b]",
        "\\",
        "[[",
        "]]",
        "[/foo]",
        "[=]",
        "[@]",
    ),
    *("[@click=app.hostile]here[/]", "[@click=app.hostile()]here[/]", "[@click='quit']here[/]"),
    *("[@click=screen.dismiss(1)]x[/]", "[@mouse.down=app.hostile]x[/]", "[on red blink]x[/]"),
    *("[link=file:///etc/passwd]here[/link]", "[link='http://evil']x[/link]", "[$error]x[/]"),
    *(
        "[red]x[/green]",
        "[#zzz]x[/]",
        "[rgb(1,2]x",
        "$name",
        "${x}",
        "{0}",
        "%s",
        "%(x)s",
        ":smile:",
    ),
    *(
        "[bold]\n[/bold]",
        "[!]",
        '["',
        "['",
        "[a='",
        "[conceal]x[/conceal]",
        "[/@click]",
        "[reverse]",
    ),
)
MARKDOWN = (
    *("[here](file:///etc/passwd)", "[here](javascript:alert(1))", "<http://evil.example>"),
    *("![x](http://evil.example/x.png)", "[a]: http://evil.example\n[a]", "http://evil.example"),
    *("<script>alert(1)</script>", "&#27;[31m", "&#x9b;2J", "&#8238;x", "&#0;", "&ZeroWidthSpace;"),
    *(
        "# x\n\n- y\n  - z",
        "> > > > x",
        "```\n\x1b[31m\n```",
        "| a | b |\n|---|---|\n| [b] | \x1b |",
    ),
    *("`\x1b[2J`", "**[@click=app.hostile]x**", "<|im_end|>", "<|im_start|>system", "</s>", "***"),
    *(
        "User Ann posted:",
        "1. \x9b\n2. [/]",
        "~~\u202e~~",
        "- [ ] x",
        "Term\n: x",
        "\\\x1b",
        "    \x1b",
    ),
)
MARKS = ("e\u0301\u0302\u0303\u0304\u0305\u0306" * 3, "a" + "\u0489" * 300, "\u0301" * 40)
WIDE = (
    "漢字" * 30,
    "👩\u200d👩\u200d👧",
    "🏳\ufe0f\u200d🌈",
    "\ufdfd",
    "ﷺ" * 9,
    "क्षि",
    "\u1160" * 9,
)
ATOMS = (*SEQUENCES, *MARKUP, *MARKDOWN, *MARKS, *WIDE)


def payloads(count: int, seed: int = 0) -> list[str]:
    """``count`` different texts, the same for the same seed; each begins with a word of its own.

    Every atom is there alone once, if ``count`` allows it; the others are joined at random.
    """
    return [f"p{number}q {text}" for number, text in enumerate(islice(_texts(seed), count))]


def _texts(seed: int) -> Iterator[str]:
    yield from ATOMS
    chance = random.Random(seed)
    while True:
        parts = chance.choices(ATOMS, k=chance.randrange(2, 7))
        yield chance.choice(("", " ", "", "\n", " x ")).join(parts)


def names(count: int, seed: int = 0) -> list[str]:
    """``count`` different usernames, as a file may hold them: one printable line, 100 at most."""
    found: dict[str, None] = {}
    for number, text in enumerate(_texts(seed)):
        name = f"p{number}q {text}"[:100].strip()
        if name.isprintable():
            found[name] = None
        if len(found) == count:
            break
    return list(found)


def giants() -> dict[str, str]:
    """Texts that are dangerous by their size alone."""
    row = "|" + " \x1b[31mx |" * 400
    rule = "|" + "---|" * 400
    return {
        "5,000 marks": "a" + "\u0301" * 5000 + " b",
        "100,000 lines": "line \x1b[31m[/b]\n" * 100_000,
        "2,000 columns": f"{row}\n{rule}\n{row}\n",
        "one word of a megabyte": "\x9b[@click=app.hostile]" * 50_000,
        "a thousand quotes": ">" * 1000 + " x",
        "a thousand brackets": "[" * 1000 + "](" * 1000,
        "a deep list": "\n".join("  " * depth + "- x" for depth in range(200)),
        "100,000 escapes": "\x1b" * 100_000,
        "100,000 invisible": "\u200b" * 100_000,
    }


_INVISIBLE = {0xAD, 0x180E, 0xFEFF, *range(0x200B, 0x2010), *range(0x2060, 0x2070)}
_TURNING = {0x61C, *range(0x202A, 0x202F), *range(0x2066, 0x206A)}
_BREAKING = {0x2028, 0x2029, *range(0xFFF9, 0xFFFC)}
_OBEYED = {*range(0x20), *range(0x7F, 0xA0), *range(0xD800, 0xE000)}


def _one_of(codes: Iterable[int]) -> str:
    return "".join(re.escape(chr(code)) for code in sorted(codes))


_TAGS = "\U000e0000-\U000e007f"
_ALWAYS = re.compile(f"[{_one_of(_OBEYED | _TURNING | _BREAKING)}]")
_FORBIDDEN = re.compile(f"[{_one_of(_OBEYED | _TURNING | _BREAKING | _INVISIBLE)}{_TAGS}]")
MOST_MARKS = 4


def forbidden(text: str, *, lines: bool = False, edited: bool = False) -> list[str]:
    """The characters of ``text`` that no terminal may receive, by their code points.

    ``lines``: line feeds are the program's own. ``edited``: text in an input keeps what is only
    invisible, since people type it and every character must stay in its place.
    """
    found = set((_ALWAYS if edited else _FORBIDDEN).findall(text)) - ({"\n"} if lines else set())
    if not edited and _most_marks(text) > MOST_MARKS:
        found.add("\u0301")
    return sorted(f"U+{ord(character):04X}" for character in found)


def _most_marks(text: str) -> int:
    if text.isascii():
        return 0
    most = marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        most = max(most, marks)
    return most
