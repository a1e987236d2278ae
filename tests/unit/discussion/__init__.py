"""The rules of the domain, each with its test."""
