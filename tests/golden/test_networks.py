"""The networks of workloads/ against counts that others publish (accelsim/evidence/networks/values.csv)."""

from __future__ import annotations

import csv
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from accelsim.evidence.networks.model import UNITS, count
from accelsim.workload.graph import LayerGraph
from accelsim.workload.readers import read

REPO = Path(__file__).resolve().parents[2]
WORKLOADS = REPO / "workloads"
NAMES = sorted(path.name.removesuffix(".onnx.txt") for path in WORKLOADS.glob("*.onnx.txt"))

with (REPO / "accelsim" / "evidence" / "networks" / "values.csv").open(encoding="utf-8") as _file:
    ROWS = list(csv.DictReader(line for line in _file if not line.startswith("#")))


@cache
def network(name: str, batch: int = 1) -> LayerGraph:
    return read(WORKLOADS / f"{name}.onnx.txt", batch)


@pytest.mark.parametrize("row", ROWS, ids=[f"{r['network']}-{r['quantity']}-{r['value']}" for r in ROWS])
def test_counts_are_those_that_others_publish(row: dict[str, str]) -> None:
    ours = count(network(row["network"]), row["quantity"])
    unit = UNITS[row["unit"]]
    if row["tolerance"] == "0":
        assert ours == int(row["value"]) * unit, row["source"]
    else:
        # A source's own rounding may stand exactly on the edge; 1e-9 is for the binary fractions.
        assert abs(ours / unit - float(row["value"])) <= float(row["tolerance"]) + 1e-9, row["source"]


def test_every_shipped_network_has_evidence_for_macs_and_parameters() -> None:
    known = {(row["network"], row["quantity"].split("_")[0]) for row in ROWS}
    missing = [name for name in NAMES for quantity in ("macs", "params") if (name, quantity) not in known]
    assert NAMES
    assert not missing


def test_every_row_names_its_source_and_why_its_tolerance() -> None:
    assert all(row["source"] and row["reason"] and float(row["tolerance"]) >= 0 for row in ROWS)


def test_the_script_writes_the_shipped_files_to_the_byte(tmp_path: Path) -> None:
    script = REPO / "scripts" / "make_workloads.py"
    subprocess.run([sys.executable, "-B", str(script), "-o", str(tmp_path)], check=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(p.name for p in WORKLOADS.glob("*.onnx.txt"))
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (WORKLOADS / path.name).read_bytes(), path.name


@pytest.mark.parametrize("name", NAMES)
def test_four_images_take_four_times_the_macs_of_one(name: str) -> None:
    one, four = network(name), network(name, batch=4)
    assert count(four, "macs") == 4 * count(one, "macs")
    assert count(four, "params") == count(one, "params")


@pytest.mark.parametrize("name", NAMES)
def test_every_operator_of_a_shipped_network_is_costed_or_movement(name: str) -> None:
    assert [layer.name for layer in network(name).layers if layer.kind == "not_costed"] == []


@pytest.mark.parametrize("name", NAMES)
def test_onnx_itself_finds_a_shipped_file_valid(name: str) -> None:
    import onnx

    model = onnx.parser.parse_model((WORKLOADS / f"{name}.onnx.txt").read_text(encoding="utf-8"))
    onnx.checker.check_model(model)
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
