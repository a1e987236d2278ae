"""The terminal laboratory for synthetic discussions between LLM personas."""

__version__ = "0.1.0"
