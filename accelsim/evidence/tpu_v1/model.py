"""Each application's layers on tpu_v1, and what their cycles are spent on."""

from __future__ import annotations

from dataclasses import dataclass

from accelsim.evidence.case import Value
from accelsim.evidence.tpu_v1.networks import CHAIN, EqualLayers, layers_of, network
from accelsim.flow import arch, run
from accelsim.hardware import Arch


@dataclass(frozen=True)
class Spent:
    """Cycles of one layer: on products, waiting for weights from DRAM, shifting them into the array."""

    total: int
    active: int
    shift: int

    @property
    def stall(self) -> int:
        return self.total - self.active - self.shift


def predict(rows: list[dict[str, str]], without: str | None = None) -> list[dict[str, Value]]:
    """TOPS of the matrix unit, and shares of the cycles beside a given share of non-matrix ones."""
    machine = arch("tpu_v1")
    found: list[dict[str, Value]] = []
    for row in rows:
        app = layers_of(row)
        spent = layer_cycles(app, machine)
        matrix = 100 - float(row.get("non_matrix_pct") or 0)
        found.append(
            {
                "TOPS": tops(app, spent.total, machine),
                "array_active_pct": matrix * spent.active / spent.total,
                "useful_mac_pct": matrix * spent.active / spent.total * useful_frac(app, machine),
                "weight_stall_pct": matrix * spent.stall / spent.total,
                "weight_shift_pct": matrix * spent.shift / spent.total,
            }
        )
    return found


def layer_cycles(app: EqualLayers, machine: Arch) -> Spent:
    """One layer amid others; a tile's weights shift in beside the stream of the one before, or in a pause."""
    rows = run(network(app, machine.machine().rows), machine, objective="latency").rows
    layer = rows[CHAIN // 2]
    total, active = int(layer["latency_cycles"]), int(layer["compute_cycles"])
    shifts = machine.machine().rows * n_tiles(app, machine)
    return Spent(total, active, min(shifts, total - active))


def n_tiles(app: EqualLayers, machine: Arch) -> int:
    """Weight tiles of one layer."""
    side = machine.machine().rows
    return int(app.taps * (-(-app.channels // side)) ** 2)


def useful_frac(app: EqualLayers, machine: Arch) -> float:
    """Weights in the tiles that are no padding."""
    return app.channels**2 * app.taps / (n_tiles(app, machine) * machine.machine().rows ** 2)


def tops(app: EqualLayers, cycles: float, machine: Arch) -> float:
    """10^12 operations a second, two a multiply-accumulate."""
    return 2 * app.macs / cycles * machine.machine().clock_hz / 1e12


def roofline_tops(ops_per_weight_byte: float, machine: Arch) -> float:
    """The lower of the array's peak and what the weight memory feeds: 2 ops/B x B/s."""
    core = machine.machine()
    feed = 2 * ops_per_weight_byte * float(core.read_bytes_per_cycle[core.level("dram")])
    return min(2.0 * core.macs_per_cycle, feed) * core.clock_hz / 1e12
