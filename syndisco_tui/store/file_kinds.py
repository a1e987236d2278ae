"""What a file is, told from its content: the formats that people have, whether read or not.

Each look returns a ``Kind`` or None. A further format is a further line in one of the tables.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any


@dataclass(frozen=True)
class Kind:
    """A file format. ``name`` stands after “this is”; ``advice`` says what to do with such a file.

    ``is_ours``: some command reads it.
    """

    name: str
    advice: str = ""
    is_ours: bool = False


_IMPORT = "import it first"
_GIVE_PERSONAS = "import it, or give it to --persona-file"
OUR_DISCUSSION = Kind("a saved discussion", "import it, or resume it", is_ours=True)
SYNDISCO_DISCUSSION = Kind("a discussion of SynDisco's", "import it", is_ours=True)
PERSONA_LIST = Kind("a list of personas", _GIVE_PERSONAS, is_ours=True)
PERSONA_TABLE = Kind("a table of personas", _GIVE_PERSONAS, is_ours=True)
ANNOTATIONS = Kind("a file of annotations", "give the discussion that it is about", is_ours=True)
SETUP = Kind("a setup", "start it with syndisco-tui run", is_ours=True)

DISCUSSIONS = (OUR_DISCUSSION, SYNDISCO_DISCUSSION)
PERSONAS = (PERSONA_LIST, PERSONA_TABLE)

CARD_V1 = Kind("a character card (V1)", _IMPORT, is_ours=True)
CARD_V2 = Kind("a character card (V2)", _IMPORT, is_ours=True)
CARD_V3 = Kind("a character card (V3)", _IMPORT, is_ours=True)
TINYTROUPE_AGENT = Kind("an agent of TinyTroupe's", _IMPORT, is_ours=True)
TINYTROUPE_FRAGMENT = Kind(
    "a fragment of TinyTroupe's", "import it together with its agent", is_ours=True
)
PERSONA_HUB = Kind("Persona Hub's list of personas (JSONL)", _IMPORT, is_ours=True)
SILLYTAVERN_CHAT = Kind("a chat of SillyTavern's (JSONL)", _IMPORT, is_ours=True)
SYNDISCO_ANNOTATIONS = Kind("a file of SynDisco's annotations")
CONVOKIT = Kind("ConvoKit utterances (JSONL)", _IMPORT, is_ours=True)
CHAT_MESSAGES = Kind("a chat in OpenAI's format")
SHAREGPT = Kind("a chat in ShareGPT's format")
INSPECT_LOG = Kind("an evaluation log of Inspect")
JSON_LINES = Kind("JSONL, a JSON value on every line", "put the values into one JSON list")

_AS_CSV = "save the sheet as CSV and give that"
XLSX = Kind("an Excel workbook", _AS_CSV)
OLD_EXCEL = Kind("an old Excel workbook", _AS_CSV)
OPEN_DOCUMENT = Kind("an OpenDocument file", _AS_CSV)
PNG = Kind("a PNG picture")
PNG_CARD = Kind("a PNG picture with a character card in it", _IMPORT, is_ours=True)
JPEG = Kind("a JPEG picture")
WEBP = Kind("a WebP picture")
CHARX = Kind("a character card (CharX)", _IMPORT, is_ours=True)
ZIP = Kind("a zip archive", "unpack it and give the files in it")
GZIP = Kind("a gzip archive", "unpack it and give the file in it")
PDF = Kind("a PDF document")
PARQUET = Kind("a Parquet table", "save it as CSV and give that")
DATABASE = Kind("an SQLite database")

_PNG_START = b"\x89PNG\r\n\x1a\n"
_STARTS: Mapping[bytes, Kind] = {
    b"\xff\xd8\xff": JPEG,
    b"\x1f\x8b": GZIP,
    b"%PDF-": PDF,
    b"PAR1": PARQUET,
    b"SQLite format 3\0": DATABASE,
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": OLD_EXCEL,
}
_CARD_FIELDS = {"name", "description", "personality", "scenario", "first_mes", "mes_example"}
_CARD_CHUNKS = (b"chara", b"ccv3")


def binary_kind(content: bytes) -> Kind | None:
    """What a file is that is no text. Its beginning is enough for all but cards in pictures."""
    if content.startswith(_PNG_START):
        has_card = any(keyword in _CARD_CHUNKS for keyword in _png_keywords(content))
        return PNG_CARD if has_card else PNG
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return WEBP
    if content.startswith(b"PK\x03\x04"):
        return _zip_kind(content)
    return next((kind for start, kind in _STARTS.items() if content.startswith(start)), None)


def json_kind(value: object) -> Kind | None:
    """What the value of a JSON file is."""
    one = value[0] if isinstance(value, list) and value else value
    if not isinstance(one, dict):
        return None
    return next((kind for kind, is_one in _JSON_KINDS if is_one(one)), None)


def text_kind(text: str) -> Kind | None:
    """What a text is that is no JSON: JSON lines by the first of them, a setup, a table."""
    values = list(_first_json_lines(text))
    if values:
        kinds = (kind for kind, is_one in _LINE_KINDS if any(map(is_one, values)))
        return next(kinds, JSON_LINES)
    if _SETUP_KEY.search(text, 0, _LOOKED_AT):
        return SETUP
    is_table = text.lstrip()[:1] not in ("{", "[") and has_persona_header(text)
    return PERSONA_TABLE if is_table else None


def json_text_kind(text: str) -> Kind | None:
    """What a text is that is JSON."""
    try:
        return json_kind(json.loads(text))
    except (ValueError, RecursionError):
        return None


def has_persona_header(text: str) -> bool:
    """Whether the first line that is not blank is a table's header with usernames."""
    if SEPARATOR_LINE.match(text):
        return True
    lines = (line for line in text[:_LOOKED_AT].splitlines() if line.strip(" ,;\t"))
    return bool(_USERNAME_CELL.search(next(lines, "")))


