"""The whole pipeline: load a model, load a machine, map and cost every layer, put the rows together."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from accelsim.base.errors import InfeasibleError, InputError, Problem, UncostedError, did_you_mean

if TYPE_CHECKING:
    from accelsim.compat.scalesim import ScaleConfig
    from accelsim.cost.compression import Zeros
    from accelsim.costing import Costing
    from accelsim.hardware import Arch
    from accelsim.mapper.found import SearchOptions
    from accelsim.mapping.files import MappingFile
    from accelsim.results.result import Result
    from accelsim.workload.graph import LayerGraph

OBJECTIVES = ("edp", "energy", "latency")
RESERVES = (0.25, 0.5, 0.75, 1.0)
"""Shares of the activations' home that are kept free in turn, where tiles find no room otherwise."""
MAX_TOP = 1000
"""Mappings that `map_layers` gives at most: each comes with its nest."""
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

    if str(name).lower().endswith(".cfg"):
        hint = "`run --compat scalesim` alone takes one"
        raise InputError(Problem("a SCALE-Sim configuration", file=str(name), hint=hint))
    return load_arch(str(name), sets, dataflow)


def scale_config(
    path: str | Path, sets: Sequence[str] | str = (), dataflow: str | None = None
) -> ScaleConfig:
    """A SCALE-Sim `.cfg` as the machine of `run(..., compat="scalesim")`; `sets` override its keys."""
    from accelsim.compat.scalesim import read_config

    return read_config(path, (sets,) if isinstance(sets, str) else sets, dataflow)


def run(
    graph: LayerGraph,
    machine: Arch | ScaleConfig,
    *,
    objective: str = "edp",
    mapping: Path | str | None = None,
    zeros: Path | str | None = None,
    compat: str | None = None,
    dataflow: str | None = None,
    closed_form: bool = False,
    strict: bool = False,
    jobs: int = 1,
    cache: bool = True,
    progress: Progress | None = None,
) -> Result:
    """What the network costs on one core of the machine, layer after layer.

    Each array layer gets the best mapping found for `objective` (latency, energy, edp) inside the machine's
    dataflow, or the one that the file `mapping` gives; `compat="scalesim"` gives SCALE-Sim's counts and
    reports, on its own configuration or on ours, `compat="isca16"` those of the comparison of dataflows in
    ISCA 2016 (`dataflow`: one of its six).
    `closed_form` takes a systolic array's own order of folds and a rule for what the SRAM keeps, and searches
    nothing: the numbers of a sweep with `method: closed_form`.
    The file `zeros` has the zero fractions of maps, for machines that code them or rest at them.
    Searches run in so many processes (`jobs`, 0: one for each core); those done before come from the user's
    disk cache, unless `cache` is off. Neither changes a number.
    Raises InfeasibleError where a layer does not fit, UncostedError under `strict`.
    """
    from accelsim.costing import refuse_options, zeros_of
    from accelsim.hardware import Arch
    from accelsim.mapper.found import SearchOptions
    from accelsim.mapping.files import dump_mappings, load_mappings
    from accelsim.workload.passes import drop_noops, fuse

    started = time.perf_counter()
    _check_choice("objective", objective, OBJECTIVES)
    if closed_form:
        refuse_options({"mapping": mapping, "zeros": zeros, "compat": compat, "dataflow": dataflow})
    if compat is not None:
        if mapping is not None:
            hint = "leave --mapping out"
            raise InputError(Problem(f"--compat {compat} has mappings of its own", hint=hint))
        if zeros is not None:
            raise InputError(Problem(f"--compat {compat} knows no zeros", hint="leave --zeros out"))
        return _run_as(compat, graph, machine, dataflow, strict)
    if dataflow is not None:
        hint = "choose it with the arch"
        raise InputError(Problem("only compat='isca16' takes a dataflow here", hint=hint))
    if not isinstance(machine, Arch):
        hint = "add --compat scalesim"
        raise InputError(Problem("a SCALE-Sim configuration", file=machine.path, hint=hint))
    graph = fuse(drop_noops(graph), frozenset(machine.fuses))
    if closed_form:
        return _run_closed(graph, machine, strict)
    options: dict[str, Any] = {"dataflow": machine.dataflow, "compat": compat, "batch": graph.batch}
    given = load_mappings(Path(mapping)) if mapping is not None else None
    options |= {"objective": objective, "mapping": given.provenance if given is not None else None}
    known, options["zeros"] = zeros_of(graph, machine.machine(), zeros)
    search = SearchOptions(objective)
    rows, costing, notes = costed_rows(
        graph, machine, search, given, progress, jobs=jobs, cache=cache, zeros=known
    )
    _refuse_uncosted(rows, strict)
    run_info = {"seconds": time.perf_counter() - started, **costing.effort}
    files = {"mapping.yaml": dump_mappings(costing.mappings)} if costing.mappings else {}
    notes = [*_notes(graph, machine), *notes]
    return _result("run", graph, machine, rows, options, notes, run_info, files)


