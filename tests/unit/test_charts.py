"""Charts: what is drawn adds up to what the rows say."""

from __future__ import annotations

import io
from typing import Any

import pytest

from accelsim.charts.accesses import accesses_by_operand
from accelsim.charts.agreement import agreement
from accelsim.charts.bars import MAX_BARS, Stack, cycles_parts, energy_by_level, group_tail, shorten
from accelsim.charts.measured import against_measured
from accelsim.charts.plots import Plots
from accelsim.charts.reuse import accesses_per_mac
from accelsim.charts.split import heat_maps
from accelsim.charts.sram import sram_fit
from accelsim.charts.work import work_by_layer
from accelsim.results.result import Result


def rows(n_layers: int) -> list[dict[str, Any]]:
    return [
        {
            "layer": f"layer{at}",
            "energy_pj_by_level": {"mac": 1e6 * (at + 1), "glb": 2e6, "dram": 4e6},
            "latency_cycles": 100 + at,
            "compute_cycles": 60,
            "fill_drain_cycles": 10,
            "stall_cycles": 30 + at,
            "bound": "dram" if at % 2 else "compute",
        }
        for at in range(n_layers)
    ]


TOTALS = {"accesses": {"glb": {"I": {"read": 1000, "write": 10}, "O": {"read": 0, "write": 7}}, "dram": {}}}


def drawn(figure: Any) -> float:
    """Sum of the lengths of all bars."""
    return sum(bar.get_width() for bars in figure.axes[0].containers for bar in bars)


@pytest.mark.parametrize("n_layers", [1, 60, 200])
def test_the_bars_add_up_to_the_energy_of_the_network(n_layers: int) -> None:
    made = rows(n_layers)
    whole = sum(sum(row["energy_pj_by_level"].values()) for row in made)
    figure = energy_by_level(made, "net on chip")
    assert drawn(figure) == pytest.approx(whole)
    assert len(figure.axes[0].get_yticklabels()) == min(n_layers, MAX_BARS)
    figure.savefig(io.BytesIO(), dpi=30)


def test_the_bars_add_up_to_the_cycles_and_name_the_level_that_limits() -> None:
    made = rows(4)
    figure = cycles_parts(made)
    assert drawn(figure) == sum(row["latency_cycles"] for row in made)
    assert [text.get_text() for text in figure.axes[0].texts] == ["dram", "dram"]
    figure.savefig(io.BytesIO(), dpi=30)


def test_accesses_have_a_point_for_every_count_above_zero() -> None:
    """Points: a bar on a logarithmic axis, which has no zero, has a length without meaning."""
    figure = accesses_by_operand(TOTALS)
    points = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert [line.get_xdata()[0] for line in points] == [1000, 10, 7]
    assert not figure.axes[0].containers
    assert "logarithmic" in figure.axes[0].get_xlabel()
    assert [text.get_text() for text in figure.axes[0].texts] == ["I read 1 k", "I write 10", "O write 7"]
    figure.savefig(io.BytesIO(), dpi=30)


def test_the_tail_holds_the_smallest_and_loses_nothing() -> None:
    stacks = [Stack(str(at), {"a": float(at)}) for at in range(10)]
    kept = group_tail(stacks, most=4)
    assert [stack.label for stack in kept] == ["7", "8", "9", "7 smaller layers"]
    assert sum(stack.total for stack in kept) == sum(range(10))


def test_long_names_keep_both_ends() -> None:
    name = "/encoder/layer.11/attention/self/query/MatMul"
    short = shorten(name, 20)
    assert len(short) == 20
    assert name.startswith(short.split("…")[0])
    assert name.endswith(short.split("…")[1])
    assert shorten("conv1") == "conv1"


