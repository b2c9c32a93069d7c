"""Each fault of SCALE-Sim that `--compat scalesim` copies, and our own model without it.

Own model: `run` on the shipped 32x32 array, its closed forms and its traffic; numbers are worked out by hand.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import accelsim
from accelsim import flow
from accelsim.compat.scalesim import Setup, Work, simulate_layer
from accelsim.cost.systolic import network_systolic
from accelsim.tables.dims import DIMS

CALC = (64, 64, 64)


def own(m: int, n: int, k: int, rows: int, cols: int, dataflow: str) -> Any:
    dims = np.array([[{"P": m, "K": n, "C": k}.get(dim, 1)] for dim in DIMS])
    return network_systolic(dims, np.zeros(1, np.int64), rows, cols, dataflow, "sequential")


def test_total_cycles_are_one_too_few_and_ours_are_those_of_the_rtl() -> None:
    """n x n x n on n x n takes 3n - 2 cycles (ISPASS 2020, against RTL): 10 for n = 4, SCALE-Sim prints 9."""
    theirs = simulate_layer(Work("g", 4, 4, 1, 4, 1, 4), Setup(4, 4, "os", *CALC))
    assert theirs["total_cycles"] == 9
    assert own(4, 4, 4, 4, 4, "os").latency_cycles.item() == 10


def test_output_stationary_writes_count_the_shape_of_the_array_and_ours_do_not() -> None:
    """7 x 5 outputs on 4 x 4: four folds, each 4 + 4 too many."""
    theirs = simulate_layer(Work("g", 7, 3, 1, 3, 1, 5), Setup(4, 4, "os", *CALC))
    assert theirs["sram_ofmap_writes"] == 7 * 5 + 4 * (4 + 4)
    assert own(7, 5, 3, 4, 4, "os").o_write_words.item() == 7 * 5


def test_partial_sums_are_written_and_never_read_back_and_ours_are() -> None:
    """K = 12 on 4 rows: three row folds; the sums of two of them must come back."""
    theirs = simulate_layer(Work("g", 7, 12, 1, 12, 1, 5), Setup(4, 4, "ws", *CALC))
    assert theirs["sram_ofmap_writes"] == 3 * 7 * 5
    assert not any("ofmap_reads" in name for name in theirs)
    ours = own(7, 5, 12, 4, 4, "ws")
    assert (ours.o_write_words.item(), ours.o_read_words.item()) == (3 * 7 * 5, 2 * 7 * 5)


def test_each_operand_has_a_channel_of_its_own_and_ours_share_one() -> None:
    """With one word a cycle for each operand, inputs and filters wait beside each other, never in line."""
    layer = Work("g", 40, 400, 1, 400, 1, 40)

    def stalls(ifmap: int, filters: int) -> int:
        setup = Setup(8, 8, "os", 1, 1, 64, "USER", ifmap, filters, 1000)
        return int(simulate_layer(layer, setup)["stall_cycles"] or 0)

    alone = stalls(1, 10_000), stalls(10_000, 1)
    assert min(alone) > 0
    assert stalls(1, 1) < sum(alone), "they would add up on one channel"
    machine = accelsim.arch("systolic_32x32").machine()
    assert machine.shared_port[machine.level("dram")]


def test_repeated_words_of_im2col_are_fetched_again_and_ours_once() -> None:
    """12 x 12 x 8 map, 3 x 3 filter: 100 windows of 72 words, most of the 1,152 words in nine of them."""
    layer = Work("c", 12, 12, 3, 3, 8, 8)
    theirs = simulate_layer(layer, Setup(8, 8, "os", 1, 1, 1, "USER", 64, 64, 64))
    assert int(theirs["dram_ifmap_reads"] or 0) > 5 * 12 * 12 * 8


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    file = tmp_path_factory.mktemp("topology") / "t.csv"
    header = (
        "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n"
    )
    Path(file).write_text(header + "c, 12, 12, 3, 3, 8, 8, 1,\n", encoding="utf-8")
    result = flow.run(accelsim.load(file), accelsim.arch("systolic_32x32"), cache=False)
    return result.rows[0]


def test_our_default_run_reads_each_word_of_the_map_once(ours: dict[str, Any]) -> None:
    assert ours["accesses"]["dram"]["I"]["read"] == 12 * 12 * 8


def test_a_late_prefetch_is_charged_twice() -> None:
    """One fetch that ends p cycles late stops the array for 2 p.

    8 words a cycle stream through 8 rows. 47 sets of 11 words, 517, are in reach at the start; word 517 comes
    in line 7 + (517 - 28) // 8 = 68 (the first seven lines are skew) and would be answered in cycle 69. The
    fetch of 512 words, one a cycle, ends in cycle 512: p = 443.
    """
    setup = Setup(8, 1, "os", 1, 64, 64, "USER", 1, 1000, 1000)
    theirs = simulate_layer(Work("g", 8, 100, 1, 100, 1, 1), setup)
    assert theirs["stall_cycles"] == 2 * 443
