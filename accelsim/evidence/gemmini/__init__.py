"""Gemmini: cycles of matrix products on its default 16x16 array."""
