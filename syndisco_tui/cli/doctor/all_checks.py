"""The round of all looks."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

from ...workspace.inputs import InputError
from . import files, libraries, machine, model, terminal
from .check import Finding, Look

PATIENCE = {"graphics": 15.0}
ELSE_PATIENCE = 4.5
"""Seconds that a look is waited for; only torch, where there is a GPU, may take longer."""


def examine() -> list[Finding]:
    """All findings, in the order in which they are told. Takes seconds at most."""
    looks: list[tuple[str, Look]] = [
        *(("Terminal", look) for look in terminal.LOOKS),
        *(("Machine", look) for look in machine.LOOKS),
        *(("Machine", look) for look in libraries.LOOKS),
        *(("Files", look) for look in files.LOOKS),
        *(("Model", look) for look in model.LOOKS),
    ]
    pool = ThreadPoolExecutor(len(looks))
    running = [(group, look, pool.submit(_all_of, look)) for group, look in looks]
    found = []
    for group, look, future in running:
        for finding in _result(look, future):
            found.append(Finding(finding.what, finding.value, finding.state, finding.advice, group))
    pool.shutdown(wait=False, cancel_futures=True)
    return found


def _all_of(look: Look) -> list[Finding]:
    return list(look())


def _result(look: Look, future: Future[list[Finding]]) -> list[Finding]:
    """A look that fails is a finding as well: one strange machine must not hide the rest."""
    name = getattr(look, "__name__", "look")
    seconds = PATIENCE.get(name, ELSE_PATIENCE)
    try:
        return future.result(seconds)
    except InputError as error:
        return [Finding(name, str(error), "could be better")]
    except TimeoutError:
        return [Finding(name, f"did not answer within {seconds:g} s", "could be better")]
    except Exception as error:
        reason = f"could not be checked: {error or type(error).__name__}"
        return [Finding(name, reason, "could be better")]
