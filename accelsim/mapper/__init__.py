"""Floor 5: the search for the best mapping of a layer; numpy and nothing else."""