def simulate(
    graph: LayerGraph,
    machine: Arch,
    *,
    objective: str = "edp",
    mapping: Path | str | None = None,
    zeros: Path | str | None = None,
    strict: bool = False,
    jobs: int = 1,
    cache: bool = True,
    skip: bool = True,
    cores: int | None = None,
    trace: Path | str | bool = False,
    progress: Progress | None = None,
) -> Result:
    """What the network takes in an event simulation of the mappings that `run` costs.

    `skip` multiplies what repeats instead of simulating it, and changes no number. Branches run side by side
    on the cores of one channel, or on so many (`cores`). `trace` writes a timeline for Perfetto into that
    file (True: none, but the result keeps it for `save`). Raises as `run` does, and InputError where the
    trace can't be written.
    """
    from accelsim.costing import zeros_of
    from accelsim.mapper.found import SearchOptions
    from accelsim.mapping.files import dump_mappings, load_mappings
    from accelsim.results.trace import check_trace_name
    from accelsim.simulating import Simulation, compared
    from accelsim.tracing import trace_of
    from accelsim.workload.passes import drop_noops, fuse

    started = time.perf_counter()
    _check_choice("objective", objective, OBJECTIVES)
    if not isinstance(trace, bool):
        check_trace_name(trace)
    _check_cores(cores, machine)
    graph = fuse(drop_noops(graph), frozenset(machine.fuses))
    given = load_mappings(Path(mapping)) if mapping is not None else None
    search = SearchOptions(objective)
    known, zero_table = zeros_of(graph, machine.machine(), zeros)
    analytic, costing, notes = costed_rows(
        graph, machine, search, given, progress, jobs=jobs, cache=cache, zeros=known
    )
    _refuse_uncosted(analytic, strict)
    simulation = Simulation(costing, skip, cores, bool(trace))
    rows = simulation.rows()
    options: dict[str, Any] = {
        "dataflow": machine.dataflow,
        "batch": graph.batch,
        "objective": objective,
        "mapping": given.provenance if given is not None else None,
        "zeros": zero_table,
        "cores": cores,
    }
    run_info = {"seconds": time.perf_counter() - started, **costing.effort, **simulation.effort}
    files = {"mapping.yaml": dump_mappings(costing.mappings)} if costing.mappings else {}
    if trace:
        tick_s = 1 / (costing.machine.clock_hz * simulation.ticks.per_cycle)
        channels = [simulation.layout.names[i] for i in simulation.layout.channels]
        timeline = trace_of(graph, costing.machine, simulation.simulated, channels, tick_s)
        files["trace.csv"] = timeline.csv()
        if not isinstance(trace, bool):
            timeline.write(Path(trace))
    result = _result("simulate", graph, machine, rows, options, [*machine.notes, *notes], run_info, files)
    totals = simulation.totals(result.totals, rows)
    inputs = dict(result.inputs)
    inputs["arch"] = {**inputs["arch"], "cores_used": len(simulation.cores_used)}
    said = (*result.notes, *filter(None, [compared(totals)]))
    return replace(result, inputs=inputs, totals=totals, notes=said)


def _run_closed(graph: LayerGraph, machine: Arch, strict: bool) -> Result:
    """The network by the closed form of a systolic array; its totals are those of a point of a sweep."""
    from accelsim.costing import ClosedCosting
    from accelsim.mapper.found import SearchOptions

    started, costing = time.perf_counter(), ClosedCosting(graph, machine.machine(), SearchOptions())
    form = costing.network()
    rows = [costing.row(step) for step in range(len(graph.layers))]
    _refuse_uncosted(rows, strict)
    options = {"dataflow": machine.dataflow, "closed_form": True, "batch": graph.batch}
    seconds = {"seconds": time.perf_counter() - started}
    result = _result("run", graph, machine, rows, options, _notes(graph, machine), seconds)
    return replace(result, totals={**result.totals, "energy_pj": float(form.energy_pj[0])})


def _check_cores(cores: int | None, machine: Arch) -> None:
    lowered = machine.machine()
    known = lowered.n_cores // lowered.n_clusters
    if cores is not None and not 1 <= cores <= known:
        raise InputError(
            Problem(
                f"{cores} cores, {lowered.name} has {known} on a memory channel",
                key="cores",
                expected=f"1 to {known}",
                hint="accelsim split runs a network on all cores",
            )
        )


