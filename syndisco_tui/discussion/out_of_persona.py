"""Signs that a reply is out of persona: an assistant's phrases, a refusal, a loop."""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Iterator

from .languages import Languages, is_foreign
from .marks import MarkKind

BEGINNING = 600
"""Characters at the start of a reply in which an assistant refuses."""
SAMPLE = 20_000
"""Characters at the start of a reply in which an assistant gives itself away."""

_AI = (
    r"(?:an?\s+)?(?:AI|A\.I\.|artificial\s+intelligence|(?:large\s+)?language\s+model|chat[ ]?bot)"
)
_KIND_OF_AI = r"(?:[\s-]+(?:language\s+model|assistant|model|system|chat[ ]?bot|program))?"
_ASSISTANT = re.compile(
    rf"""
      \b(?:as|being)\s+{_AI}{_KIND_OF_AI}(?=\s*[,.;:!?)—–-]|\s+I\b|\s+(?:created|developed|trained|designed|made)\b)
    | \bI\s*(?:['’]m|\s+am)\s+(?:just\s+|only\s+|merely\s+|actually\s+)?{_AI}{_KIND_OF_AI}
      (?=\s*[,.;:!?)—–]|\s*\Z|\s+(?:and|so|but|without|created|developed|trained|designed)\b)
    | \bhow\s+(?:can|may|could)\s+I\s+(?:help|assist)\s+you(?:\s+(?:today|further|with))?\b
    | \bis\s+there\s+anything\s+else\s+(?:I\s+can|you['’]?d?\s+(?:would\s+)?like)
    | \bI(?:['’]d|\s+would)\s+be\s+(?:happy|glad)\s+to\s+(?:help|assist)\s+(?:you|with)
    | \bI(?:['’]m|\s+am)\s+here\s+to\s+(?:help|assist)\s+(?:you|with|users)
    | \bI\s+do(?:n['’]t|\s+not)\s+have\s+(?:personal|any\s+personal)\s+
      (?:opinions?|beliefs?|feelings?|experiences?|emotions?)
    | ^\W*(?:sure|certainly|of\s+course|absolutely|okay|ok)\s*[,!.:]+\s*here(?:['’]s|\s+is|\s+are)\s
      .{{0,60}}?(?:response|reply|comment|message|post|answer|version)
    | ^\W*here(?:['’]s|\s+is)\s+(?:a|my|the|one)\s+(?:possible\s+|short\s+|sample\s+)?
      (?:response|reply|comment|message|post)\b
    | \bI\s+hope\s+this\s+(?:response\s+|reply\s+|message\s+)?helps\b
    | \blet\s+me\s+know\s+if\s+you(?:['’]d|\s+would)?\s+(?:like|need|want|have)\s
      .{{0,40}}?(?:further|else|more|adjust|help|assistance|changes|questions)
    | \b(?:in|using)\s+the\s+(?:role|persona|voice)\s+of\b | \bstay(?:ing)?\s+in\s+character\b
    | (?:作为|作為)(?:一个|一個|一名)?\s*(?:AI|人工智能|人工智慧|语言模型|語言模型)
    | \bals\s+KI(?:-\w+)?\b(?=\s*[,.]|\s+(?:kann|habe|bin)\b)
    | \ben\s+tant\s+qu['’](?:IA|intelligence)
    | \bcomo\s+(?:una?\s+)?(?:IA|inteligencia\s+artificial|modelo\s+de\s+lenguaje)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
_CANNOT = (
    r"(?:can(?:no|['’])t|can\s+not|won['’]t|will\s+not|am\s+(?:not\s+able|unable)\s+to"
    r"|['’]m\s+(?:not\s+able|unable)\s+to|am\s+not\s+(?:comfortable|allowed)"
    r"|['’]m\s+not\s+(?:comfortable|allowed))"
)
_MATERIAL = (
    r"(?:content|response|reply|request|role-?\s?play\w*|dialogue|material|comment|message|post"
    r"|language|statements?|conversation)"
)
_REFUSAL = re.compile(
    rf"""
      \bI\s*{_CANNOT}\s+(?:help|assist)(?:\s+(?:you|users?))?\s+
      (?:with\s+(?:that|this|your|such|the)|in\s+(?:that|this)|to\s)
    | \bI\s*{_CANNOT}\s+(?:compl(?:y|ying)\s+with|fulfil+(?:ing)?)\b
    | \bI\s*{_CANNOT}\s+(?:to\s+)?(?:creat|generat|writ|produc|provid|engag|participat|continu)\w+
      (?:\s+[\w,'’-]+){{0,6}}\s+{_MATERIAL}\b
    | \b(?:sorry|apologi[sz]e)\b.{{0,20}}?\bI\s*{_CANNOT}\s+
      (?:to\s+)?(?:help|assist|comply|do\s+that|do\s+this|answer|respond|discuss|engag|participat
      |continu|provid|creat|generat|writ|fulfil)
    | \bI\s+(?:must|have\s+to)\s+(?:respectfully\s+|politely\s+)?(?:decline|refuse)\b
    | \b(?:against|violates?)\s+(?:my|our|the)\s+
      (?:programming|(?:content\s+|usage\s+)?polic(?:y|ies)|guidelines)\b.{{0,60}}?\bI\b
    | \bI\b.{{0,60}}?\bagainst\s+my\s+(?:programming|guidelines)\b
    | (?:抱歉|对不起|對不起|很抱歉).{{0,6}}?我?(?:不能|无法|無法)
    | 我(?:无法|無法|不能)(?:协助|提供|参与|回答|满足)
    | \b(?:tut\s+mir\s+leid|entschuldigung),?\s+(?:aber\s+)?(?:ich\s+kann|das\s+kann\s+ich|dabei)\b
    | \bje\s+(?:suis\s+)?d[ée]sol[ée]+,?\s+(?:mais\s+)?je\s+ne\s+(?:peux|suis)
    | \blo\s+siento,?\s+(?:pero\s+)?no\s+puedo\b
    """,
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_SILENCE_WORDS = re.compile(
    r"(?:(?:says?|said|offers?|gives?|sends?|posts?|has|have)\s)?nothing(?:\sto\s(?:say|add))?"
    r"|(?:i\s)?(?:have\s)?nothing\sto\s(?:say|add)"
    r"|(?:is\s|are\s|am\s|i\s)?(?:remain|remains|remaining|stay|stays|staying|keep|keeps|keeping|"
    r"fall|falls)\s(?:silent|quiet)"
    r"|(?:is\s|am\s)?(?:silent|quiet)|silence"
    r"|no\s(?:response|reply|answer|comment|message|post|intervention|action)"
    r"(?:\s(?:needed|necessary|required|given|at\sthis\stime))?"
    r"|(?:does|do|did)\s(?:not|n\s?t)\s(?:respond|reply|answer|comment|say\sanything|post)"
    r"|(?:chooses|chose|choose|decides|decided)\s(?:not\sto\s(?:respond|reply|comment|speak|post)"
    r"|to\s(?:stay|remain)\s(?:silent|quiet))"
    r"|none|null|nil|n\sa|empty|blank|pass|skip|undefined|nan"
)
_NOT_A_WORD = re.compile(r"[\W_]+")
_LONGEST_SILENCE_WORDS = 80

_WINDOW = 1200
"""Characters that are searched for repetition at once."""
_MAX_WINDOWS = 8
LEAST_REPETITION = 60
"""A shorter text does not count as repeating itself, in characters."""
_COMPRESSED = 0.25
"""Compressed to less than this share, a text repeats itself. Prose comes to 0.45 and more."""
_OVERHEAD = 11
"""Bytes of an empty text, compressed, and of one reference."""


def silence_key(text: str) -> str:
    """The key by which words for a silence are compared, without case and punctuation."""
    if len(text) > _LONGEST_SILENCE_WORDS:
        return text
    folded = unicodedata.normalize("NFC", text).casefold().replace("n't", " not")
    return _NOT_A_WORD.sub(" ", folded).strip() or text.strip()


def says_silence(text: str, speaker: str) -> bool:
    """Whether ``text`` only says that nothing is said: “(silent)”, “[no response]”, “…”."""
    if len(text) > _LONGEST_SILENCE_WORDS:
        return False
    key = silence_key(text)
    if not any(map(str.isalnum, key)):
        return not any(map(_is_a_picture, key))
    name = silence_key(speaker)
    key = key.removeprefix(name).strip() or key
    return _SILENCE_WORDS.fullmatch(key) is not None


def _is_a_picture(character: str) -> bool:
    """Whether it is an emoji or another symbol, which says something."""
    return unicodedata.category(character)[0] == "S"


_REFUSING_WORDS = (
    "cannot", "can not", "can't", "can’t", "won't", "won’t", "will not", "able to", "comfortable",
    "allowed", "decline", "refuse", "against", "violate", "sorry", "apolog", "抱歉", "对不起",
    "對不起", "无法", "無法", "不能", "leid", "entschuldigung", "désol", "desol", "siento",
)  # fmt: skip
"""No refusal is without one of them."""


def refuses(text: str) -> bool:
    """Whether a model refuses in ``text``, at its beginning."""
    beginning = text[:BEGINNING].lower()
    has_word = any(word in beginning for word in _REFUSING_WORDS)
    return has_word and _REFUSAL.search(text, 0, BEGINNING) is not None


def suspicions(text: str, expected: Languages) -> Iterator[MarkKind]:
    """The marks of ``text`` that is out of persona in a discussion in the ``expected`` languages.

    Of a long text, only samples are checked.
    """
    if _ASSISTANT.search(text, 0, SAMPLE):
        yield "assistant"
    if refuses(text):
        yield "refusal"
    if is_foreign(text, expected):
        yield "language"
    if repeats_itself(text):
        yield "repetition"


def repeats_itself(text: str) -> bool:
    """Whether a large part of ``text`` is one passage repeated."""
    if len(text) < LEAST_REPETITION:
        return False
    count = min(_MAX_WINDOWS, max(1, len(text) // _WINDOW))
    step = max(1, (len(text) - _WINDOW) // max(1, count - 1)) if count > 1 else 1
    starts = [number * step for number in range(count)]
    return any(_is_repetitive(text[start : start + _WINDOW]) for start in {*starts, 0})


def _is_repetitive(text: str) -> bool:
    data = text.encode("utf-8", "replace")
    return len(zlib.compress(data)) - _OVERHEAD < _COMPRESSED * len(data)
