"""The search of the ISCA 2016 comparison against all parameters, its forms against literal loops.

Two independent ways: every mapping of small layers, priced by forms written again here in plain numbers as
the paper has them (a = E/H, b = f/w); and walks that move blocks of words through the loops and count them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.compat.isca16 import FORMS, Room, Shape, search
from accelsim.compat.isca16 import machine as sizes
from accelsim.mapping.dataflows.base import ladder
from accelsim.testing.row_stationary import RowStationary, run_row_stationary

Mapping = dict[str, int]


def priced(flow: str, x: Shape, at: Mapping) -> float:
    """Energy in MACs by the forms of the paper, without numpy."""
    side, a, e_side, r_side = x.H, x.E / x.H, x.E, x.R
    inputs, weights, outputs = x.inputs, x.weights, x.outputs
    e, f, m, n, p, q, r, t = (at.get(name, 1) for name in "efmnpqrt")
    w, h = x.U * f + r_side - x.U, x.U * e + r_side - x.U
    ab, ah, taps = a / (f / w), a * h / e, r_side**2 * a**2
    every_i, every_w = inputs * x.M * taps, weights * x.N * e_side**2
    lines = ceil(x.E / f)
    assert side == x.U * (e_side - 1) + r_side
    if flow == "rs":
        dram = inputs * ceil(x.M / m) * ab + weights * ceil(x.N / n) * lines + outputs
        glb = inputs * ceil(x.M / (p * t)) * ab + 2 * outputs * (ceil(x.C / (q * r)) - 1)
        array = inputs * ceil(x.M / p) * r_side * a + weights * ceil(x.N / n) * e_side
        array += 2 * outputs * (ceil(x.C / q) * r_side - ceil(x.C / (q * r)))
        rf = every_i + every_w + 2 * outputs * (x.C * r_side**2 - ceil(x.C / q) * r_side)
    elif flow == "ws":
        dram = inputs * ceil(x.M / t) * ab + weights + outputs
        glb = 2 * outputs * (ceil(x.C / r) * r_side - 1)
        array = every_i + 2 * outputs * (x.C * r_side**2 - ceil(x.C / r) * r_side)
        rf = every_w
    elif flow == "nlr":
        times = ceil(x.N / n) * ceil(x.E / e) * lines
        dram = inputs * ceil(x.M / m) * ah * ab + weights * times + outputs
        glb = inputs * ceil(x.M / p) * taps + every_w + 2 * outputs * (ceil(x.C / q) * r_side**2 - 1)
        array = every_i + 2 * outputs * (x.C - ceil(x.C / q)) * r_side**2
        rf = 0
    else:
        maps = {"osa": ah * ab, "osb": r_side * a * ab, "osc": taps}[flow]
        sets = {"osa": ceil(x.E / e) * lines, "osb": x.E * lines, "osc": x.E**2}[flow]
        dram = inputs * ceil(x.M / m) * maps + weights + outputs
        glb = inputs * ceil(x.M / p) * maps + weights * ceil(x.N / n) * sets
        array = every_i + every_w
        rf = 2 * outputs * (x.C * r_side**2 - 1)
    return 200 * dram + 6 * glb + 2 * array + rf + x.macs


def legal(flow: str, x: Shape, room: Room, at: Mapping) -> bool:
    """The constraints of the paper's table, and that filters at work are filters in the buffer."""
    e, f, m, n, p, q, r, t = (at.get(name, 1) for name in "efmnpqrt")
    w, h = x.U * f + x.R - x.U, x.U * e + x.R - x.U
    rf, glb, pes, taps = room.rf_words, room.glb_words, room.num_pes, x.R**2
    return {
        "rs": x.R * f * r * t <= pes
        and p * q * x.R + q * x.R + p <= rf
        and n * q * r * x.H * w + n * m * x.E * f <= glb
        and m >= p * t,
        "ws": taps * r * t <= pes and rf >= 1 and x.N * t * x.E**2 + r * t * (w - x.R) * (x.R - 1) <= glb,
        "osa": n * e * f <= pes and rf > x.U + x.U * x.R and n * x.C * h * w + m * x.C * taps <= glb,
        "osb": n * p * f <= pes and rf > x.U and n * x.C * x.R * w + m * x.C * taps <= glb and m >= p,
        "osc": n * p <= pes and rf >= 1 and (n + m) * x.C * taps <= glb and m >= p,
        "nlr": p * q <= pes and m >= p and n * q * h * w + m * q * taps + m * n * e * f <= glb,
    }[flow]


def every_mapping(flow: str, x: Shape) -> Iterator[Mapping]:
    """All integers for every parameter; of row-stationary's strips the ladder, as its table is made."""
    strips = [int(f) for f in ladder(x.E)] if flow == "rs" else range(1, x.E + 1)
    values = {
        **{name: range(1, x.M + 1) for name in "mpt"},
        **{name: range(1, x.C + 1) for name in "qr"},
        "n": range(1, x.N + 1),
        "e": range(1, x.E + 1),
        "f": strips,
    }
    names = FORMS[flow].parameters
    for choice in itertools.product(*(values[name] for name in names)):
        yield dict(zip(names, choice, strict=True))


