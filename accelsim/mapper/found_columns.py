"""What a search found as columns of an answer: the certificate, the nest level by level, the other points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelsim.mapper.found import Found, Point
from accelsim.mapping.levels import level_uses
from accelsim.tables.certificate import Certificate
from accelsim.tables.dims import DIMS, OPERANDS
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Problem


@dataclass(frozen=True)
class Place:
    """The layer on its machine: what the numbers of a nest are told against."""

    problem: Problem
    machine: Machine
    whole_words: tuple[int, int, int]
    """Distinct words of I, W and O that the layer touches."""
    live_bytes: NDArray[np.float64]  # [L], of tensors that live at each level while the layer runs


def found_columns(found: Found, place: Place) -> dict[str, Any]:
    """Its loops, `certificate`, `nest` of the best mapping and `points`: all that the search returned."""
    best, problem = found.best, place.problem
    return {
        "dims": {d: n for d, n in zip(DIMS, problem.extents, strict=True) if n > 1},
        "strides": [stride for stride, *_ in problem.windows],
        "dilations": [dilation for _, dilation, *_ in problem.windows],
        "certificate": certificate_columns(found.certificate),
        "nest": nest_levels(best, place),
        "points": [
            {
                "energy_pj": point.cost.energy_pj,
                "latency_cycles": point.cost.latency_cycles,
                "edp_pj_cycles": point.cost.energy_pj * point.cost.latency_cycles,
                "above_best_frac": point.value / best.value - 1 if best.value else 0.0,
                "is_best": point is best,
                "dataflow": point.dataflow,
                "nest": nest_levels(point, place),
            }
            for point in found.points
        ],
    }


def certificate_columns(certificate: Certificate) -> dict[str, Any]:
    """What is the same in every run with the same options; the rest is `effort`."""
    return {
        "objective": certificate.objective,
        "space": certificate.space,
        "best": certificate.best,
        "lower_bound": certificate.lower_bound,
        "gap_frac": certificate.gap_frac,
        "proven": certificate.proven,
        "complete": certificate.complete,
    }


def effort(certificate: Certificate) -> dict[str, Any]:
    """What the search did: it may differ between equal runs."""
    return {
        "n_evaluated": certificate.n_evaluated,
        "n_pruned_by": dict(certificate.n_pruned_by),
        "seconds": certificate.seconds,
    }


def nest_levels(point: Point, place: Place) -> list[dict[str, Any]]:
    """The loop nest from the outermost level to the multiplier: loops, tiles, room, words that move."""
    machine, cost = place.machine, point.cost
    levels = []
    for use in level_uses(place.problem, point.nest, machine, place.whole_words):
        level = machine.level(use.level)
        capacity = float(machine.capacity_bytes[level])
        limited = isfinite(capacity) and level < machine.n_levels - 1  # dram's is of the whole network
        live = float(place.live_bytes[level])
        levels.append(
            {
                "level": use.level,
                "keeps": list(use.keeps),
                "loops": [
                    {"dim": loop.dim, "trips": loop.trips, "axis": loop.axis or "time"} for loop in use.loops
                ],
                "n_instances": use.n_instances,
                "tile_words": {OPERANDS[t]: tile.words for t, tile in use.tiles.items()},
                "tile_bytes": {OPERANDS[t]: tile.bytes for t, tile in use.tiles.items()},
                "home_of": [OPERANDS[t] for t, tile in use.tiles.items() if tile.is_home],
                "passing_bytes": use.passing_bytes,
                "live_bytes": live,
                "capacity_bytes": capacity if limited else None,
                "used_frac": (use.passing_bytes + live) / capacity if limited and capacity else None,
                "accesses": _accesses(cost.reads[level], cost.writes[level]),
                "energy_pj": float(cost.level_pj[level].sum()),
            }
        )
    return levels


def _accesses(reads: Any, writes: Any) -> Mapping[str, Mapping[str, int]]:
    return {operand: {"read": int(reads[t]), "write": int(writes[t])} for t, operand in enumerate(OPERANDS)}
