"""The personas pane and everything that edits personas."""
