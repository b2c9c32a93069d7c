"""Charts: what is drawn adds up to what the rows say."""

from __future__ import annotations

import io
from typing import Any

import pytest

from accelsim.charts.accesses import accesses_by_operand
from accelsim.charts.bars import MAX_BARS, Stack, cycles_parts, energy_by_level, group_tail, shorten
from accelsim.charts.plots import Plots
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


def test_accesses_have_a_bar_for_every_count_above_zero() -> None:
    figure = accesses_by_operand(TOTALS)
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


def test_a_result_without_a_machine_has_no_pictures() -> None:
    made = Result(
        "accelsim.inspect/1", {"model": {"name": "net"}}, {}, [{"layer": "a", "macs": 1}], plotter=Plots
    )
    assert made.plot.energy() is None
    assert made.plot.accesses() is None
    assert made.plot.cycles() is None


def test_no_level_shares_its_colour_with_another() -> None:
    from accelsim.charts.style import level_colours

    colours = level_colours(["mac", "reg", "spad", "acc", "glb", "l2", "dram"])
    assert len(set(colours.values())) == len(colours)
