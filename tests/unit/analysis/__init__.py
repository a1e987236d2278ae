"""Tests of what is counted and compared."""
