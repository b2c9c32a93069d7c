"""Floor 0: errors, units, YAML with line numbers, the registry, the finding of shipped files."""