@pytest.mark.parametrize("n_layers", [2, 200])
def test_the_bars_of_work_add_up_to_the_macs_and_bytes_of_the_network(n_layers: int) -> None:
    made = [
        {"layer": str(at), "macs": at, "weight_bytes": 7 * at, "input_bytes": 3, "output_bytes": None}
        for at in range(n_layers)
    ]
    figure = work_by_layer(made, "net")
    lengths = [sum(bar.get_width() for bars in axes.containers for bar in bars) for axes in figure.axes]
    whole = n_layers * (n_layers - 1) / 2  # 0 + 1 + ... + n - 1
    assert lengths == pytest.approx([whole, 7 * whole + 3 * n_layers])
    assert len(figure.axes[0].get_yticklabels()) == min(n_layers, MAX_BARS)
    figure.savefig(io.BytesIO(), dpi=30)


def test_the_bars_of_reuse_are_accesses_a_mac_of_each_kind_and_level() -> None:
    kinds = dict.fromkeys(("no_reuse", "convolutional", "image", "filter", "partial_sum"), 400)
    figure = accesses_per_mac({"macs": 100, **kinds, "all": 50, "achieved": {"glb": 25, "dram": 10}})
    widths = [bar.get_width() for bars in figure.axes[0].containers for bar in bars]
    assert widths == [4, 4, 4, 4, 4, 0.5, 0.25, 0.1]
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names[0] == "no reuse"
    assert names[-3:] == ["all together", "glb", "dram"]
    figure.savefig(io.BytesIO(), dpi=30)


def test_a_result_without_a_machine_has_no_pictures() -> None:
    made = Result(
        "accelsim.inspect/1", {"model": {"name": "net"}}, {}, [{"layer": "a", "macs": 1}], plotter=Plots
    )
    assert made.plot.energy() is None
    assert made.plot.accesses() is None
    assert made.plot.cycles() is None
    assert made.plot.work() is None
    assert made.plot.reuse() is None


def test_no_level_shares_its_colour_with_another() -> None:
    from accelsim.charts.style import level_colours

    colours = level_colours(["mac", "reg", "spad", "acc", "glb", "l2", "dram"])
    assert len(set(colours.values())) == len(colours)


def test_measured_cells_are_points_at_their_two_values_grouped_by_limit() -> None:
    cells = [
        {"measured": "1.0", "predicted": 1.1, "limit": "host"},
        {"measured": 10.0, "predicted": 10.0, "limit": "compute"},
        {"measured": 20.0, "predicted": 15.0, "limit": "host"},
    ]
    figure = against_measured(cells, "images/s")
    (axes,) = figure.axes
    drawn_at = {tuple(at) for points in axes.collections[1:] for at in points.get_offsets().tolist()}
    assert drawn_at == {(1.0, 1.1), (10.0, 10.0), (20.0, 15.0)}
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["compute (1)", "host (2)"]
    assert "3 cells, median error 10.0%" in figure.get_suptitle()
    figure.savefig(io.BytesIO(), dpi=30)


def test_a_roofline_bends_at_the_ridge_and_names_its_points() -> None:
    from accelsim.charts.roofline import roofline

    points = [{"name": "a", "intensity": 10, "measured": 0.9, "predicted": 1.0}]
    figure = roofline(points, peak=4.0, slope=0.1)
    axes = figure.axes[0]
    x, y = axes.lines[0].get_data()
    assert (x[1], y[1]) == (40.0, 4.0)
    assert y[0] == 0.1 * x[0]
    assert [text.get_text() for text in axes.texts] == ["a"]


def test_a_case_of_validate_has_a_panel_a_quantity_and_none_where_all_must_be_equal() -> None:
    checks = [
        {"quantity": name, "name": name, "unit": "ms", "rule": rule}
        for name, rule in (("few", "mean"), ("many", "median"), ("counts", "exact"))
    ]
    case = {"title": "A chip", "against": "measured silicon", "checks": checks}
    rows = [
        {
            "quantity": name,
            "check": name,
            "row": str(at),
            "theirs": 10.0 + at,
            "ours": 11.0 + at,
            "error_frac": 0.1,
        }
        for name, n in (("few", 3), ("many", 40), ("counts", 3))
        for at in range(n)
    ]
    figure = agreement(case, rows)
    assert figure is not None
    bars, points = (axes for axes in figure.axes if axes.get_visible())
    assert [patch.get_width() for patch in bars.patches] == [10, 11, 11, 12, 12, 13]
    assert len(points.collections[0].get_offsets()) == 40
    assert agreement(case | {"checks": checks[2:]}, rows) is None


