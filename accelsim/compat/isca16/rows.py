"""The rows of `accelsim run --compat isca16`: closed forms of one of the six dataflows, layer by layer."""

from __future__ import annotations

from typing import Any, Final

from accelsim.base.errors import InfeasibleError, InputError, Problem
from accelsim.compat.isca16.machine import ACCESS_COST, LEVELS
from accelsim.compat.isca16.search import Best, best_mapping, form_of, misfits
from accelsim.compat.isca16.shape import Shape, shape_of
from accelsim.hardware import Arch
from accelsim.tables.dims import OPERANDS
from accelsim.workload.graph import LayerGraph
from accelsim.workload.layer import Layer

OTHER_WORK: Final = "the comparison of ISCA 2016 has convolutions and fully-connected layers only"
NAMED: Final = ("dram", "glb", "hop", "rf")
"""The levels as other rows name them."""
NAMES: Final = {"os": "osb"}
"""Dataflows of architecture files under the paper's names."""
TAKEN: Final = ("rows", "cols", "clock", "dataflow", "mac.energy", "mac.energy.value")
"""Ends of the keys that have an effect."""
NOTE: Final = (
    "each mapping is the one of least energy; --compat isca16 takes the PEs and the energy of a MAC from the "
    "architecture; sizes follow from equal area, accesses cost 200, 6, 2 and 1 MACs (ISCA 2016, Table IV)"
)


def dataflow_of(arch: Arch, dataflow: str | None) -> str:
    """The one of the six that is asked for, or the machine's; InputError for any other name."""
    return form_of(dataflow or NAMES.get(arch.dataflow, arch.dataflow)).name


def isca16_rows(graph: LayerGraph, arch: Arch, dataflow: str) -> list[dict[str, Any]]:
    """A row a layer, each at its mapping of least energy in one of the six dataflows.

    InputError for layers that have no closed form and for settings that would have no effect,
    InfeasibleError for layers that don't fit, with the constraint.
    """
    machine = arch.machine()
    num_pes = machine.rows * machine.cols
    idle = [key for key in arch.sets if not key.partition("=")[0].strip().endswith(TAKEN)]
    wrong = [
        Problem(
            f"--set {key} has no effect under --compat isca16",
            expected="array.rows and array.cols: the number of PEs; clock, dataflow, mac.energy",
            hint="sizes follow from equal area, energies are those of the paper",
        )
        for key in idle
    ]
    shapes: dict[str, Shape] = {}
    for layer in graph.layers:
        if layer.kind == "array":
            shape = shape_of(layer, graph)
            if isinstance(shape, Problem):
                wrong.append(shape)
            else:
                shapes[layer.name] = shape
    if wrong:
        raise InputError(wrong)
    known = {shape: best_mapping(dataflow, shape, num_pes) for shape in dict.fromkeys(shapes.values())}
    found = {name: known[shape] for name, shape in shapes.items()}
    tight = [
        Problem(
            f"{dataflow.upper()} needs at least {need:,} {what}, {num_pes} PEs leave it {limit:,}",
            key=name,
            hint="lower --batch, or take more PEs: --set array.rows=...",
        )
        for name, best in found.items()
        if best is None
        for what, (need, limit) in misfits(dataflow, shapes[name], num_pes).items()
    ]
    if tight:
        raise InfeasibleError(tight)
    return [_row(layer, found.get(layer.name), machine.mac_pj, machine.clock_hz) for layer in graph.layers]


def _row(layer: Layer, best: Best | None, mac_pj: float, clock_hz: float) -> dict[str, Any]:
    row: dict[str, Any] = {
        "layer": layer.name,
        "op": layer.op,
        "status": "not_costed" if best is None else "costed",
        "reason": OTHER_WORK if best is None else None,
        "fused": list(layer.fused),
        "macs": layer.macs,
        "params": layer.params,
        "params_bn_folded": layer.params_bn_folded,
    }
    if best is None:
        return row
    runs = layer.repeat
    cycles = -(-layer.macs // best.active_pes)
    by_level = dict(zip(NAMED, (float(pj) for pj in best.level_energy * runs * mac_pj), strict=True))
    dram = best.counts[0] * runs * 2  # bytes
    return row | {
        "latency_cycles": cycles,
        "compute_cycles": cycles,
        "latency_s": cycles / clock_hz,
        "utilization_frac": best.active_pes / best.room.num_pes,
        "active_pes": best.active_pes,
        "energy_pj": best.energy * runs * mac_pj,
        "energy_pj_by_level": {"mac": layer.macs * mac_pj}
        | {name: by_level[name] for name in reversed(NAMED)},
        "energy_pj_by_operand": {
            name: float((ACCESS_COST * best.counts[:, t]).sum() * runs * mac_pj)
            for t, name in enumerate(OPERANDS)
        },
        "dram_read_bytes": round(float(dram[0] + dram[1])),
        "dram_write_bytes": round(float(dram[2])),
        "accesses": _accesses(best, runs),
        "bound": "compute",
        "mapping": best.mapping,
        "isca16": _own(best),
    }


def _accesses(best: Best, runs: int) -> dict[str, dict[str, dict[str, int]]]:
    """Words by level, rounded: the forms let the last strip be a fraction of one.

    Inputs and weights are read; of a sum's accesses half are reads, and DRAM only receives finished ones. A
    hop of the array is a read.
    """
    accesses: dict[str, dict[str, dict[str, int]]] = {}
    for name, words in zip(reversed(NAMED), reversed(best.counts), strict=True):
        counted = [round(float(n) * runs) for n in words]
        reads = 0 if name == "dram" else counted[2] if name == "hop" else counted[2] // 2
        accesses[name] = {
            "I": {"read": counted[0], "write": 0},
            "W": {"read": counted[1], "write": 0},
            "O": {"read": reads, "write": counted[2] - reads},
        }
    return accesses


def _own(best: Best) -> dict[str, Any]:
    """What the comparison reports itself: energy per MAC by level, sizes, parameters."""
    macs = best.shape.macs
    return {
        "dataflow": best.form.name,
        "num_pes": best.room.num_pes,
        "rf_bytes": best.room.rf_bytes,
        "glb_bytes": best.room.glb_bytes,
        "energy_per_mac": best.energy / macs,
        **{f"{name}_per_mac": float(pj) / macs for name, pj in zip(LEVELS, best.level_energy, strict=True)},
        **best.parameters,
    }
