"""The same mappings as loop nests, counted by our own cost model: what the closed forms leave out, and add.

Levels of eyeriss_isca16_256: register file 0, buffer 1, DRAM 2. The loops are those that the forms describe:
what is fetched again stands outside, what stays inside.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

import accelsim
from accelsim.compat.isca16 import Best
from accelsim.cost.evaluate import evaluate
from accelsim.mapping.dataflows import RS
from accelsim.tables.dims import C, G, I, K, N, O, P, Q, R, S, W
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Nest, Problem

ARCH: Final = "eyeriss_isca16_256"
RF, GLB, DRAM = range(3)
LOWERED: Final = {"osa": "os", "osb": "os", "osc": "os"}
"""Dataflows of the architecture file by the paper's names, where they differ."""

Loop = tuple[int, int, str, int]  # dimension, level, axis of the array ("" in time), trips


@dataclass(frozen=True)
class Counted:
    """Words at dram, glb, array, rf (as the forms have them) of I, W, O, and their energy in MACs."""

    words: NDArray[np.float64]  # [L, T]
    level_energy: NDArray[np.float64]  # [L]
    macs: int

    @property
    def per_mac(self) -> NDArray[np.float64]:  # [L]
        return self.level_energy / self.macs


PADDING: Final = {"CONV2": 2, "CONV3": 1, "CONV4": 1, "CONV5": 1}
"""Lines around the map: in the side H of the forms, not in DRAM. ISCA 2016, Table II."""


def exact(best: Best, pad: int = 0) -> Counted:
    """Our count of a mapping of the comparison, whose map has `pad` lines around it."""
    x = best.shape
    machine = _machine(LOWERED.get(best.form.name, best.form.name))
    window = (x.U, 1, pad, x.H - 2 * pad)
    extents = {N: x.N, G: x.G, K: x.M, C: x.C, P: x.E, Q: x.E, R: x.R, S: x.R}
    problem = Problem(tuple(extents.get(d, 1) for d in range(10)), (window, window, (1, 1, 0, 1)))
    cost = evaluate(problem, nest_of(best, problem, machine), machine, "any")
    traffic = cost.traffic
    levels = traffic.reads[:, :, 0] + traffic.writes[:, :, 0]
    words = np.stack([levels[DRAM], levels[GLB], traffic.delivered[:, 0], levels[RF]]).astype(np.float64)
    by_level = cost.level_pj[:, :, 0].sum(1)
    hops = float(cost.hop_pj[:, 0].sum())
    energy = np.array([by_level[DRAM], by_level[GLB], hops, by_level[RF]]) / machine.mac_pj
    return Counted(words, energy, x.macs)


@cache
def _machine(dataflow: str) -> Machine:
    return accelsim.arch(ARCH, dataflow=dataflow).machine()


def nest_of(best: Best, problem: Problem, machine: Machine) -> Nest:
    """The loops of a mapping, outermost first."""
    at = best.parameters
    if best.form.name == "rs":
        parameters = {name: np.array([at[name]]) for name in "mnpqrt"} | {"e": np.array([at["f"]])}
        return RS.nest(problem, machine, RS.keep(machine, (DRAM, DRAM, DRAM)), parameters)
    loops, keeps = {"ws": _weight_stationary, "nlr": _no_local_reuse}.get(best.form.name, _output_stationary)(
        best
    )
    dims, levels, axes, trips = zip(*loops, strict=True)
    keep = np.zeros((3, 3), np.bool_)
    keep[DRAM] = True
    for level, operands in keeps.items():
        keep[level, list(operands)] = True
    return Nest(dims, levels, axes, np.array(trips, np.int64)[:, None], keep)


Nested = tuple[list[Loop], dict[int, tuple[int, ...]]]


def _weight_stationary(best: Best) -> Nested:
    """Weights of r channels and t filters stay; the sums of t filters wait in the buffer for all channels."""
    x, at = best.shape, best.parameters
    loops: list[Loop] = [
        (G, DRAM, "", x.G),
        (K, DRAM, "", _cover(x.M, at["t"])),
        (C, DRAM, "", _cover(x.C, at["r"])),
        (N, GLB, "", x.N),
        (P, GLB, "", x.E),
        (Q, GLB, "", x.E),
        (R, GLB, "array", x.R),
        (S, GLB, "array", x.R),
        (C, GLB, "array", at["r"]),
        (K, GLB, "array", at["t"]),
    ]
    return loops, {GLB: (I, O), RF: (W,)}


def _output_stationary(best: Best) -> Nested:
    """m filters in the buffer, all strips past them; of a strip all channels and taps, sums in the PEs."""
    x, at = best.shape, best.parameters
    n, e, f = at["n"], at.get("e", 1), at.get("f", 1)
    p, m = _whole_passes(x.M, at.get("p", 1), at["m"])
    loops: list[Loop] = [
        (G, DRAM, "", x.G),
        (K, DRAM, "", _cover(x.M, m)),
        (N, DRAM, "", _cover(x.N, n)),
        (P, DRAM, "", _cover(x.E, e)),
        (Q, DRAM, "", _cover(x.E, f)),
        (K, GLB, "", m // p),
        (C, GLB, "", x.C),
        (R, GLB, "", x.R),
        (S, GLB, "", x.R),
        (N, GLB, "array", n),
        (K, GLB, "array", p),
        (P, GLB, "array", e),
        (Q, GLB, "array", f),
    ]
    return loops, {GLB: (I, W), RF: (O,)}


def _no_local_reuse(best: Best) -> Nested:
    """m filters of n images and a strip have their sums in the buffer; q channels and p filters at once."""
    x, at = best.shape, best.parameters
    p, m = _whole_passes(x.M, at["p"], at["m"])
    loops: list[Loop] = [
        (G, DRAM, "", x.G),
        (N, DRAM, "", _cover(x.N, at["n"])),
        (P, DRAM, "", _cover(x.E, at["e"])),
        (Q, DRAM, "", _cover(x.E, at["f"])),
        (K, DRAM, "", _cover(x.M, m)),
        (C, DRAM, "", _cover(x.C, at["q"])),
        (R, GLB, "", x.R),
        (S, GLB, "", x.R),
        (K, GLB, "", m // p),
        (N, GLB, "", at["n"]),
        (P, GLB, "", at["e"]),
        (Q, GLB, "", at["f"]),
        (C, GLB, "array", at["q"]),
        (K, GLB, "array", p),
    ]
    return loops, {GLB: (I, W, O)}


def _whole_passes(filters: int, p: int, m: int) -> tuple[int, int]:
    """The smallest p of as many folds, and m rounded down to whole passes of it: a nest has no others."""
    p = _cover(filters, _cover(filters, p))
    return p, m // p * p


def _cover(extent: int, tile: int) -> int:
    return -(-extent // tile)
