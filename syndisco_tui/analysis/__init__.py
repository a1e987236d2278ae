"""What can be said about discussions: counts, shares, likeness. Pure functions over records."""
