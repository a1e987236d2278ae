"""The command line: commands, their options, and the checks that ``doctor`` makes."""
