"""`map --compat timeloop`: the best mapping of a Timeloop input file, as an answer with its certificate."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from accelsim.base.errors import InputError, Problem
from accelsim.compat.timeloop.account import account
from accelsim.compat.timeloop.answer import cost_row, sha256_of
from accelsim.compat.timeloop.model import TimeloopInput
from accelsim.compat.timeloop.read import read_timeloop
from accelsim.compat.timeloop.search import search_timeloop
from accelsim.compat.timeloop.write import mapping_yaml
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
    row = cost_row(replace(given, mapping=found.mapping)) | {
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
            "model": {"name": given.workload.name, "sha256": sha256_of([path]), "format": "timeloop"},
            "options": {"compat": "timeloop", "objective": objective},
        },
        totals=totals,
        rows=[row],
        notes=_notes(given, row),
        run={
            "seconds": certificate.seconds,
            "n_evaluated": certificate.n_evaluated,
            "n_pruned_by": dict(certificate.n_pruned_by),
        },
        files={"mapping.yaml": mapping_yaml(given, found.mapping)},
    )


def _notes(given: TimeloopInput, best: dict[str, Any]) -> tuple[str, ...]:
    """What the file's own mapping costs beside the best."""
    if given.mapping is None:
        return ()
    own = account(given)
    energy, cycles = own.energy_pj / best["energy_pj"], own.cycles / best["latency_cycles"]
    return (
        f"the file's own mapping: {own.energy_pj / 1e6:,.2f} uJ, {own.cycles:,} cycles; "
        f"of the best mapping's: energy {energy:.3f}x, latency {cycles:.3f}x, edp {energy * cycles:.3f}x",
    )
