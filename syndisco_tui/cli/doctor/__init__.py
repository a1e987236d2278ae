"""Checks what the app depends on and says what to do where something is wrong.

Imports neither torch nor transformers: it asks what is installed, and other processes.
"""

from .all_checks import examine
from .check import Finding, State, can_run
from .report import as_json, as_text

__all__ = ["Finding", "State", "as_json", "as_text", "can_run", "examine"]
