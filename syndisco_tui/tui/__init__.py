"""The screen, made with Textual. It shows what the session tells and sends it commands."""
