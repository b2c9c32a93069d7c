"""The Eyeriss chip as measured (JSSC 2017, Tables V and VI) against the model of `eyeriss`.

Values with their sources: accelsim/evidence/eyeriss_alexnet and eyeriss_vgg16. Fitted are the control of a
pass and the clock's power; the targets are those of the project, stated before either was fitted.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest

import accelsim
from accelsim.base.errors import InputError
from accelsim.evidence.case import Value
from accelsim.evidence.eyeriss_chip import predict
from accelsim.evidence.read import read_values

REPO = Path(__file__).resolve().parents[2]
EVIDENCE, EXAMPLES = REPO / "accelsim" / "evidence", REPO / "docs" / "examples"
MAPPING, ZEROS = EXAMPLES / "eyeriss_alexnet_mapping.yaml", EXAMPLES / "eyeriss_alexnet_zeros.csv"
CHIP = ("published", "fitting")

Pair = tuple[dict[str, str], dict[str, Value]]


@cache
def table(case: str, without: str | None = None) -> tuple[Pair, ...]:
    """Theirs and ours, row by row."""
    rows = [dict(row) for row in read_values(EVIDENCE / case / "values.csv")]
    return tuple(zip(rows, predict(rows, without), strict=True))


def errors(quantity: str, mappings: tuple[str, ...] = CHIP, without: str | None = None) -> dict[str, float]:
    """ours / theirs - 1 of the layers of AlexNet under some mappings."""
    return {
        row["layer"]: float(ours[quantity] or 0) / float(row[quantity]) - 1
        for row, ours in table("eyeriss_alexnet", without)
        if row["mapping"] in mappings and row["layer"] != "TOTAL"
    }


@pytest.mark.parametrize(
    ("quantity", "target"),
    [("processing_latency_ms", 0.05), ("total_latency_ms", 0.08), ("dram_mb", 0.10), ("power_mw", 0.10)],
)
def test_alexnet_meets_what_was_measured_on_the_chip(quantity: str, target: float) -> None:
    found = errors(quantity)
    assert list(found) == ["CONV1", "CONV2", "CONV3", "CONV4", "CONV5"]
    assert fmean(map(abs, found.values())) <= target


def test_buffer_traffic_meets_the_chips_where_the_mapping_does() -> None:
    found = errors("glb_mb")
    assert max(map(abs, found.values())) <= 0.005
    assert errors("glb_mb", ("doubtful",))["CONV3"] == pytest.approx(0.38, abs=0.01)


def test_active_elements_are_those_of_the_chip() -> None:
    assert set(errors("active_pes", (*CHIP, "doubtful")).values()) == {0.0}


@pytest.mark.parametrize(
    ("constant", "quantity", "least", "most"),
    [
        ("control_cycles_per_pass", "processing_latency_ms", 0.05, 0.08),
        ("clock_tree_mw", "power_mw", 0.45, 0.6),
    ],
)
def test_without_a_fitted_constant_the_error_is_larger(
    constant: str, quantity: str, least: float, most: float
) -> None:
    assert least <= fmean(map(abs, errors(quantity, CHIP, constant).values())) <= most


@pytest.mark.parametrize(
    ("constant", "quantity", "value", "near"),
    [("control_cycles_per_pass", "processing_latency_ms", 440, 5), ("clock_tree_mw", "power_mw", 135, 2)],
)
def test_fitted_constants_are_least_squares_of_all_five_layers(
    constant: str, quantity: str, value: float, near: float
) -> None:
    """Both are linear in what they were fitted to: (with - without) / constant is what a unit of it adds."""
    full = np.array(list(errors(quantity).values()))
    none = np.array(list(errors(quantity, CHIP, constant).values()))
    slope = (full - none) / value
    assert -(slope @ none) / (slope @ slope) == pytest.approx(value, abs=near)


def test_a_bare_scale_factor_would_do_worse_than_the_passes() -> None:
    """Compute cycles alone, scaled to fit best: one constant, too, but no mechanism."""
    run = accelsim.run(accelsim.load("alexnet", batch=4), accelsim.arch("eyeriss"), mapping=MAPPING)
    compute = {row["layer"].upper(): row["compute_cycles"] for row in run.rows}
    compute["CONV3"] = 3_863_808  # q 3, r 2, t 2: 258 x 2 passes of 4 x 13 x 3 x 3 x 16
    rows = {row["layer"]: row for row, _ in table("eyeriss_alexnet") if row["mapping"] in CHIP}
    ratio = np.array(
        [compute[name] / 2e5 / float(rows[name]["processing_latency_ms"]) for name in errors("dram_mb")]
    )
    scaled = [np.abs(ratio * scale - 1).mean() for scale in np.linspace(1, 1.3, 301)]
    assert min(scaled) > fmean(map(abs, errors("processing_latency_ms").values()))


def test_the_run_command_gives_the_figures_of_the_case() -> None:
    """`accelsim run alexnet --batch 4 --arch eyeriss --mapping ... --zeros ...` is the same model."""
    result = accelsim.run(
        accelsim.load("alexnet", batch=4), accelsim.arch("eyeriss"), mapping=MAPPING, zeros=ZEROS
    )
    rows = {row["layer"].upper(): row for row in result.rows}
    for row, ours in table("eyeriss_alexnet"):
        if row["mapping"] not in ("published", "doubtful") or row["layer"] == "TOTAL":
            continue
        run = rows[row["layer"]]
        assert run["latency_s"] * 1e3 == pytest.approx(ours["total_latency_ms"])
        processing = (run["latency_cycles"] - run["exposed_cycles"]) / 2e5
        assert processing == pytest.approx(ours["processing_latency_ms"])
        assert (run["dram_read_bytes"] + run["dram_write_bytes"]) / 1e6 == pytest.approx(
            ours["dram_mb"], rel=1e-5
        )
        chip_mw = (run["energy_pj"] - run["energy_pj_by_level"]["dram"]) * 1e-9 / run["latency_s"]
        assert chip_mw == pytest.approx(ours["power_mw"])


def test_the_search_without_a_mapping_finds_the_rate_of_the_chip() -> None:
    """34.7 frames a second measured; CONV1's mapping is the chip's own."""
    (total,) = [
        ours
        for row, ours in table("eyeriss_alexnet")
        if (row["layer"], row["mapping"]) == ("TOTAL", "searched")
    ]
    assert float(total["frames_per_s"] or 0) == pytest.approx(34.7, rel=0.03)
    searched, own = errors("total_latency_ms", ("searched",)), errors("total_latency_ms")
    assert searched["CONV1"] == own["CONV1"]


def test_vgg16_under_the_mapping_that_its_traffic_implies_is_within_a_tenth_in_time_and_power() -> None:
    """A prediction: constants of AlexNet, mapping from the active PEs and the buffer's bytes alone."""
    (ours,) = [
        ours
        for row, ours in table("eyeriss_vgg16")
        if (row["layer"], row["mapping"]) == ("TOTAL", "inferred")
    ]
    assert float(ours["frames_per_s"] or 0) == pytest.approx(0.7, rel=0.1)
    assert float(ours["processing_latency_ms"] or 0) == pytest.approx(3755.2, rel=0.1)
    assert float(ours["power_mw"] or 0) == pytest.approx(236, rel=0.1)


