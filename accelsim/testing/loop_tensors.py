"""Random integer tensors for a case, and their convolution computed straight from its definition by numpy."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelsim.testing.loop_case import Case

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Tensors:
    """I [N, G, C, H, W, D], W [N or 1, G, K, C, R, S, V], and O [N, G, K, P, Q, Z] as it must come out."""

    inputs: Ints
    weights: Ints
    outputs: Ints


def random_tensors(case: Case, seed: int = 0) -> Tensors:
    """Tensors without a zero, so that no missing or doubled product can hide."""
    x = case.extents
    rng = np.random.default_rng(seed)
    batch = x["N"] if case.weight_has_batch else 1
    inputs = _nonzero(rng, (x["N"], x["G"], x["C"], *(window[3] for window in case.windows)))
    weights = _nonzero(rng, (batch, x["G"], x["K"], x["C"], x["R"], x["S"], x["V"]))
    return Tensors(inputs, weights, convolve(case, inputs, weights))


def convolve(case: Case, inputs: Ints, weights: Ints) -> Ints:
    """O[n,g,k,p,q,z] = sum over c,r,s,v of I[n,g,c,h,w,d] W[g,k,c,r,s,v], h = p stride + r dilation - pad."""
    x = case.extents
    outputs = np.zeros((x["N"], x["G"], x["K"], x["P"], x["Q"], x["Z"]), dtype=np.int64)
    filters = np.broadcast_to(weights, (x["N"], *weights.shape[1:]))  # [N, G, K, C, R, S, V]
    for taps in itertools.product(range(x["R"]), range(x["S"]), range(x["V"])):
        seen = inputs  # becomes [N, G, C, P, Q, Z], one axis after the other
        for axis, (out, tap) in enumerate(zip("PQZ", taps, strict=True)):
            stride, dilation, pad, size = case.windows[axis]
            index = np.arange(x[out]) * stride + tap * dilation - pad
            stored = (index >= 0) & (index < size)
            seen = np.take(seen, np.clip(index, 0, size - 1), axis=axis + 3)
            shape = [1] * 6
            shape[axis + 3] = x[out]
            seen = seen * stored.reshape(shape)
        outputs += np.einsum("ngcpqz,ngkc->ngkpqz", seen, filters[(..., *taps)])
    return outputs


def _nonzero(rng: np.random.Generator, shape: tuple[int, ...]) -> Ints:
    magnitude: Ints = rng.integers(1, 10, shape, dtype=np.int64)
    return np.where(rng.random(shape) < 0.5, magnitude, -magnitude)
