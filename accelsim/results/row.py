"""One layer's row of the columns that `tables.columns` lists, from the arrays of its cost."""

from __future__ import annotations

from typing import Any

import numpy as np

from accelsim.tables.dims import OPERANDS
from accelsim.tables.layer_cost import LayerCost, whole_cycles
from accelsim.tables.machine import Machine

COMPUTE = "compute"


def cost_columns(cost: LayerCost, machine: Machine, macs: int) -> dict[str, Any]:
    """The machine's columns of a costed layer."""
    names = machine.level_names
    cycles, sums = cost.latency_cycles, sum_columns(cost)
    return {
        "latency_cycles": sums["latency_cycles"],
        "compute_cycles": cost.compute_cycles,
        "fill_drain_cycles": cost.fill_drain_cycles,
        "stall_cycles": cost.stall_cycles,
        "exposed_cycles": cost.exposed_cycles,
        "transfer_cycles_by_level": {
            n: int(x) for n, x in zip(names, whole_cycles(cost.transfer_cycles), strict=True)
        },
        "latency_s": cycles / machine.clock_hz,
        "utilization_frac": macs / (cycles * machine.macs_per_cycle) if cycles else None,
        "active_pes": cost.active_pes or None,
        "energy_pj": sums["energy_pj"],
        "energy_pj_by_level": _energy_by_level(cost, machine),
        "energy_pj_by_operand": {
            name: float(cost.level_pj[:, t].sum() + cost.hop_pj[t]) for t, name in enumerate(OPERANDS)
        },
        "dram_read_bytes": sums["dram_read_bytes"],
        "dram_write_bytes": sums["dram_write_bytes"],
        "accesses": {
            name: {
                operand: {"read": int(cost.reads[level, t]), "write": int(cost.writes[level, t])}
                for t, operand in enumerate(OPERANDS)
            }
            for level, name in enumerate(names)
        },
        "bound": bound(cost, machine),
    }


def sum_columns(cost: LayerCost) -> dict[str, Any]:
    """What the totals of a network are made of: cycles, energy, bytes of the outermost memory."""
    return {
        "latency_cycles": cost.latency_cycles,
        "energy_pj": cost.energy_pj,
        "dram_read_bytes": int(np.ceil(cost.read_bytes[-1].sum())),
        "dram_write_bytes": int(np.ceil(cost.write_bytes[-1].sum())),
    }


def bound(cost: LayerCost, machine: Machine) -> str | None:
    """What limits the latency: compute (and waits for weights), or the level whose transfers take longest."""
    if cost.latency_cycles == 0:
        return None
    level = int(np.argmax(cost.transfer_cycles))
    pace = cost.compute_cycles + cost.wait_cycles
    return machine.level_names[level] if whole_cycles(cost.transfer_cycles)[level] > pace else COMPUTE


def _energy_by_level(cost: LayerCost, machine: Machine) -> dict[str, float]:
    by_level = {name: float(cost.level_pj[level].sum()) for level, name in enumerate(machine.level_names)}
    return {
        "mac": float(cost.compute_pj),
        **by_level,
        "hop": float(cost.hop_pj.sum()),
        **idle_by_part(float(cost.idle_pj), cost.latency_cycles, machine),
    }


def idle_by_part(idle_pj: float, cycles: int, machine: Machine) -> dict[str, float]:
    """What is drawn whatever the array does: leakage, and the clock where the machine tells it apart."""
    if not machine.clock_pj_per_cycle:
        return {"leakage": idle_pj}
    clock_pj = cycles * machine.clock_pj_per_cycle
    return {"leakage": idle_pj - clock_pj, "clock": clock_pj}


def bound_columns(
    macs: int, mac_pj: float, compulsory_bytes: int, dram_pj: float, machine: Machine
) -> dict[str, Any]:
    """The least that a layer could cost: every multiplier busy, every word of DRAM moved once."""
    dram = machine.n_levels - 1
    per_cycle = float(max(machine.read_bytes_per_cycle[dram], machine.write_bytes_per_cycle[dram]))
    if not machine.shared_port[dram]:
        per_cycle = float(machine.read_bytes_per_cycle[dram] + machine.write_bytes_per_cycle[dram])
    return {
        "compute_bound_cycles": -(-macs // machine.macs_per_cycle),
        "memory_bound_cycles": int(np.ceil(compulsory_bytes / per_cycle)),
        "compulsory_dram_bytes": compulsory_bytes,
        "energy_bound_pj": macs * mac_pj + dram_pj,
    }
