"""Fetching a model's files and reading them into memory."""
