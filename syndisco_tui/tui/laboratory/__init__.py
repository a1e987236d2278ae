"""The laboratory: the screen on which a discussion is set up, run and steered."""