def costed_rows(
    graph: LayerGraph,
    machine: Arch,
    options: SearchOptions,
    given: MappingFile | None = None,
    progress: Progress | None = None,
    only: Collection[str] | None = None,
    jobs: int = 1,
    cache: bool = True,
    zeros: Mapping[str, Zeros] | None = None,
    why: bool = True,
    columns: bool = True,
) -> tuple[list[dict[str, Any]], Costing, list[str]]:
    """The rows of all layers; where live tensors leave a layer's tiles no room, more of them live in DRAM.

    With `only`, those of the layers that it names: any mapping of the others will do, to see that they fit.
    Where nothing fits, the error tells what would help, which takes searches of its own (`why`). Without
    `columns` the rows have only what the sums of a sweep are made of (`Costing.sums`).
    """
    from accelsim.costing import Costing
    from accelsim.mapper.infeasible import explain
    from accelsim.mapper.solve import NothingLegalError, Solver, finds, open_cache

    lowered = machine.machine()
    first = lowered.activation_reserve_frac
    notes: list[str] = []
    solver = Solver(jobs, open_cache() if cache else None)
    for reserve in (first, *(share for share in RESERVES if share > first)):
        costing = Costing(
            graph, replace(lowered, activation_reserve_frac=reserve), options, given, zeros or {}
        )
        try:
            costing.solve(solver, progress, only)
        except NothingLegalError as error:
            if not costing.homes.any_inside(costing.dram):
                reasons = explain(costing.requests(only).values(), finds) if why else ()
                raise InfeasibleError(reasons or error.problems) from None
            continue
        except InfeasibleError:  # a mapping of the file does not fit
            if not costing.homes.any_inside(costing.dram):
                raise
            continue
        if reserve > first:
            said = f"{reserve:.0%} of the activations' home is kept free: a layer's tiles need the room"
            notes.append(said)
        if given is not None and (
            searched := [name for name in costing.mappings if name not in given.layers]
        ):
            notes.append(f"{len(searched)} layers are not in {given.file}: their mappings were searched")
        steps = [step for step, layer in enumerate(graph.layers) if only is None or layer.name in only]
        return [costing.row(step) if columns else costing.sums(step) for step in steps], costing, notes
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
    from accelsim.mapper.found import SearchOptions
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
        costed, _, _ = costed_rows(graph, machine, SearchOptions(objective), given)
        achieved = {row["layer"]: row.get("accesses") for row in costed}
        provenance = given.provenance if given is not None else None
        options |= {"dataflow": machine.dataflow, "objective": objective, "mapping": provenance}
    rows = [reuse_row(layer, achieved.get(layer.name)) for layer in graph.layers if layer.kind == "array"]
    if not rows:
        raise InputError(Problem(f"{graph.name} has no convolution or matrix product to reuse words in"))
    return _result("reuse", graph, machine, rows, options, (), {})


def map_layers(
    graph: LayerGraph,
    machine: Arch,
    layers: Sequence[str] | str | None = None,
    *,
    objective: str = "edp",
    top: int = 1,
    front: bool = False,
    ragged: bool = False,
    gap: float = 0.0,
    time_limit: float | None = None,
    jobs: int = 1,
    cache: bool = True,
    progress: Progress | None = None,
) -> Result:
    """The best mapping of each array layer (or of those named) with tiles, traffic and certificate.

    `top` gives so many of the best that differ in energy or latency, `front` all that none beats in both.
    `ragged` takes tiles of any size; `gap` (a fraction of the best) and `time_limit` (seconds a layer) stop
    the search early. Costs are those of `run`, as are `jobs` and `cache`. Raises InputError, and
    InfeasibleError where nothing fits.
    """
    from accelsim.mapper.found import SearchOptions
    from accelsim.mapper.found_columns import effort
    from accelsim.mapping.files import dump_mappings
    from accelsim.results.points import points_csv
    from accelsim.results.totals import search_totals
    from accelsim.workload.named import array_layers
    from accelsim.workload.passes import drop_noops, fuse

    started = time.perf_counter()
    _check_choice("objective", objective, OBJECTIVES)
    _check_search(top, front, gap, time_limit)
    graph = fuse(drop_noops(graph), frozenset(machine.fuses))
    names = array_layers(graph, [layers] if isinstance(layers, str) else layers)
    search = SearchOptions(objective, ragged, top, front, gap, time_limit)
    rows, costing, notes = costed_rows(
        graph, machine, search, progress=progress, only=names, jobs=jobs, cache=cache
    )
    step = {layer.name: at for at, layer in enumerate(graph.layers)}
    rows = [row | costing.search_columns(step[row["layer"]]) for row in rows]
    options = {
        "dataflow": machine.dataflow,
        "batch": graph.batch,
        "objective": objective,
        "layers": list(names) if layers else None,
        "top": top if top > 1 else None,
        "front": front,
        "ragged": ragged,
        "gap_frac": gap,
        "time_limit_s": time_limit,
    }
    run_info = {
        "seconds": time.perf_counter() - started,
        **costing.effort,
        "layers": {name: effort(found.certificate) for name, found in costing.found.items()},
    }
    files = {"mapping.yaml": dump_mappings({name: costing.mappings[name] for name in names})}
    if top > 1 or front:
        files["points.csv"] = points_csv(rows)
    notes = [*_notes(graph, machine), *notes]
    if ragged and machine.dataflow != "any":
        notes.append(f"tiles of {machine.dataflow} have any size already: --ragged is for --dataflow any")
    result = _result("map", graph, machine, rows, options, notes, run_info, files)
    return replace(result, totals={**result.totals, **search_totals(rows)})


