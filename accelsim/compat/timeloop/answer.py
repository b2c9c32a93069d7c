"""`accelsim evaluate --timeloop`: what Timeloop's model reports of one mapping, under its own names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from accelsim.base.errors import InfeasibleError, InputError, Problem
from accelsim.base.files import read_limited
from accelsim.base.yaml_lines import MAX_BYTES
from accelsim.compat.timeloop.account import Account, account, problems_of_fit
from accelsim.compat.timeloop.model import TimeloopInput
from accelsim.compat.timeloop.nest import nest_of
from accelsim.compat.timeloop.read import read_timeloop
from accelsim.compat.timeloop.write import loop_nest
from accelsim.results.result import Result


def evaluate_timeloop(paths: Path | Sequence[Path], *, exact_walk: bool = False) -> Result:
    """Counts, cycles, energy and area of the mapping in Timeloop's files, in Timeloop's semantics.

    `levels`: words per instance by level and data space, under the keys of its reports; pJ to the digits that
    it prints. `exact_walk`: all steps of every loop (TIMELOOP_DISABLE_TEMPORAL_EXTRAPOLATION) instead of the
    first two. InputError for what is not understood, InfeasibleError where the mapping does not fit.
    """
    paths = [paths] if isinstance(paths, Path) else list(paths)
    given = read_timeloop(paths)
    if given.mapping is None:
        raise InputError(
            Problem(
                "no mapping",
                file=given.file,
                expected="a section mapping, or mapping.yaml beside",
                hint="accelsim map FILE --compat timeloop finds the best one",
            )
        )
    if misfits := problems_of_fit(given, nest_of(given.architecture, given.mapping)):
        raise InfeasibleError(misfits)
    if exact_walk:
        given = replace(given, extrapolates=False)
    counted = account(given)
    row = cost_row(given, counted)
    files = [one for path in paths for one in (sorted(path.glob("*.yaml")) if path.is_dir() else [path])]
    return Result(
        schema="accelsim.evaluate/1",
        inputs={
            "model": {"name": given.workload.name, "sha256": sha256_of(files), "format": "timeloop"},
            "options": {"timeloop": [path.name for path in paths], "exact_walk": not given.extrapolates},
        },
        totals={key: row[key] for key in ("macs", "latency_cycles", "energy_pj", "utilization_frac")},
        rows=[row],
        notes=_notes(given, counted),
        more=reported(given, counted),
    )


def cost_row(given: TimeloopInput, counted: Account | None = None) -> dict[str, Any]:
    """The mapping in the columns of `run`: accesses are words over all instances."""
    mapping, workload = given.mapping, given.workload
    assert mapping is not None
    counted = counted or account(given)
    accesses: dict[str, Any] = {}
    tiles: list[dict[str, int]] = [{} for _ in given.architecture.levels]
    for (i, t), words in counted.tally.items():
        n, name = counted.instances[i], workload.tensors[t].name
        accesses.setdefault(given.architecture.levels[i].name, {})[name] = {
            "read": words.reads * n,
            "write": (words.fills + words.updates) * n,
        }
        tiles[i][name] = words.tile
    return {
        "layer": workload.name,
        "op": None,  # the file says which loops there are, not what they are called
        "status": "costed",
        "macs": workload.n_computes,
        "latency_cycles": counted.cycles,
        "compute_cycles": counted.compute_cycles,
        "stall_cycles": counted.cycles - counted.compute_cycles,
        "utilization_frac": workload.n_computes / (counted.cycles * given.architecture.n_macs),
        "energy_pj": counted.energy_pj,
        "energy_pj_by_level": by_level(given, counted),
        "accesses": accesses,
        "mapping": loop_nest(given, mapping, tiles),
    }


def by_level(given: TimeloopInput, counted: Account) -> dict[str, float]:
    """pJ of the multipliers, the levels from the inside, and the networks that cost any."""
    levels = given.architecture.levels
    found = {given.architecture.mac_name: counted.compute_pj}
    for i, level in enumerate(levels):
        kept = sum(pj for (at, _), pj in counted.tensor_pj.items() if at == i)
        found[level.name] = kept + counted.leak_pj[i]
    inner = given.architecture.mac_name
    for level, pj in zip(levels, counted.network_pj, strict=True):
        if pj:
            found[f"{level.name} <==> {inner}"] = pj
        inner = level.name
    return found


def reported(given: TimeloopInput, counted: Account) -> dict[str, Any]:
    """Timeloop's report: its names, its units, its rounding."""
    levels, tensors, n = given.architecture.levels, given.workload.tensors, given.workload.n_computes
    table: dict[str, dict[str, Any]] = {}
    for (i, t), words in counted.tally.items():
        table.setdefault(levels[i].name, {})[tensors[t].name] = {
            "reads": words.reads,
            "fills": words.fills,
            "updates": words.updates,
            "partition": words.partition,
            "capacity": words.tile,
            "instances": counted.instances[i],
            "energy_total_pJ": round(counted.tensor_pj[i, t], 2),
        }
    keeps = {*table, given.architecture.mac_name}
    per_compute = {
        name: round(pj / n * 1e3, 2)
        for name, pj in by_level(given, counted).items()
        if name in keeps or "<==>" in name
    }
    return {
        "dims": dict(zip(given.workload.dims, given.workload.extents, strict=True)),
        "computes": n,
        "cycles": counted.cycles,
        "energy_uJ": round(counted.energy_pj / 1e6, 2),
        "utilization": f"{n / (counted.cycles * given.architecture.n_macs):.2%}",
        "edp": f"{counted.energy_pj * counted.cycles / 1e12:.2e}",
        "area_um2": _area_um2(given),
        "levels": table,
        "fJ_per_compute": per_compute | {"Total": round(counted.energy_pj / n * 1e3, 2)},
    }


def _area_um2(given: TimeloopInput) -> float | None:
    """All instances of all components; None where the files give no areas."""
    architecture = given.architecture
    if architecture.mac_area_um2 is None:
        return None
    return architecture.n_macs * architecture.mac_area_um2 + sum(
        level.n_instances * (level.area_um2 or 0.0) for level in architecture.levels
    )


def _notes(given: TimeloopInput, counted: Account) -> tuple[str, ...]:
    found = []
    if counted.cycles > counted.compute_cycles:
        found.append(f"{counted.compute_cycles:,} steps, slowed to {counted.cycles:,} cycles")
    if given.passed_over:
        found.append(f"attributes that change no count: {', '.join(given.passed_over)}")
    return tuple(found)


def sha256_of(paths: Sequence[Path]) -> str:
    """Of the files' bytes, one after the other."""
    digest = sha256()
    for path in paths:
        digest.update(read_limited(path, MAX_BYTES, "a YAML file"))
    return digest.hexdigest()
