"""What `map` says of a mapping: tiles, room and words worked out by hand, and what is shown of them."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from support.small_machine import small_machine

from accelsim.charts.plots import Plots
from accelsim.cost.evaluate import evaluate
from accelsim.mapper.found import Found, Point
from accelsim.mapper.found_columns import Place, effort, found_columns
from accelsim.mapping.files import parse_mappings
from accelsim.report.blocks import Table, render
from accelsim.report.front import MAX_SHOWN, front_blocks
from accelsim.report.map import map_blocks
from accelsim.report.scatter import COLUMNS, ROWS, Dot, scatter
from accelsim.report.top import differences, top_table
from accelsim.results.points import points_csv
from accelsim.results.result import Result
from accelsim.results.totals import search_totals, totals
from accelsim.tables.certificate import Certificate
from accelsim.tables.dims import C, I, K, O, P, R, W
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Nest, Problem

# a convolution of 4 output rows, 3 filter rows, 2 channels to 4: 6 input rows
PROBLEM = Problem((1, 1, 4, 2, 4, 1, 3, 1, 1, 1), ((1, 1, 0, 6), (1, 1, 0, 1), (1, 1, 0, 1)))
MACHINE = small_machine()
WHOLE = (12, 24, 16)  # 2 x 6 inputs, 4 x 2 x 3 weights, 4 x 4 outputs
LIVE = np.array([0.0, 100.0, 0.0])


def nest(dram: int, reg_keeps: tuple[int, ...] = (W,)) -> Nest:
    """dram: K, dram trips of 4; sram keeps I and O: P 4, C 2, R 3, and the rest of K on the columns."""
    keep = np.zeros((3, 3), np.bool_)
    keep[2] = True
    keep[1, [I, O]] = True
    keep[0, list(reg_keeps)] = True
    return Nest(
        (K, P, C, R, K),
        (2, 1, 1, 1, 1),
        ("", "", "", "", "cols"),
        np.array([[dram, 4, 2, 3, 4 // dram]]).T,
        keep,
    )


def point(made: Nest, machine: Machine = MACHINE) -> Point:
    cost = evaluate(PROBLEM, made, machine, "nlr").point(0, 1)
    return Point(made, cost, cost.energy_pj * cost.latency_cycles, "nlr")


def costing(energy_pj: float, latency_cycles: int) -> Point:
    """A point of given cost: the leakage takes what the rest leaves."""
    made = point(nest(2))
    rest = made.cost.energy_pj - made.cost.idle_pj
    cost = replace(made.cost, idle_pj=energy_pj - rest, latency_cycles=latency_cycles)
    return Point(made.nest, cost, energy_pj * latency_cycles, "nlr")


def found(*points: Point, lower_bound: float | None = None) -> Found:
    best = min(p.value for p in points)
    bound = best if lower_bound is None else lower_bound
    return Found(
        points, Certificate("edp", "perfect factors", best, bound, 1234, {"bound": 5, "room": 0}, 0.25)
    )


def columns(made: Found, machine: Machine = MACHINE) -> dict[str, Any]:
    return found_columns(made, Place(PROBLEM, machine, WHOLE, LIVE))


def row(name: str, made: Found, same_as: str | None = None, **more: Any) -> dict[str, Any]:
    best = made.best.cost
    return {
        "layer": name,
        "op": "conv",
        "status": "costed",
        "macs": 96,
        "latency_cycles": best.latency_cycles,
        "compute_cycles": best.compute_cycles,
        "fill_drain_cycles": best.fill_drain_cycles,
        "stall_cycles": best.stall_cycles,
        "latency_s": best.latency_cycles * 1e-9,
        "utilization_frac": 0.1,
        "active_pes": 2,
        "energy_pj": best.energy_pj,
        "energy_pj_by_level": {"mac": best.compute_pj, "sram": 1.0},
        "accesses": {"sram": {o: {"read": 1, "write": 2} for o in "IWO"}},
        "bound": "compute",
        "mapping": "dram keeps I W O\n  multiply-accumulate",
        "same_as": same_as,
        "runs": 1,
        **columns(made),
        **more,
    }


def result(rows: list[dict[str, Any]], **options: Any) -> Result:
    inputs = {"model": {"name": "net"}, "arch": {"name": "chip"}, "options": {"objective": "edp", **options}}
    run = {"layers": {r["layer"]: effort(found(costing(1, 1)).certificate) for r in rows if not r["same_as"]}}
    return Result(
        "accelsim.map/1", inputs, {**totals(rows), **search_totals(rows)}, rows, run=run, plotter=Plots
    )


def front(n: int) -> Found:
    """Energies rise while cycles fall, from 1000 pJ in 10 n cycles."""
    return found(*(costing(1000.0 + 10 * at, 10 * (n - at)) for at in range(n)))


# --- the nest in numbers


def test_tiles_room_and_words_of_a_nest_are_those_worked_out_by_hand() -> None:
    dram, sram, reg = columns(found(point(nest(2))))["nest"]
    assert [level["level"] for level in (dram, sram, reg)] == ["dram", "sram", "reg"]
    assert dram["loops"] == [{"dim": "K", "trips": 2, "axis": "time"}]
    assert [tuple(loop.values()) for loop in sram["loops"]] == [
        ("P", 4, "time"),
        ("C", 2, "time"),
        ("R", 3, "time"),
        ("K", 2, "cols"),
    ]
    assert [level["n_instances"] for level in (dram, sram, reg)] == [1, 1, 2]
    assert dram["tile_words"] == {"I": 12, "W": 24, "O": 16}  # all of them: their home
    assert dram["home_of"] == ["I", "W", "O"]
    assert sram["tile_words"] == {"I": 12, "O": 8}  # 2 channels x 6 rows; 2 of 4 filters x 4 rows
    assert reg["tile_words"] == {"W": 1}
    assert sram["passing_bytes"] == 20
    assert sram["used_frac"] == (20 + 100) / 1024
    assert (dram["capacity_bytes"], dram["used_frac"]) == (None, None)
    assert reg["used_frac"] == 1 / 3
    # each register takes its 6 weights anew for each of 4 rows, in both passes: 2 x 2 x 4 x 6
    assert reg["accesses"]["W"]["write"] == 96
    assert dram["accesses"]["I"]["read"] == 12  # the second pass of K uses the rows that sram has
    assert dram["energy_pj"] == (12 + 96) * 100 + 16 * 200


def test_double_buffers_and_wide_partial_sums_take_their_room() -> None:
    machine = small_machine(accumulate_bits=32, double_buffered=np.array([False, True, False]))
    _, sram, _ = columns(found(point(nest(2), machine)), machine)["nest"]
    assert sram["tile_bytes"] == {"I": 12, "O": 32}  # sums at 4 bytes: O is kept nowhere further in
    assert sram["passing_bytes"] == 2 * (12 + 32)


def test_the_columns_have_the_certificate_without_what_differs_from_run_to_run() -> None:
    made = found(point(nest(2)), lower_bound=0.0)
    assert list(columns(made)["certificate"]) == [
        "objective",
        "space",
        "best",
        "lower_bound",
        "gap_frac",
        "proven",
        "complete",
    ]
    assert columns(made)["certificate"]["gap_frac"] == 1
    assert effort(made.certificate) == {
        "n_evaluated": 1234,
        "n_pruned_by": {"bound": 5, "room": 0},
        "seconds": 0.25,
    }


def test_points_tell_how_far_each_is_from_the_best() -> None:
    made = columns(found(costing(1000, 10), costing(900, 20)))["points"]
    assert [p["above_best_frac"] for p in made] == pytest.approx([0, 0.8])
    assert [p["is_best"] for p in made] == [True, False]
    assert [p["edp_pj_cycles"] for p in made] == pytest.approx([10_000, 18_000])


# --- what a person sees


def test_differences_are_those_of_loops_keeps_and_tiles_and_no_others() -> None:
    best, other = (columns(found(point(n)))["nest"] for n in (nest(2), nest(4, reg_keeps=())))
    assert differences(best, best) == []
    assert differences(other, best) == [
        ("dram time", "K 4", "K 2"),
        ("sram cols", "no loop", "K 2"),
        ("sram tile B", "O 4", "O 8"),
        ("reg keeps", "nothing", "W"),
    ]


def test_the_table_of_the_best_says_when_there_are_fewer() -> None:
    text = render([top_table(row("conv", found(costing(1000, 10), costing(1100, 10))), 5)])
    assert "the 2 best mappings (5 wanted" in text
    lines = [line.split() for line in text.splitlines()[3:]]
    assert lines == [["1", "1", "nJ", "10", "0"], ["2", "1.1000", "nJ", "10", "10"]]


def test_a_named_layer_shows_nest_tiles_traffic_and_proof() -> None:
    text = render(map_blocks(result([row("conv", found(point(nest(2))))], layers=["conv"])))
    assert "K 4 C 2 P 4 R 3" in text
    assert "dram keeps I W O\n  multiply-accumulate" in text
    sram = next(line.split() for line in text.splitlines() if line.startswith("sram "))
    assert sram == ["sram", "1", "12", "12", "8", "8", "100", "11.7", "1.02", "kB"]
    assert re.search(r"^proven: no mapping has a smaller edp than \d", text, re.MULTILINE)
    assert "searched: perfect factors" in text
    assert "1,234 mappings counted exactly in 0.250 s; left out by rules: 5 (bound)" in text


def test_what_is_not_proven_says_how_much_better_another_mapping_could_be() -> None:
    made = found(costing(1000, 10), lower_bound=7500.0)
    text = render(map_blocks(result([row("conv", made)])))
    assert "not proven: the best edp found is 1e+04 pJ x cycles" in text
    assert "none is below 7500 pJ x cycles: gap 25.0 %" in text


def test_a_network_has_a_line_a_distinct_layer_and_a_summary() -> None:
    first, other = found(costing(1000, 10)), found(costing(2000, 10), lower_bound=19_000.0)
    rows = [row("a", first), row("b", first, "a"), row("c", other), row("d", first, "a", energy_pj=1500.0)]
    text = render(map_blocks(result(rows)))
    lines = [line.split() for line in text.splitlines()]
    assert next(line[:2] for line in lines if line[:1] == ["a"]) == ["a", "x2"]
    assert not any(line[:1] == ["b"] for line in lines)
    assert any(line[:1] == ["d"] for line in lines), "a shortcut fused into it costs beside the nest"
    assert "4 layers, 2 different searches: 1 of them proven optimal, the widest gap is 5.0 %" in text
    assert "all proven" in render(map_blocks(result([row("a", first), row("b", found(costing(2, 2)))])))


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("options", [{}, {"top": 3}, {"front": True}, {"layers": ["a"], "front": True}])
def test_the_tables_fit_the_terminal(width: int, options: dict[str, Any]) -> None:
    rows = [row(f"a/long/name{at}" * 4, front(3)) for at in range(2)]
    tables = [block for block in map_blocks(result(rows, **options)) if isinstance(block, Table)]
    assert max(map(len, render(tables, width=width).splitlines())) <= width


# --- fronts


def table_lines(text: str) -> list[list[str]]:
    """The lines of a front's table, without those of the plot."""
    lines = [line.split() for line in text.splitlines()]
    return [line for line in lines if "nJ" in line and "|" not in "".join(line)]


