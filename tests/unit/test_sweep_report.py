"""The envelope, the tables and the page of a sweep: what they say is what the table of points has."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from accelsim.explore.sweep.answers import with_dots
from accelsim.explore.sweep.pictures import pictures
from accelsim.explore.sweep.source import Sifted
from accelsim.report.blocks import Table, render
from accelsim.report.sweep import N_FRONT, space_lines, sweep_blocks
from accelsim.report.sweep_page import sweep_page
from accelsim.results.plain import to_json
from tests.support.sweeps import AXES, GOALS, Axis, Held, answer, seen, table

UNITS = {one.name: one.unit for one in AXES}


def test_points_are_those_of_the_fronts_and_the_bests_with_their_roles() -> None:
    found = answer()
    assert [view["network"] for view in found["pareto"]] == [None, "a", "b<i>"]
    of_a = [row for row in found["points"] if row["network"] == "a"]
    assert [(row["array.rows"], row["glb.size"], row["dataflow"]) for row in of_a] == [
        (32, 32768, "ws"),
        (16, 32768, "ws"),
        (8, 32768, "ws"),
    ]
    assert of_a[0]["roles"] == ["front", "best latency_s"]
    assert "knee" in of_a[1]["roles"]
    assert of_a[2]["roles"] == ["front", "best energy_j"]
    assert found["pareto"][1]["best"] == {"latency_s": of_a[0]["index"], "energy_j": of_a[2]["index"]}


def test_the_envelope_is_json_without_nan_also_where_points_failed() -> None:
    columns = table()
    columns["status"][:7] = "error"
    columns["energy_j"][:7] = np.nan
    json.loads(to_json(answer(columns)), parse_constant=lambda word: 1 / 0)
    columns["status"][:] = "error"
    empty = answer(columns)
    json.loads(to_json(empty), parse_constant=lambda word: 1 / 0)
    assert "no point is ok" in render(sweep_blocks(empty))
    assert "nothing to compare" in sweep_page(empty, {})


def test_where_no_machine_is_ok_for_all_networks_each_is_answered_alone() -> None:
    columns = table()
    columns["status"][columns["network"] == "a"] = "infeasible"
    found = answer(columns)
    shown, page = render(sweep_blocks(found)), sweep_page(found, {})
    said = "no machine is ok for all networks, so each is answered alone; ok are: a 0 of 12, b"
    assert said in shown
    assert said in page
    assert "no point is ok" not in shown
    for text in ("Pareto front of b", "One step from the knee of b", "explains the variance"):
        assert text in shown
        assert text in page
    shown_view = seen(columns, AXES, GOALS).shown
    assert shown_view.network == "b<i>"
    view = with_dots(shown_view, Sifted(Held(columns)), AXES, GOALS)
    drawn = dict(pictures(view, GOALS, UNITS, "demo"))
    assert "heat_energy_j" in drawn
    grey, front, _ = drawn["pareto_latency_s_energy_j"].axes[0].collections
    ok = columns["network"] == "b<i>"
    dots = {(x, y) for x, y in zip(columns["latency_s"][ok], columns["energy_j"][ok], strict=True)}
    assert {tuple(dot) for dot in (*grey.get_offsets().tolist(), *front.get_offsets().tolist())} == dots


def test_tables_say_sizes_and_percent_as_people_read_them() -> None:
    text = render(sweep_blocks(answer()))
    assert "demo: Rows <b>against</b> energy" in text
    assert "24 combinations, 24 points, 24 ok" in text
    assert re.search(r"^glb.size +32 KiB -> 64 KiB +\+0.0 +\+41.4$", text, re.MULTILINE)
    assert re.search(r"^dataflow +ws -> os +\+0.0 +\+100.0$", text, re.MULTILINE)
    assert "What explains the variance of the logarithm of latency_s" in text
    assert re.search(r"^array.rows +100.0 +8: 395 ms, 16: 198 ms, 32: 98.8 ms$", text, re.MULTILINE)
    assert "geometric means over the networks" in text
    assert "note: networks weigh the same" in text


def test_one_step_is_told_of_a_chosen_point_beside_the_knee() -> None:
    found = answer(around=23)
    assert found["around"]["point"]["index"] == 23
    assert found["around"]["point"]["energy_j"] == table()["energy_j"][23]
    assert found["around"]["over_all"]["point"]["network"] is None
    assert set(found["around"]["steps"][0]) == set(found["pareto"][0]["steps"][0])
    shown, page = render(sweep_blocks(found)), sweep_page(found, {})
    for place in ("the knee of all networks", "point 23, all networks", "point 23, b"):
        assert f"One step from {place}" in shown
        assert f"One step from {place}" in page
    last = shown[shown.index("point 23, b") :]
    assert re.search(r"^array.rows +32 -> 16 +\+100.0 +-50.0$", last, re.MULTILINE)
    assert answer()["around"] is None


@pytest.mark.parametrize(
    ("values", "unit", "shown"),
    [
        ([99_999, 100_000], "B", "99.999 kB, 100 kB"),
        ([999_999, 1_000_000], "", "999.999 k, 1 M"),
        ([1e9, 1.001e9, 2e9], "Hz", "1 GHz, 1.001 GHz, 2 GHz"),
        ([65536, 131072], "B", "64 KiB, 128 KiB"),
        ([8, 16], "", "8, 16"),
        (["ws", "os"], "", "ws, os"),
        (
            [*range(100_000, 100_100)],
            "",
            "100 k, 100.001 k, 100.002 k, 100.003 k, 100.004 k, ..., 100.098 k, 100.099 k",
        ),
    ],
)
def test_different_levels_of_a_variable_look_different(values: list[Any], unit: str, shown: str) -> None:
    said = {"variables": [{"name": "v", "unit": unit, "values": values}]}
    ((_, n, text),) = space_lines({"inputs": {"space": said}})
    assert n == str(len(values))
    assert text == shown


def test_a_long_front_is_thinned_but_keeps_its_ends_and_the_knee() -> None:
    columns = table()
    n = 200
    many = {name: np.resize(values, n) for name, values in columns.items()}
    many["index"] = np.arange(n)
    many["network"] = np.full(n, "a")
    many["array.rows"] = np.arange(n)
    many["latency_s"], many["energy_j"] = np.arange(1.0, n + 1), 1e3 / np.arange(1.0, n + 1)
    axes = (Axis("array.rows", tuple(range(n))), Axis("network", ("a",)))
    shown = next(b for b in sweep_blocks(answer(many, axes)) if isinstance(b, Table) and "Pareto" in b.title)
    assert len(shown.rows) in (N_FRONT, N_FRONT + 1)
    assert shown.rows[0][0] == "0"
    assert shown.rows[-1][0] == "199"
    assert any("knee" in row[0] for row in shown.rows)


def test_a_narrow_front_has_the_digits_that_tell_its_points_apart() -> None:
    columns = table()
    columns["energy_j"] = 24.7e-3 + columns["array.rows"] * 1e-6
    text = render(sweep_blocks(answer(columns, AXES)))
    assert re.search(r"^24.732 mJ \|", text, re.MULTILINE)
    assert re.search(r"^24.708 mJ \|", text, re.MULTILINE)
    front = text[text.index("Pareto front") : text.index("is the knee")]
    assert "24.716 mJ" in front


class Links(HTMLParser):
    """Every address that the page would fetch, and every tag that could run."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "action", "data")]


