"""Our energy of an operation or access, in pJ, from the technology files."""

from __future__ import annotations

from typing import cast

from accelsim.base.errors import InputError, Problem, did_you_mean
from accelsim.hardware.technology import Format, TechnologyFile, dram_devices, load_technology, nodes

KINDS = ("add", "multiply", "mac", "sram", "dram")


def predict(
    rows: list[dict[str, str]], without: str | None = None
) -> list[dict[str, float | int | str | None]]:
    """energy_pj of each row: its kind (one of KINDS) at node_nm, of form, bits, bytes or device.

    `without="exponent"` makes energy of arithmetic proportional to bits (of a float's significand).
    """
    return [{"energy_pj": _energy_pj(row, proportional=without == "exponent")} for row in rows]


def _energy_pj(row: dict[str, str], proportional: bool) -> float:
    kind, bits = row["kind"], int(row["bits"])
    if kind not in KINDS:
        hint = did_you_mean(kind, KINDS)
        raise InputError(
            Problem(f"no kind {kind!r}", key="kind", expected=f"one of {', '.join(KINDS)}", hint=hint)
        )
    if kind == "dram":
        devices = dram_devices()
        if row["device"] not in devices:
            known = ", ".join(sorted(devices))
            raise InputError(Problem(f"no DRAM {row['device']!r}", key="device", expected=f"one of {known}"))
        return devices[row["device"]].read.per_byte(bits) * bits / 8
    node = f"{float(row['node_nm']):g}nm"
    if node not in nodes():
        raise InputError(
            Problem(f"no tables for {node}", key="node_nm", expected=f"one of {', '.join(nodes())}")
        )
    technology = load_technology(node)
    if proportional:
        technology = _proportional(technology)
    if kind == "sram":
        return technology.sram_model().read_pj(float(row["bytes"]), bits)
    form = cast(Format, row["form"])
    if kind == "add":
        return technology.add_pj(bits, form)
    if kind == "multiply":
        return technology.multiply_pj(bits, bits, form)
    return technology.mac_pj(bits, bits, bits, form)


def _proportional(technology: TechnologyFile) -> TechnologyFile:
    """The technology with energies that grow as bits do."""
    units = technology.arithmetic
    linear = {
        name: unit.model_copy(update={"energy": unit.energy.model_copy(update={"exponent": 1.0})})
        for name, unit in units
    }
    return technology.model_copy(update={"arithmetic": units.model_copy(update=linear)})
