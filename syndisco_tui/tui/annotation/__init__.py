"""Annotating by hand, and what all annotators answered."""
