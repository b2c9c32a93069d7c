"""The charts of a sweep draw what they are given."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from accelsim.charts.sweep import Axis, parallel, pareto
from accelsim.charts.sweep_effects import effects, heat, hypervolume
from accelsim.charts.thin import PIXELS, Cloud
from accelsim.results.format import digits_apart, quantity


def test_the_front_is_drawn_in_colour_the_rest_grey_and_the_knee_ringed() -> None:
    x, y = np.array([1.0, 2.0, 3.0, 3.0]), np.array([3.0, 2.0, 1.0, 3.0])
    figure = pareto(Axis("latency_s", x, "s"), Axis("energy_j", y, "J"), np.array([0, 1, 2]), 1)
    grey, front, ring = figure.axes[0].collections
    assert grey.get_offsets().tolist() == [[3.0, 3.0]]
    assert front.get_offsets().tolist() == [[1.0, 3.0], [2.0, 2.0], [3.0, 1.0]]
    assert ring.get_offsets().tolist() == [[2.0, 2.0]]
    assert figure.axes[0].get_xscale() == "linear"


def test_dominated_points_that_fall_on_one_dot_are_drawn_once() -> None:
    random = np.random.default_rng(0)
    x, y = random.random(400_000), random.random(400_000)
    figure = pareto(Axis("x", x), Axis("y", y), np.array([0]), None)
    assert len(figure.axes[0].collections[0].get_offsets()) <= (PIXELS + 1) ** 2


def test_the_dots_of_points_that_pass_cover_what_those_of_all_at_once_cover() -> None:
    random = np.random.default_rng(0)
    x, y = random.lognormal(size=50_000), random.random(50_000)
    x.sort()  # the range grows from block to block, and becomes logarithmic
    cloud = Cloud()
    for start in range(0, 50_000, 7_000):
        some = slice(start, start + 7_000)
        cloud.add(np.arange(50_000)[some], x[some], y[some])
    assert len(cloud.xs) <= (PIXELS + 1) ** 2
    assert (x[cloud.numbers] == cloud.xs).all()
    assert (y[cloud.numbers] == cloud.ys).all()
    place = np.stack([np.log(x / x[0]) / np.log(x[-1] / x[0]), y], axis=1)
    kept = place[cloud.numbers]
    for one in place[::97]:
        assert np.abs(kept - one).max(axis=1).min() <= 10 / PIXELS


def test_an_axis_of_wide_values_is_logarithmic_and_a_third_objective_is_a_colour() -> None:
    x = np.array([1.0, 10.0, 100.0])
    third = Axis("area_mm2", np.array([1.0, 2.0, 3.0]), "mm2", maximise=True)
    figure = pareto(Axis("x", x), Axis("y", x[::-1]), np.array([0, 1, 2]), None, colour=third)
    assert figure.axes[0].get_xscale() == "log"
    assert figure.axes[1].get_ylabel() == "area_mm2, more is better"


def test_a_sweep_without_any_point_has_an_empty_picture() -> None:
    nan = np.full(3, np.nan)
    figure = pareto(Axis("x", nan), Axis("y", nan), np.zeros(0, dtype=np.int64), None)
    assert len(figure.axes[0].collections[0].get_offsets()) == 0


def test_parallel_coordinates_have_a_line_a_point_and_the_knee_thick() -> None:
    axes = [
        Axis("rows", np.array([8, 16, 32])),
        Axis("dataflow", np.array([0, 1, 1]), labels=("ws", "os")),
        Axis("energy_j", np.array([3.0, 2.0, 1.0]), "J"),
    ]
    figure = parallel(axes, 2)
    (lines,) = figure.axes[0].collections
    assert [segment[:, 1].tolist() for segment in lines.get_segments()] == [
        [0.0, 0.0, 1.0],
        [pytest.approx(1 / 3), 1.0, 0.5],
        [1.0, 1.0, 0.0],
    ]
    assert figure.axes[0].lines[0].get_ydata().tolist() == [1.0, 1.0, 0.0]
    assert {text.get_text() for text in figure.axes[0].texts} >= {"8", "16", "32", "ws", "os", "1 J", "3 J"}


def test_effects_are_bars_in_percent_a_panel_an_objective() -> None:
    figure = effects({"energy_j": [(("rows",), 0.6), (("rows", "cols"), 0.3)], "latency_s": []})
    assert [bar.get_width() for bar in figure.axes[0].patches] == pytest.approx([60, 30])
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["rows", "rows x cols"]
    assert len(figure.axes[1].patches) == 0


def test_the_heat_map_shows_each_cell_and_leaves_absent_ones_white() -> None:
    values = np.array([[1.0, 2.0], [np.nan, 4.0]])
    x, y = Axis("rows", np.array([8, 16])), Axis("size", np.array([1024, 65536]), "B")
    figure = heat(x, y, values, Axis("energy_j", values, "J"))
    assert [text.get_text() for text in figure.axes[0].texts] == ["1 J", "2 J", "4 J"]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["1 KiB", "64 KiB"]
    assert np.isnan(np.asarray(figure.axes[0].images[0].get_array().filled(np.nan))[1, 0])


def test_the_cells_of_a_large_heat_map_are_not_blended() -> None:
    values = np.where(np.arange(400).reshape(20, 20) % 2, 1.0, 2.0)
    rows = Axis("rows", np.arange(20))
    figure = heat(rows, rows, values, Axis("energy_j", values, "J"))
    assert figure.axes[0].images[0].get_interpolation() == "nearest"


def test_the_hypervolume_says_what_share_of_all_it_reaches() -> None:
    figure = hypervolume(np.array([10, 100]), np.array([0.5, 0.9]), 1.0)
    assert "90.0 % of all points' after 100" in figure.get_suptitle()


def test_sizes_are_told_in_the_units_that_they_were_given_in() -> None:
    assert quantity(108 * 1024, "B") == "108 KiB"
    assert quantity(1536 * 1024, "B") == "1,536 KiB"
    assert quantity(100_000, "B") == "100 kB"
    assert quantity(0.0123, "s") == "12.3 ms"
    assert quantity(12.345, "mm2") == "12.3 mm2"
    assert quantity(4096) == "4096"
    assert quantity(None, "s") == quantity(float("nan")) == "-"


def test_digits_tell_narrow_ends_apart_and_are_three_otherwise() -> None:
    assert digits_apart(24.7e-3, 30e-3, "J") == digits_apart(0.0247, 0.0247, "J") == 3
    assert digits_apart(24.7e-3, 24.72e-3, "J") == 5
    assert digits_apart(1.0, 1.0 + 1e-15, "J") == 3


def test_the_axes_of_a_narrow_front_have_the_digits_that_tell_its_points_apart() -> None:
    energy, latency = np.linspace(24.701e-3, 24.719e-3, 9), np.linspace(1.0, 2.0, 9)
    axes = [Axis("latency_s", latency, "s"), Axis("energy_j", energy, "J")]
    texts = {text.get_text() for text in parallel(axes, None).axes[0].texts}
    assert texts == {"1 s", "2 s", "24.701 mJ", "24.719 mJ"}
    figure = pareto(*axes, np.arange(9), None)
    FigureCanvasAgg(figure).draw()
    ticks = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert len(set(ticks)) == len(ticks) > 3


def test_a_heat_map_has_the_variables_that_matter_alone_else_those_that_do_together() -> None:
    from accelsim.explore.sweep.effects import Effect
    from accelsim.explore.sweep.pictures import _strongest

    alone = [Effect(("size",), 0.5, ()), Effect(("rate",), 0.1, ()), Effect(("flow", "size"), 0.3, ())]
    assert _strongest(["flow", "rate", "size"], alone) == ["size", "rate"]
    together = [Effect(("size",), 0.6, ()), Effect(("flow", "size"), 0.3, ()), Effect(("rate",), 0.0, ())]
    assert _strongest(["rate", "flow", "size"], together) == ["size", "flow"]
    assert _strongest(["flow", "size"], [Effect(("size",), 0.9, ())]) == ["size", "flow"]
    assert _strongest(["flow", "rate", "size"], [Effect(("size",), 0.9, ())]) == ["size"]


LONG = Axis("clusters.channel.bandwidth.value", np.array([6.4e9, 12.8e9, 51.2e9]), "B/s")
WORDS = Axis("dataflow", np.arange(3), "", ("weight_stationary", "os", "is"))
FAST = Axis("throughput_fps", np.array([1.0, 20.0, 647.0]), "images/s", maximise=True)
SLOW = Axis("latency_s", np.array([1e-6, 2e-4, 3e-2]), "s")


@pytest.mark.parametrize(
    "figure",
    [
        pareto(SLOW, FAST, np.array([0, 1]), 0, "a title"),
        pareto(SLOW, LONG, np.array([0, 1]), 0, "a title", colour=FAST),
        parallel([LONG, WORDS, SLOW, FAST], 1, "a title"),
        effects({"latency_s": [(("clusters.channel.bandwidth.value", "dataflow"), 0.5)], "energy_j": []}),
        heat(SLOW, LONG, np.arange(1.0, 10.0).reshape(3, 3), FAST, "a title", "a detail"),
        heat(LONG, WORDS, np.full((3, 3), 4.0), SLOW, "a title"),
        hypervolume(np.array([1, 10, 1000]), np.array([0.1, 0.5, 0.9]), 0.95, "a title"),
    ],
)
def test_all_texts_have_room(figure: Figure) -> None:
    """By Matplotlib's own measure, which is what the margins spare."""
    FigureCanvasAgg(figure).draw()
    found = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    assert found.x0 >= -0.01
    assert found.y0 >= -0.01
    assert found.x1 <= width + 0.01
    assert found.y1 <= height + 0.01
    inside = [axes.get_position() for axes in figure.axes]
    assert all(box.width > 0.01 and box.height > 0.3 for box in inside)
    panels = [axes.get_tightbbox() for axes in figure.axes]
    for one, other in itertools.combinations(panels, 2):
        assert one.x1 <= other.x0 or other.x1 <= one.x0
