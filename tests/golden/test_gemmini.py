"""Gemmini: cycles of its matrix products against RTL."""

from __future__ import annotations

from accelsim.evidence.gemmini.model import predict
from accelsim.evidence.gemmini.tiles import Memories, largest_tile, tiles
from accelsim.evidence.validate import validate

DEFAULT = Memories(dim=16, scratchpad_rows=16384, accumulator_rows=1024)


def test_cycles_are_within_3_percent_of_rtl_in_the_mean() -> None:
    case = validate(["gemmini"]).to_dict()["cases"][0]
    assert case["passed"]
    assert case["checks"][0]["mean_error_frac"] < 0.01


def test_512_cubed_is_cut_as_the_library_cuts_it() -> None:
    """buddy-compiler/buddy-mlir #933: 42 tiles of 5x6x32 blocks on the default configuration."""
    assert largest_tile((32, 32, 32), DEFAULT) == (5, 6, 32)
    assert len([*tiles(512, 512, 512, DEFAULT)]) == 42


def test_tiles_cover_every_block_once_and_fit_half_of_each_memory() -> None:
    for m, k, n in ((16, 512, 512), (100, 3000, 70), (512, 64, 1024), (1, 1, 1)):
        found = [*tiles(m, k, n, DEFAULT)]
        assert sum(t.i * t.j * t.k for t in found) == -(-m // 16) * -(-k // 16) * -(-n // 16)
        assert all((t.i + t.j) * t.k <= 512 and t.i * t.j <= 32 for t in found)


def test_a_product_of_few_rows_waits_for_its_weights() -> None:
    """Twice the rows cost less than half more: the weights' 256 KiB are on their way."""
    one, two = (predict([{"M": m, "K": "512", "N": "512"}])[0]["rtl_cycles"] for m in ("16", "32"))
    assert isinstance(one, int)
    assert isinstance(two, int)
    assert one < two < 1.5 * one
