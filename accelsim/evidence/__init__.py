"""Floor 8: published and measured values that our counts are compared with, each with its source."""
