"""What `run --compat` gives: the layers of a network by the rules of another model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from accelsim.base.errors import InputError, Problem
from accelsim.compat.isca16.rows import NOTE, dataflow_of, isca16_rows
from accelsim.compat.scalesim import ScaleConfig, reports, setup_of, simulate
from accelsim.hardware import Arch
from accelsim.workload.graph import LayerGraph
from accelsim.workload.passes import FUSABLE, drop_noops, fuse

PEERS: Final = ("scalesim", "isca16")


@dataclass(frozen=True)
class ByTheirRules:
    """Rows as `run` has them; `files` are reports in the other model's own format."""

    rows: list[dict[str, Any]]
    options: Mapping[str, Any]
    notes: Sequence[str]
    files: Mapping[str, str] = field(default_factory=dict)


def by_rules_of(
    peer: str, graph: LayerGraph, machine: Arch | ScaleConfig, dataflow: str | None = None
) -> ByTheirRules:
    """The network as SCALE-Sim 3.0.0 or the comparison of ISCA 2016 (with one of its dataflows) counts it.

    InputError where a machine or a layer has no form there.
    """
    if peer == "scalesim":
        if dataflow is not None:
            raise InputError(
                Problem("only compat='isca16' takes a dataflow here", hint="choose it with the arch")
            )
        return _scalesim(graph, machine)
    if isinstance(machine, ScaleConfig):
        raise InputError(
            Problem("a SCALE-Sim configuration", file=machine.path, hint="use it with --compat scalesim")
        )
    chosen = dataflow_of(machine, dataflow)
    graph = fuse(drop_noops(graph), frozenset(machine.fuses))
    options = {"dataflow": chosen, "compat": peer, "batch": graph.batch}
    return ByTheirRules(isca16_rows(graph, machine, chosen), options, [NOTE])


def _scalesim(graph: LayerGraph, machine: Arch | ScaleConfig) -> ByTheirRules:
    """SCALE-Sim 3.0.0's counts of every array layer, and its reports as files."""
    clock_hz: float | None = None
    if isinstance(machine, ScaleConfig):
        setup, fuses, notes = machine.setup, tuple(FUSABLE), machine.notes
    else:
        lowered = machine.machine()
        setup, fuses, clock_hz = setup_of(lowered), tuple(machine.fuses), lowered.clock_hz
        kb = ", ".join(f"{size:,}" for size in (setup.ifmap_kb, setup.filter_kb, setup.ofmap_kb))
        notes = (f"SCALE-Sim's SRAMs for I, W, O: {kb} KiB, from the memories; mode CALC",)
    rows = simulate(fuse(drop_noops(graph), frozenset(fuses)), setup, clock_hz)
    options = {"dataflow": setup.dataflow, "compat": "scalesim", "batch": graph.batch}
    files = reports([row["scalesim"] for row in rows if "scalesim" in row])
    return ByTheirRules(rows, options, (*graph.notes, *notes), files)
