"""Which sequences are read and decoded when, and how their tokens become events."""
