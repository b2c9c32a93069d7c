"""Results: totals, plain JSON, flat tables, and directories that are whole or not there."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from accelsim.base.errors import InputError
from accelsim.results.format import energy, percent, si
from accelsim.results.plain import flatten, plain
from accelsim.results.result import Result
from accelsim.results.totals import totals


def row(name: str, macs: int | None, cycles: int | None, **more: Any) -> dict[str, Any]:
    status = "costed" if cycles is not None else "not_costed"
    return {"layer": name, "op": "Conv", "status": status, "macs": macs, "latency_cycles": cycles, **more}


def accesses(read: int, write: int) -> dict[str, Any]:
    return {"dram": {"I": {"read": read, "write": write}}}


ROWS = [
    row("a", 600, 10, accesses=accesses(5, 6), energy_pj=1.5, bound="compute", mapping="for k in 4"),
    row("b", 400, 30, accesses=accesses(7, 8), energy_pj=2.5, bound="dram", mapping=None),
    row("c", 999, None, accesses=None, energy_pj=None, bound=None, mapping=None),
]


def result(rows: list[dict[str, Any]] = ROWS, **more: Any) -> Result:
    inputs = {"model": {"name": "net", "sha256": "00"}, "arch": {"name": "chip"}, "options": {}}
    return Result("accelsim.run/1", inputs, totals(rows, 50, 1e9), rows, **more)


def test_totals_add_the_layers_and_recompute_the_ratios() -> None:
    columns = [{**r, "utilization_frac": 0.9, "latency_s": 0.0} for r in ROWS]
    total = totals(columns, macs_per_cycle=50, clock_hz=1e9)
    assert total["latency_cycles"] == 40
    # 1,000 MACs in 40 cycles of 50; layer c has no time, so its work counts neither
    assert total["utilization_frac"] == pytest.approx(1000 / (40 * 50))
    assert total["latency_s"] == pytest.approx(40e-9)
    assert total["accesses"] == accesses(12, 14)
    assert total["macs"] == 1999
    assert (total["n_layers"], total["n_not_costed"]) == (3, 1)
    assert not {"op", "mapping", "bound", "layer", "status"} & set(total)


def test_the_total_of_what_nobody_knows_is_unknown() -> None:
    assert totals([row("a", 1, None)])["latency_cycles"] is None
    assert totals([])["n_layers"] == 0


def test_intensity_of_a_network_is_work_over_bytes_and_no_mean() -> None:
    layers = [
        {
            "layer": "a",
            "macs": 100,
            "weight_bytes": 10,
            "input_bytes": 5,
            "output_bytes": 5,
            "arithmetic_intensity": 5,
        },
        {
            "layer": "b",
            "macs": 0,
            "weight_bytes": 0,
            "input_bytes": 40,
            "output_bytes": 40,
            "arithmetic_intensity": 0,
        },
    ]
    assert totals(layers)["arithmetic_intensity"] == pytest.approx(100 / 100)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float64("nan")])
def test_what_is_no_number_becomes_null(value: float) -> None:
    made = result([row("a", 1, 1, energy_pj=value)]).to_json()
    assert "NaN" not in made
    assert "Infinity" not in made
    assert json.loads(made)["layers"][0]["energy_pj"] is None


def test_numpy_numbers_and_arrays_become_plain() -> None:
    value = {
        "a": np.int64(3),
        "b": np.float32(0.5),
        "c": np.array([1, 2]),
        "d": np.bool_(True),
        "e": Path("x"),
    }
    assert json.dumps(plain(value)) == '{"a": 3, "b": 0.5, "c": [1, 2], "d": true, "e": "x"}'


def test_json_holds_one_layer_a_line_and_only_ascii() -> None:
    text = result([row("größe", 1, 1), row("b", 1, 1)]).to_json()
    assert text.isascii()
    assert sum('"layer"' in line for line in text.splitlines()) == 2
    assert json.loads(text)["layers"][0]["layer"] == "größe"


def test_units_cover_the_columns_that_are_there() -> None:
    assert result().to_dict()["units"] == {
        "macs": "MACs",
        "latency_cycles": "cycles",
        "accesses": "words",
        "energy_pj": "pJ",
    }


def test_run_is_no_part_of_equality() -> None:
    assert result(run={"seconds": 1.0}) == result(run={"seconds": 2.0})
    assert result() != result(ROWS[:1])


def test_nested_columns_flatten_to_the_names_of_the_contract() -> None:
    flat = flatten(
        {"layer": "a", "accesses": accesses(5, 6), "input_shapes": [[1, 3, 8, 8], [4]], "fused": ["x", "y"]}
    )
    assert flat == {
        "layer": "a",
        "accesses.dram.I.read": 5,
        "accesses.dram.I.write": 6,
        "input_shapes": "1x3x8x8 4",
        "fused": "x y",
    }


def test_the_frame_keeps_whole_numbers_whole_where_some_are_unknown() -> None:
    frame = result().layers
    assert list(frame["layer"]) == ["a", "b", "c"]
    assert str(frame["latency_cycles"].dtype) == "Int64"
    assert frame["accesses.dram.I.read"].sum() == 12


def test_the_result_shows_itself() -> None:
    shown = result(notes=("one core of <32>",))
    assert "net on chip" in repr(shown)
    assert "1 not costed" in repr(shown)
    page = shown._repr_html_()
    assert page.count("<tr>") == 1 + len(ROWS)
    assert "one core of &lt;32&gt;" in page


def test_a_result_without_a_plotter_says_where_the_charts_are() -> None:
    with pytest.raises(AttributeError, match="Plots"):
        _ = result().plot
    assert result(plotter=lambda made: made.schema).plot == "accelsim.run/1"


class Broken:
    """Pictures that fail when the other files stand already."""

    def __init__(self, _: Result) -> None: ...

    def pictures(self) -> None:
        raise MemoryError


def test_a_failed_save_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(MemoryError):
        result(plotter=Broken).save(tmp_path / "new" / "place")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_save_leaves_the_earlier_result_as_it_was(tmp_path: Path) -> None:
    place = tmp_path / "place"
    result(ROWS[:1]).save(place)
    before = {file.name: file.read_bytes() for file in place.iterdir()}
    with pytest.raises(MemoryError):
        result(plotter=Broken).save(place)
    assert {file.name: file.read_bytes() for file in place.iterdir()} == before


def test_saving_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert result().save(tmp_path / name) == ("layers.csv", "result.json")
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()


def test_an_empty_directory_and_the_working_directory_can_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result().save(".")
    assert sorted(os.listdir(".")) == ["layers.csv", "result.json"]


def test_foreign_files_are_not_mixed_with_ours(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text('{"schema": "another tool"}')
    with pytest.raises(InputError, match="holds no result"):
        result().save(tmp_path)
    assert (tmp_path / "result.json").read_text() == '{"schema": "another tool"}'


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0, "", "0"),
        (7, "", "7"),
        (999, "", "999"),
        (1000, "", "1 k"),
        (4089184256, "", "4.09 G"),
        (999_999, "", "1.00 M"),
        (0.0123, "s", "12.3 ms"),
        (1e-12, "J", "1 pJ"),
        (-2500, "B", "-2.50 kB"),
        (None, "J", "-"),
        (math.nan, "", "-"),
    ],
)
def test_numbers_have_three_digits_and_a_prefix(value: float | None, unit: str, text: str) -> None:
    assert si(value, unit) == text


def test_energy_is_given_in_picojoules_and_shown_in_joules() -> None:
    assert energy(1.5e9) == "1.50 mJ"
    assert percent(0.4375) == "43.8"


def test_columns_keep_their_order_where_the_first_rows_lack_some() -> None:
    from accelsim.results.plain import column_names

    first = {"layer": 1, "e.dram": 1, "end": 1}
    whole = {
        "layer": 1,
        "dims.K": 1,
        "dims.P": 1,
        "e.mac": 1,
        "e.glb": 1,
        "e.dram": 1,
        "e.leakage": 1,
        "end": 1,
    }
    other = {"layer": 1, "dims.P": 1, "dims.C": 1, "e.vector": 1, "e.dram": 1, "end": 1}
    assert column_names([first, whole, other]) == [
        "layer",
        "dims.K",
        "dims.C",
        "dims.P",
        "e.vector",
        "e.mac",
        "e.glb",
        "e.dram",
        "e.leakage",
        "end",
    ]
