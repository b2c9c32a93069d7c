"""`accelsim area`: what a chip takes and draws."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from accelsim.cli.options import Dataflow, Json, Sets


def area(
    arch: Annotated[
        str | None,
        typer.Argument(metavar="[ARCH]", help="A shipped architecture or a YAML file; all that ship else."),
    ] = None,
    sets: Sets = None,
    dataflow: Dataflow = None,
    json: Json = False,
) -> None:
    """Area, leakage and peak power of a chip, part by part.

    Areas are those that the architecture's file gives or asks of its technology.
    """
    from accelsim import flow
    from accelsim.base.files import list_shipped
    from accelsim.cli.answer import give_list, show
    from accelsim.report.area import area_blocks

    names = [arch] if arch is not None else list(list_shipped("arch_configs"))
    items = [_item(flow.arch(name, sets=sets or (), dataflow=dataflow)) for name in names]
    if json:
        give_list("accelsim.area/1", "items", items)
    else:
        show(area_blocks(items))


def _item(machine: Any) -> dict[str, Any]:
    """The parts and their sums; a sum of areas is unknown where one is."""
    from dataclasses import asdict

    from accelsim.hardware.constants import total_area_mm2
    from accelsim.hardware.power import draws

    parts = draws(machine.spec)
    leakage = [part.leakage_w for part in parts if part.leakage_w is not None]
    peak = [part.peak_w for part in parts if part.peak_w is not None and part.name != "dram"]
    return {
        "name": machine.name,
        "node": f"{machine.spec.technology.value:g} nm",
        "area_mm2": total_area_mm2(machine.spec),
        "leakage_w": sum(leakage) if leakage else None,
        "peak_w": sum(peak) + sum(leakage),
        "parts": [asdict(part) for part in parts],
    }
