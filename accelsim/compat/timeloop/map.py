"""`map --compat timeloop`: the best mapping of a Timeloop input file, as an answer with its certificate."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from accelsim.base.errors import InputError, Problem
from accelsim.base.files import read_limited
from accelsim.base.yaml_lines import MAX_BYTES
from accelsim.compat.timeloop.evaluate import Counts, evaluate
from accelsim.compat.timeloop.model import Mappings, TimeloopInput
from accelsim.compat.timeloop.read import read_timeloop
from accelsim.compat.timeloop.search import search_timeloop
from accelsim.compat.timeloop.write import loop_nest, mapping_yaml
from accelsim.results.result import Result

OBJECTIVES = ("energy", "latency", "edp")


def map_timeloop(path: Path, objective: str = "energy", ert: Path | None = None) -> Result:
    """The proven best mapping of a Timeloop input file under Timeloop's own counts.

    pJ, cycles, words over all instances. `mapping.yaml` among its files is in Timeloop's form. InputError and
    InfeasibleError as `read_timeloop` and `search_timeloop` raise them.
    """
    if objective not in OBJECTIVES:
        raise InputError(
            Problem(f"no objective {objective!r}", key="objective", expected=", ".join(OBJECTIVES))
        )
    given = read_timeloop(path, ert)
    found = search_timeloop(given, objective)
    certificate = found.certificate
    counts = evaluate(given, found.mapping)
    row = cost_row(given, found.mapping, counts) | {
        "certificate": {
            "objective": objective,
            "space": certificate.space,
            "best": certificate.best,
            "lower_bound": certificate.lower_bound,
            "gap_frac": certificate.gap_frac,
            "proven": certificate.proven,
        }
    }
    totals = {key: row[key] for key in ("macs", "latency_cycles", "energy_pj", "utilization_frac")}
    return Result(
        schema="accelsim.map/1",
        inputs={
            "model": {"name": given.workload.name, "sha256": _sha256(path), "format": "timeloop"},
            "options": {"compat": "timeloop", "objective": objective},
        },
        totals=totals,
        rows=[row],
        notes=_notes(given, counts),
        run={
            "seconds": certificate.seconds,
            "n_evaluated": certificate.n_evaluated,
            "n_pruned_by": dict(certificate.n_pruned_by),
        },
        files={"mapping.yaml": mapping_yaml(given, found.mapping)},
    )


def cost_row(given: TimeloopInput, mapping: Mappings, counts: Counts) -> dict[str, Any]:
    """The first of B mappings in the columns of `run`: accesses are words over all instances."""
    workload, levels = given.workload, given.architecture.levels
    names = [tensor.name for tensor in workload.tensors]
    words = {"read": counts.reads, "write": counts.fills + counts.updates}
    accesses: dict[str, Any] = {}
    by_level = {"mac": counts.compute_pj}
    for i, level in enumerate(levels):
        by_level[level.name] = float(counts.tensor_pj[i, :, 0].sum() + counts.leak_pj[i, 0])
        kept = [t for t, keep in enumerate(mapping.keep[i]) if keep]
        if kept:
            accesses[level.name] = {
                names[t]: {kind: int(side[i, t, 0] * counts.instances[i, 0]) for kind, side in words.items()}
                for t in kept
            }
    cycles = int(counts.cycles[0])
    tiles = [
        {name: int(words) for name, words in zip(names, counts.tile[i, :, 0], strict=True)}
        for i in range(len(levels))
    ]
    return {
        "layer": workload.name,
        "op": None,  # the file says which loops there are, not what they are called
        "status": "costed",
        "macs": workload.n_computes,
        "latency_cycles": cycles,
        "compute_cycles": int(counts.compute_cycles[0]),
        "stall_cycles": cycles - int(counts.compute_cycles[0]),
        "utilization_frac": workload.n_computes / (cycles * given.architecture.n_macs),
        "energy_pj": float(counts.energy_pj[0]),
        "energy_pj_by_level": by_level,
        "accesses": accesses,
        "mapping": loop_nest(given, mapping, tiles),
    }


def _notes(given: TimeloopInput, best: Counts) -> tuple[str, ...]:
    """What the file's own mapping costs beside the best."""
    if given.mapping is None:
        return ()
    own = evaluate(given, given.mapping)
    ratios = ", ".join(
        f"{name} {float(np.divide(own.objective(name)[0], best.objective(name)[0])):.3f}x"
        for name in OBJECTIVES
    )
    return (
        f"the file's own mapping: {own.energy_pj[0] / 1e6:,.2f} uJ, {own.cycles[0]:,} cycles; "
        f"of the best mapping's: {ratios}",
    )


def _sha256(path: Path) -> str:
    return sha256(read_limited(path, MAX_BYTES, "a YAML file")).hexdigest()
