"""Eyeriss' run-length code, literally: encodes and decodes sequences of values.

A pair is a run of zeros, at most 2^b - 1 of them, and the value after it, which is a zero where the run is
longer. So many pairs are packed in a word. Written from the words of JSSC 2017, apart from `accelsim.cost`.
"""

from __future__ import annotations

from collections.abc import Sequence

Pair = tuple[int, int]


def encode(values: Sequence[int], run_bits: int) -> list[Pair]:
    """Pairs of (zeros, value after them); zeros at the very end close with one of them as the value."""
    pairs: list[Pair] = []
    run = 0
    for at, value in enumerate(values):
        last = at == len(values) - 1
        if value == 0 and run < 2**run_bits - 1 and not last:
            run += 1
            continue
        pairs.append((run, value))
        run = 0
    return pairs


def decode(pairs: Sequence[Pair]) -> list[int]:
    values: list[int] = []
    for run, value in pairs:
        values += [0] * run + [value]
    return values


def n_words(pairs: Sequence[Pair], pairs_a_word: int) -> int:
    return -(-len(pairs) // pairs_a_word)
