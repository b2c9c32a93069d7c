"""The table of columns: complete against the contract, consistent in itself."""

from __future__ import annotations

import pytest

from accelsim.tables.columns import BY_NAME, COLUMNS, of_command, render_markdown, units

# Suffixes of design section 2: quantities carry their unit in the name
SUFFIX_UNIT = {"_cycles": "cycles", "_pj": "pJ", "_bytes": "B", "_s": "s", "_frac": "1"}

# Design section 6, "Columns of run and simulate", in its order
CONTRACT = [
    "layer",
    "op",
    "status",
    "macs",
    "params",
    "params_bn_folded",
    "latency_cycles",
    "compute_cycles",
    "fill_drain_cycles",
    "stall_cycles",
    "latency_s",
    "utilization_frac",
    "energy_pj",
    "energy_pj_by_level",
    "dram_read_bytes",
    "dram_write_bytes",
    "accesses",
    "bound",
    "mapping",
]


@pytest.mark.parametrize("command", ["run", "simulate"])
def test_every_column_of_the_contract_is_in_the_table(command: str) -> None:
    assert set(CONTRACT) <= {column.name for column in of_command(command)}


def test_names_are_unique_and_say_their_unit() -> None:
    assert len(BY_NAME) == len(COLUMNS)
    for column in COLUMNS:
        for suffix, unit in SUFFIX_UNIT.items():
            if column.name.endswith(suffix):
                assert column.unit == unit, column.name


def test_text_columns_have_neither_unit_nor_total() -> None:
    for column in COLUMNS:
        if column.dtype == "str":
            assert (column.unit, column.total) == ("", "none"), column.name


def test_inspect_has_no_column_of_a_machine() -> None:
    machine = {"latency_cycles", "energy_pj", "accesses", "bound", "mapping", "utilization_frac"}
    assert not machine & {column.name for column in of_command("inspect")}


def test_units_leave_out_text_and_refuse_a_column_that_nobody_explains() -> None:
    assert units(["layer", "energy_pj", "macs"]) == {"energy_pj": "pJ", "macs": "MACs"}
    with pytest.raises(KeyError):
        units(["latency_fortnights"])


def test_the_rendered_table_has_a_row_a_column_and_five_cells_a_row() -> None:
    lines = render_markdown().splitlines()
    assert len(lines) == 2 + len(COLUMNS)
    for line in lines:
        assert line.replace("\\|", "").count("|") == 6, line


def test_every_column_of_a_sweep_has_its_line() -> None:
    from accelsim.explore.sweep.machines import ORDER
    from accelsim.explore.sweep.metrics import METRICS

    names = [column.name for column in of_command("sweep")]
    assert names[-len(ORDER) :] == list(ORDER)
    assert set(METRICS) <= set(names)
    for column in of_command("sweep"):
        assert f"| `{column.name}` | {column.dtype} | {column.unit} |" in render_markdown("sweep")
        for suffix, unit in SUFFIX_UNIT.items():
            if column.name.endswith(suffix):
                assert column.unit == unit, column.name
