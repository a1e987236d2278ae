"""The setup pane, saved setups and the fields of a setup."""
