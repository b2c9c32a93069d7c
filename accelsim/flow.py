"""The whole pipeline: load a model, load a machine, map and cost every layer, put the rows together."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from accelsim.base.errors import InfeasibleError, InputError, Problem, UncostedError, did_you_mean

if TYPE_CHECKING:
    from accelsim.costing import Costing
    from accelsim.hardware import Arch
    from accelsim.mapping.files import MappingFile
    from accelsim.results.result import Result
    from accelsim.workload.graph import LayerGraph

OBJECTIVES = ("edp", "energy", "latency")
RESERVES = (0.25, 0.5, 0.75, 1.0)
"""Shares of the activations' home that are kept free in turn, where tiles find no room otherwise."""
Progress = Callable[[str, int, int], None]


def load(model: str | Path, batch: int | None = None) -> LayerGraph:
    """The layer graph of a shipped network or a model file, every operator in it, nothing fused yet.

    `batch` sets a symbolic batch, or rescales a fixed one where every shape follows. InputError otherwise.
    """
    from accelsim.base.files import find_shipped
    from accelsim.workload.readers import read

    return read(find_shipped("workloads", str(model)), batch)


def arch(name: str | Path, sets: Sequence[str] | str = (), dataflow: str | None = None) -> Arch:
    """A shipped architecture or a YAML file, with `--set` overrides (`array.rows=8`) and a dataflow."""
    from accelsim.hardware import load_arch

    return load_arch(str(name), sets, dataflow)


def run(
    graph: LayerGraph,
    machine: Arch,
    *,
    objective: str = "edp",
    mapping: Path | str | None = None,
    compat: str | None = None,
    strict: bool = False,
    progress: Progress | None = None,
) -> Result:
    """What the network costs on one core of the machine, layer after layer.

    Each array layer gets the best mapping found for `objective` (latency, energy, edp) inside the machine's
    dataflow, or the one that the file `mapping` gives; `compat="scalesim"` reports SCALE-Sim's counts.
    Raises InfeasibleError where a layer does not fit, UncostedError under `strict`.
    """
    from accelsim.mapping.files import dump_mappings, load_mappings
    from accelsim.workload.passes import drop_noops, fuse

    started = time.perf_counter()
    _check_choice("objective", objective, OBJECTIVES)
    graph = fuse(drop_noops(graph), frozenset(machine.fuses))
    options: dict[str, Any] = {"dataflow": machine.dataflow, "compat": compat, "batch": graph.batch}
    if compat is not None:
        _check_choice("compat", compat, ("scalesim",))
        if mapping is not None:
            raise InputError(Problem("--compat scalesim has mappings of its own", hint="leave --mapping out"))
        rows = _scalesim_rows(graph, machine)
        _refuse_uncosted(rows, strict)
        return _result("run", graph, machine, rows, options, (), {"seconds": time.perf_counter() - started})
    given = load_mappings(Path(mapping)) if mapping is not None else None
    options |= {"objective": objective, "mapping": given.provenance if given is not None else None}
    rows, costing, notes = _costed_rows(graph, machine, objective, given, progress)
    _refuse_uncosted(rows, strict)
    run_info = {"seconds": time.perf_counter() - started, "n_mappings_evaluated": costing.n_evaluated}
    files = {"mapping.yaml": dump_mappings(costing.mappings)} if costing.mappings else {}
    notes = [*_notes(graph, machine), *notes]
    return _result("run", graph, machine, rows, options, notes, run_info, files)


def _costed_rows(
    graph: LayerGraph,
    machine: Arch,
    objective: str,
    given: MappingFile | None = None,
    progress: Progress | None = None,
) -> tuple[list[dict[str, Any]], Costing, list[str]]:
    """The rows of all layers; where live tensors leave a layer's tiles no room, more of them live in DRAM."""
    from accelsim.costing import Costing
    from accelsim.mapper.found import SearchOptions

    lowered = machine.machine()
    first = lowered.activation_reserve_frac
    notes: list[str] = []
    for reserve in (first, *(share for share in RESERVES if share > first)):
        costing = Costing(
            graph, replace(lowered, activation_reserve_frac=reserve), SearchOptions(objective), given
        )
        rows = []
        try:
            for step, layer in enumerate(graph.layers):
                if progress is not None:
                    progress(layer.name, step, len(graph.layers))
                rows.append(costing.row(step))
        except InfeasibleError:
            if not costing.homes.any_inside(costing.dram):
                raise
            continue
        if reserve > first:
            notes.append(
                f"{reserve:.0%} of the activations' home is kept free: a layer's tiles need the room"
            )
        if given is not None and (
            searched := [name for name in costing.mappings if name not in given.layers]
        ):
            notes.append(f"{len(searched)} layers are not in {given.file}: their mappings were searched")
        return rows, costing, notes
    raise AssertionError("with all of it kept free nothing lives inside")  # pragma: no cover


def _refuse_uncosted(rows: Sequence[Mapping[str, Any]], strict: bool) -> None:
    uncosted = [row for row in rows if row["status"] == "not_costed"]
    if strict and uncosted:
        raise UncostedError(
            Problem(f"{row['op']} is not costed: {row['reason']}", key=row["layer"]) for row in uncosted
        )


