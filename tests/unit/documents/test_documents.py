"""What README and ``docs/`` name exists: files, keys, commands, options, settings and fields."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import click
import pytest
from typer.main import get_command

from syndisco_tui.cli.commands import app
from syndisco_tui.discussion import DiscussionSetup
from syndisco_tui.store.export import FORMATS
from syndisco_tui.store.export.personas import PERSONA_FORMATS
from syndisco_tui.tui.shell.actions import ACTIONS
from syndisco_tui.tui.shell.keymap import Keymap
from syndisco_tui.workspace.annotation_exchange import ANNOTATION_FORMATS
from syndisco_tui.workspace.settings import Settings
from tests.support import keys_page
from tests.support.project import ROOT

README = ROOT / "README.md"
PAGES = [README, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted(ROOT.glob("docs/*.md"))]
MOST_LINES = 120
MOST_STOPS = 10

CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
    "contracts"
]
LAYERS = [layer.split(" | ") for layer in CONTRACTS[0]["layers"]]
"""The packages, the uppermost first."""

COMMAND = get_command(app)


def _commands(group: click.Command, prefix: str = "") -> dict[str, click.Command]:
    """All commands by their full names."""
    commands: dict[str, click.Command] = {}
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        nested = hasattr(command, "commands")
        commands |= _commands(command, f"{name} ") if nested else {prefix + name: command}
    return commands


COMMANDS = _commands(COMMAND)


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def headings(page: str) -> set[str]:
    """The anchors of a page's headings, as Markdown viewers make them."""
    titles = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def broken_links(file: Path) -> Iterator[str]:
    for target in re.findall(r"\]\(([^)\s]+)\)", read(file)):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        linked = (file.parent / path) if path else file
        if not linked.exists() or (anchor and anchor not in headings(read(linked))):
            yield target


def missing_files(file: Path) -> Iterator[str]:
    """Files and modules of the project that are named as code and do not exist."""
    code = " ".join(re.findall(r"`([^`\n]+)`", read(file)))
    for path in re.findall(r"(?<![\w./~-])(?:tests|syndisco_tui|docs)/[\w./-]+", code):
        if not (ROOT / path).exists():
            yield path
    for module in re.findall(r"python -m (tests[\w.]+)", code):
        if find_spec(module) is None:
            yield module


def missing_names(file: Path) -> Iterator[str]:
    """Names in “`name` (`file`)” and “`name` in `file`” that the file does not define."""
    named = re.findall(r"`([\w.]+)`,?\s+(?:in|of|\()\s*`(syndisco_tui/[\w/]+\.py)`", read(file))
    yield from (f"{path}: {name}" for name, path in named if not defines(ROOT / path, name))


def defines(file: Path, name: str) -> bool:
    """Whether ``file`` defines ``name``, a function, a class, a method or a constant."""
    owner, _, last = name.rpartition(".")
    text = read(file).partition(f"class {owner}")[2] if owner else read(file)
    return bool(re.search(rf"(?:def|class) {last}\b|^{last}\b.* = ", text, re.MULTILINE))


def layer(path: str) -> int:
    """How far down the package of ``path`` is, by the import contracts."""
    package = f"syndisco_tui.{path.partition('/')[0]}"
    return next(n for n, layer in enumerate(LAYERS) if package in layer)


def walks() -> dict[str, list[tuple[str, str]]]:
    """The stops of each walk through the code, as files of the package and names in them."""
    page = read(ROOT / "docs" / "architecture.md")
    stops = re.compile(r"^\d+\. `([\w/]+\.py)` `([\w.]+)`", re.MULTILINE)
    return {title: stops.findall(text) for title, text in sections(page, 3).items()}


