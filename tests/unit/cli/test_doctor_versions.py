"""The doctor's lines on library versions, and on the model that was loaded last."""

from __future__ import annotations

from importlib import metadata

import pytest

from syndisco_tui.cli.doctor import Check, can_run, libraries, model
from syndisco_tui.engine.model import EngineInfo, ModelSpec
from syndisco_tui.session.last_model import LastModelFile
from syndisco_tui.workspace.folders import Folders

REQUIRED = [
    "torch<2.14,>=2.11",
    "transformers>=5.17,!=5.20.0,<6",
    "textual>=8.2,<9",
    "bitsandbytes>=0.46; sys_platform == 'nowhere'",
    "numba>=99; extra == 'test'",
    "what; is this",
]
INSTALLED = {"torch": "2.13.0+cpu", "transformers": "5.24.0", "textual": "8.2.8", "numba": "0.68"}


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The versions that are installed, to be changed."""
    versions = dict(INSTALLED)

    def version(name: str) -> str:
        if name not in versions:
            raise metadata.PackageNotFoundError(name)
        return versions[name]

    monkeypatch.setattr(libraries.metadata, "requires", lambda _name: REQUIRED)
    monkeypatch.setattr(libraries.metadata, "version", version)
    return versions


def findings_by_name() -> dict[str, Check]:
    return {finding.what: finding for finding in libraries.libraries()}


def test_versions_stand_beside_the_range_that_was_tested(installed: dict[str, str]) -> None:
    finding = findings_by_name()
    assert finding["torch"] == Check("torch", "2.13.0+cpu, tested with >=2.11, <2.14")
    assert finding["transformers"].value == "5.24.0, tested with >=5.17, !=5.20.0, <6"
    assert finding["numba"] == Check("numba", "0.68")  # only the tests ask for that range
    assert can_run(finding.values())


@pytest.mark.parametrize(
    ("version", "is_tested"),
    [
        ("5.16.9", False),
        ("5.17", True),
        ("5.20.0", False),
        ("5.25.0rc1", True),
        ("6.0.0.dev0", False),
        ("6.0.0", False),
        ("what", False),
    ],
)
def test_a_version_outside_is_a_warning_with_what_to_do(
    installed: dict[str, str], version: str, is_tested: bool
) -> None:
    installed["transformers"] = version
    finding = findings_by_name()["transformers"]
    assert finding.value.startswith(f"{version}, tested with >=5.17")
    assert finding.state == ("well" if is_tested else "could be better")
    assert ("pip install 'transformers>=5.17,!=5.20.0,<6'" in finding.advice) is not is_tested


def test_what_is_missing_and_needed_is_a_fault(installed: dict[str, str]) -> None:
    del installed["torch"]
    finding = findings_by_name()
    assert finding["torch"].state == "at fault"
    assert finding["torch"].advice == "Install it: pip install 'torch>=2.11,<2.14'"
    assert finding["bitsandbytes"].state == "could be better"


def test_without_being_installed_there_are_versions_alone(
    installed: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(name: str) -> list[str]:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(libraries.metadata, "requires", unknown)
    assert findings_by_name()["torch"] == Check("torch", "2.13.0+cpu")


def test_the_project_s_own_range_is_found() -> None:
    assert set(libraries.tested_versions()) >= {"torch", "transformers", "textual", "numba"}


class TestModel:
    @pytest.fixture(autouse=True)
    def folders(self) -> Folders:
        folders = Folders.from_environment()
        folders.create()
        return folders

    def remember(self, path: str, reason: str, asked: str = "auto") -> None:
        info = EngineInfo("Qwen/Qwen3-0.6B", "Qwen/Qwen3-0.6B", path=path, path_reason=reason)
        LastModelFile(Folders.from_environment().last_model_file).remember(ModelSpec(asked), info)

    def test_none_was_loaded_yet(self) -> None:
        assert list(model.last_model()) == [Check("model", "none loaded yet")]

    def test_a_fast_one(self) -> None:
        self.remember("slots", "")
        (finding,) = model.last_model()
        assert (
            finding.value == "Qwen3-0.6B ran on the fastest path (shared batches, cached prefixes)"
        )
        assert finding.state == "well"

    def test_a_slow_one_says_why(self) -> None:
        self.remember("generate", "its cache argument is not known")
        (finding,) = model.last_model()
        reason = "its cache argument is not known"
        assert finding.value == f"Qwen3-0.6B ran one discussion at a time ({reason})"
        assert finding.state == "could be better"
        assert finding.advice

    def test_that_of_the_settings_was_not_the_last(self) -> None:
        Folders.from_environment().settings_file.write_text('model = "org/wanted"\n')
        assert [each.value for each in model.last_model()] == [
            "wanted (settings), not the one loaded last"
        ]
        self.remember("slots", "")
        first, second = model.last_model()
        assert "wanted" in first.value
        assert "Qwen3" in second.value
        self.remember("slots", "", asked="org/wanted")
        assert len(list(model.last_model())) == 1

    def test_a_damaged_file_is_no_fault(self) -> None:
        Folders.from_environment().last_model_file.write_text("{")
        assert list(model.last_model()) == [Check("model", "none loaded yet")]