def inspect(graph: LayerGraph, fuse: bool = True) -> Result:
    """What the network is: layers, shapes, parameters, MACs, bytes, arithmetic intensity."""
    from accelsim.workload.passes import FUSABLE, drop_noops
    from accelsim.workload.passes import fuse as fuse_pass
    from accelsim.workload.shapes import shape_columns

    if fuse:
        graph = fuse_pass(drop_noops(graph), frozenset(FUSABLE) - {"add"})
    rows = [shape_columns(layer, graph) for layer in graph.layers]
    return _result("inspect", graph, None, rows, {"fuse": fuse, "batch": graph.batch}, graph.notes, {})


def reuse(
    graph: LayerGraph,
    machine: Arch | None = None,
    *,
    objective: str = "edp",
    mapping: Path | str | None = None,
) -> Result:
    """Accesses without reuse, with each kind of it and with all; and what a machine's mapping achieves."""
    from accelsim.costing import reuse_row
    from accelsim.mapping.files import load_mappings
    from accelsim.workload.passes import FUSABLE, drop_noops, fuse

    _check_choice("objective", objective, OBJECTIVES)
    if mapping is not None and machine is None:
        raise InputError(Problem("a mapping needs the machine that it is for", hint="give --arch"))
    graph = fuse(drop_noops(graph), frozenset(FUSABLE) - {"add"})
    options: dict[str, Any] = {"batch": graph.batch}
    achieved: dict[str, Any] = {}
    if machine is not None:
        given = load_mappings(Path(mapping)) if mapping is not None else None
        costed, _, _ = _costed_rows(graph, machine, objective, given)
        achieved = {row["layer"]: row.get("accesses") for row in costed}
        provenance = given.provenance if given is not None else None
        options |= {"dataflow": machine.dataflow, "objective": objective, "mapping": provenance}
    rows = [reuse_row(layer, achieved.get(layer.name)) for layer in graph.layers if layer.kind == "array"]
    if not rows:
        raise InputError(Problem(f"{graph.name} has no convolution or matrix product to reuse words in"))
    return _result("reuse", graph, machine, rows, options, (), {})


def check(path: str | Path) -> list[dict[str, Any]]:
    """Whether a file can be used, and as what: an architecture, a mapping or a model. InputError if not."""
    from accelsim.base.files import read_limited
    from accelsim.workload.readers import read

    file = Path(path)
    if file.suffix.lower() in (".yaml", ".yml"):
        head = read_limited(file, 2**22, "a YAML file")
        if b"accelsim.mapping/" in head[:4096]:
            from accelsim.mapping.files import load_mappings

            n = len(load_mappings(file).layers)
            return [{"file": str(path), "kind": "mapping", "ok": True, "summary": f"mappings of {n} layers"}]
        machine = arch(file).machine()
        levels = ", ".join(machine.level_names)
        summary = f"{machine.name}: {machine.rows}x{machine.cols} PEs, levels {levels}"
        return [{"file": str(path), "kind": "arch", "ok": True, "summary": summary}]
    graph = read(file)
    macs = sum(layer.macs for layer in graph.layers)
    summary = (
        f"{graph.name}: {graph.format}, {len(graph.layers)} operators, {macs:,} MACs at batch {graph.batch}"
    )
    return [{"file": str(path), "kind": "model", "ok": True, "summary": summary}]


def _scalesim_rows(graph: LayerGraph, machine: Arch) -> list[dict[str, Any]]:
    """SCALE-Sim 3.0.0's report of every array layer; memory and energy are not in it."""
    from accelsim.compat.scalesim import scalesim_row, unsupported

    lowered = machine.machine()
    layers = [layer for layer in graph.layers if layer.kind == "array"]
    refused = [problem for layer in layers if (problem := unsupported(layer)) is not None]
    if refused:
        raise InputError(refused)
    return [scalesim_row(layer, lowered) for layer in graph.layers]


def _result(
    command: str,
    graph: LayerGraph,
    machine: Arch | None,
    rows: list[dict[str, Any]],
    options: Mapping[str, Any],
    notes: Sequence[str],
    run_info: Mapping[str, Any],
    files: Mapping[str, str] | None = None,
) -> Result:
    from accelsim.results.result import Result
    from accelsim.results.totals import totals

    inputs: dict[str, Any] = {
        "model": {"name": graph.name, "sha256": graph.sha256, "format": graph.format},
        "options": dict(options),
    }
    lowered = machine.machine() if machine is not None else None
    if machine is not None and lowered is not None:
        inputs["arch"] = {
            "name": machine.name,
            "sha256": machine.sha256,
            "set": list(machine.sets),
            "clock_hz": lowered.clock_hz,
            "macs_per_cycle": lowered.macs_per_cycle,
            "cores": lowered.n_cores,
            "cores_used": 1,
        }
    total = totals(
        rows,
        lowered.macs_per_cycle if lowered is not None else None,
        lowered.clock_hz if lowered is not None else None,
    )
    info = {**run_info, "host": platform.node(), "python": platform.python_version()}
    return Result(f"accelsim.{command}/1", inputs, total, rows, tuple(notes), info, files or {}, _plots)


def _plots(result: Result) -> Any:
    from accelsim.charts.plots import Plots

    return Plots(result)


def _notes(graph: LayerGraph, machine: Arch) -> tuple[str, ...]:
    lowered = machine.machine()
    notes = list(machine.notes)
    if lowered.n_cores > 1:
        notes.append(
            f"one core of {lowered.n_cores} runs the network; the chip as a whole is not modelled here"
        )
    return tuple(notes)


def _check_choice(what: str, word: str, allowed: Sequence[str]) -> None:
    if word not in allowed:
        raise InputError(
            Problem(f"{word!r} is no {what}", expected=", ".join(allowed), hint=did_you_mean(word, allowed))
        )