def test_points_of_several_checks_have_a_colour_each_and_the_panel_the_name_of_all() -> None:
    checks = [
        {"quantity": "energy_pj", "name": name, "unit": "pJ", "rule": rule}
        for name, rule in (("adders", "max"), ("memories", "exact"))
    ]
    case = {"title": "Tables", "against": "a published model", "checks": checks}
    rows = [
        {
            "quantity": "energy_pj", "check": "adders" if at < 15 else "memories", "row": str(at),
            "theirs": 1.0 + at, "ours": 2.0 + at, "error_frac": 1.0,
        }
        for at in range(20)
    ]  # fmt: skip
    figure = agreement(case, rows)
    assert figure is not None
    (axes,) = figure.axes
    assert [len(dots.get_offsets()) for dots in axes.collections] == [15, 5]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["adders", "memories"]
    assert axes.get_title(loc="left") == "energy_pj"
    assert "blue" not in figure.get_suptitle()


def test_the_sram_chart_draws_every_row_and_a_line_a_width() -> None:
    rows = [
        {"tech": "45nm", "size_bytes": str(size), "width_bits": str(width), "read_pj": str(size * width)}
        for size in (64, 1024, 1 << 20)
        for width in (8, 32)
    ]
    figure = sram_fit(rows, {"45nm": lambda size, width: 1.1 * size * width}, "read_pj", "pJ", "reads")
    axes = figure.axes[0]
    assert sum(len(dots.get_offsets()) for dots in axes.collections) == len(rows)
    assert len(axes.lines) == 2
    assert "6 rows, mean error 10.0%, worst 10%" in figure.get_suptitle()


def cell(mp: int, threads: int, seconds: float, **more: Any) -> dict[str, Any]:
    """A cell whose pass takes `seconds`, of an image a second at most: throughput and latency disagree."""
    figures = {"throughput_fps": seconds, "latency_s": seconds, "energy_j": 2.0, "limit": "compute"}
    return {"mp": mp, "dp": 1, "threads": threads, "batch": 1, "status": "ok", **figures, **more}


@pytest.mark.parametrize(
    ("objective", "best", "words"),
    [
        ("throughput", (1, 8), [["8\ncompute", "4\ncompute"], ["2\ncompute", "8\ncompute"]]),
        ("latency", (1, 1), [["2 s\ncompute", "4 s\ncompute"], ["2 s\ncompute", "8 s\ncompute"]]),
        ("edp", (1, 1), [["4 J s\ncompute", "8 J s\ncompute"], ["4 J s\ncompute", "16 J s\ncompute"]]),
    ],
)
def test_heat_maps_show_the_objective_and_the_best_cell_brightest(
    objective: str, best: tuple[int, int], words: list[list[str]]
) -> None:
    grid = [cell(1, 1, 2.0), cell(1, 8, 8.0), cell(2, 1, 4.0), cell(2, 8, 0.0, status="oom")]
    (first,) = (one | {"objective": objective} for one in grid if (one["mp"], one["threads"]) == best)
    figure = heat_maps(grid, first)
    assert figure is not None
    assert [{text.get_text() for text in axes.texts} for axes in figure.axes] == [
        set(panel) for panel in words
    ]
    for axes in figure.axes:
        assert axes.images[0].get_array().max() == pytest.approx(1.0)
    figure.savefig(io.BytesIO(), dpi=30)


def test_a_panel_of_one_cell_is_not_drawn() -> None:
    grid = [cell(1, 1, 2.0), cell(2, 1, 4.0)]
    figure = heat_maps(grid, grid[0] | {"objective": "latency"})
    assert figure is not None
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["threads 1, batch 1"]
    assert heat_maps(grid[:1], grid[0] | {"objective": "latency"}) is None
