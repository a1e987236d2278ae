"""The engine for models that are Python classes of the user's own, as SynDisco's are."""

from .engine import PythonEngine

__all__ = ["PythonEngine"]
