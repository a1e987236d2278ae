"""The library of saved discussions."""
