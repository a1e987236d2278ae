"""``stats`` over folders, in every format, with factors from folder names."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from syndisco_tui.headless.stats import stats
from syndisco_tui.store.inputs import InputError
from syndisco_tui.workspace.conditions import ConditionPattern
from tests.support.syndisco_files import published

LOG = {"model": "m", "prompt": "p"}


def folder_of(path: Path, texts: Sequence[str]) -> None:
    """A discussion of SynDisco's in a folder."""
    path.mkdir(parents=True, exist_ok=True)
    logs = [{"name": f"User{n % 2}", "text": text, **LOG} for n, text in enumerate(texts)]
    value = {
        "id": path.name, "timestamp": "26-02-10-21-28", "users": ["User0", "User1"],
        "moderator": None, "user_prompts": ["{}", "{}"], "moderator_prompt": None,
        "ctx_length": 3, "logs": logs,
    }  # fmt: skip
    (path / f"{len(list(path.glob('*')))}.json").write_text(json.dumps(value))


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    folder_of(tmp_path / "qwen_7b_none.txt", ["one two", '""'])
    folder_of(tmp_path / "qwen_7b_none.txt", ["one two three", "four"])
    folder_of(tmp_path / "llama_none.txt", ["a b c d", "e f"])
    return tmp_path


def test_json_has_an_object_a_condition(folders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert stats([folders], condition_from="{model}_{moderation}.txt", to="json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["model"], row["moderation"]) for row in rows] == [
        ("llama", "none"), ("qwen", "7b_none"),
    ]  # fmt: skip
    qwen = rows[1]
    assert (qwen["discussions"], qwen["messages"], qwen["participation"]) == (2, 4, 0.75)
    assert qwen["words_mean"] == pytest.approx(7 / 4)
    assert {"intervention_rate", "words_sd", "diversity_mean", "diversity_sd"} <= qwen.keys()


def test_by_gathers_over_the_other_factors(
    folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stats([folders], condition_from="{model}_{moderation}.txt", by=[], to="json")
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["discussions"], row["messages"]) == (3, 6)
    assert "model" not in row


def test_csv_markdown_and_table(
    folders: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out" / "table.csv"
    out.parent.mkdir()
    stats([folders / "llama_none.txt"], condition_from="{model}_none.txt", to="csv", output=out)
    assert next(csv.DictReader(out.open()))["model"] == "llama"
    assert "table.csv written" in capsys.readouterr().err
    stats([folders], condition_from="{model}_{moderation}.txt", to="markdown")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("| model | moderation | discussions |")
    assert lines[1].startswith("| :-- | :-- | --: |")
    stats([folders], condition_from="{model}_{moderation}.txt")
    table = capsys.readouterr().out.splitlines()
    assert len({len(line) for line in table[: table.index("")]}) == 1


def test_differences_stand_below_the_table_and_in_json(
    folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pattern = "{model}_{moderation}.txt"
    stats([folders], condition_from=pattern, by=["model"])
    printed = capsys.readouterr().out
    (line,) = [line for line in printed.splitlines() if "llama → qwen" in line and "words" in line]
    assert line.split()[-1] == "3"
    assert "comparisons, each with a 95 % interval" in printed
    assert "intervals are too narrow" in printed
    stats([folders], condition_from=pattern, by=["model"], with_differences=False)
    assert "→" not in capsys.readouterr().out
    stats([folders], condition_from=pattern, by=["model"], to="json", with_differences=True)
    value = json.loads(capsys.readouterr().out)
    assert [row["model"] for row in value["conditions"]] == ["llama", "qwen"]
    words = next(each for each in value["differences"] if each["measure"] == "words_mean")
    assert (words["first"], words["second"], words["first_value"]) == ("llama", "qwen", 3.0)
    assert value["comparisons"] == len(value["differences"])
    assert (value["confidence"], value["resamples"], value["seed"]) == (0.95, 5000, 0)
    stats([folders], condition_from=pattern, by=["model"], to="csv", with_differences=True)
    assert next(csv.DictReader(capsys.readouterr().out.splitlines()))["factor"] == "model"


def test_a_report_and_figures_are_written(
    folders: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, figures = tmp_path / "report" / "page.html", tmp_path / "figures"
    stats([folders / "llama_none.txt"], to="html", output=page, figures=figures)
    assert page.read_text().startswith("<!DOCTYPE html>")
    assert (figures / "words_mean.svg").exists()
    assert (figures / "words_mean.png").exists()
    assert "figures written to" in capsys.readouterr().err


def test_refusals_are_counted_where_no_guard_has_read(
    folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder_of(folders / "llama_none.txt", ["I cannot create content that harms.", "I can't wait!"])
    stats([folders], condition_from="{model}_{moderation}.txt", to="json")
    llama, qwen = json.loads(capsys.readouterr().out)
    assert (llama["mark_refusal"], qwen["mark_refusal"]) == (1, 0)


def test_a_factor_that_no_discussion_has_is_refused(folders: Path) -> None:
    with pytest.raises(InputError, match="did you mean model"):
        stats([folders], condition_from="{model}_{moderation}.txt", by=["modl"])


def test_the_model_of_a_setup_is_a_factor(
    folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stats([folders], by=["model"], to="json")
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["model"], row["discussions"]) == ("m", 3)


def test_a_file_that_cannot_be_read_is_named_and_stops_nothing(
    folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folders / "llama_none.txt" / "bad.json").write_text("{")
    assert stats([folders], to="json") == 2
    captured = capsys.readouterr()
    assert json.loads(captured.out)[0]["discussions"] == 3
    assert "bad.json" in captured.err


def test_patterns() -> None:
    read = ConditionPattern("{model}_{strategy}.txt").read
    assert read(Path("/a/qwen7b_no_mod.txt/1.json")) == {"model": "qwen7b", "strategy": "no_mod"}
    assert read(Path("/a/qwen7b/1.json")) is None
    two = ConditionPattern("{kind}/{model}_{strategy}")
    assert two.read(Path("/a/main/m_s/1.json")) == {"kind": "main", "model": "m", "strategy": "s"}
    file = ConditionPattern("{model}-{rest}.json")
    assert file.read(Path("/a/b/m-1.json")) == {"model": "m", "rest": "1"}
    for wrong in ("model", "{a}{a}"):
        with pytest.raises(InputError, match="--condition-from"):
            ConditionPattern(wrong)


def test_the_published_sample(capsys: pytest.CaptureFixture[str]) -> None:
    """Counted from the files' JSON alone, by the definitions of SynDisco's authors."""
    files = [path for path in published("discussions") if path.name.startswith("main-")]
    if not files:
        pytest.skip("the published files are not there")
    stats(files, condition_from="main-{model}_{rest}.json", by=["model"], to="json")
    rows = {row["model"]: row for row in json.loads(capsys.readouterr().out)}
    said: dict[str, list[bool]] = {}
    words: dict[str, list[int]] = {}
    for path in files:
        model = path.name.removeprefix("main-").split("_")[0]
        value = json.loads(path.read_text())
        for log in value["logs"]:
            if log["model"] == "hardcoded":
                continue
            words.setdefault(model, []).append(len(log["text"].split()))
            if log["name"] != value["moderator"]:
                is_silent = re.fullmatch(r'[\s"]*', log["text"])
                said.setdefault(model, []).append(not is_silent)
    assert set(rows) == set(words) == {
        "llama70b", "llama8b", "mistral24b", "mistral7b", "qwen32b", "qwen7b",
    }  # fmt: skip
    for model, row in rows.items():
        assert row["messages"] == len(words[model])
        assert row["participation"] == pytest.approx(sum(said[model]) / len(said[model]))
        assert row["words_mean"] == pytest.approx(sum(words[model]) / len(words[model]))
    assert rows["llama70b"]["participation"] == rows["mistral7b"]["participation"] == 1.0
    assert rows["qwen32b"]["participation"] < 0.9
    assert sum(row["messages"] for row in rows.values()) == 480
