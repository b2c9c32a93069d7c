"""The best split of a chip's cores: model parallelism, data parallelism, host threads and batch.

choose the cells -> cut the network for each number of cores -> closed form of all -> simulate the best
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from accelsim import flow
from accelsim.base.errors import InfeasibleError, InputError, Problem, did_you_mean
from accelsim.cost.chip import CellCosts, cell_costs, data_set_seconds
from accelsim.costing import status_of
from accelsim.explore.cells import OBJECTIVES, Choices, Decided, choices, decide
from accelsim.explore.strategy import STRATEGIES, Planner
from accelsim.explore.timeline import cell_timeline
from accelsim.explore.work import Works
from accelsim.hardware import Arch, load_arch
from accelsim.mapper.solve import Solver, open_cache
from accelsim.results.grid import grid_csv, loss
from accelsim.results.result import Result
from accelsim.results.trace import Trace, check_trace_name
from accelsim.sim.chip import ChipSimulation
from accelsim.tables.chip import Cells, Chip, ReplicaWork
from accelsim.workload.graph import LayerGraph
from accelsim.workload.passes import drop_noops, fuse

Numbers = Sequence[int] | int | None
Progress = Callable[[str, int, int], None]


def split(
    graph: LayerGraph,
    machine: Arch,
    *,
    cores: int | None = None,
    mp: Numbers = None,
    dp: Numbers = None,
    threads: Numbers = None,
    batch: Numbers = None,
    objective: str = "throughput",
    strategy: str = "uniform",
    full: bool = False,
    simulate: int | None = None,
    images: int | None = None,
    trace: Path | str | None = None,
    cache: bool = True,
    progress: Progress | None = None,
) -> Result:
    """How the network runs on all the chip's cores, for every combination of the lists, and which is best.

    A replica is `mp` cores that run one network, an instance `dp` replicas that a host thread drives, `batch`
    is per replica; where a list is None, powers of two. `cores` changes their number, `full` keeps splits
    that use all. `objective` is throughput, latency, energy or edp; `strategy` uniform (one split for all
    layers), hybrid (each layer its own) or pipeline (also groups of layers as stages); at least `simulate`
    cells are simulated. `images` adds the time that each cell takes for a data set of so many. `trace` is a
    file for the timeline of the best cell, of one split for all layers.
    Raises InfeasibleError where no cell has the cores and the memory that it needs.
    """
    started = time.perf_counter()
    _check(graph, objective, strategy, simulate, images)
    _check_trace(trace, strategy)
    if cores is not None:
        machine = _with_cores(machine, cores)
    chip = machine.chip()
    chosen = choices(chip.n_cores, mp=mp, dp=dp, threads=threads, batch=batch)
    cells = chosen.cells(chip.n_cores, full)
    cut = _works(graph, machine, chip, cache)
    works = _replicas(cut, [m for m in chosen.mp if m * min(chosen.dp) <= chip.n_cores], progress)
    costs = cell_costs(chip, works, cells)
    if not costs.ok.any():
        raise InfeasibleError(_nothing_fits(graph.name, chip, chosen, cells, costs))
    simulation = ChipSimulation(chip, works)
    decided = decide(cells, costs, simulation, objective, simulate, progress)
    order = decided.order()
    rows = [decided.row(b) for b in range(len(cells))]
    if images is not None:
        for row, seconds in zip(rows, _data_set(simulation, decided, images), strict=True):
            row["data_set_s"] = seconds
    at, more = order[0], {"strategy": strategy}
    if strategy != "uniform":
        planned = Planner(cut, decided, objective, strategy, images).improve(rows, progress)
        at = planned.best(order, objective)
        more |= planned.answer(at, objective, works)
    best = {**rows[at], "objective": objective, "value": loss(rows[at], objective)}
    timeline = cell_timeline(chip, works, cells.rows()[at]) if trace is not None else None
    options = {
        "objective": objective,
        "strategy": strategy,
        "dataflow": machine.dataflow,
        "cores": chip.n_cores,
        **vars(chosen),
        "full": full,
        "simulate": simulate,
        "images": images,
    }
    model = {"name": graph.name, "sha256": graph.sha256, "format": graph.format}
    return Result(
        "accelsim.split/1",
        {"model": model, "options": options, "arch": _arch(machine, chip)},
        _totals(decided),
        _layers(graph, machine, works[best["mp"]]),
        _notes(graph, machine),
        _run(started),
        _files(rows, timeline, trace),
        flow.plots,
        {"grid": rows, "best": best, **more},
    )


def _run(started: float) -> dict[str, Any]:
    return {
        "seconds": time.perf_counter() - started,
        "host": platform.node(),
        "python": platform.python_version(),
    }


def _with_cores(machine: Arch, cores: int) -> Arch:
    """The chip with another number of cores in as many clusters, which are equal.

    InputError where the cores don't divide into them, with what would.
    """
    known = machine.spec.clusters.count if machine.spec.clusters is not None else 1
    if cores % known == 0:
        return load_arch(machine.path, (*machine.sets, f"core.count={cores}"), machine.dataflow)
    below, inside = cores // known * known, machine.spec.core.count // known
    hint = f"--cores {below} or {below + known}" if below else f"--cores {known}"
    if cores % inside == 0:
        hint += f", or fewer clusters: --set clusters.count={cores // inside}"
    said = f"{cores:,} cores don't divide into the {known:,} equal clusters of {machine.name}"
    raise InputError(Problem(said, key="cores", expected=f"a multiple of {known:,}", hint=hint))


def _files(rows: list[dict[str, Any]], timeline: Trace | None, trace: Path | str | None) -> dict[str, str]:
    """What `save` writes beside the result; the timeline is written to its own file now."""
    files = {"grid.csv": grid_csv(rows)}
    if timeline is not None and trace is not None:
        timeline.write(Path(trace))
        files["trace.csv"] = timeline.csv()
    return files


def _works(graph: LayerGraph, machine: Arch, chip: Chip, cache: bool) -> Works:
    fused = fuse(drop_noops(graph), frozenset(machine.fuses))
    return Works(fused, machine.machine(), chip, Solver(disk=open_cache() if cache else None))


def _replicas(works: Works, mps: Sequence[int], progress: Progress | None) -> dict[int, ReplicaWork]:
    found = {}
    for at, mp in enumerate(mps):
        if progress is not None:
            progress(f"cut over {mp} cores", at, len(mps))
        found[mp] = works.of(mp)
    return found


def _data_set(simulation: ChipSimulation, decided: Decided, images: int) -> list[float]:
    """Seconds of each cell for so many images, by the model that decided it; nan where it does not run."""
    closed = data_set_seconds(simulation.chip, simulation.works, decided.cells, images)
    rows = zip(decided.cells.rows(), decided.is_simulated, closed.tolist(), strict=True)
    return [simulation.run_s(*cell, images) if by_events else least for cell, by_events, least in rows]


def _check(
    graph: LayerGraph, objective: str, strategy: str, simulate: int | None, images: int | None
) -> None:
    wrong = []
    if strategy not in STRATEGIES:
        near = did_you_mean(strategy, STRATEGIES)
        wrong.append(Problem(f"{strategy!r} is no strategy", expected=", ".join(STRATEGIES), hint=near))
    if objective not in OBJECTIVES:
        near = did_you_mean(objective, OBJECTIVES)
        wrong.append(Problem(f"{objective!r} is no objective", expected=", ".join(OBJECTIVES), hint=near))
    if simulate is not None and simulate < 0:
        wrong.append(Problem(f"{simulate} cells can't be simulated", key="simulate", expected="0 or more"))
    if images is not None and images < 1:
        wrong.append(Problem(f"{images} images are no data set", key="images", expected="1 or more"))
    if graph.batch != 1:
        wrong.append(
            Problem(
                f"{graph.name} was loaded with {graph.batch} images a pass",
                expected="one image: `batch` says how many of them a replica takes",
                hint="load it with batch=1",
            )
        )
    if wrong:
        raise InputError(wrong)


def _check_trace(trace: Path | str | None, strategy: str) -> None:
    if trace is None:
        return
    check_trace_name(trace)
    if strategy != "uniform":
        said = "a timeline shows one split for all layers"
        raise InputError(Problem(said, key="trace", expected="--strategy uniform, or no --trace"))


def _nothing_fits(model: str, chip: Chip, chosen: Choices, cells: Cells, costs: CellCosts) -> Problem:
    """Demand, limit, and what would mend it, of the cell that comes nearest."""
    if not (costs.status == "oom").any():
        least = min(chosen.mp) * min(chosen.dp)
        return Problem(
            f"{min(chosen.mp)} x {min(chosen.dp)} = {least:,} cores are needed by the smallest split, "
            f"{chip.name} has {chip.n_cores:,}",
            hint=f"lower --mp or --dp, or --cores {least}",
        )
    at = int(np.nanargmin(costs.memory_bytes))
    need, limit = float(costs.memory_bytes[at]), chip.memory_bytes * chip.n_cards
    mp, dp, threads, batch = cells.rows()[at]
    return Problem(
        f"{model} needs {need:,.0f} B in the cell that needs least (mp {mp}, dp {dp}, threads {threads}, "
        f"batch {batch}), {chip.name} has {limit:,.0f} B",
        hint="lower --batch, --threads or --dp, or raise dram.size",
    )


def _arch(machine: Arch, chip: Chip) -> dict[str, Any]:
    lowered = machine.machine()
    return {
        "name": machine.name,
        "sha256": machine.sha256,
        "set": list(machine.sets),
        "clock_hz": lowered.clock_hz,
        "macs_per_cycle": lowered.macs_per_cycle * chip.n_cores,
        "cores": chip.n_cores,
        "cores_used": chip.n_cores,
        "clusters": chip.n_clusters,
        "memory_bytes": chip.memory_bytes * chip.n_cards,
    }


def _totals(decided: Decided) -> dict[str, Any]:
    """How many cells there are of each kind, and how far closed form and simulation are apart."""
    status, done = decided.costs.status, decided.is_simulated
    off = np.abs(decided.closed[done] / decided.simulated[done] - 1)
    return {
        "n_cells": len(decided.cells),
        **{f"n_{name}": int((status == name).sum()) for name in ("ok", "oom", "infeasible")},
        "n_simulated": int(done.sum()),
        "analytic_error_median_frac": float(np.median(off)) if len(off) else None,
        "analytic_error_max_frac": float(off.max()) if len(off) else None,
    }


def _layers(graph: LayerGraph, machine: Arch, work: ReplicaWork) -> list[dict[str, Any]]:
    """How the best split cuts each layer, and what one image costs a replica in it."""
    by_name = {layer.name: layer for layer in graph.layers}
    lowered = machine.machine()
    return [
        {
            "layer": name,
            "op": by_name[name].op,
            "status": status_of(by_name[name], lowered)[0],
            "partition": work.partition[at],
            "core_s": float(work.compute_s[at]),
            "read_bytes": float(work.in_bytes[at]),
            "write_bytes": float(work.out_bytes[at]),
            "exchange_bytes": float(work.exchange_bytes[at]),
            "weight_read_bytes": float(work.weight_bytes[at]),
        }
        for at, name in enumerate(work.layers)
    ]


def _notes(graph: LayerGraph, machine: Arch) -> tuple[str, ...]:
    lowered = machine.machine()
    left = [layer.op for layer in graph.layers if status_of(layer, lowered)[0] == "not_costed"]
    said = [f"not costed and left out: {len(left)} layers ({', '.join(sorted(set(left)))})"] if left else []
    return (*machine.notes, *said)
