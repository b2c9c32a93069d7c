"""Floor 3: the mapping as data: loop nests, dataflows, legality, homes of tensors, files."""
