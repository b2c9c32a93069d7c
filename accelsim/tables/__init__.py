"""Floor 1: what cost and mapper see: arrays of machines and loop nests, names of dimensions and columns."""
