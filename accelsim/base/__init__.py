"""Floor 0: errors, units, YAML with line numbers, the finding of shipped files."""
