"""One layer of the closed form as every other cost of a layer: words and bytes of each level and operand."""

from __future__ import annotations

import numpy as np

from accelsim.cost.closed_machines import DRAM, REG, SRAM
from accelsim.cost.network_form import LayerForm
from accelsim.tables.dims import N_OPERANDS, I, O, W
from accelsim.tables.layer_cost import LayerCost
from accelsim.tables.machine import Machine


def layer_cost(form: LayerForm, machine: Machine) -> LayerCost:
    """The layer on the one machine that the form was made for.

    Memory goes on while folds enter and leave the array, so that all of fill and drain counts as waits.
    """
    n_levels = machine.n_levels
    places = {SRAM: n_levels - 2, DRAM: n_levels - 1} | ({REG: 0} if machine.fanout_level else {})
    words = np.zeros((2, n_levels, N_OPERANDS), np.int64)  # reads, writes
    n_bytes = np.zeros((2, n_levels, N_OPERANDS))
    for level, at in places.items():
        for t in (I, W, O):
            for write in (False, True):
                words[int(write), at, t] = form.moves.count(level, t, write)[0]
                n_bytes[int(write), at, t] = form.moves.bits(level, t, write)[0] / 8
    transfers = np.zeros(n_levels)
    transfers[places[SRAM]], transfers[places[DRAM]] = (cycles[0] for cycles in form.transfers)
    hops = np.array([form.moves.hop_bits(t)[0] / 8 for t in (I, W, O)])
    latency = int(form.latency_cycles[0])
    pj = machine.read_pj_per_byte[:, None], machine.write_pj_per_byte[:, None]
    return LayerCost(
        reads=words[0],
        writes=words[1],
        read_bytes=n_bytes[0],
        write_bytes=n_bytes[1],
        transfer_cycles=transfers,
        beside_cycles=transfers,
        apart_cycles=np.zeros(n_levels),
        compute_cycles=int(form.compute_cycles[0]),
        fill_drain_cycles=int(form.fill_drain_cycles[0]),
        latency_cycles=latency,
        level_pj=n_bytes[0] * pj[0] + n_bytes[1] * pj[1],
        compute_pj=form.macs * machine.mac_pj + form.vector_ops * machine.vector_pj_per_op,
        hop_pj=hops * machine.hop_pj_per_byte,
        idle_pj=latency * machine.idle_pj_per_cycle,
        active_pes=int(form.active_pes[0]),
        wait_cycles=int(form.fill_drain_cycles[0]),
    )
