"""The doctor: what is well, what is not and what to do; never torch, never a token."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from syndisco_tui.cli.doctor import (
    Check,
    as_json,
    as_text,
    can_run,
    files,
    machine,
    run_checks,
    servers,
    terminal,
)
from syndisco_tui.discussion import DiscussionSetup
from syndisco_tui.engine.local.loading.starter import STARTER
from syndisco_tui.engine.server.capabilities import Capabilities
from syndisco_tui.engine.server.known_servers import KnownServers
from syndisco_tui.workspace.folders import Folders
from syndisco_tui.workspace.setups import LastSetup
from tests.support.project import ROOT, python
from tests.support.scripted_server import Answer, Refused, ScriptedServer

COMMAND = [sys.executable, "-c", "from syndisco_tui.cli.main import main; main()", "doctor"]


def one(findings: Iterator[Check], what: str) -> Check:
    return next(finding for finding in findings if finding.what == what)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs, the only one there is."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


class TestCommand:
    def call(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *arguments],
            cwd=ROOT,
            env=os.environ | {"HF_HUB_OFFLINE": "1", "TERM": "xterm-256color"} | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def test_every_group_is_told_and_it_can_run(self) -> None:
        result = self.call()
        assert result.returncode == 0, result.stdout + result.stderr
        for word in ("Terminal", "Machine", "Files", "torch", "hub", "starter", "discussions"):
            assert word in result.stdout
        assert result.stdout.splitlines()[-1].startswith(
            ("syndisco-tui can run", "Everything is fine")
        )

    def test_json_says_the_same(self) -> None:
        value = json.loads(self.call("--json").stdout)
        assert value["can_run"] is True
        keys = {"what", "value", "state", "advice", "group"}
        assert all(set(finding) == keys for finding in value["findings"])

    def test_what_keeps_it_from_running_is_status_1(self, home: Path) -> None:
        (home / "config" / "syndisco-tui").mkdir(parents=True, mode=0o700)
        (home / "config" / "syndisco-tui" / "settings.toml").write_text("threads = many")
        result = self.call()
        assert result.returncode == 1
        assert "not valid TOML" in result.stdout
        assert result.stdout.splitlines()[-1] == "syndisco-tui cannot run. See: settings."

    def test_a_terminal_that_cannot_draw_is_status_1(self) -> None:
        assert self.call(TERM="dumb").returncode == 1

    def test_it_can_be_told_in_a_poor_encoding(self) -> None:
        result = self.call(PYTHONIOENCODING="ascii", TERM="dumb")
        assert "  x terminal" in result.stdout

    def test_it_imports_no_model(self) -> None:
        code = (
            "import sys; from syndisco_tui.cli.doctor import run_checks; run_checks();"
            "print(sorted({'torch', 'transformers', 'bitsandbytes', 'numpy'} & set(sys.modules)))"
        )
        result = python(code, env=os.environ | {"HF_HUB_OFFLINE": "1"}, timeout=60)
        assert result.stdout.strip() == "[]", result.stderr


class TestTerminal:
    @pytest.mark.parametrize(
        ("environment", "count"),
        [
            ({"TERM": "xterm"}, "16"),
            ({"TERM": "screen"}, "16"),
            ({"TERM": "screen-256color"}, "256"),
            ({"TERM": "xterm", "COLORTERM": "truecolor"}, "16 million"),
            ({"TERM": "xterm", "NO_COLOR": "1"}, "off (NO_COLOR)"),
        ],
    )
    def test_colours(
        self, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], count: str
    ) -> None:
        for name in ("TERM", "COLORTERM", "NO_COLOR"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        (found,) = terminal.colours()
        assert found.value.startswith(count)

    def test_a_tmux_that_keeps_what_is_copied_is_told(
        self, programs: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TMUX", "/tmp/x,1,0")
        program(programs, "tmux", '[ "$1" = -V ] && echo tmux 9.9 || echo off')
        found = one(iter(terminal.clipboard()), "tmux")
        assert found.value == "tmux 9.9, set-clipboard off"
        assert found.state == "could be better"
        assert "set-clipboard on" in found.advice
        program(programs, "tmux", '[ "$1" = -V ] && echo tmux 9.9 || echo external')
        assert one(iter(terminal.clipboard()), "tmux").state == "well"

    def test_a_tmux_that_does_not_answer(
        self, programs: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TMUX", "/tmp/x,1,0")
        assert "does not answer" in one(iter(terminal.clipboard()), "tmux").value


class TestGraphics:
    def test_without_a_gpu_it_is_the_cpu(
        self, programs: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(machine, "_DEVICES", ())
        (found,) = machine.graphics()
        assert found.value == "none; models run on the CPU"
        assert found.state == "well"

    def test_a_driver_that_hangs_is_given_up(self, programs: Path) -> None:
        program(programs, "nvidia-smi", "exec /bin/sleep 60")
        (found,) = machine.graphics()
        assert "does not answer" in found.value

    def test_a_gpu_that_torch_does_not_see(
        self, programs: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        program(programs, "nvidia-smi", "echo Some GPU, 24564 MiB, 550.1")
        program(programs, "python", "echo '[false, []]'")
        monkeypatch.setattr(sys, "executable", str(programs / "python"))
        card, seen = machine.graphics()
        assert card.value == "Some GPU, 24564 MiB, driver 550.1"
        assert seen.value == "torch does not see the GPU"
        assert seen.state == "could be better"

    def test_a_gpu_that_torch_sees(self, programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        program(programs, "nvidia-smi", "echo Some GPU, 24564 MiB, 550.1")
        program(programs, "python", "echo 'a warning'; echo '[true, [\"Some GPU\"]]'")
        monkeypatch.setattr(sys, "executable", str(programs / "python"))
        _, seen = machine.graphics()
        assert (seen.value, seen.state) == ("Some GPU", "well")


class Hub(http.server.BaseHTTPRequestHandler):
    """Notes what it is asked."""

    status = 200
    asked: list[tuple[str, dict[str, str]]] = []

    def do_HEAD(self) -> None:
        self.asked.append((self.path, dict(self.headers)))
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class TestHub:
    @pytest.fixture
    def endpoint(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "HF_HUB_OFFLINE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HF_TOKEN", "hf_secret")
        Hub.asked, Hub.status = [], 200
        server = http.server.HTTPServer(("127.0.0.1", 0), Hub)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"127.0.0.1:{server.server_port}"
        monkeypatch.setenv("HF_ENDPOINT", f"http://{address}")
        yield address
        server.shutdown()
        server.server_close()

    def test_the_endpoint_is_asked_for_headers_without_a_token(self, endpoint: str) -> None:
        (found,) = machine.hub()
        assert found.state == "well"
        ((_, headers),) = Hub.asked
        assert "hf_secret" not in str(headers)
        assert "Authorization" not in headers

    @pytest.mark.parametrize(("status", "state"), [(404, "well"), (503, "could be better")])
    def test_an_error_of_ours_is_an_answer_and_one_of_its_own_is_none(
        self, endpoint: str, status: int, state: str
    ) -> None:
        Hub.status = status
        (found,) = machine.hub()
        assert found.state == state

    def test_a_password_in_the_address_is_not_told(
        self, endpoint: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HF_ENDPOINT", f"http://me:hush@{endpoint}")
        (found,) = machine.hub()
        assert found.state == "well"
        assert "hush" not in str((found, Hub.asked))

    def test_out_of_reach(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
        monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
        (found,) = machine.hub()
        assert "cannot be reached" in found.value
        assert found.state == "could be better"

    @pytest.mark.parametrize("address", ["file:///etc/passwd", "huggingface.co", "http://"])
    def test_no_address(self, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
        monkeypatch.setenv("HF_ENDPOINT", address)
        (found,) = machine.hub()
        assert found.value == "HF_ENDPOINT is not a web address"


class TestFiles:
    def test_a_folder_others_can_look_into(self) -> None:
        folders = Folders.from_environment()
        folders.create()
        folders.discussions.chmod(0o755)
        found = one(iter(files.folders()), "discussions")
        assert "mode 755" in found.value
        assert "chmod 700" in found.advice
        folders.discussions.chmod(0o700)
        assert one(iter(files.folders()), "discussions").state == "well"

    @pytest.mark.parametrize(
        ("kind", "name", "loss"),
        [
            ("data", "discussions", "No discussion can be saved"),
            ("config", "configuration", "Settings cannot be saved"),
            ("cache", "cache", "The starter model cannot be stored"),
            ("state", "log", "No log is written"),
        ],
    )
    def test_a_folder_that_cannot_be_made(
        self, home: Path, kind: str, name: str, loss: str
    ) -> None:
        (home / kind).write_text("a file stands where a folder should")
        found = one(iter(files.folders()), name)
        assert f"{home / kind}/syndisco-tui" in found.value
        assert found.advice.startswith(f"{loss}")
        assert found.advice.endswith(f"XDG_{kind.upper()}_HOME.")
        assert can_run([found]) == (kind != "data")

    def test_no_check_fails_for_it_in_words_of_the_code(
        self, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        for kind in ("data", "config", "cache", "state"):
            (home / kind).touch()
        text = as_text(run_checks(), width=400)
        assert "Error" not in text
        assert "could not be checked" not in text
        assert text.endswith("syndisco-tui cannot run. See: discussions.")

    def test_the_starter_still_to_be_fetched(self) -> None:
        (found,) = files.starter()
        assert found.state == "well"
        assert "at first use" in found.value

    def test_a_starter_cut_short(self) -> None:
        folder = Folders.from_environment().cache / STARTER
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
        header = json.dumps({"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}).encode()
        weights = len(header).to_bytes(8, "little") + header + bytes(16)
        (folder / "model.safetensors").write_bytes(weights)
        (found,) = files.starter()
        assert found.state == "well"
        (folder / "model.safetensors").write_bytes(weights[:-1])
        (found,) = files.starter()
        assert "incomplete" in found.value
        assert f"rm -r {folder}" in found.advice

    def test_faulty_keys_themes_and_personas_are_named(self) -> None:
        folders = Folders.from_environment()
        folders.create()
        folders.settings_file.write_text('theme = "mien"\n[keys]\n"app.hlp" = "f2"\n')
        (folders.themes / "mine.toml").write_text('primary = "redd"')
        folders.personas_file.write_text("[1]")
        found = {finding.what: finding for finding in (*files.settings(), *files.personas())}
        assert "did you mean “app.help”" in found["keys"].value
        assert "'redd' is no colour" in found["themes"].value
        assert found["theme"].value == "there is no “mien”"
        assert found["personas"].state == "could be better"
        assert can_run(found.values())


def test_the_report_wraps_and_obeys_nobody() -> None:
    finding = Check("name", "a\x1b[31m " + "long words " * 20, advice="do this", group="G")
    text = as_text([finding], width=60)
    assert max(map(len, text.splitlines())) <= 60
    assert "\x1b" not in text
    assert json.loads(as_json([finding]))["findings"][0]["advice"] == "do this"


class TestServers:
    @pytest.fixture
    def server(self) -> Iterator[ScriptedServer]:
        with ScriptedServer(lambda *_: Answer(), models=list("abcde")) as server:
            yield server

    @pytest.fixture
    def folders(self) -> Folders:
        folders = Folders.from_environment()
        folders.create()
        return folders

    def test_there_are_none(self, folders: Folders) -> None:
        assert list(servers.servers()) == []

    def test_those_in_settings_and_what_is_known(
        self, folders: Folders, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("LAB_KEY", "sk-secret")
        folders.settings_file.write_text(
            f'[servers]\nlab = {{url = "{server.url}", key_env = "LAB_KEY"}}\n'
            'gone = {url = "http://127.0.0.1:1/v1"}\n'
        )
        known = KnownServers(folders.known_servers_file)
        known.set(server.url, "a", Capabilities(left_out=("seed",), context_length=2048))
        known.set("http://elsewhere/v1", "z", Capabilities(system_role=False))
        found = [(each.what, each.value, each.state) for each in servers.servers()]
        assert found == [
            ("lab", f"{server.url} serves a, b, c and 2 models more", "well"),
            ("", "a: refuses seed; 2,048 tokens of context", "well"),
            ("gone", "nobody answers at http://127.0.0.1:1/v1", "could be better"),
            ("server", "http://elsewhere/v1, used before, not asked now", "well"),
            (
                "",
                "z: takes no system message: its text goes before the first user message",
                "well",
            ),
        ]
        assert "sk-secret" not in repr(found)

    def test_that_of_the_setup_that_was_left(
        self, folders: Folders, server: ScriptedServer
    ) -> None:
        setup = DiscussionSetup(server=(server.url, "taken-out-of-settings"))
        LastSetup(folders.last_setup_file, {}).save(setup)
        (found,) = servers.servers()
        assert found.value.startswith(f"{server.url} serves a, b, c")

    def test_one_that_wants_a_key(self, folders: Folders) -> None:
        with ScriptedServer(lambda *_: Answer(), models=Refused(401)) as server:
            folders.settings_file.write_text(f'[servers]\nlab = {{url = "{server.url}"}}\n')
            (found,) = servers.servers()
        assert "rejected the API key" in found.value
        assert "key_env" in found.advice