def refusal_of(where: object, kind: Kind, expected: str) -> str:
    """The sentence about a file of a ``kind`` where one was ``expected`` that can be read."""
    if kind.is_ours:
        return f"{where}: this is {kind.name}, not {expected}; {kind.advice}"
    advice = kind.advice or f"give {expected}"
    return f"{where}: this is {kind.name}, which syndisco-tui does not read; {advice}"


SEPARATOR_LINE = re.compile(r"\s*\"?sep=([^\r\n\"])\"?[,;\t]*\r?\n", re.IGNORECASE)
"""Excel's own first line of a table: which separator it has."""
_LOOKED_AT = 1 << 20
_SETUP_KEY = re.compile(
    r"^(?:\[\[personas\]\]|(?:persona_file|conv_len|turn_manager|seed_opinions|moderator)\s*=)",
    re.MULTILINE,
)
_USERNAME_CELL = re.compile(r"""(?:^|[,;\t])\s*"?\s*username\s*"?\s*(?:$|[,;\t])""", re.IGNORECASE)


def _has(*keys: str) -> Callable[[dict[str, Any]], bool]:
    return lambda value: all(key in value for key in keys)


_JSON_KINDS: tuple[tuple[Kind, Callable[[dict[str, Any]], bool]], ...] = (
    (PERSONA_LIST, _has("username")),
    (ANNOTATIONS, _has("syndisco_tui_annotations", "annotations")),
    (SYNDISCO_ANNOTATIONS, _has("logs", "annotator_model")),
    (OUR_DISCUSSION, _has("logs", "syndisco_tui")),
    (SYNDISCO_DISCUSSION, _has("logs")),
    (CARD_V2, lambda value: value.get("spec") == "chara_card_v2"),
    (CARD_V3, lambda value: str(value.get("spec", "")).startswith("chara_card_v")),
    (TINYTROUPE_AGENT, lambda value: value.get("type") == "TinyPerson"),
    (TINYTROUPE_FRAGMENT, lambda value: value.get("type") == "Fragment" and "persona" in value),
    (INSPECT_LOG, _has("eval", "samples")),
    (PERSONA_HUB, lambda value: isinstance(value.get("persona"), str)),
    (CHAT_MESSAGES, lambda value: isinstance(value.get("messages"), list)),
    (SHAREGPT, lambda value: isinstance(value.get("conversations"), list)),
    (CONVOKIT, lambda value: "text" in value and bool({"conversation_id", "root"} & value.keys())),
    (CARD_V1, lambda value: "name" in value and len(_CARD_FIELDS & value.keys()) >= 3),
)
"""The first that fits is the kind of an object, or of a list by its first entry."""

_LINE_KINDS: tuple[tuple[Kind, Callable[[dict[str, Any]], bool]], ...] = (
    (SILLYTAVERN_CHAT, _has("chat_metadata")),
    (SILLYTAVERN_CHAT, _has("name", "mes")),
    (CONVOKIT, _has("conversation_id", "text")),
    *((kind, is_one) for kind, is_one in _JSON_KINDS if kind in (PERSONA_HUB, CHAT_MESSAGES)),
)


def _first_json_lines(text: str) -> Iterator[dict[str, Any]]:
    """The objects on the first lines, if every one of those lines is an object by itself."""
    start = text[:_LOOKED_AT]
    lines = [line for line in start.splitlines() if line.strip()]
    if len(start) < len(text):
        del lines[-1:]  # cut in its middle
    values = []
    for line in lines[:3]:
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            return
        if not isinstance(value, dict):
            return
        values.append(value)
    yield from values if len(lines) > 1 else ()


def _png_keywords(content: bytes) -> Iterator[bytes]:
    """The keywords of a PNG's text chunks, in lower case."""
    start = len(_PNG_START)
    while start + 8 <= len(content):
        length = int.from_bytes(content[start : start + 4])
        if content[start + 4 : start + 8] in (b"tEXt", b"zTXt", b"iTXt"):
            yield content[start + 8 : start + 88].partition(b"\0")[0].lower()
        start += length + 12


def _zip_kind(content: bytes) -> Kind:
    import zipfile  # rarely: not before the first picture

    try:
        names = zipfile.ZipFile(BytesIO(content)).namelist()
    except (zipfile.BadZipFile, ValueError, OSError):
        names = [content[30:80].decode("latin-1")]  # of a beginning: the first file's name
    if any(name.startswith("xl/") for name in names):
        return XLSX
    if "card.json" in names:
        return CHARX
    return OPEN_DOCUMENT if b"opendocument" in content[:200] else ZIP
