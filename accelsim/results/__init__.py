"""Floor 2: rows, totals and envelope of an answer; JSON, CSV, DataFrame."""
