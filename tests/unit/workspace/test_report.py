"""The report's page and figures: they stand alone, say what is so, and obey nobody's text."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from syndisco_tui.analysis.conditions import table_of
from syndisco_tui.discussion import DiscussionRecord, DiscussionSetup, ExperimentMembership, Message
from syndisco_tui.discussion.annotation import (
    Annotation,
    AnnotationSet,
    AnnotatorProfile,
    Question,
    message_id,
)
from syndisco_tui.store.annotations import annotation_path, write_annotations
from syndisco_tui.store.atomic import write_atomic
from syndisco_tui.store.discussion_format import to_bytes
from syndisco_tui.store.discussions import read_discussion
from syndisco_tui.workspace.conditions import observe
from syndisco_tui.workspace.inputs import InputError
from syndisco_tui.workspace.report.figures import svg_figures, write_figures
from syndisco_tui.workspace.report.methods import methods_paragraph
from syndisco_tui.workspace.report.page import report_html
from syndisco_tui.workspace.study import Study
from tests.support.people import people

HOSTILE = "<script>alert(1)</script>\x1b[31m\0 \u202e \"' &amp; ]]> </style>{{ 7*7 }}"


def experiment(
    folder: Path,
    *,
    levels: Sequence[str] = ("none", "some"),
    repeats: int = 4,
    name: str = "Ann",
    text: str = "one two three",
    title: str = "A title",
) -> Study:
    """Discussions of two turns, saved and read again."""
    folder.mkdir(exist_ok=True)
    for repeat in range(1, repeats + 1):
        for number, level in enumerate(levels):
            setup = DiscussionSetup(
                title=title, personas=people("Ann", "Bob"), conv_len=2, seed=100 + repeat
            )
            said = [
                Message(name, f"{text} {'word ' * repeat * (number + 1)}", "user", 1, model="m"),
                Message("Bob", "" if number else "Yes, indeed.", "user", 2, model="m"),
            ]
            record = DiscussionRecord(
                f"{repeat}-{number}",
                "2026-01-01T00:00:00+00:00",
                setup,
                tuple(said),
                "finished",
                title,
                engine={"model": "starter", "versions": {"torch": "2.13.0"}},
                experiment=ExperimentMembership({"moderation": level}, repeat),
            )
            write_atomic(folder / f"c{number}-r{repeat}.json", to_bytes(record))
    observations = observe([folder])
    assert not observations.errors
    return Study(observations.observed)


def annotate(folder: Path, annotator: str, answers: Sequence[int | None], **scale: Any) -> None:
    """Annotate the first message of every discussion, in the order of their files."""
    question = Question.model_validate(
        {"name": "toxicity", "instructions": "How toxic?", "scale": scale or {"from": 1, "to": 5}}
    )
    profile = AnnotatorProfile(annotator, "human")
    for file, answer in zip(sorted(folder.glob("*.json")), answers, strict=True):
        record = read_discussion(file)
        message = record.entries[0]
        given = Annotation(0, message_id(message), message.name, value=answer, text=str(answer))
        answer_set = AnnotationSet(record.id, question, profile, (given,), file.name)
        path = annotation_path(file, answer_set, None)
        path.parent.mkdir(exist_ok=True)
        write_annotations(path, answer_set)


class Page(HTMLParser):
    """What a page consists of."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._in_style = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_style = tag == "style"
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if not self._in_style:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_the_page_needs_nothing_else(tmp_path: Path) -> None:
    page = Page(report_html(experiment(tmp_path)))
    names = {tag for tag, _ in page.tags}
    assert not names & {"script", "link", "img", "iframe", "object", "embed", "base", "form"}
    for _, attributes in page.tags:
        assert not any(name.startswith("on") or name in ("src", "srcset") for name in attributes)
        assert (attributes.get("href") or "#").startswith("#")
    text = report_html(experiment(tmp_path))
    assert "url(" not in text
    assert "@import" not in text
    targets = {attributes.get("id") for _, attributes in page.tags}
    assert {link["href"] for link in page.all("a")} <= {f"#{target}" for target in targets}


def test_the_page_says_what_there_is(tmp_path: Path) -> None:
    text = Page(report_html(experiment(tmp_path))).text
    assert "A title 8 discussions · 2 conditions · 16 messages" in text
    assert "4, each with the same users, topic and seed in every condition" in text
    assert "none → some" in text
    assert "torch 2.13.0" in text
    assert "101, 102, 103, 104" in text
    assert "stays silent" in text
    assert "With fewer than 10 repeats, intervals are too narrow." in text


def test_tables_can_be_read_aloud(tmp_path: Path) -> None:
    page = Page(report_html(experiment(tmp_path)))
    assert len(page.all("table")) == len(page.all("caption")) == 2
    assert all(heading.get("scope") in ("col", "row") for heading in page.all("th"))
    assert all(plot["role"] == "img" for plot in page.all("svg"))
    assert page.all("html") == [{"lang": "en"}]


