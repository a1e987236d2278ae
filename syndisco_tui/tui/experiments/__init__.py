"""Many discussions of one setup, followed live."""
