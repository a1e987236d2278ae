"""What ``python -m tests.newest`` tries and prints, without installing anything."""

from __future__ import annotations

from tests import newest

REQUIREMENTS = [
    "textual>=8.2,<8.3",
    "gguf>=0.10",
    "torch>=2.11,<2.14; sys_platform == 'linux'",
]


def test_requirements_of_the_project_and_of_its_tests_are_kept_apart() -> None:
    text = (newest.PROJECT / "pyproject.toml").read_text()
    project, tests = newest.declared_requirements(text)
    assert any(line.startswith("transformers>=") for line in project)
    assert any(line.startswith("pytest>=") for line in tests)


def test_only_packages_with_a_ceiling_are_tried() -> None:
    assert newest.ceilings(REQUIREMENTS) == {"textual": "8.3", "torch": "2.14"}


def test_a_version_below_its_ceiling_is_not_tried() -> None:
    versions = {"textual": "9.0.1", "torch": "2.13.0+cpu"}
    assert newest.beyond(REQUIREMENTS, versions) == {"textual": "9.0.1"}


def test_a_lifted_package_is_pinned_and_the_others_stay() -> None:
    lifted = newest.lifted(REQUIREMENTS, {"textual": "9.0.1"})
    assert lifted[:2] == ["textual==9.0.1", "gguf>=0.10"]
    assert lifted[2].startswith("torch<2.14,>=2.11")


def test_several_packages_are_tried_one_by_one_and_together() -> None:
    both = {"textual": "9.0.1", "torch": "2.15.0"}
    assert newest.trials(both) == [{"textual": "9.0.1"}, {"torch": "2.15.0"}, both]
    assert newest.trials({"torch": "2.15.0"}) == [{"torch": "2.15.0"}]
    assert newest.trials({}) == []


def test_failures_are_the_tests_that_pytest_names() -> None:
    output = (
        "F.\n=== short test summary info ===\nFAILED tests/a.py::test_b - KeyError: 'c'\n1 failed\n"
    )
    assert newest.failures(output) == ["FAILED tests/a.py::test_b - KeyError: 'c'"]


def test_a_run_that_names_no_test_is_told_by_its_last_line() -> None:
    assert newest.failures("loading\nImportError: no cache\n\n") == ["ImportError: no cache"]
    assert newest.failures("") == ["nothing was written"]


def test_the_table_has_a_line_a_trial_and_what_broke_under_it() -> None:
    rows = [({"textual": "9.0.1"}, []), ({"textual": "9.0.1", "torch": "2.15.0"}, ["FAILED a::b"])]
    lines = newest.table(rows, {"textual": "8.3", "torch": "2.14"}).splitlines()
    assert [line.split() for line in lines] == [
        ["package", "ceiling", "newest", "broke"],
        ["textual", "<8.3", "9.0.1", "nothing"],
        ["all", "of", "these", "yes"],
        ["FAILED", "a::b"],
    ]


def test_the_engine_tests_exist() -> None:
    assert all((newest.PROJECT / path).exists() for path in newest.ENGINE_TESTS)
