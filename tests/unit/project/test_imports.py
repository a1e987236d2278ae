"""What is not imported, so that the command starts at once."""

from __future__ import annotations

import pytest

from tests.support.project import python

IMPORT_AND_TELL = """if True:
    import importlib, sys
    for name in sys.argv[1].split():
        importlib.import_module(name)
    print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""

HELP_AND_TELL = """if True:
    import os, sys
    from syndisco_tui.cli import main as cli
    def leave(status):
        print(*sorted({name.partition(".")[0] for name in sys.modules}))
        sys.stdout.flush()
        os._exit(status)
    cli._leave = leave
    sys.argv = ["syndisco-tui", "--help"]
    cli.main()
"""


def imported(modules: str) -> set[str]:
    result = python(IMPORT_AND_TELL, modules)
    assert result.returncode == 0, result.stderr
    return set(result.stdout.split())


def test_the_command_line_imports_neither_model_nor_screen() -> None:
    seen = imported("syndisco_tui.cli.main")
    assert "pydantic" in seen
    assert not seen & {
        "typer",
        "torch",
        "transformers",
        "textual",
        "numpy",
        "accelerate",
        "bitsandbytes",
    }


def test_help_imports_neither_model_nor_screen() -> None:
    result = python(HELP_AND_TELL)
    assert result.returncode == 0, result.stderr
    assert "Usage:" in result.stdout
    seen = set(result.stdout.splitlines()[-1].split())
    assert "typer" in seen
    assert not seen & {"torch", "transformers", "textual", "numpy"}


def test_the_screen_imports_no_model() -> None:
    seen = imported("syndisco_tui.tui.shell.run")
    assert "textual" in seen
    assert not seen & {"torch", "transformers", "numpy", "accelerate", "bitsandbytes"}


def test_a_headless_run_and_its_files_import_no_screen() -> None:
    seen = imported(
        "syndisco_tui.headless syndisco_tui.store.setups syndisco_tui.workspace.settings"
    )
    assert not seen & {"torch", "transformers", "textual", "numpy"}


@pytest.mark.parametrize("room", ["discussion", "engine.base"])
def test_the_domain_and_the_seam_import_no_model(room: str) -> None:
    assert not imported(f"syndisco_tui.{room}") & {
        "torch",
        "transformers",
        "textual",
        "platformdirs",
    }
