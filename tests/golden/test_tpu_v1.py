"""TPU v1: what six applications reach, from their aggregate sizes."""

from __future__ import annotations

import pytest

from accelsim.evidence.tpu_v1.model import Spent, layer_cycles, roofline_tops
from accelsim.evidence.tpu_v1.networks import EqualLayers
from accelsim.evidence.validate import validate
from accelsim.flow import arch


@pytest.fixture(scope="module")
def ours() -> dict[tuple[str, str], tuple[float, float]]:
    rows = validate(["tpu_v1"]).to_dict()["comparisons"]
    return {(row["row"], row["quantity"]): (row["theirs"], row["ours"]) for row in rows}


@pytest.mark.parametrize("app", ["MLP0", "MLP1", "LSTM0", "CNN0"])
def test_tops_are_within_20_percent_where_totals_say_enough(
    app: str, ours: dict[tuple[str, str], tuple[float, float]]
) -> None:
    theirs, predicted = ours[app, "TOPS"]
    assert predicted == pytest.approx(theirs, rel=0.2)


@pytest.mark.parametrize("app", ["MLP0", "LSTM0", "LSTM1"])
def test_waits_and_shifts_share_the_matrix_cycles_as_counted(
    app: str, ours: dict[tuple[str, str], tuple[float, float]]
) -> None:
    """A tile of 64 KiB comes in 1,349 cycles, 256 of which shift it in: the rest is products and waiting."""
    for quantity in ("weight_stall_pct", "weight_shift_pct"):
        theirs, predicted = ours[app, quantity]
        assert predicted == pytest.approx(theirs, rel=0.05)


def test_600x600_takes_9_steps_of_2_us_on_256x256_and_4_of_8_us_on_512x512() -> None:
    """Jouppi et al., section 7: 18 us and 32 us."""
    app = EqualLayers(1, 600, 1, 96, 2)
    for side, published_us in ((256, 18), (512, 32)):
        machine = arch("tpu_v1", (f"array.rows={side}", f"array.cols={side}"))
        spent = layer_cycles(app, machine)
        assert spent.total / 700 == pytest.approx(published_us, rel=0.06)


def test_ridge_of_the_roofline_is_at_1350_operations_a_byte() -> None:
    machine = arch("tpu_v1")
    assert roofline_tops(1e6, machine) == pytest.approx(92, rel=0.01)
    assert roofline_tops(1e6, machine) / roofline_tops(1, machine) == pytest.approx(1350, rel=0.01)


def tile_by_tile(tiles: int, rows: int, load: float, shift: int) -> Spent:
    """Tiles come from DRAM one after the other, shift in, and are used; the next ones come meanwhile."""
    arrived = free = used = 0.0
    for _ in range(tiles):
        arrived += load
        ready = max(arrived, free) + shift  # the array's second set of weights is free when a product starts
        start = max(ready, used)
        free, used = start, start + rows
    return Spent(round(used), tiles * rows, 0)


@pytest.mark.parametrize(("rows", "n"), [(200, 2000), (64, 1400), (2000, 700)])
def test_cycles_equal_a_walk_of_tiles_but_for_what_fills_and_drains(rows: int, n: int) -> None:
    machine = arch("tpu_v1")
    found = layer_cycles(EqualLayers(1, n, 1, rows, 1), machine)
    tiles = (-(-n // 256)) ** 2
    walk = tile_by_tile(tiles, rows, 65536 / (34e9 / 700e6), 256)
    assert found.active == walk.active
    # the first tile of a layer comes while the layer before is at work; the array's skew is R + C
    assert walk.total == pytest.approx(found.total, abs=65536 / (34e9 / 700e6) + 256 + 512)
