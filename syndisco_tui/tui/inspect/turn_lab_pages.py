"""The groups of the turn lab, as lines for a width. All foreign text is made safe here."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from ...analysis.figures import DiversityFigure
from ...analysis.participation import ModelTotals, SpeakerTotals
from ...analysis.rouge import MAX_COMMENTS
from ...analysis.turn_taking import TurnTaking
from ...engine.machine import MachineLoad
from ...text import one_line, safe
from ..laboratory.session_view import SessionView
from ..widgets.charts import binned, columns, heading, in_bytes, rows, share_bar, sparkline, wrapped

Colours = dict[str, str]
TALLEST = 5
"""Lines of the message lengths."""
AFTER = "after →"
"""The corner of the table of who follows whom."""
MOST_COLUMNS = 9
"""Participants of whom a table says who follows whom."""


def turn_lines(turns: TurnTaking, rule: str, width: int, colours: Colours) -> list[Content]:
    """Everybody's odds for the next turn, and share of the turns with the expected one marked."""
    lines = [heading("Turns", rule)]
    column = _name_column((*turns.turns, *turns.next_odds), width)
    nexts = 5 if turns.next_odds else 0
    room = max(4, width - column - nexts - 24)
    heads = [("turns", 6), ("share", 8), ("│ expected", room + 7)]
    lines.append(_head(column, [("next", 4), ("", 1), *heads] if nexts else heads))
    total = turns.total
    for name in dict.fromkeys((*turns.turns, *turns.next_odds)):
        parts = [_name(name, column, colours)]
        if nexts:
            odds = turns.next_odds.get(name, 0.0)
            parts.append(Content.styled(f"{odds:>4.0%} ", "bold" if odds else "$quiet"))
        if name in turns.turns:
            share = turns.turns[name] / total if total else 0.0
            expected = turns.expected[name] / total if total else 0.0
            parts += [
                Content(f"{turns.turns[name]:>6d}    {share:>4.0%}  "),
                share_bar(share, room, _colour(name, colours), expected if total else None),
                Content.styled(f" {expected:>4.0%}" if total else "", "$quiet"),
            ]
        lines.append(Content.assemble(*parts))
    if turns.answerable:
        note = f"back after one turn (A → B → A): {turns.answers} of {turns.answerable}"
        note += f", {turns.answers_expected:.1f} expected"
        lines += wrapped(Content.styled(note, "$quiet"), width)
    return lines


def talk_lines(totals: Sequence[SpeakerTotals], width: int, colours: Colours) -> list[Content]:
    """Everybody's share of all words, and the counts behind it."""
    total = sum(each.words for each in totals) or 1
    tokens = any(each.tokens for each in totals)
    counted = [("words", 7), ("messages", 10), ("silent", 8), *([("tokens", 8)] if tokens else [])]
    column = _name_column([each.name for each in totals], width)
    while len(counted) > 1 and column + 10 + sum(size for _, size in counted) > width:
        counted.pop()
    room = max(4, width - column - 6 - sum(size for _, size in counted))
    lines = [heading("Words", "each speaker's share"), _head(column, [("", room + 5), *counted])]
    for each in totals:
        share = each.words / total
        numbers = [each.words, each.messages, each.silences, each.tokens]
        cells = [
            Content.styled(f"{number:>{size}}", "" if number else "$quiet")
            for number, (_, size) in zip(numbers, counted, strict=False)
        ]
        bar = share_bar(share, room, _colour(each.name, colours))
        name = _name(each.name, column, colours)
        lines.append(Content.assemble(name, bar, f" {share:>4.0%}", *cells))
    return lines


