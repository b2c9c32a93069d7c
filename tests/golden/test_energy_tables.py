"""SRAM and arithmetic of the technology files against the published rows, through the evidence cases."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from accelsim.evidence.read import read_values
from accelsim.evidence.validate import validate
from accelsim.hardware.technology import dram_devices, load_technology

EVIDENCE = Path(__file__).resolve().parents[2] / "accelsim" / "evidence"


@pytest.mark.parametrize("case", ["sram_cacti", "energy_per_op"])
def test_the_case_passes(case: str) -> None:
    found = validate([case])
    assert found.totals["n_failed"] == 0
    assert found.totals["n_passed"] == 1


def test_the_case_of_areas_has_no_gate() -> None:
    assert validate(["area_isca16"]).totals["n_failed"] == 0


def test_none_of_the_published_banks_is_in_the_fit() -> None:
    published, fitted = (
        {(row["size_bytes"], row["width_bits"]) for row in read_values(EVIDENCE / "sram_cacti" / file)}
        for file in ("values.csv", "fitted.csv")
    )
    assert len(published) == 7
    assert published & fitted == set()


def test_what_the_files_say_of_left_out_rows_is_near_what_they_say_of_all() -> None:
    """A fit that had learnt its rows by heart would be much worse on rows that it has not seen."""
    for node in ("65nm", "45nm", "32nm", "28nm", "22nm"):
        fits = load_technology(node).sram
        for name in ("read_pj", "write_pj", "leakage_mw", "area_mm2", "access_ns"):
            fit = getattr(fits, name)
            assert fit.mean_error < fit.left_out_error < 1.2 * fit.mean_error
            assert fit.left_out_error < 0.16


def test_bfloat16_at_7_nm_follows_from_fp16_and_fp32() -> None:
    """A power law through the two others: Jouppi et al. have 0.21 pJ (multiply) and 0.11 pJ (add)."""
    for low, high, published, tolerance in ((0.34, 1.31, 0.21, 0.07), (0.16, 0.38, 0.11, 0.03)):
        exponent = math.log(high / low) / math.log(24 / 11)
        assert low * (8 / 11) ** exponent == pytest.approx(published, rel=tolerance)


def test_no_dram_costs_less_than_its_device_alone() -> None:
    """DRAMsim3 of datasheet currents, without the link; its LPDDR4 has the currents of DDR4."""
    for row in read_values(EVIDENCE / "energy_per_op" / "dram_devices.csv"):
        device_pj_per_byte = float(row["read_pj_per_burst"]) / float(row["burst_bytes"])
        if row["device"] != "lpddr4":
            assert dram_devices()[row["device"]].read.value > device_pj_per_byte
