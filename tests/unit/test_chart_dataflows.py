"""The chart of a comparison of dataflows draws what it is given."""

from __future__ import annotations

import pytest

from accelsim.charts.dataflows import energy_by_dataflow


def test_bars_are_as_long_as_their_levels_and_panels_share_a_scale() -> None:
    rs = {"mac": 1.0, "rf": 3.0, "array": 0.5, "glb": 0.25, "dram": 1.25}
    nlr = {"mac": 1.0, "rf": 0.0, "array": 5.0, "glb": 5.0, "dram": 1.0}
    figure = energy_by_dataflow([("forms", {"rs": rs, "nlr": nlr}), ("exact", {"rs": rs})], "AlexNet")
    first, second = figure.axes
    assert [bar.get_width() for bar in first.patches[:5]] == pytest.approx(list(rs.values()))
    assert [text.get_text() for text in first.texts] == ["6.00, 1.00x", "12.00, 2.00x"]
    assert [label.get_text() for label in first.get_yticklabels()] == ["RS", "NLR"]
    assert first.get_xlim() == second.get_xlim()
