"""The published JSON schema is that of the types, and real files conform to it."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from syndisco_tui.store.discussion_format import to_bytes
from syndisco_tui.store.discussions import read_discussion
from tests import schema
from tests.support.project import ROOT
from tests.support.saved_discussions import FULL
from tests.support.syndisco_files import each_export


@cache
def validator() -> Any:
    return jsonschema.Draft202012Validator(json.loads(schema.PATH.read_text(encoding="utf-8")))


def test_it_is_up_to_date() -> None:
    assert schema.PATH.read_text(encoding="utf-8") == schema.text(), "run python -m tests.schema"


def test_a_discussion_with_everything_conforms() -> None:
    validator().validate(json.loads(to_bytes(FULL)))


@each_export
def test_files_of_syndisco_conform_and_so_do_their_copies(path: Path) -> None:
    validator().validate(json.loads(path.read_text(encoding="utf-8")))
    validator().validate(json.loads(to_bytes(read_discussion(path))))


@pytest.mark.parametrize("key", ["name", "text"])
def test_a_message_without_name_or_text_does_not(key: str) -> None:
    value = json.loads(to_bytes(FULL))
    del value["logs"][1][key]
    assert not validator().is_valid(value)


def test_the_documentation_names_every_key_that_is_written() -> None:
    documented = set(re.findall(r"`(\w+)`", (ROOT / "docs" / "file-format.md").read_text()))
    value = json.loads(to_bytes(FULL))
    own = value["syndisco_tui"]
    entries = [*value["logs"], *own["silences"]]
    written = {*value, *own, *(key for entry in entries for key in entry)}
    written |= {key for change in own["changes"] for key in change}
    assert written <= documented, written - documented
