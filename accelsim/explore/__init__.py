"""Comparing many ways to run a network: which split of a chip's cores, which design."""
