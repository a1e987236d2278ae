"""Checks what the app depends on and says what to do where something is wrong.

Imports neither torch nor transformers: it asks what is installed, and other processes.
"""

from .all_checks import run_checks
from .check import Check, State, can_run
from .report import as_json, as_text

__all__ = ["Check", "State", "as_json", "as_text", "can_run", "run_checks"]
