"""The comparison of dataflows of ISCA 2016: published cells to the word, and what follows from them."""

from __future__ import annotations

import csv
from importlib.resources import files

import pytest

import accelsim
from accelsim.base.errors import InfeasibleError, InputError
from accelsim.compat.isca16 import FORMS, LEVELS, Shape, best_mapping, misfits, room
from accelsim.evidence.isca16.model import LAYERS, predict
from accelsim.evidence.isca16_claims.model import gains
from accelsim.evidence.isca16_groups.model import group
from accelsim.evidence.validate import validate


def table(name: str) -> list[dict[str, str]]:
    text = files("accelsim.evidence.isca16").joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))


CELLS = [a | b for a, b in zip(table("values.csv"), table("counts.csv"), strict=True)]
COUNTS = [f"{level}_{operand}" for level in LEVELS for operand in ("ifmap", "weight", "psum")]


def test_cells_are_six_dataflows_on_eight_layers() -> None:
    assert {(cell["dataflow"], cell["layer"]) for cell in CELLS} == {
        (name.upper(), layer) for name in FORMS for layer in LAYERS
    }


@pytest.mark.parametrize("dataflow", FORMS)
def test_counts_mapping_and_active_pes_are_equal_in_every_cell(dataflow: str) -> None:
    cells = [cell for cell in CELLS if cell["dataflow"] == dataflow.upper()]
    for cell, found in zip(cells, predict([dict(cell) for cell in cells]), strict=True):
        whole = (*COUNTS, "macs", "glb_bytes", "rf_bytes_per_pe", "active_pes")
        assert {name: found[name] for name in whole} == {name: int(cell[name]) for name in whole}
        assert found["mapping"] == cell["mapping"]
        assert found["norm_energy_per_mac"] == pytest.approx(float(cell["norm_energy_per_mac"]), abs=5.1e-5)


def test_equal_area_gives_the_buffers_of_the_authors_results_file() -> None:
    # eyeriss_isca16_costs: GLB_bytes_256PE_*
    sizes = {"rs": 131070, "ws": 342287, "osa": 249773, "osb": 311128, "osc": 342287, "nlr": 346458}
    assert {name: room(256, form.rf_bytes).glb_bytes for name, form in FORMS.items()} == sizes


def test_the_three_cases_pass() -> None:
    result = validate(("isca16", "isca16_groups", "isca16_claims"))
    assert result.totals == {"n_cases": 3, "n_passed": 3, "n_failed": 0}


def test_row_stationary_wins_everywhere_and_by_the_least_against_osa_and_osb() -> None:
    for num_pes in (256, 512, 1024):
        won = gains("CONV", num_pes, 16)
        assert min(won.values()) > 1
        assert set(sorted(won, key=won.__getitem__)[:2]) == {"osa", "osb"}


def test_weight_stationary_has_no_room_for_the_sums_of_64_images_on_256_pes() -> None:
    # the paper's figure 11 leaves this bar out; 64 images of 55 x 55 sums are 193,600 words of 171,143
    assert group("ws", 256, 64, "CONV") is None
    shape = Shape(N=64, G=1, C=3, M=96, H=227, R=11, U=4)
    assert best_mapping("ws", shape, 256) is None
    assert misfits("ws", shape, 256) == {"buffer words": (193_600, 171_143)}


def test_a_run_of_alexnet_has_the_published_energy_by_layer() -> None:
    """The file's FC layers are products of matrices: fc6 gets its 6x6 map back."""
    machine = accelsim.arch("eyeriss_isca16_256")
    graph = accelsim.load("alexnet", batch=16)
    for dataflow in ("rs", "nlr"):
        result = accelsim.run(graph, machine, compat="isca16", dataflow=dataflow)
        rows = [row for row in result.rows if row["status"] == "costed"]
        published = [cell for cell in CELLS if cell["dataflow"] == dataflow.upper()]
        for row, cell in zip(rows, published, strict=True):
            assert row["isca16"]["energy_per_mac"] == pytest.approx(
                float(cell["norm_energy_per_mac"]), abs=5.1e-5
            )
            assert sum(row["energy_pj_by_level"].values()) == pytest.approx(row["energy_pj"])
            assert row["accesses"]["dram"]["I"]["read"] == int(cell["dram_ifmap"])
            psum = row["accesses"]["glb"]["O"]
            assert psum["read"] + psum["write"] == int(cell["glb_psum"])


def test_more_pes_are_taken_from_the_array_of_the_architecture() -> None:
    machine = accelsim.arch("eyeriss_isca16_256", ["array.rows=32", "array.cols=32"])
    result = accelsim.run(accelsim.load("alexnet", batch=16), machine, compat="isca16", dataflow="osb")
    first = result.rows[0]["isca16"]
    assert first["num_pes"] == 1024
    shape = Shape(N=16, G=1, C=3, M=96, H=227, R=11, U=4)
    best = best_mapping("osb", shape, 1024)
    assert best is not None
    assert first["energy_per_mac"] == best.energy / shape.macs


def test_what_would_have_no_effect_or_no_form_is_refused_by_name() -> None:
    graph = accelsim.load("alexnet", batch=16)
    with pytest.raises(InputError, match=r"glb\.size=1KiB has no effect"):
        accelsim.run(graph, accelsim.arch("eyeriss_isca16_256", ["glb.size=1KiB"]), compat="isca16")
    machine = accelsim.arch("eyeriss_isca16_256")
    with pytest.raises(InputError, match=r"no dataflow 'oss'.*osc"):
        accelsim.run(graph, machine, compat="isca16", dataflow="oss")
    with pytest.raises(InputError, match="7x1"):
        accelsim.run(accelsim.load("inception_v3"), machine, compat="isca16")
    with pytest.raises(InputError, match="no layer 'CONV6'"):
        predict([{"dataflow": "RS", "num_pes": "256", "batch": "1", "layer": "CONV6"}])
    with pytest.raises(InfeasibleError, match=r"WS needs at least 193,600 buffer words.*171,143"):
        accelsim.run(accelsim.load("alexnet", batch=64), machine, compat="isca16", dataflow="ws")


def test_depthwise_layers_are_groups_of_one_channel() -> None:
    machine = accelsim.arch("eyeriss_isca16_256")
    rows = accelsim.run(accelsim.load("mobilenet_v1"), machine, compat="isca16", dataflow="nlr").rows
    depthwise = Shape(N=1, G=32, C=1, M=1, H=114, R=3, U=1)
    best = best_mapping("nlr", depthwise, 256)
    assert best is not None
    found = next(row for row in rows if row["macs"] == depthwise.macs and row["status"] == "costed")
    assert found["isca16"]["energy_per_mac"] == best.energy / depthwise.macs
