"""The command line: what it takes, what it refuses and how it says so. Always one sentence."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from syndisco_tui import __version__
from syndisco_tui.discussion import DiscussionRecord
from syndisco_tui.store.discussions import discussion_files, read_discussion
from tests.support.command_line import SCRIPTED, call, refusal


@pytest.fixture
def discussions(home: Path) -> Path:
    return home / "data" / "syndisco-tui" / "discussions"


def run(discussions: Path, *arguments: object, **environment: str) -> DiscussionRecord:
    """What a run with the scripted engine leaves on disk."""
    result = call("run", *arguments, command=SCRIPTED, **environment)
    assert result.returncode == 0, result.stderr
    path = Path(result.stdout.splitlines()[-1])
    assert path.parent == discussions
    return read_discussion(path)


class TestInformation:
    def test_help_names_the_options_and_the_command(self) -> None:
        result = call("--help")
        assert result.returncode == 0
        for word in ("--start", "--setup", "--model", "--persona-file", "--theme", "run"):
            assert word in result.stdout

    def test_help_of_run_names_its_options(self) -> None:
        result = call("run", "-h")
        assert result.returncode == 0
        for word in ("SETUP.toml", "--turns", "--seed", "--output", "--resume", "--model"):
            assert word in result.stdout

    def test_version(self) -> None:
        assert call("--version").stdout == f"syndisco-tui {__version__}\n"

    def test_nothing_is_left_behind(self, home: Path) -> None:
        call("--help")
        call("--version")
        assert os.listdir(home) == []


class TestRefusals:
    def test_a_screen_needs_a_terminal(self) -> None:
        assert refusal() == ("The app needs a terminal. Without one, use `syndisco-tui run`.")

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (["run", "nowhere.toml"], "nowhere.toml: there is no such file"),
            (["--setup", "nowhere.toml"], "nowhere.toml: there is no such file"),
            (["run", "--persona-file", "no.json"], "no.json: there is no such file"),
            (["resume", "no.json"], "no.json: there is no such file"),
            (["resume"], "No unfinished discussion to resume. Start one with `syndisco-tui run`."),
            (["replay", "no.json"], "no.json: there is no such file"),
            (["run", "--repeat", "2", "-o", "x"], "--output cannot be used with --repeat"),
            (["run", "--turns", "0"], "--turns: must be at least 1, not 0"),
            (["--turns", "0"], "--turns: must be at least 1, not 0"),
            (["run", "--seed", "-1"], "--seed: must be at least 0, not -1"),
            (["run", "--model", ""], "--model: must not be empty"),
            (["run", "--dtype", "int8"], "--dtype: must be 'auto', 'float32',"),
            (["run", "--threads", "-1"], "--threads: must be at least 0, not -1"),
            (["run", "--turns", "many"], "Invalid value for '--turns': "),
            (["run", "--modle", "x"], "No such option: --modle"),
            (["walk"], "No such command 'walk'"),
        ],
    )
    def test_what_is_wrong_and_where(self, arguments: list[str], sentence: str) -> None:
        assert refusal(*arguments).startswith(sentence)

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("[]", "holds no personas"),
            ("", "is empty"),
            ("user,age\nAnn,3\n", "a table of personas needs a column username (is it “user”?)"),
        ],
    )
    def test_a_persona_file_that_cannot_be_used(
        self, tmp_path: Path, text: str, sentence: str
    ) -> None:
        file = tmp_path / "people.txt"
        file.write_text(text)
        assert refusal("run", "--persona-file", file) == f"{file}: {sentence}"

    def test_an_unknown_key_of_a_setup_file(self, tmp_path: Path) -> None:
        file = tmp_path / "setup.toml"
        file.write_text("conv_length = 3")
        assert refusal("run", file) == (
            f"{file}: there is no key “conv_length”; did you mean “conv_len”?"
        )

    def test_an_unknown_variable(self) -> None:
        assert "did you mean “model”" in refusal("run", SYNDISCO_TUI_MODELL="x")

    def test_a_settings_file_that_cannot_be_read(self, home: Path) -> None:
        file = home / "config" / "syndisco-tui" / "settings.toml"
        file.parent.mkdir(parents=True)
        file.write_text("threads = many")
        assert refusal("run").startswith(f"{file}: not valid TOML")

    def test_a_home_that_cannot_be_written(self, home: Path) -> None:
        (home / "data").touch()
        folder = home / "data" / "syndisco-tui" / "discussions"
        assert refusal("run") == f"{folder}: cannot be created: {home / 'data'} is not a folder"

    def test_a_file_name_cannot_take_over_the_terminal(self) -> None:
        assert refusal("run", "\x1b]0;owned\x07.toml") == "␛]0;owned␇.toml: there is no such file"

    def test_nothing_is_downloaded_or_saved(self, home: Path, discussions: Path) -> None:
        refusal("run", "nowhere.toml")
        assert not discussions.exists() or os.listdir(discussions) == []


class TestRunning:
    def test_without_a_setup_it_is_the_demonstration(self, discussions: Path) -> None:
        record = run(discussions)
        assert record.setup.title == "Is it better to work from home?"
        assert [persona.name for persona in record.setup.personas] == ["Emma35", "Giannis"]
        assert {entry.name for entry in record.entries} == {"Emma35", "Giannis", "Moderator"}
        assert record.status == "finished"

    @pytest.mark.parametrize("kind", ["config", "state", "cache"])
    def test_a_folder_that_is_not_written_need_not_be_there(
        self, home: Path, discussions: Path, kind: str
    ) -> None:
        (home / kind).touch()  # a file where a folder would be: nothing can be made in it
        assert run(discussions, "--turns", 1).status == "finished"

    def test_start_without_a_terminal_is_a_run(self, discussions: Path) -> None:
        result = call("--start", "--turns", 1, command=SCRIPTED)
        assert result.returncode == 0
        assert result.stdout.splitlines()[-1] == str(discussion_files(discussions)[0])

    def test_options_change_the_setup(self, discussions: Path) -> None:
        record = run(
            discussions, "--turns", 2, "--seed", 42, "--model", "mine", "--dtype", "float16"
        )
        setup = record.setup
        assert (setup.conv_len, setup.seed, setup.model) == (2, 42, "mine")
        assert setup.dtype == "float16"

    def test_all_of_a_persona_file_take_part(self, discussions: Path, tmp_path: Path) -> None:
        file = tmp_path / "people.json"
        file.write_text(json.dumps([{"username": name} for name in ("Ann", "Bob", "Cyd")]))
        record = run(discussions, "--persona-file", file, "--turns", 3)
        assert record.setup.names == ("Ann", "Bob", "Cyd")
        assert record.setup.moderator is None
        assert record.setup.seed_opinions == ()

    def test_of_several_with_one_name_all_take_part_and_it_is_said(
        self, discussions: Path, tmp_path: Path
    ) -> None:
        people = tmp_path / "people.tsv"
        people.write_text("username\tage\nAnn\t3\nann\t4\nAnn\t3\n")
        setup = tmp_path / "setup.toml"
        setup.write_text('conv_len = 3\npersona_file = "people.tsv"\n')
        for arguments in (["--persona-file", people, "--turns", 3], [setup]):
            result = call("run", *arguments, command=SCRIPTED)
            renamed = f"{people}: ann is now ann (2), Ann is now Ann (3)"
            assert result.stderr.splitlines()[0] == renamed
            record = read_discussion(Path(result.stdout.splitlines()[-1]))
            assert record.setup.names == ("Ann", "ann (2)", "Ann (3)")

    def test_a_model_that_cannot_be_had_is_status_3(self, discussions: Path) -> None:
        result = call("run", "--model", "nowhere", command=SCRIPTED)
        assert result.returncode == 3
        assert result.stderr.splitlines()[-1] == "There is no model “nowhere”; try --model starter."
        assert result.stdout == ""

    def test_json_alone_goes_where_it_is_sent(self, discussions: Path) -> None:
        result = call("run", "--turns", 1, "-o", "-", command=SCRIPTED)
        assert json.loads(result.stdout)["syndisco_tui"]["status"] == "finished"

    def test_a_saved_discussion_goes_on(self, discussions: Path) -> None:
        whole = run(discussions, "--turns", 3)
        (path,) = discussion_files(discussions)
        value = json.loads(path.read_text())
        value["logs"] = value["logs"][:3]
        value["syndisco_tui"]["status"] = "paused"
        path.write_text(json.dumps(value))
        result = call("resume", path, command=SCRIPTED)
        assert result.returncode == 0, result.stderr
        record = read_discussion(path)
        assert record.status == "finished"
        assert [(e.name, e.turn) for e in record.entries] == [
            (e.name, e.turn) for e in whole.entries
        ]

    def test_what_a_killed_run_left_is_tidied_up(self, discussions: Path) -> None:
        run(discussions, "--turns", 1)
        (discussions / ".20260101T000000Z-00000000.json.abc.part").touch()
        run(discussions, "--turns", 1)
        assert [name for name in os.listdir(discussions) if name.startswith(".")] == []


class TestPrecedence:
    """Flag before environment before file before default; a setup's own word before settings."""

    @pytest.fixture
    def settings_file(self, home: Path) -> Path:
        file = home / "config" / "syndisco-tui" / "settings.toml"
        file.parent.mkdir(parents=True)
        file.write_text('model = "of-the-file"\ndtype = "float16"')
        return file

    def test_flag_environment_file(self, discussions: Path, settings_file: Path) -> None:
        one = ("--turns", 1)
        assert run(discussions, *one).setup.model == "of-the-file"
        environment = {"SYNDISCO_TUI_MODEL": "of-the-environment"}
        assert run(discussions, *one, **environment).setup.model == "of-the-environment"
        flag = ("--model", "of-the-flag")
        assert run(discussions, *one, *flag, **environment).setup.model == "of-the-flag"

    def test_a_setup_s_own_word_counts_more_than_settings_and_less_than_flags(
        self, discussions: Path, settings_file: Path, tmp_path: Path
    ) -> None:
        file = tmp_path / "setup.toml"
        file.write_text(
            'conv_len = 1\nmodel = "of-the-setup"\ndtype = "bfloat16"\n'
            '[[personas]]\nusername = "Ann"\n'
        )
        setup = run(discussions, file, SYNDISCO_TUI_MODEL="of-the-environment").setup
        assert (setup.model, setup.dtype) == ("of-the-setup", "bfloat16")
        setup = run(discussions, file, "--model", "of-the-flag", "--dtype", "float32").setup
        assert (setup.model, setup.dtype) == ("of-the-flag", "float32")
