"""Statistics of many discussions, as charts and tables to move through."""