@st.composite
def small_layers(draw: st.DrawFn) -> Shape:
    taps, stride, out = (draw(st.integers(1, 3)) for _ in range(3))
    n, g, c, m = (draw(st.integers(1, most)) for most in (3, 2, 4, 4))
    return Shape(N=n, G=g, C=c, M=m, H=stride * (out - 1) + taps, R=taps, U=stride)


@pytest.mark.parametrize("flow", FORMS)
@given(x=small_layers(), pes=st.integers(1, 14), rf=st.integers(1, 40), glb=st.integers(4, 300))
@settings(max_examples=25, deadline=None)
def test_search_finds_the_least_energy_of_all_mappings(
    flow: str, x: Shape, pes: int, rf: int, glb: int
) -> None:
    room = Room(pes, 2 * rf, 2 * glb)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "room", lambda *_: room)
        found = search.best_mapping(flow, x, pes)
        tight = search.misfits(flow, x, pes)
    energies = [priced(flow, x, at) for at in every_mapping(flow, x) if legal(flow, x, room, at)]
    assert bool(energies) == (found is not None) == (not tight)
    if found is not None:
        assert legal(flow, x, room, found.parameters)
        assert found.energy == pytest.approx(priced(flow, x, found.parameters), rel=1e-12)
        assert found.energy == pytest.approx(min(energies), rel=1e-12)


@pytest.mark.parametrize("flow", ["osa", "osb", "osc", "nlr", "ws"])
@given(x=small_layers(), pes=st.integers(1, 14), glb=st.integers(4, 300))
@settings(max_examples=15, deadline=None)
def test_of_equal_energies_no_other_has_more_active_pes(flow: str, x: Shape, pes: int, glb: int) -> None:
    """Of every n (NLR: and q) only the smallest for its number of passes is in the space."""
    room = Room(pes, 80, 2 * glb)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "room", lambda *_: room)
        found = search.best_mapping(flow, x, pes)
    steps = set(ladder(x.N).tolist())
    channels = set(ladder(x.C).tolist()) if flow == "nlr" else set(range(1, x.C + 1))
    if found is not None:
        active = [
            int(FORMS[flow].active_pes(x, {name: np.array([v]) for name, v in at.items()})[0])
            for at in every_mapping(flow, x)
            if at.get("n", 1) in steps
            and at.get("q", 1) in channels
            and legal(flow, x, room, at)
            and priced(flow, x, at) <= found.energy * (1 + 1e-12)
        ]
        assert found.active_pes == max(active)


def blocks(extent: int, size: int) -> list[range]:
    return [range(at, min(at + size, extent)) for at in range(0, extent, size)]


def window(x: Shape, outputs: range) -> int:
    """Input lines that some output lines touch."""
    return len({x.U * out + tap for out in outputs for tap in range(x.R)})


def walked_no_local_reuse(x: Shape, at: Mapping) -> dict[str, int]:
    """The loops of NLR: a block of images, filters and a strip; all its channels; then tap by tap."""
    words = dict.fromkeys(("dram_i", "dram_w", "dram_o", "glb_i", "glb_w", "glb_o"), 0)
    for _ in range(x.G):
        for images, rows, columns in itertools.product(
            blocks(x.N, at["n"]), blocks(x.E, at["e"]), blocks(x.E, at["f"])
        ):
            for filters in blocks(x.M, at["m"]):
                outputs = len(images) * len(filters) * len(rows) * len(columns)
                visits = 0
                for channels in blocks(x.C, at["q"]):
                    words["dram_i"] += len(images) * len(channels) * window(x, rows) * window(x, columns)
                    words["dram_w"] += len(filters) * len(channels) * x.R**2
                    for _ in range(x.R**2):
                        visits += 1
                        pixels = len(images) * len(rows) * len(columns)
                        words["glb_i"] += pixels * len(channels) * len(blocks(len(filters), at["p"]))
                        words["glb_w"] += pixels * len(channels) * len(filters)
                words["glb_o"] += 2 * (visits - 1) * outputs
                words["dram_o"] += outputs
    return words


def walked_output_stationary(x: Shape, at: Mapping) -> dict[str, int]:
    """The loops of OSA: strips stay, blocks of m filters pass over them; weights come from DRAM once."""
    words = dict.fromkeys(("dram_i", "dram_w", "glb_i", "glb_w"), 0)
    for _ in range(x.G):
        for filters in blocks(x.M, at["m"]):
            words["dram_w"] += len(filters) * x.C * x.R**2
            for images, rows, columns in itertools.product(
                blocks(x.N, at["n"]), blocks(x.E, at["e"]), blocks(x.E, at["f"])
            ):
                read = len(images) * x.C * window(x, rows) * window(x, columns)
                words["dram_i"] += read
                words["glb_i"] += read * len(filters)  # each filter passes over the window again
                words["glb_w"] += len(filters) * x.C * x.R**2
    return words