def test_without_passes_and_clock_the_machine_is_the_one_before_them() -> None:
    """Batch 1: cycles and pJ of tests/golden/shipped_metrics.csv before the chip's own rules came in."""
    sets = ["array.passes=null", "core.clock_tree=null", "dram.overlap=false"]
    totals = accelsim.run(accelsim.load("alexnet"), accelsim.arch("eyeriss", sets)).totals
    assert totals["latency_cycles"] == 63_135_584
    assert totals["energy_pj"] == pytest.approx(44_358_265_078, rel=1e-9)


def test_without_zeros_maps_move_as_they_are() -> None:
    result = accelsim.run(accelsim.load("alexnet", batch=4), accelsim.arch("eyeriss"), mapping=MAPPING)
    for row in result.rows:
        if row["layer"].startswith("conv"):
            words = sum(sum(of.values()) for of in row["accesses"]["dram"].values())
            assert row["dram_read_bytes"] + row["dram_write_bytes"] == 2 * words


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("layer,input_zero_frac\nconv9,0.5\n", "conv9"),
        ("layer,input_zero_frac\nconv1,1.5\n", "1.5"),
        ("layer,zeros\nconv1,0.5\n", "columns"),
        ("layer,input_zero_frac\nconv1,0.5\nconv1,0.4\n", "second row"),
    ],
)
def test_wrong_tables_of_zeros_are_refused_with_their_line(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "zeros.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        accelsim.run(accelsim.load("alexnet"), accelsim.arch("eyeriss"), zeros=file)
    assert says in caught.value.problems[0].message
    assert caught.value.problems[0].line


def test_a_machine_that_neither_codes_nor_rests_refuses_zeros() -> None:
    with pytest.raises(InputError, match="no use for zeros"):
        accelsim.run(accelsim.load("alexnet"), accelsim.arch("tpu_v1"), zeros=ZEROS)
