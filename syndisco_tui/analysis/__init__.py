"""Statistics of discussions: turns, participation, diversity, comparison. Pure functions."""
