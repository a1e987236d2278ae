"""Reports of statistics: a page that stands alone, and figures for a paper."""
