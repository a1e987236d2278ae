"""The engine in this process. The only package that imports torch and transformers."""

from .engine import LocalEngine

__all__ = ["LocalEngine"]
