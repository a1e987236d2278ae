"""What both front ends do with discussions, personas, setups and settings. No Textual, no torch."""
