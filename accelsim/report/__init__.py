"""Floor 7: results as tables for a terminal."""
