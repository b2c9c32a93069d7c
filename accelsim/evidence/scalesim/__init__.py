"""SCALE-Sim 3.0.0's own runs, every column of its reports."""
