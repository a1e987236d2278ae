"""What takes too long for every change: run by hand, ``python -m tests.reliability.NAME``."""
