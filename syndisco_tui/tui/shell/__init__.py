"""The app around its screens: actions, keys, themes, help, settings and the way out."""
