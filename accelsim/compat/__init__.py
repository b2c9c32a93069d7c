"""Floor 5: other simulators' semantics and report formats, reproduced under their own names."""