def test_nobody_s_text_is_obeyed(tmp_path: Path) -> None:
    study = experiment(tmp_path, levels=(HOSTILE, "b"), name="<b>Ann", text=HOSTILE, title=HOSTILE)
    html = report_html(study)
    page = Page(html)
    assert not page.all("script")
    assert not page.all("b")
    assert not {"\x1b", "\0", "\u202e"} & set(html)
    assert "{{ 7*7 }}" in page.text
    assert "<script>alert(1)</script>" in page.text, "shown as it is"
    for svg in svg_figures(study, stand_alone=True).values():
        root = ET.fromstring(svg)
        assert {element.tag.rpartition("}")[2] for element in root.iter()} <= {
            "svg", "title", "desc", "style", "rect", "line", "circle", "polygon", "text",
        }  # fmt: skip


def test_figures_show_n_units_and_intervals(tmp_path: Path) -> None:
    root = ET.fromstring(svg_figures(experiment(tmp_path), stand_alone=True)["words_mean"])
    texts = [element.text or "" for element in root.iter() if element.tag.endswith("}text")]
    assert "words per message" in texts
    assert {"none", "some"} <= set(texts)
    none, some = [text for text in texts if text.endswith("· n = 4")]
    assert none.startswith("3.750 [")
    assert some.startswith("4.000 [")
    drawn = {element.get("class") for element in root.iter()}
    assert {"interval c0", "interval c1"} <= drawn
    shapes = {element.tag.rpartition("}")[2] for element in root.iter() if element.get("class")}
    assert {"circle", "polygon"} <= shapes, "conditions differ in shape too"


def test_a_figure_without_data_or_spread_is_drawn_all_the_same(tmp_path: Path) -> None:
    study = experiment(tmp_path, levels=("only",), repeats=1)
    for svg in svg_figures(study, stand_alone=False).values():
        assert "NaN" not in svg
        assert "inf" not in svg


def test_files_for_a_paper(tmp_path: Path) -> None:
    pytest.importorskip("vl_convert")
    written = write_figures(experiment(tmp_path / "in"), tmp_path / "out")
    names = {path.name for path in written}
    assert {"participation.svg", "participation.png", "diversity.png"} <= names
    png = (tmp_path / "out" / "participation.png").read_bytes()
    assert png.startswith(b"\x89PNG")
    assert int.from_bytes(png[16:20], "big") == 1250, "300 dots per inch, 4.2 inches"
    ET.parse(tmp_path / "out" / "participation.svg")


def test_without_the_library_svg_is_written_and_png_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really_import = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name == "vl_convert":
            raise ImportError(name)
        return really_import(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match="pip install 'syndisco-tui\\[report\\]'"):
        write_figures(experiment(tmp_path / "in"), tmp_path / "out")
    assert list((tmp_path / "out").glob("*.svg"))


def test_the_methods_paragraph(tmp_path: Path) -> None:
    text = methods_paragraph(experiment(tmp_path))
    assert text.startswith(
        "We analysed 8 discussions between LLM personas in a 2 (moderation: none, some) design, "
        "4 per condition."
    )
    assert "compared within repeats" in text
    assert "A discussion had two users and 2 turns." in text
    assert "generated by starter" in text
    assert "temperature 0.8, top-p 0.95, top-k 50 and repetition penalty 1.1" in text
    assert "5,000 resamples of repeats" in text
    assert "d_z over repeats" in text


def test_the_same_files_give_the_same_page(tmp_path: Path) -> None:
    assert report_html(experiment(tmp_path)) == report_html(experiment(tmp_path))


def test_annotations_are_measures_and_agreement_is_told(tmp_path: Path) -> None:
    experiment(tmp_path, repeats=2)
    annotate(tmp_path, "Ann A", [1, 2, 4, None])  # two discussions of each condition
    annotate(tmp_path, "Bob B", [1, 3, 4, 5])
    observations = observe([tmp_path])
    study = Study(observations.observed)
    none, some = table_of(study.conditions)
    assert none["annotation_toxicity_mean"] == pytest.approx(7 / 4)
    assert some["annotation_toxicity_mean"] == pytest.approx(13 / 3)
    assert "annotation_toxicity_mean" in study.figures
    text = Page(report_html(study, annotations=observations.annotations)).text
    assert "Ann A (person), Bob B (person) 4 8 1" in text


def test_choices_are_shares(tmp_path: Path) -> None:
    experiment(tmp_path, repeats=1)
    annotate(tmp_path, "Ann A", ["yes", "no"], type="choice", choices=["yes", "no"])  # type: ignore[list-item]
    none, some = table_of(Study(observe([tmp_path]).observed).conditions)
    assert (none["annotation_toxicity_yes_share"], some["annotation_toxicity_yes_share"]) == (1, 0)


def test_annotations_that_cannot_be_read_lose_no_discussion(tmp_path: Path) -> None:
    experiment(tmp_path, repeats=1)
    annotate(tmp_path, "Ann A", [1, 2])
    broken = next((tmp_path / "annotations").iterdir())
    broken.write_text("{")
    observations = observe([tmp_path])
    assert len(observations.observed) == 2
    (error,) = observations.errors
    assert broken.name in error
