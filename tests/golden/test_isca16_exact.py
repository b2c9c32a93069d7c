"""What an exact count of words says of the comparison's mappings: each difference has a cause and a size."""

from __future__ import annotations

import numpy as np
import pytest

from accelsim.compat.isca16 import FORMS
from accelsim.evidence.isca16.exact import PADDING, Counted, exact
from accelsim.evidence.isca16.model import LAYERS, best_cell

DRAM, GLB, ARRAY, RF = range(4)
I, W, O = range(3)


def both(dataflow: str, layer: str) -> tuple[np.ndarray, Counted]:  # type: ignore[type-arg]
    best = best_cell(dataflow, 256, 16, layer)
    assert best is not None
    return best.counts, exact(best, PADDING.get(layer, 0))


def outputs(layer: str) -> float:
    best = best_cell("rs", 256, 16, layer)
    assert best is not None
    return float(best.shape.outputs)


@pytest.mark.parametrize("dataflow", FORMS)
def test_weights_and_outputs_at_dram_are_the_same_in_every_layer_but_a_whole_filter_kept(
    dataflow: str,
) -> None:
    """NLR on CONV1: all three channels are one block, so that the weights stay over the strips."""
    for layer in LAYERS:
        forms, ours = both(dataflow, layer)
        assert ours.words[DRAM, O] == forms[DRAM, O]
        if (dataflow, layer) == ("nlr", "CONV1"):
            assert ours.words[DRAM, W] == 96 * 3 * 121 < forms[DRAM, W]
        else:
            assert ours.words[DRAM, W] == forms[DRAM, W]


def test_padding_is_not_in_dram() -> None:
    """WS keeps whole lines, so that nothing else differs: 27 x 27 of 31 x 31 words, 13 x 13 of 15 x 15."""
    for layer, share in (("CONV1", 1.0), ("CONV2", 27**2 / 31**2), ("CONV3", 13**2 / 15**2)):
        forms, ours = both("ws", layer)
        assert ours.words[DRAM, I] == pytest.approx(forms[DRAM, I] * share)


def test_windows_that_slide_bring_only_new_words() -> None:
    """OSC fetches R x R words for each output; a window that moves on by one needs R of them."""
    forms, ours = both("osc", "CONV3")
    assert forms[DRAM, I] == pytest.approx(6 * 16 * 256 * 169 * 9)
    # six blocks of filters, each image and channel: 13 lines of 3 x 13 words that lie in the map at least
    assert ours.words[DRAM, I] < forms[DRAM, I] / 3
    forms, ours = both("osc", "FC1")  # one window, nothing slides
    assert ours.words[DRAM, I] == pytest.approx(forms[DRAM, I])


@pytest.mark.parametrize("dataflow", ["osa", "osb", "osc"])
def test_what_comes_into_the_buffer_is_written_there(dataflow: str) -> None:
    for layer in ("CONV3", "FC1"):
        forms, ours = both(dataflow, layer)
        assert ours.words[GLB, W] == forms[GLB, W] + forms[DRAM, W]


@pytest.mark.parametrize("dataflow", ["rs", "nlr"])
def test_sums_take_two_accesses_a_pass_of_the_buffer(dataflow: str) -> None:
    """The forms have 2 (passes - 1): the first write and the last read are missing."""
    for layer in ("CONV1", "CONV3", "FC2"):
        forms, ours = both(dataflow, layer)
        assert ours.words[GLB, O] == forms[GLB, O] + 2 * outputs(layer)


@pytest.mark.parametrize("dataflow", ["osa", "osb", "osc"])
def test_sums_in_a_register_are_written_for_each_product_and_read_for_all_but_the_first(
    dataflow: str,
) -> None:
    """2 C R R with the drain at the end; the forms have 2 (C R R - 1)."""
    for layer in ("CONV1", "CONV3", "FC2"):
        forms, ours = both(dataflow, layer)
        assert ours.words[RF, O] == forms[RF, O] + 2 * outputs(layer)


@pytest.mark.parametrize("dataflow", ["rs", "nlr"])
def test_a_hop_of_a_sum_is_one_hop_not_two(dataflow: str) -> None:
    for layer in ("CONV1", "CONV3", "FC2"):
        forms, ours = both(dataflow, layer)
        assert 2 * ours.words[ARRAY, O] == pytest.approx(forms[ARRAY, O], rel=1e-3)


def test_weight_stationary_sums_are_added_over_all_taps_not_over_a_row_of_them() -> None:
    """The forms send them to the buffer after each row of the filter: 3 times as often in CONV3."""
    forms, ours = both("ws", "CONV3")
    passes, written = 128, outputs("CONV3")
    assert forms[GLB, O] == 2 * written * (3 * passes - 1)
    assert ours.words[GLB, O] == 2 * written * passes


def test_inputs_do_not_move_from_pe_to_pe() -> None:
    """OSA lets neighbours pass on the window; without such a link every product reads the buffer."""
    forms, ours = both("osa", "CONV3")
    best = best_cell("osa", 256, 16, "CONV3")
    assert best is not None
    reads = ours.words[GLB, I] - ours.words[DRAM, I]
    assert reads == pytest.approx(best.shape.macs, rel=0.01)
    assert forms[GLB, I] < best.shape.macs / 6


def test_row_stationary_stays_within_five_percent_of_its_form_and_the_best_in_conv() -> None:
    layers = [name for name in LAYERS if name.startswith("CONV")]

    def per_mac(dataflow: str) -> tuple[float, float]:
        cells = [best_cell(dataflow, 256, 16, layer) for layer in layers]
        fit = [cell for cell in cells if cell is not None]
        counted = [exact(cell, PADDING.get(layer, 0)) for cell, layer in zip(fit, layers, strict=True)]
        macs = sum(cell.shape.macs for cell in fit)
        ours = sum(float(one.level_energy.sum()) + one.macs for one in counted) / macs
        return sum(cell.energy for cell in fit) / macs, ours

    forms, ours = per_mac("rs")
    assert abs(ours / forms - 1) < 0.05
    assert all(per_mac(other)[1] > 1.25 * ours for other in FORMS if other != "rs")
