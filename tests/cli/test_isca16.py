"""The comparison of ISCA 2016 from the command line."""

from __future__ import annotations

import json
from pathlib import Path

from .conftest import Here

RUN = ("run", "alexnet", "--arch", "eyeriss_isca16_256", "--compat", "isca16")


def test_a_dataflow_of_the_comparison_runs_and_names_its_mapping(here: Here) -> None:
    found = json.loads(here(*RUN, "--batch", "16", "--dataflow", "osa", "--json").out)
    first = found["layers"][0]
    assert found["inputs"]["options"]["dataflow"] == "osa"
    assert first["mapping"] == "m=96 n=1 e=16 f=16"  # eyeriss_isca16_dataflows_recomputed: OSA,256,16,CONV1
    assert first["active_pes"] == 256
    assert first["isca16"]["glb_bytes"] == 249773


def test_what_does_not_fit_exits_3_with_the_constraint(here: Here) -> None:
    done = here(*RUN, "--batch", "64", "--dataflow", "ws")
    assert done.code == 3
    assert "conv1: WS needs at least 193,600 buffer words, 256 PEs leave it 171,143" in done.err


def test_an_unknown_dataflow_exits_2_with_the_six(here: Here) -> None:
    done = here(*RUN, "--dataflow", "oss")
    assert done.code == 2
    assert "rs, ws, osa, osb, osc, nlr" in done.err


def test_a_table_of_ones_own_cells_needs_no_published_values(here: Here, tmp_path: Path) -> None:
    table = tmp_path / "cells.csv"
    table.write_text("dataflow,num_pes,batch,layer\nWS,256,64,CONV1\nRS,168,4,CONV3\n")
    done = here("validate", "isca16", "--values", str(table), "--json")
    assert done.code == 0
    rows = {(row["row"], row["quantity"]): row["ours"] for row in json.loads(done.out)["comparisons"]}
    assert rows["WS 256 64 CONV1", "valid"] == "invalid"
    assert rows["RS 168 4 CONV3", "norm_energy_per_mac"] > 1