def _run_as(
    peer: str,
    graph: LayerGraph,
    machine: Arch | ScaleConfig,
    dataflow: str | None,
    strict: bool,
) -> Result:
    """The network by the rules of another model (`--compat`)."""
    from accelsim.compat.peers import PEERS, by_rules_of

    started = time.perf_counter()
    _check_choice("compat", peer, PEERS)
    found = by_rules_of(peer, graph, machine, dataflow)
    _refuse_uncosted(found.rows, strict)
    seconds = {"seconds": time.perf_counter() - started}
    return _result("run", graph, machine, found.rows, found.options, found.notes, seconds, found.files)


def _result(
    command: str,
    graph: LayerGraph,
    machine: Arch | ScaleConfig | None,
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
    macs_per_cycle, clock_hz, n_cores = _pace(machine)
    if machine is not None:
        inputs["arch"] = {
            "name": machine.name,
            "sha256": machine.sha256,
            "set": list(machine.sets),
            "clock_hz": clock_hz,
            "macs_per_cycle": macs_per_cycle,
            "cores": n_cores,
            "cores_used": 1,
        }
    total = totals(rows, macs_per_cycle, clock_hz)
    info = {**run_info, "host": platform.node(), "python": platform.python_version()}
    return Result(f"accelsim.{command}/1", inputs, total, rows, tuple(notes), info, files or {}, plots)


def _pace(machine: Arch | ScaleConfig | None) -> tuple[int | None, float | None, int]:
    """MACs per cycle, clock and cores; SCALE-Sim's configurations have no clock."""
    if machine is None:
        return None, None, 1
    from accelsim.hardware import Arch

    if not isinstance(machine, Arch):
        return machine.setup.rows * machine.setup.cols, None, 1
    lowered = machine.machine()
    return lowered.macs_per_cycle, lowered.clock_hz, lowered.n_cores


def plots(result: Result) -> Any:
    """What is behind `result.plot`: charts stand above results, and load matplotlib when they draw."""
    from accelsim.charts.plots import Plots

    return Plots(result)


def _notes(graph: LayerGraph, machine: Arch) -> tuple[str, ...]:
    lowered = machine.machine()
    notes = list(machine.notes)
    if lowered.n_cores > 1:
        said = f"one core of {lowered.n_cores} runs the network; `accelsim split` has the chip as a whole"
        notes.append(said)
    return tuple(notes)


def _check_choice(what: str, word: str, allowed: Sequence[str]) -> None:
    if word not in allowed:
        raise InputError(
            Problem(f"{word!r} is no {what}", expected=", ".join(allowed), hint=did_you_mean(word, allowed))
        )


def _check_search(top: int, front: bool, gap: float, time_limit: float | None) -> None:
    wrong = []
    if not 1 <= top <= MAX_TOP:
        wrong.append(Problem(f"{top} mappings", key="top", expected=f"1 to {MAX_TOP:,} of the best"))
    if front and top > 1:
        said = "the best of one objective, and front, the trade-offs between two, exclude each other"
        wrong.append(Problem(said, key="top", hint="leave one of them out"))
    if not 0 <= gap < 1:
        wrong.append(Problem(f"{gap:g} is no share of the best", key="gap", expected="0 (proven) to below 1"))
    if time_limit is not None and not time_limit > 0:
        wrong.append(Problem(f"{time_limit:g} s leave no time", key="time_limit", expected="seconds above 0"))
    if wrong:
        raise InputError(wrong)
