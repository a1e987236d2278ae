"""How a command ends, as a number for scripts. A signal gives 128 and its own."""

FINISHED = 0
NOT_FINISHED = 1
DIFFERS = 1
"""A replay had other words."""
BAD_INPUT = 2
NO_MODEL = 3
CRASHED = 70
