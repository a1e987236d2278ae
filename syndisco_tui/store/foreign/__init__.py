"""Formats of other tools, read as personas and discussions, and personas in their formats."""
