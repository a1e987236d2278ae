"""Run all checks at once, each with a time limit."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

from ...workspace.inputs import InputError
from . import files, libraries, machine, model, servers, terminal
from .check import Check, CheckFunction

TIMEOUTS = {"graphics": 15.0}
DEFAULT_TIMEOUT = 4.5
"""Seconds that a check may take; only torch, where there is a GPU, may take longer."""


def run_checks() -> list[Check]:
    """The results of all checks, in the order in which they are shown."""
    looks: list[tuple[str, CheckFunction]] = [
        *(("Terminal", look) for look in terminal.CHECKS),
        *(("Machine", look) for look in machine.CHECKS),
        *(("Machine", look) for look in libraries.CHECKS),
        *(("Files", look) for look in files.CHECKS),
        *(("Model", look) for look in model.CHECKS),
        *(("Model", look) for look in servers.CHECKS),
    ]
    pool = ThreadPoolExecutor(len(looks))
    running = [(group, look, pool.submit(_all_of, look)) for group, look in looks]
    checks = []
    for group, look, future in running:
        for finding in _result(look, future):
            checks.append(Check(finding.what, finding.value, finding.state, finding.advice, group))
    pool.shutdown(wait=False, cancel_futures=True)
    return checks


def _all_of(look: CheckFunction) -> list[Check]:
    return list(look())


def _result(look: CheckFunction, future: Future[list[Check]]) -> list[Check]:
    """What a check found. One that fails or hangs is reported like the others."""
    name = getattr(look, "__name__", "look")
    seconds = TIMEOUTS.get(name, DEFAULT_TIMEOUT)
    try:
        return future.result(seconds)
    except InputError as error:
        return [Check(name, str(error), "could be better")]
    except TimeoutError:
        return [Check(name, f"did not answer within {seconds:g} s", "could be better")]
    except Exception as error:
        reason = f"could not be checked: {error or type(error).__name__}"
        return [Check(name, reason, "could be better")]
