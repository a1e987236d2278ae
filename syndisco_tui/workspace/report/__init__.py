"""Reports of statistics: a self-contained page, and figures for a paper."""
