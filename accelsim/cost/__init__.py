"""Floor 4: closed forms on arrays: traffic, cycles, energy, reuse; numpy and nothing else."""
