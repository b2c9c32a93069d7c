"""Whether a file can be used, and as what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from accelsim.base.files import read_limited
from accelsim.hardware import load_arch

HEAD_BYTES = 4096
"""The schema of a file stands in its head."""


def check(path: str | Path) -> list[dict[str, Any]]:
    """What a file is: an architecture, mapping, space, technology, SCALE-Sim configuration or model.

    InputError with all that is wrong with it.
    """
    file = Path(path)
    suffix = file.suffix.lower()
    if suffix in (".yaml", ".yml"):
        kind, summary = _yaml(file)
    elif suffix == ".cfg":
        from accelsim.compat.scalesim import read_config

        setup = read_config(file, (), None).setup
        kind, summary = "scalesim", f"{setup.rows}x{setup.cols} PEs, {setup.dataflow}"
    else:
        kind, summary = "model", _model(file)
    return [{"file": str(path), "kind": kind, "ok": True, "summary": summary}]


def _yaml(file: Path) -> tuple[str, str]:
    head = read_limited(file, 2**22, "a YAML file")[:HEAD_BYTES]
    if b"accelsim.mapping/" in head:
        from accelsim.mapping.files import load_mappings

        return "mapping", f"mappings of {len(load_mappings(file).layers)} layers"
    if b"accelsim.space/" in head:
        from accelsim.explore.sweep.read import read_space

        space = read_space(file)
        networks = ", ".join(space.networks)
        return "space", f"{space.name}: {space.n_raw:,} combinations of {space.arch}, {networks}"
    if b"accelsim.technology/" in head or b"accelsim.dram/" in head:
        from accelsim.hardware.technology import load_dram, load_technology

        load = load_dram if b"accelsim.dram/" in head else load_technology
        return "technology", load(str(file)).description
    machine = load_arch(str(file)).machine()
    levels = ", ".join(machine.level_names)
    return "arch", f"{machine.name}: {machine.rows}x{machine.cols} PEs, levels {levels}"


def _model(file: Path) -> str:
    from accelsim.workload.readers import read

    graph = read(file)
    macs = sum(layer.macs for layer in graph.layers)
    size = f"{len(graph.layers)} operators, {macs:,} MACs at batch {graph.batch}"
    return f"{graph.name}: {graph.format}, {size}"