def test_the_front_has_a_line_a_point_and_marks_the_best() -> None:
    lines = table_lines(render(front_blocks(row("conv", front(4)))))
    # 1000 x 40, 1010 x 30, 1020 x 20, 1030 x 10
    assert lines == [
        ["1", "1", "nJ", "40", "40000", "0", "300"],
        ["2", "1.0100", "nJ", "30", "30300", "1", "200"],
        ["3", "1.0200", "nJ", "20", "20400", "2", "100"],
        ["4", "best", "edp", "1.0300", "nJ", "10", "10300", "3", "0"],
    ]


def test_a_long_front_is_thinned_and_keeps_its_ends() -> None:
    made = row("conv", front(200))
    text = render(front_blocks(made))
    lines = table_lines(text)
    assert len(lines) <= MAX_SHOWN
    assert [lines[0][0], lines[-1][0]] == ["1", "200"]
    assert f"front of 200 mappings, {len(lines)} of them shown" in text


def test_one_mapping_that_is_best_in_both_needs_no_plot() -> None:
    (only,) = front_blocks(row("conv", front(1)))
    assert "one mapping has both" in render([only])


def test_a_front_or_list_that_was_stopped_says_so() -> None:
    for n in (1, 4):
        made = front(n)
        stopped = row("conv", replace(made, certificate=replace(made.certificate, complete=False)))
        text = render([*front_blocks(stopped), top_table(stopped, 5)])
        assert text.count("the search was stopped, others may be missing") == 2
        assert "has both" not in text


