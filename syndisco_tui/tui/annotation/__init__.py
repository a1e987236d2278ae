"""Annotating by hand, and showing all annotations."""