def test_the_page_stands_alone_and_escapes_the_names_of_strangers() -> None:
    page = sweep_page(answer(), {"pareto_x_y": b"\x89PNG", "effects": b"\x89PNG"})
    reader = Links()
    reader.feed(page)
    assert reader.links
    assert all(link.startswith("data:image/png;base64,") for link in reader.links)
    assert not {"script", "link", "iframe", "i", "b"} & set(reader.tags)
    assert "url(" not in page
    assert "b&lt;i&gt;" in page
    assert "4096 / array.rows" in page
    assert page.count("<summary>") == 1 + 1 + 2 + 1 + 2  # bests, front, effects, steps, network by network


def test_a_view_has_a_picture_of_each_kind_and_none_without_a_front() -> None:
    view = seen(table(), AXES, GOALS).views[0]
    assert [name for name, _ in pictures(view, GOALS, UNITS, "demo")] == [
        "pareto_latency_s_energy_j",
        "parallel",
        "effects",
        "heat_energy_j",
    ]
    failed = table()
    failed["status"][:] = "error"
    assert list(pictures(seen(failed, AXES, GOALS).views[0], GOALS, UNITS, "demo")) == []


def test_a_heat_map_has_the_best_over_all_other_variables() -> None:
    view = seen(table(), AXES, GOALS).views[1]
    figure = dict(pictures(view, GOALS, UNITS, "demo"))["heat_energy_j"]
    assert "the best over glb.size" in figure.get_suptitle()
    least = {"8": 8.0, "16": 16.0, "32": 32.0}
    shown = figure.axes[0].images[0].get_array()
    assert figure.axes[0].get_xlabel() == "array.rows"
    assert [float(v) for v in shown[0]] == list(least.values())
