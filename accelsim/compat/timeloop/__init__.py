"""Timeloop's input files, its way of counting (to the digit) and the proven best mapping under it."""
