"""Toasts say each thing once, leave room for the rest, and go without a trace."""

from __future__ import annotations

from textual.widgets._toast import Toast, ToastHolder

from syndisco_tui.session import ErrorRaised
from syndisco_tui.tui.shell.textual_internals import MOST_TOASTS
from tests.support.bench import Bench, OpenBench


def shown(at: Bench) -> list[str]:
    return [str(toast._notification.message) for toast in at.laboratory.query(Toast)]


async def test_a_burst_of_troubles_shows_the_latest(bench: OpenBench) -> None:
    async with bench() as at:
        for number in range(50):
            at.laboratory.handle(ErrorRaised(f"trouble {number}"))
        await at.until(lambda: "trouble 49" in shown(at))
        await at.until(lambda: len(shown(at)) == MOST_TOASTS)
        assert shown(at) == [f"trouble {number}" for number in range(50 - MOST_TOASTS, 50)]


async def test_the_same_key_again_says_the_same_once(bench: OpenBench) -> None:
    async with bench() as at:
        await at.press("2", "u", "u", "u")
        await at.until(lambda: shown(at) == ["Nothing to undo."])


async def test_nothing_stays_of_toasts_that_were_cleared(bench: OpenBench) -> None:
    async with bench() as at:
        for number in range(30):
            at.laboratory.handle(ErrorRaised(f"trouble {number}"))
            await at.pilot.pause()
            at.app.clear_notifications()
        at.laboratory.handle(ErrorRaised("the last"))
        await at.until(lambda: shown(at) == ["the last"])
        await at.until(lambda: len(at.laboratory.query(ToastHolder)) == 1)
