"""Reads personas and discussions of other tools, and writes personas in their formats."""
