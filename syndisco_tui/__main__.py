"""``python -m syndisco_tui``."""

from .cli.main import main

main()
