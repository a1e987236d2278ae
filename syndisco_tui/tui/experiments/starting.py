"""Starts and continues batches, leaving to other processes what they run."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from textual.app import App

from ...discussion import DiscussionSetup
from ...session import LiveSession
from ...session.batch import Batch
from ...session.batch_run import BatchIdentity, repeated
from ...text import one_line, safe
from ...workspace.batches import SeedClaims, elsewhere_sentence, first_unused_seed, used_seeds
from ..shell.keymap import key_of
from ..widgets.forms import open_form
from ..widgets.line_dialog import NumberDialog
from ..widgets.notices import warn
from .batches import ShownBatch, batches_of

SUGGESTED = 8
MOST = 1000


def ask_to_repeat(
    app: App[int],
    session: LiveSession,
    folder: Path,
    setup: DiscussionSetup,
    colours: dict[str, str],
    show: Callable[[ShownBatch], object],
) -> None:
    """Ask how many discussions of ``setup`` to run at the same time; ``show`` what was started.

    Their seeds are the next ones, from that of ``setup`` on, that no earlier batch of it has used.
    Discussions that another process is running, according to ``folder``, are left to it.
    """

    used = used_seeds(folder, setup)

    def with_unused_seed(count: int) -> DiscussionSetup:
        seed = first_unused_seed(used, setup.seed, count)
        return setup.model_copy(update={"seed": seed})

    def start(count: int | None) -> None:
        if not count:
            return
        first = with_unused_seed(count)
        setups = repeated(first, count)
        claims = SeedClaims(folder)
        ours = [each for each, is_ours in zip(setups, claims.claim(setups), strict=True) if is_ours]
        _notify_elsewhere(app, count - len(ours), count)
        if ours:
            batch = Batch(
                session.sibling,
                ours,
                identity=BatchIdentity.of(first.seed, count),
                max_in_flight=session.max_in_flight,
            )
            shown = ShownBatch(batch, one_line(setup.heading, 120), colours, claims)
            batches_of(app).add(shown)
            show(shown)

    seeds = ", ".join(str(each.seed) for each in repeated(with_unused_seed(SUGGESTED), 3))
    how_many = partial(
        NumberDialog,
        "Run a batch of this setup",
        f"How many discussions at the same time? Seeds {seeds} …; each gets its own file.",
        suggested=SUGGESTED,
        most=MOST,
    )
    open_form(app, how_many, start)


def go_on(app: App[Any], shown: ShownBatch, open_path: Path | None) -> bool:
    """Run the unfinished discussions of ``shown``, unless another batch runs."""
    batches = batches_of(app)
    running = batches.running
    if running is not None and running is not shown:
        key = key_of(app, running.key_id)
        noun = f"Another {running.noun}" if running.noun == shown.noun else f"The {running.noun}"
        warn(app, f"{noun} is running: {running.title} ({key} in the laboratory).", seconds=6)
        return False
    elsewhere = shown.resume(open_path)
    _notify_elsewhere(app, elsewhere, len(shown.batch.runs))
    batches.add(shown)
    return True


def _notify_elsewhere(app: App[Any], count: int, total: int) -> None:
    if count:
        sentence = elsewhere_sentence(count, total)
        app.notify(safe(sentence), severity="warning", markup=False, timeout=8)
