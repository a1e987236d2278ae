"""Which of the laboratory's actions apply at a moment."""

from __future__ import annotations

from dataclasses import dataclass

from ...session import Phase


@dataclass(frozen=True)
class Moment:
    """What the laboratory's actions depend on."""

    state: Phase
    is_pausing: bool
    """The discussion pauses after the reply in the making."""
    is_loading: bool
    has_draft: bool
    has_discussion: bool
    """A discussion is open."""
    can_resume: bool
    """There is an unfinished discussion that is not open."""
    batch_runs: bool

    def applies(self, action: str) -> bool:
        """Whether ``action`` applies; one that depends on nothing always does."""
        is_running = self.state == "running"
        match action:
            case "run":
                return self.state in ("idle", "paused", "finished") or self.is_pausing
            case "step":
                return self.state in ("idle", "paused")
            case "pause":
                return is_running and not self.is_pausing
            case "stop":
                return is_running or self.is_loading
            case "resume":
                return self.can_resume and self.state in ("idle", "finished")
            case "repeat":
                return self.batch_runs or self.state in ("idle", "paused", "finished")
            case "new_discussion":
                return self.state in ("running", "paused", "finished")
            case "discard_draft":
                return self.has_draft
            case "open_setup":
                return not is_running
            case "inject" | "next_speaker":
                return self.has_discussion and self.state != "idle"
            case "turn_lab" | "xray" | "compare" | "copy_path":
                return self.has_discussion
        return True
