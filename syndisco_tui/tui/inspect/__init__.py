"""Screens that show how a discussion came about: X-ray, turn lab, compare."""
