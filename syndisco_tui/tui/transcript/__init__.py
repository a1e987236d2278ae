"""The transcript's parts: lines, wrapped when they are looked at, and what is done with them."""