def sections(page: str, level: int) -> dict[str, str]:
    parts = re.split(rf"^{'#' * level} (.+)$", page, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def first_cells(text: str) -> list[str]:
    """What stands as code in the first column of the tables of ``text``."""
    return re.findall(r"^\| `([^`|]+)`", text, re.MULTILINE)


def options(command: click.Command) -> set[str]:
    names = {name for parameter in command.params for name in parameter.opts}
    return {name for name in names if name.startswith("-")} - {"--help", "-h"}


def options_in(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", text))


def command_lines(file: Path) -> Iterator[tuple[str, str]]:
    """The command and the rest of every example of a command line."""
    page = read(file)
    blocks = "\n".join(re.findall(r"^```sh\n(.*?)^```", page, re.DOTALL | re.MULTILINE))
    examples = re.findall(r"^syndisco-tui([^#\n]*)", blocks, re.MULTILINE)
    for example in [*examples, *re.findall(r"(?<!`)`syndisco-tui([^`\n]*)`", page)]:
        name, _, rest = example.strip().partition(" ")
        yield (name, rest) if name.isalpha() and name.islower() else ("", example)


class TestReadme:
    def test_is_short(self) -> None:
        assert len(read(README).splitlines()) <= MOST_LINES

    def test_names_ten_keys_that_exist(self) -> None:
        table = sections(read(README), 2)["The ten keys to know first"]
        rows = re.findall(r"^\| (`.+?) \|", table, re.MULTILINE)
        assert len(rows) == 10
        known = {keys_page.written_key(key) for each in ACTIONS for key in Keymap().keys(each)}
        assert set(re.findall(r"`([^`]+)`", " ".join(rows))) <= known


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.name)
class TestEveryPage:
    def test_links_lead_somewhere(self, file: Path) -> None:
        assert list(broken_links(file)) == []

    def test_named_files_exist(self, file: Path) -> None:
        assert list(missing_files(file)) == []

    def test_named_functions_and_classes_exist(self, file: Path) -> None:
        assert list(missing_names(file)) == []

    def test_command_lines_are_understood(self, file: Path) -> None:
        for name, rest in command_lines(file):
            longer = f"{name} {rest.split(maxsplit=1)[0]}" if rest.split() else name
            command = COMMANDS.get(longer) or (COMMANDS[name] if name else COMMAND)
            assert options_in(rest) <= options(command), f"syndisco-tui {name} {rest}"


def test_every_page_is_linked_in_the_readme() -> None:
    linked = {
        (ROOT / path).resolve() for path in re.findall(r"\]\((docs/\w[^)#]*)\)", read(README))
    }
    assert {page.resolve() for page in PAGES if page.parent.name == "docs"} <= linked


def test_keys_are_as_in_the_app() -> None:
    page = read(keys_page.PAGE)
    assert page == keys_page.with_tables(page), "run `python -m tests.support.keys_page`"


def test_every_command_and_option_is_described() -> None:
    described = sections(read(ROOT / "docs" / "command-line.md"), 2)
    commands = {"`syndisco-tui`": COMMAND}
    commands |= {f"`syndisco-tui {name}`": command for name, command in COMMANDS.items()}
    assert {title for title in described if title.startswith("`")} == set(commands)
    for title, command in commands.items():
        assert options_in(_options(described[title])) == options(command), title


def test_every_export_format_is_described() -> None:
    described = sections(read(ROOT / "docs" / "command-line.md"), 2)["`syndisco-tui export`"]
    table = described.partition("| format |")[2]
    discussions, _, rest = table.partition("| for personas |")
    personas, _, annotations = rest.partition("| for annotations |")
    assert first_cells(discussions) == list(FORMATS)
    assert first_cells(personas) == list(PERSONA_FORMATS)
    assert all(f"`{name}`" in annotations for name in ANNOTATION_FORMATS)


def test_every_setting_is_described() -> None:
    table = read(ROOT / "docs" / "settings.md").partition("## Themes")[0]
    assert first_cells(table) == list(Settings.model_fields)


def test_every_field_of_a_setup_is_described_with_its_default() -> None:
    table = sections(read(ROOT / "docs" / "setup-files.md"), 2)["Fields"]
    assert set(first_cells(table)) == {*DiscussionSetup.model_fields, "persona_file"}
    for name, default in re.findall(r"^\| `(\w+)` \| `(.+?)` \|", table, re.MULTILINE):
        value = DiscussionSetup.model_fields[name].get_default(call_default_factory=True)
        assert default.strip('"') == {"()": "[]", "False": "false"}.get(str(value), str(value))


class TestWalks:
    """The walks through the code are short, lead somewhere and never turn round."""

    def test_stops_exist(self) -> None:
        for stops in walks().values():
            assert 5 <= len(stops) <= MOST_STOPS
            for path, name in stops:
                assert defines(ROOT / "syndisco_tui" / path, name), f"{path}: {name}"

    def test_each_keeps_its_direction(self) -> None:
        down, up, down_too = ([layer(path) for path, _ in stops] for stops in walks().values())
        assert down == sorted(down)
        assert up == sorted(up, reverse=True)
        assert down_too == sorted(down_too)


def test_what_is_wrong_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A b\n[x](page.md#a-b) [y](none.md) [z](#c) `tests/none.py`\n"
        "`read` in `syndisco_tui/text.py` `safe` (`syndisco_tui/text.py`)\n"
    )
    assert list(broken_links(page)) == ["none.md", "#c"]
    assert list(missing_files(page)) == ["tests/none.py"]
    assert list(missing_names(page)) == ["syndisco_tui/text.py: read"]


def _options(section: str) -> str:
    """The first column of a section's table of options."""
    return "\n".join(re.findall(r"^\| (`-.*?) \|", section, re.MULTILINE))
