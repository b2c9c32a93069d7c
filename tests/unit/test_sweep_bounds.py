"""What is known of points before a search: no metric that a search finds is better."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import accelsim
from accelsim.explore.sweep.bounds import Bounds
from accelsim.explore.sweep.evaluate import evaluator_of
from accelsim.explore.sweep.read import read_space
from accelsim.explore.sweep.screen_key import EXACT, LEAST, MOST
from accelsim.mapping.homes import find_homes
from accelsim.mapping.homes_of_many import homes_of_many
from accelsim.tables.machines import stacked
from accelsim.workload.passes import drop_noops, fuse

LAYERS = "Layer, M, N, K,\nwide, 8, 96, 64,\ntall, 96, 8, 64,\n"


@pytest.mark.parametrize(
    ("arch", "network", "objective", "vary"),
    [
        (
            "eyeriss",
            "lenet",
            "latency",
            "glb.size: [4 KiB, 100 KiB], array.rows: [5, 12], batch: [1, 4]",
        ),
        (
            "eyeriss",
            "lenet",
            "energy",
            "dram.bandwidth.value: [0.1 GB/s, 9 GB/s], glb.overlap: [true, false]",
        ),
        (
            "eyeriss_isca16_256",
            "one.csv",
            "latency",
            "dataflow: [rs, ws, os, nlr], glb.size: [2 KiB, 64 KiB]",
        ),
        ("systolic_32x32", "lenet", "energy", "array.fold: [broadcast, sequential, preload, overlapped]"),
        ("systolic_32x32", "lenet", "latency", "dataflow: [ws, os, is], sram.size: [2 KiB, 32 KiB]"),
        ("tpu_v1", "lenet", "energy", "array.cols: [16, 256], unified_buffer.size: [16 KiB, 24 MiB]"),
        ("simba_like", "lenet", "latency", "batch: [1, 2]"),
        ("nvdla_small", "lenet", "energy", "array.cols: [4, 16]"),
    ],
)
def test_no_metric_of_a_point_is_better_than_its_bound(
    tmp_path: Path, arch: str, network: str, objective: str, vary: str
) -> None:
    text = (
        f"arch: {arch}\nnetworks: [{network}]\nvary: {{{vary}}}\nmethod: dataflow\nobjective: {objective}\n"
    )
    (tmp_path / "one.csv").write_text(LAYERS)
    (tmp_path / "space.yaml").write_text(f"schema: accelsim.space/1\nname: small\nmethod: dataflow\n{text}")
    space = read_space(tmp_path / "space.yaml")
    points = space.points(0, space.n_raw)
    bounds, found = Bounds(space)(points), evaluator_of(space)(points)
    ok = found["status"] == "ok"
    assert ok.any(), found["reason"]
    for name in LEAST:
        assert (bounds[name][ok] <= found[name][ok]).all(), name
    for name in MOST:
        assert (bounds[name][ok] >= found[name][ok]).all(), name
    for name in EXACT:
        assert np.array_equal(bounds[name][ok], found[name][ok], equal_nan=True), name
    assert np.median(bounds["latency_s"][ok] / found["latency_s"][ok]) > 0.3


def test_bounds_of_any_mapping_are_below_those_of_a_dataflow_and_its_searches(tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text("Layer, M, N, K,\nsmall, 6, 8, 4,\n")
    (tmp_path / "space.yaml").write_text(
        "schema: accelsim.space/1\nname: small\narch: systolic_32x32\nnetworks: [one.csv]"
        "vary: {sram.size: [256 B, 2 KiB], array.rows: [2, 4], array.cols: [4]}\nmethod: any\n"
    )
    space = read_space(tmp_path / "space.yaml")
    points = space.points(0, space.n_raw)
    found, free, inside = evaluator_of(space)(points), Bounds(space, free=True)(points), Bounds(space)(points)
    for name in LEAST:
        assert (free[name] <= found[name]).all(), name
        assert (free[name] <= inside[name] * (1 + 1e-9)).all(), name


@pytest.mark.parametrize(
    ("arch", "level", "sizes"),
    [
        ("tpu_v1", "unified_buffer", ("64 KiB", "1 MiB", "24 MiB")),
        ("mlu100", "", ("",)),
        ("simba_like", "", ("",)),
    ],
)
def test_homes_on_many_machines_are_those_on_each(arch: str, level: str, sizes: tuple[str, ...]) -> None:
    archs = [accelsim.arch(arch, [f"{level}.size={size}"] if level else []) for size in sizes]
    graph = fuse(drop_noops(accelsim.load("googlenet")), frozenset(archs[0].fuses))
    machines = [one.machine() for one in archs]
    for share in (0.0, 0.5):
        found = homes_of_many(graph, stacked(machines), np.full(len(machines), share))
        for at, machine in enumerate(machines):
            alone = find_homes(graph, replace(machine, activation_reserve_frac=share))
            assert {name: int(homes[at]) for name, homes in found.items()} == dict(alone.level)
