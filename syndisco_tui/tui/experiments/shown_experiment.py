"""An experiment in the app: its discussions and figures, also of other processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from textual.app import App

from ...session import LiveSession
from ...session.batch import Batch
from ...text import one_line
from ...workspace.batches import SeedClaims
from ...workspace.experiment_runs import ExperimentRuns, FileChange
from ...workspace.experiments import ExperimentFolder
from ...workspace.folders import abbreviate_home
from ...workspace.matrix import RunFigures
from ...workspace.settings import Price
from .batches import ShownBatch


@dataclass(eq=False, kw_only=True)
class ShownExperiment(ShownBatch):
    """An experiment in the app. ``design_file`` is None if the folder already has the design."""

    runs: ExperimentRuns
    design_file: Path | None
    figures: RunFigures
    prices: Mapping[str, Price]
    noun: ClassVar[str] = "experiment"
    key_id: ClassVar[str] = "everywhere.experiments"

    @classmethod
    def of(
        cls,
        runs: ExperimentRuns,
        session: LiveSession,
        colours: dict[str, str],
        design_file: Path | None = None,
        prices: Mapping[str, Price] | None = None,
    ) -> ShownExperiment:
        """Make the experiment without running anything before ``resume``."""
        experiment = runs.experiment
        title = one_line(experiment.design.title or experiment.folder.name, 120)
        batch = Batch(session.sibling, runs.runs, start=False, max_in_flight=session.max_in_flight)
        claims = SeedClaims(experiment.folder)  # its files are claimed one by one as they begin
        return cls(
            batch, title, colours, claims, runs=runs, design_file=design_file, figures=RunFigures(),
            prices=prices or {},
        )  # fmt: skip

    @property
    def experiment(self) -> ExperimentFolder:
        """The folder and the design."""
        return self.runs.experiment

    @property
    def has_begun(self) -> bool:
        """Whether any discussion has begun, in any process."""
        return any(run.state != "missing" for run in self.batch.runs)

    def resume(self, open_path: Path | None) -> int:
        """Run the discussions that no other process runs; returns how many others run.

        Raises:
            InputError: The folder holds another experiment.
            OSError: It cannot be written.
        """
        if self.design_file is not None:
            self.experiment.begin(self.design_file)
        self.follow(self.runs.read_changes(self.batch.open_files))
        elsewhere = {run: "" for run in self.batch.unfinished if run.state == "elsewhere"}
        open_runs = {run: "" for run in self.batch.unfinished if run.path and run.path == open_path}
        self.batch.resume({**elsewhere, **open_runs})
        return len(elsewhere)

    def follow(self, changes: list[FileChange]) -> None:
        """Update the discussions that other processes have saved."""
        events = self.runs.apply(changes, self.batch.open_files)
        if events:
            for listener in tuple(self.listeners):
                listener(events)

    def destination(self, app: App[Any]) -> str:
        """Where the discussions are saved, as the end of a sentence."""
        return f"in {abbreviate_home(self.experiment.folder)}"
