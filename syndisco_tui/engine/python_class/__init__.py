"""The engine for the user's Python classes, such as SynDisco's models."""

from .engine import PythonEngine

__all__ = ["PythonEngine"]
