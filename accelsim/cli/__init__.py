"""Floor 9: the command `accelsim`, one file a command, heavy imports inside functions."""
