"""Each rule by itself: no screen, no model."""