def test_the_plot_in_letters_puts_the_extremes_in_its_corners() -> None:
    dots = [Dot(10, 5), Dot(20, 1), Dot(15, 3, "*")]
    lines = scatter(dots, str, str, "x", "y")
    body = [line.partition("|")[2] for line in lines[1 : ROWS + 1]]
    assert body[0] == "o"
    assert body[-1] == "o".rjust(COLUMNS)
    assert sum(line.count("*") for line in body) == 1
    assert [lines[1].split()[0], lines[ROWS].split()[0]] == ["5", "1"]
    assert lines[-1].split() == ["10", "x", "20"]
    assert max(map(len, lines)) <= 80


def test_points_that_fall_together_still_make_a_plot() -> None:
    lines = scatter([Dot(1, 1), Dot(1, 1, "*")], str, str, "x", "y")
    assert lines[ROWS].endswith("|*")


@pytest.mark.parametrize("n_layers", [1, 14])
def test_the_picture_draws_every_point_and_at_most_twelve_layers(n_layers: int) -> None:
    rows = [row(f"l{at}", front(5)) for at in range(n_layers)]
    figure = result(rows, front=True).plot.front()
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert len(panels) == min(n_layers, 12)
    stairs, ring = panels[0].lines
    # from 10 cycles and 1040 pJ to 50 cycles and 1000 pJ, in percent above 10 and 1000
    assert list(stairs.get_xdata()) == pytest.approx([0, 100, 200, 300, 400])
    assert list(stairs.get_ydata()) == pytest.approx([4, 3, 2, 1, 0])
    assert (ring.get_xdata()[0], ring.get_ydata()[0]) == pytest.approx((0, 4))
    figure.savefig(io.BytesIO(), dpi=30)


def test_without_a_front_there_is_no_picture_of_one() -> None:
    assert result([row("conv", front(5))]).plot.front() is None
    assert result([row("conv", front(1))], front=True).plot.front() is None


def test_the_mapping_of_every_point_can_stand_in_a_mapping_file() -> None:
    made = found(point(nest(2)), point(nest(4, reg_keeps=())))
    text = points_csv([row("conv", made), row("again", made, "conv")])
    lines = list(csv.DictReader(io.StringIO(text)))
    assert [(line["layer"], line["number"]) for line in lines] == [("conv", "1"), ("conv", "2")]
    for line, wanted in zip(lines, made.points, strict=True):
        given = parse_mappings(f"schema: accelsim.mapping/1\nlayers:\n  conv: {line['mapping']}\n")
        read = given.layers["conv"].to_nest(MACHINE.level_names)  # type: ignore[union-attr]
        assert np.array_equal(read.keep, wanted.nest.keep)
        again = point(read)
        assert (again.cost.energy_pj, again.cost.latency_cycles) == (
            wanted.cost.energy_pj,
            wanted.cost.latency_cycles,
        )
