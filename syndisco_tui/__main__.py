"""``python -m syndisco_tui``."""

from .cli import main

main()