def whole_tiles(x: Shape, at: Mapping) -> bool:
    extents = {"n": x.N, "m": x.M, "p": x.M, "q": x.C, "e": x.E, "f": x.E}
    return all(extents[name] % size == 0 for name, size in at.items()) and (
        "p" not in at or at["m"] % at["p"] == 0
    )


@given(x=small_layers(), data=st.data())
@settings(max_examples=60, deadline=None)
def test_no_local_reuse_and_osa_equal_their_loops_where_tiles_are_whole_and_taps_overlap(
    x: Shape, data: st.DataObject
) -> None:
    """With R >= U no word is skipped; the forms count a strip's box, U f + R - U lines, whatever it skips."""
    x = Shape(x.N, x.G, x.C, x.M, max(x.R, x.U) + x.U * (x.E - 1), max(x.R, x.U), x.U)
    for flow, walk in (("nlr", walked_no_local_reuse), ("osa", walked_output_stationary)):
        mappings = [at for at in every_mapping(flow, x) if whole_tiles(x, at)]
        at = data.draw(st.sampled_from(mappings))
        counts = FORMS[flow].counts(x, {name: np.array([value]) for name, value in at.items()})[:, :, 0]
        walked = walk(x, at)
        level, operand = {"dram": 0, "glb": 1}, {"i": 0, "w": 1, "o": 2}
        for name, words in walked.items():
            at_level, of = name.split("_")
            assert counts[level[at_level], operand[of]] == pytest.approx(words), (flow, name)


@st.composite
def whole_row_stationary(draw: st.DrawFn) -> tuple[Shape, Mapping]:
    """A layer that a mapping cuts into whole tiles, with more than one window in a row."""
    n, f, q, r, p, t, taps, stride = (draw(st.integers(1, 2)) for _ in range(8))
    images, strips, passes, blocks_of_filters, outer = (draw(st.integers(1, 2)) for _ in range(5))
    out = max(f * strips, 2)
    if out % f:
        out += 1
    m = p * t * blocks_of_filters
    x = Shape(images * n, 1, q * r * passes, m * outer, stride * (out - 1) + taps, taps, stride)
    return x, {"m": m, "n": n, "f": f, "p": p, "q": q, "r": r, "t": t}


@given(case=whole_row_stationary())
@settings(max_examples=40, deadline=None)
def test_row_stationary_equals_an_array_of_scratch_pads_but_for_its_first_writes_and_double_hops(
    case: tuple[Shape, Mapping],
) -> None:
    """The array of testing.row_stationary moves every word: sums are as the forms have them, plus one write
    of each output in the buffer, and half as many hops; weights and inputs are never more."""
    x, at = case
    rng = np.random.default_rng(0)
    inputs = rng.integers(1, 9, (x.N, x.C, x.H, x.H))
    weights = rng.integers(1, 9, (x.M, x.C, x.R, x.R))
    rows = RowStationary(at["n"], at["m"], at["f"], at["p"], at["q"], at["r"], at["t"])
    walked = run_row_stationary(inputs, weights, x.U, rows).words
    counts = FORMS["rs"].counts(x, {name: np.array([value]) for name, value in at.items()})[:, :, 0]
    assert walked["glb O update"] + walked["glb O return"] == counts[1, 2] + x.outputs
    assert 2 * walked["array O hop"] == counts[2, 2]
    assert walked["dram W read"] <= counts[0, 1] * (1 + 1e-12)
    assert walked["glb I read"] <= counts[1, 0] * (1 + 1e-12)
    if x.R >= x.U and at["q"] * at["r"] < x.C:  # no word is skipped, and none stays from pass to pass
        assert walked["dram W read"] == counts[0, 1]
        # of one image the last window of a block of filters may share words with the first of the next block
        stay = at["m"] > at["p"] * at["t"] and at["n"] == 1 and (x.E - 1) * x.U < x.R
        assert (walked["glb I read"] == pytest.approx(counts[1, 0])) != stay


def test_a_last_strip_that_is_not_whole_counts_as_a_fraction_of_one() -> None:
    """13 output lines in strips of 9: the form reads 13/9 strips of 11 lines, loops read 11 and 6 of them."""
    x = Shape(N=1, G=1, C=1, M=1, H=15, R=3, U=1)
    at = {"m": 1, "n": 1, "e": 9, "f": 13}
    form = FORMS["osa"].counts(x, {name: np.array([value]) for name, value in at.items()})[0, 0, 0]
    assert form == pytest.approx(15 * 13 / 9 * 11)
    assert walked_output_stationary(x, at)["dram_i"] == 15 * (11 + 6)


def test_area_of_storage_is_read_back_a_little_larger_than_it_was() -> None:
    assert sizes.storage_bytes(sizes.storage_um2(131072)) == pytest.approx(131072 * 52019.2 / 52020)
    assert sizes.storage_um2(0) == 0
    assert sizes.storage_bytes(100.0) == 0
