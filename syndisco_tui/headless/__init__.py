"""Runs without a screen: one discussion, many of one setup, and a saved one once more."""

from .live import run_headless

__all__ = ["run_headless"]
