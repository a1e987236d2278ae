"""Try versions beyond the ceilings in pyproject.toml: ``python -m tests.newest [PACKAGE...]``.

Each package whose newest version is beyond its ceiling is installed at that version into a
throw-away virtual environment, the others as declared; where there are several, all of them
together once more. The engine and first-run tests run in each. A table says what broke, and the
exit status is 1 if something did. The newest version is the one pip would install here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import tomllib
import venv
from collections.abc import Iterable, Mapping
from pathlib import Path

from packaging.requirements import Requirement

PROJECT = Path(__file__).parents[1]

ENGINE_TESTS = ("tests/engine", "tests/e2e/test_first_paint.py", "tests/e2e/test_starter.py")
"""What a version of transformers, torch, numba or Textual can break; also read by ``.ci/run``."""

MOST_FAILURES = 3
"""A run ends after so many failing tests."""

Versions = dict[str, str]
"""Versions by package."""


def declared_requirements(pyproject: str) -> tuple[list[str], list[str]]:
    """What the project requires, and what its tests do, from the text of a pyproject.toml."""
    project = tomllib.loads(pyproject)["project"]
    return project["dependencies"], project["optional-dependencies"]["test"]


def ceilings(requirements: Iterable[str]) -> Versions:
    """The first version that is too new, of each package that has a ceiling."""
    return {
        requirement.name: specifier.version
        for requirement in map(Requirement, requirements)
        for specifier in requirement.specifier
        if specifier.operator == "<"
    }


def beyond(requirements: Iterable[str], newest: Mapping[str, str]) -> Versions:
    """Of the newest versions, those that the requirements do not admit."""
    specifiers = {item.name: item.specifier for item in map(Requirement, requirements)}
    return {
        name: version
        for name, version in newest.items()
        if not specifiers[name].contains(version, prereleases=True)
    }


def lifted(requirements: Iterable[str], versions: Mapping[str, str]) -> list[str]:
    """The requirements, with each package in ``versions`` at exactly that version."""
    return [
        f"{item.name}=={versions[item.name]}" if item.name in versions else str(item)
        for item in map(Requirement, requirements)
    ]


def trials(versions: Versions) -> list[Versions]:
    """Each package alone, then all of them together where there are several."""
    alone = [{name: version} for name, version in versions.items()]
    return [*alone, versions] if len(alone) > 1 else alone


def failures(output: str) -> list[str]:
    """The tests that failed, with pytest's reason; if it names none, the last line it wrote."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    named = [line for line in lines if line.startswith(("FAILED ", "ERROR "))]
    return named or lines[-1:] or ["nothing was written"]


def table(rows: Iterable[tuple[Versions, list[str]]], ceiling: Mapping[str, str]) -> str:
    """A line for each trial, and under it what broke."""
    lines = [f"{'package':<32} {'ceiling':<10} {'newest':<12} broke"]
    for versions, broke in rows:
        name, below, newest = "all of these", "", ""
        if len(versions) == 1:
            ((name, newest),) = versions.items()
            below = f"<{ceiling[name]}"
        lines.append(f"{name:<32} {below:<10} {newest:<12} {'yes' if broke else 'nothing'}")
        lines += [f"    {failure}" for failure in broke]
    return "\n".join(lines)


def newest_versions(packages: Iterable[str]) -> Versions:
    """The version of each package that pip would install here if nothing else mattered.

    Raises:
        subprocess.CalledProcessError: pip cannot reach its index, or a package is not there.
    """
    command = [
        sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--ignore-installed",
        "--no-deps", "--report", "-", *packages,
    ]  # fmt: skip
    report = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    installed = [item["metadata"] for item in json.loads(report)["install"]]
    return {item["name"].lower().replace("_", "-"): item["version"] for item in installed}


def try_versions(requirements: Iterable[str], versions: Versions) -> list[str]:
    """What breaks with these versions; empty if nothing does."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, symlinks=True, with_pip=True)
        python = str(Path(folder) / "bin" / "python")
        install = [python, "-m", "pip", "install", "--quiet", *lifted(requirements, versions)]
        done = subprocess.run(install, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            return [f"cannot be installed: {failures(done.stderr)[0]}"]
        options = ["--tb=no", "-rfE", f"--maxfail={MOST_FAILURES}", "-p", "no:cacheprovider"]
        tests = [python, "-m", "pytest", *options, *ENGINE_TESTS]
        wide = {**os.environ, "COLUMNS": "200"}  # pytest cuts a reason at the terminal's edge
        done = subprocess.run(tests, stdout=subprocess.PIPE, text=True, cwd=PROJECT, env=wide)
        return failures(done.stdout) if done.returncode else []


def main(packages: list[str]) -> int:
    """Try these packages, or all that have a ceiling, and print the table."""
    requirements, test_tools = declared_requirements((PROJECT / "pyproject.toml").read_text())
    ceiling = ceilings(requirements)
    if unknown := set(packages) - set(ceiling):
        print(f"No ceiling in pyproject.toml: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    versions = beyond(requirements, newest_versions(packages or ceiling))
    if not versions:
        print("Nothing lies beyond the ceilings.")
        return 0
    rows = []
    with tempfile.TemporaryDirectory() as cache:
        os.environ.setdefault("SYNDISCO_TUI_TEST_CACHE", cache)  # one starter for all trials
        for trial in trials(versions):
            names = ", ".join(f"{name} {version}" for name, version in trial.items())
            print(f"Trying {names}", file=sys.stderr)
            rows.append((trial, try_versions([*requirements, *test_tools], trial)))
    print(table(rows, ceiling))
    return 1 if any(broke for _, broke in rows) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
