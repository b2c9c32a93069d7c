"""TPU v1: six applications of which only aggregate sizes are published."""
