"""`accelsim list`: what ships."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from accelsim.cli.options import Json

DATAFLOWS: Final = {
    "ws": "weight-stationary: each PE keeps a weight, inputs and sums stream past",
    "os": "output-stationary: each PE keeps a sum until it is complete",
    "is": "input-stationary: each PE keeps an input, weights and sums stream past",
    "rs": "row-stationary: each PE convolves a filter row with an input row (Eyeriss)",
    "nlr": "no local reuse: PEs store nothing, all operands come from the shared buffer",
    "dc": "direct convolution: weights stay for a stripe of pixels, sums until they are complete (NVDLA)",
    "any": "every mapping that is legal on the architecture",
}


class Shelf(StrEnum):
    """What can be listed."""

    networks = "networks"
    archs = "archs"
    technologies = "technologies"
    dataflows = "dataflows"
    spaces = "spaces"


def list_(
    what: Annotated[
        Shelf | None,
        typer.Argument(
            metavar="[networks|archs|technologies|dataflows|spaces]",
            help="One shelf; all of them where not given.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Networks, architectures, technologies, dataflows and spaces of machines that can be named.

    Networks and architectures are the ones that ship; a path to a file of your own does as well.
    """
    from accelsim.cli.answer import give_list, show
    from accelsim.report.terminal import list_blocks

    items = [item for shelf in ([what] if what else Shelf) for item in _items(shelf)]
    if json:
        give_list("accelsim.list/1", "items", items)
    else:
        show(list_blocks(items))


def _items(shelf: Shelf) -> list[dict[str, str | None]]:
    """Kind, name, what it is, and its file: read without parsing, since listing should not cost more."""
    from accelsim.base.files import find_shipped, list_shipped

    if shelf is Shelf.dataflows:
        return [
            {"kind": "dataflow", "name": name, "summary": text, "file": None}
            for name, text in DATAFLOWS.items()
        ]
    if shelf is Shelf.technologies:
        return [
            _item("technology", name, find_shipped("technologies", name), r"^description: *(.+?) *$")
            for name in list_shipped("technologies")
        ]
    if shelf is Shelf.archs:
        return [
            _item("architecture", name, find_shipped("arch_configs", name), r"^description: *(.+?) *$")
            for name in list_shipped("arch_configs")
        ]
    if shelf is Shelf.spaces:
        return [
            _item("space", name, find_shipped("spaces", name), r"^description: *(.+?) *$")
            for name in list_shipped("spaces")
        ]
    return [
        _item("network", name, find_shipped("workloads", name), r'^ *doc_string: *"(.*)",? *$')
        for name in list_shipped("workloads")
    ]


def _item(kind: str, name: str, file: Path, pattern: str) -> dict[str, str | None]:
    with file.open(encoding="utf-8") as stream:
        found = re.search(pattern, stream.read(4096), re.MULTILINE)
    return {
        "kind": kind,
        "name": name,
        "summary": found[1].strip("'\"") if found else None,
        "file": str(file),
    }
