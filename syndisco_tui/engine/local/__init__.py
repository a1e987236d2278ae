"""The local engine: runs models of transformers. Only this package imports torch."""

from .engine import LocalEngine

__all__ = ["LocalEngine"]
