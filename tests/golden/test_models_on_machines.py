"""Real model files, from the onnx package and from Caffe's model zoo, cost something on every machine."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import onnx
import pytest

import accelsim
from accelsim.workload.graph import LayerGraph

LIGHT = sorted((Path(onnx.__file__).parent / "backend" / "test" / "data" / "light").glob("*.onnx"))
SHARED = Path(os.environ.get("ACCELSIM_SHARED", Path(__file__).resolve().parents[3] / "shared"))
CAFFE = {  # models/README.md of the shared folder: MACs and params at batch 1
    "alexnet": (724_406_816, 60_965_224),
    "googlenet-v1": (1_582_671_872, 6_998_552),
    "vgg16": (15_470_264_320, 138_357_544),
    "inception-v3": (5_713_216_096, 23_834_568),
    "resnet-50": (3_857_973_248, 25_557_096),
    "resnet-101": (7_570_194_432, 44_549_160),
    "squeezenet1.0": (861_339_936, 1_248_424),
    "squeezenet1.1": (387_747_520, 1_235_496),
    "mobilenet-v2": (429_111_936, 3_505_960),
    "se-resnet-50": (3_860_488_192, 28_088_024),
}
MACHINES = ("eyeriss", "tpu_v1", "systolic_32x32", "gemmini_16x16")


@cache
def load(path: Path) -> LayerGraph:
    return accelsim.load(path, batch=1)


def check(path: Path, machine: str) -> dict[str, int]:
    """Every operator is costed or moves data, nothing is lost, and no layer beats its bounds."""
    result = accelsim.run(load(path), accelsim.arch(machine))
    totals = dict(result.totals)
    assert totals["n_not_costed"] == 0
    assert totals["macs"] == sum(layer.macs for layer in load(path).layers)
    for row in result.rows:
        assert row["latency_cycles"] >= max(row["compute_bound_cycles"], row["memory_bound_cycles"])
        assert row["dram_read_bytes"] + row["dram_write_bytes"] >= row["compulsory_dram_bytes"]
        assert row["energy_pj"] >= row["energy_bound_pj"] * (1 - 1e-12)
    return totals


def test_the_onnx_package_ships_nine_light_models() -> None:
    assert len(LIGHT) == 9


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("path", LIGHT, ids=lambda path: path.stem)
def test_light_model_runs_on_machine(path: Path, machine: str) -> None:
    check(path, machine)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("name", CAFFE)
def test_caffe_model_runs_on_machine_with_its_published_counts(name: str, machine: str) -> None:
    path = SHARED / "models" / "caffe" / f"{name}.prototxt"
    if not path.exists():
        pytest.skip(f"{path} is not there: the model files are not ours to commit")
    totals = check(path, machine)
    assert (totals["macs"], totals["params"]) == CAFFE[name]