def length_lines(lengths: Sequence[tuple[str, int]], width: int, colours: Colours) -> list[Content]:
    """Every message as a bar in its speaker's colour; neighbours are averaged if there are many."""
    values: list[float] = [float(count) for _, count in lengths]
    lines = [heading("Message lengths", "words of each message, in order")]
    if not any(values):
        return [*lines, _quiet("no messages yet")]
    hues = [_colour(name, colours) for name, _ in lengths]
    if len(values) > width:
        values, hues = binned(values, width), []
    cell = max(1, min(4, width // len(values)))
    bars = columns(values, hues or ["$accent"] * len(values), TALLEST)
    lines.append(Content(""))
    lines += [_spread(bar, cell) for bar in bars] if cell > 1 else bars
    spoken = [count for _, count in lengths if count]
    note = f"shortest {min(spoken)}   mean {sum(spoken) / len(spoken):.0f}   longest {max(spoken)}"
    silent = len(lengths) - len(spoken)
    return [*lines, _quiet(f"{note}   silent {silent}" if silent else note)]


def diversity_lines(diversity: DiversityFigure, width: int, several: bool) -> list[Content]:
    """The diversity now, and as the discussion went on."""
    lines = [heading("Diversity", "1 − mean ROUGE-L: 0 alike, 1 different")]
    if diversity.value is None:
        return [*lines, _quiet("shown from the second message on")]
    note = f"  over {diversity.pairs} pairs of messages"
    note += f" (the first {MAX_COMMENTS} messages)" if diversity.is_full else ""
    note += "; mean of all discussions" if several else ""
    trend = sparkline(binned(diversity.course, max(1, width - 8)), width - 8, top=1.0)
    lines.append(Content.assemble(Content.styled(f"{diversity.value:.2f}", "bold"), note))
    return [*lines, Content.styled(trend, "$accent")] if trend else lines


def model_lines(totals: Sequence[ModelTotals], width: int) -> list[Content]:
    """One line for each of several models, with what it generated."""
    if len(totals) < 2:
        return []
    counted = [("replies", 9), ("silent", 8), ("words each", 12), ("tok/s", 8)]
    names = [each.model.rsplit("/", 1)[-1] for each in totals]
    column = min(max(map(len, names)), max(12, width - 39)) + 2
    while len(counted) > 1 and column + sum(size for _, size in counted) > width:
        counted.pop(1)
    lines = [heading("Models", "what each of them said"), _head(column, counted)]
    for name, each in zip(names, totals, strict=True):
        texts = {
            "replies": str(each.replies),
            "silent": str(each.silences),
            "words each": f"{each.words_mean:.0f}",
            "tok/s": f"{each.tokens_per_second:.0f}",
        }
        cells = [
            Content.styled(f"{texts[label]:>{size}}", "" if texts[label] != "0" else "$quiet")
            for label, size in counted
        ]
        lines.append(Content.assemble(_name(name, column, {}), *cells))
    return lines


def follow_lines(
    counts: dict[tuple[str, str], int], names: Sequence[str], width: int, colours: Colours
) -> list[Content]:
    """A table: how often the speaker of a row spoke right after the speaker of a column.

    A row reads as a sentence: “Bob spoke after Ann 3 times”.
    """
    column = max(_name_column(names, width), len(AFTER) + 2)
    size = min(11, max(5, (width - column) // max(1, len(names))))
    if not counts or not 1 < len(names) <= MOST_COLUMNS or column + size * len(names) > width:
        return []
    heads = [
        Content.styled(f"{one_line(name, size - 2):>{size}}", _colour(name, colours))
        for name in names
    ]
    corner = Content.styled(AFTER.ljust(column), "$quiet")
    lines = [
        heading("Who follows whom", "row spoke right after column"),
        Content.assemble(corner, *heads),
    ]
    most = max(counts.values())
    for name in names:
        cells = []
        for other in names:
            count = counts.get((other, name), 0)
            style = "$quiet" if not count else "bold" if count == most else ""
            cells.append(Content.styled(f"{count or '·':>{size}}", style))
        lines.append(Content.assemble(_name(name, column, colours), *cells))
    return lines


def meter_lines(status: SessionView, load: MachineLoad | None, width: int) -> list[Content]:
    """Speed, context, GPUs or else this process."""
    room = max(4, min(24, width - 34))
    pairs: list[tuple[str, Content]] = []
    if status.speeds or status.speed:
        trend = sparkline(status.speeds, room)
        speed = Content(f"{status.speed or status.speeds[-1]:.0f} tok/s")
        if trend:
            speed = _bar_and(Content.styled(trend, "$accent"), room, speed.plain)
        pairs.append(("speed", speed))
    info = status.info
    if info and info.context_length:
        used = status.prompt_tokens + status.reply_tokens
        bar = share_bar(status.context_share, room, "$accent")
        pairs.append(("context", _bar_and(bar, room, f"{used} of {info.context_length} tokens")))
    for number, gpu in enumerate(load.gpus if load else ()):
        label = "GPU" if load and len(load.gpus) == 1 else f"GPU {number}"
        if gpu.busy is not None:
            bar = share_bar(gpu.busy, room, "$accent")
            pairs.append((label, _bar_and(bar, room, f"{gpu.busy:.0%} {one_line(gpu.name, 30)}")))
        if gpu.total_bytes:
            used_bytes = gpu.used_bytes or 0
            bar = share_bar(used_bytes / gpu.total_bytes, room, "$accent")
            amount = f"{in_bytes(used_bytes)} of {in_bytes(gpu.total_bytes)}"
            pairs.append((f"{label} memory", _bar_and(bar, room, amount)))
    if load:
        text = f"{load.cores:.1f} cores, {in_bytes(load.memory_bytes)} of memory"
        pairs.append(("process", Content(safe(text))))
    return [heading("Speed and resources"), *rows(pairs, width)] if pairs else []


def _bar_and(bar: Content, room: int, text: str) -> Content:
    return Content.assemble(bar, " " * (room - bar.cell_length + 2), text)


def _quiet(text: str) -> Content:
    return Content.styled(text, "$quiet")


def _spread(bars: Content, cell: int) -> Content:
    """Every bar ``cell`` − 1 wide and a gap behind it; a dot stays one dot."""
    spread: list[Content | str] = []
    for bar in bars.divide(range(1, len(bars.plain))):
        spread += [bar, " " * (cell - 1)] if bar.plain == "·" else [*[bar] * (cell - 1), " "]
    return Content.assemble(*spread)


def _head(column: int, labels: Sequence[tuple[str, int]]) -> Content:
    text = " " * column + "".join(f"{label:>{size}}" for label, size in labels)
    return Content.styled(text, "$quiet")


def _name_column(names: Sequence[str], width: int) -> int:
    return min(max((len(name) for name in names), default=0), max(6, width // 4)) + 2


def _name(name: str, column: int, colours: Colours) -> Content:
    shown = Content.styled(one_line(name, 40), _colour(name, colours))
    return shown.truncate(column - 2, ellipsis=True, pad=True).pad_right(2)


def _colour(name: str, colours: Colours) -> str:
    return colours.get(name) or colours.get(one_line(name, 40), "")
