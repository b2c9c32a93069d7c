"""Machines made too small in each way: the message names what is short, and what it advises is exact."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.small_machine import small_machine

import accelsim
from accelsim.base.errors import InfeasibleError
from accelsim.base.errors import Problem as Message
from accelsim.mapper.found import SearchOptions
from accelsim.mapper.infeasible import Remedy, explain, is_possible, remedies
from accelsim.mapper.request import Request
from accelsim.mapper.solve import finds
from accelsim.mapping.dataflows import DATAFLOWS
from accelsim.mapping.dataflows.array import ArrayDataflow
from accelsim.mapping.dataflows.base import ParameterSpace
from accelsim.tables.dims import DIMS, C, K, W
from accelsim.tables.grid import Grid
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Problem

SETTING = re.compile(r"--set ([\w.]+)=(?:'(\d+) B'|(\d+))")


def request(
    reg: float = 3.0, sram: float = 1024.0, k: int = 3, layer: str = "one", **changes: Any
) -> Request:
    """A product of 4 inputs and k outputs, weight-stationary: a byte a word, 4 x 4 PEs."""
    at = small_machine(capacity_bytes=np.array([reg, sram, np.inf]), **changes)
    extents = tuple({"K": k, "C": 4}.get(d, 1) for d in DIMS)
    return Request(Problem(extents, ((1, 1, 0, 1),) * 3, False), at, (2, 2, 2), SearchOptions(), layer)


def said(*requests: Request) -> list[str]:
    return [str(message) for message in explain(requests, finds)]


# --- by hand


def test_buffer_that_is_a_byte_short_is_named_with_demand_and_limit() -> None:
    """The array takes 4 x 3 weights at once, 4 inputs and 3 sums: 19 B. A row less halves the channels."""
    (text,) = said(request(sram=18))
    assert text.startswith("one: sram needs at least 19 B of 18 B for layer one under ws (--set ")
    assert "--set sram.size='19 B'" in text
    assert "--set array.rows=3" in text  # 2 channels at once: 2 + 2 x 3 + 3 = 11 B
    assert said(request(sram=19)) == []


def test_register_that_holds_no_word_is_named() -> None:
    (text,) = said(request(reg=0.5))
    assert text.startswith(
        "one: reg needs at least 1 B of 0.5 B for layer one under ws (--set reg.size='1 B'"
    )


def test_two_levels_that_are_short_are_both_named_and_mended_together() -> None:
    first, second = said(request(reg=0.5, sram=2, rows=1, cols=1))
    assert first == "one: reg needs at least 1 B of 0.5 B for layer one under ws"
    assert second.startswith("one: sram needs at least 3 B of 2 B for layer one under ws (")  # I, W, O
    assert "--set reg.size='1 B' --set sram.size='3 B'" in second


def test_smaller_of_two_single_changes_comes_first() -> None:
    found = remedies([request(sram=18)], [request(sram=18)], finds)
    assert [remedy.settings for remedy in found] == [
        ("sram.size='19 B'",),
        ("array.rows=3",),
        ("array.cols=2",),
    ]
    assert [remedy.change_frac for remedy in found] == [19 / 18 - 1, 4 / 3 - 1, 1.0]
    assert str(Remedy(("a.size='1 B'", "b.size='2 B'"), 0)) == "--set a.size='1 B' --set b.size='2 B'"


def test_first_layer_is_named_and_the_remedy_is_for_all() -> None:
    """4 inputs, 4 x 4 weights and 4 sums of the second: 24 B; the third fits."""
    asked = [request(sram=11, layer="a"), request(sram=11, k=4, layer="b"), request(sram=11, k=1, layer="c")]
    (text,) = said(*asked)
    assert text.startswith("a: sram needs at least 19 B of 11 B for layer a under ws (")
    assert "--set sram.size='24 B'" in text
    assert text.endswith("mends all 2 layers that do not fit)")


def test_layer_that_a_level_does_not_limit_asks_nothing_of_it() -> None:
    """The second lives in sram whole: only the first one's 19 B count."""
    inside = replace(request(sram=11, layer="b"), homes=(1, 1, 1))
    inside = replace(inside, machine=small_machine(capacity_bytes=np.array([0.5, np.inf, np.inf])))
    (text, more) = said(request(reg=0.5, sram=11), inside)
    assert "reg needs at least 1 B" in text
    assert "--set reg.size='1 B' --set sram.size='19 B'" in more


@dataclass(frozen=True)
class TwoTiles(ArrayDataflow):
    """Three weights in a register and 1 + 3 + 3 words in sram, or one in a register and 4 + 12 + 3."""

    def spaces(
        self, problem: Problem, machine: Machine, keep: Any, wider: bool = False
    ) -> Iterator[ParameterSpace]:
        for c, k in (((4, 1), (1, 3)), ((1, 4), (3, 1))):  # trips of the outer loop and of the inner one
            choices = {C: np.array([c]).T, K: np.array([k]).T}
            yield ParameterSpace(Grid((C, K, C, K), (2, 1, 1, 0), ("",) * 4, keep, choices))


@pytest.fixture
def two_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DATAFLOWS, "ws", TwoTiles("ws", "", rows=(C,), cols=(K,), in_array=(W,)))


@pytest.mark.usefixtures("two_tiles")
def test_levels_that_only_together_are_short_say_so_and_either_may_grow() -> None:
    first, second = said(request(reg=2, sram=10))
    beside = "for layer one under ws beside tiles that fit the other levels"
    assert first == f"one: reg needs at least 3 B of 2 B {beside}"
    assert second.startswith(f"one: sram needs at least 19 B of 10 B {beside} (")
    assert "(--set reg.size='3 B', or --set sram.size='19 B'" in second


@pytest.mark.usefixtures("two_tiles")
def test_smallest_combination_has_the_least_growth_in_all() -> None:
    """One of two pairs: 1 B and 19 B, or 3 B and 7 B."""
    texts = said(request(reg=0.5, sram=5))  # 100 % + 280 %, or 500 % + 40 %
    assert "--set reg.size='1 B' --set sram.size='19 B'" in texts[-1]
    texts = said(request(reg=0.9, sram=1))  # 11 % + 1,800 %, or 233 % + 600 %
    assert "--set reg.size='3 B' --set sram.size='7 B'" in texts[-1]


def test_remedy_that_a_search_does_not_confirm_is_not_offered() -> None:
    (message,) = explain([request(sram=18)], lambda _: False)
    assert isinstance(message, Message)
    assert message.hint is None


def test_unconstrained_mappings_are_always_possible() -> None:
    assert is_possible(request(reg=0.5, sram=0.5, dataflow="any"))


# --- through the front door, on the shipped machines


CASES = [
    ("eyeriss", "rs", {"glb.size": "64 B"}),
    ("eyeriss", "rs", {"spad_psum.size": "1 B"}),
    ("eyeriss", "rs", {"spad_ifmap.size": "1 B"}),
    ("eyeriss", "rs", {"spad_psum.size": "1 B", "glb.size": "64 B"}),
    ("eyeriss_isca16_256", "nlr", {"glb.size": "32 B"}),
    ("eyeriss_isca16_256", "rs", {"rf.size": "3 B"}),
    ("systolic_32x32", "ws", {"sram.size": "1 KiB"}),
    ("systolic_32x32", "is", {"sram.size": "512 B"}),
    ("gemmini_16x16", "os", {"scratchpad.size": "16 B"}),
    ("gemmini_16x16", "ws", {"accumulator.size": "16 B", "scratchpad.size": "16 B"}),
    ("tpu_v1", "ws", {"unified_buffer.size": "64 B"}),
    ("tpu_v1", "ws", {"weight_fifo.size": "64 B", "accumulators.size": "64 B"}),
    ("mlu100", "nlr", {"nram.size": "64 B"}),
]


def attempt(arch: str, flow: str, settings: dict[str, str]) -> list[Message]:
    """What keeps lenet from running; nothing where it runs."""
    sets = [f"{key}={value}" for key, value in settings.items()]
    try:
        accelsim.run(accelsim.load("lenet"), accelsim.arch(arch, sets, flow))
    except InfeasibleError as error:
        return list(error.problems)
    return []


@pytest.mark.parametrize(("arch", "flow", "settings"), CASES, ids=lambda value: str(value))
def test_every_change_that_is_advised_works_and_one_less_does_not(
    arch: str, flow: str, settings: dict[str, str]
) -> None:
    problems = attempt(arch, flow, settings)
    assert problems, "fits: the case shows nothing"
    assert re.match(r"\w+ needs at least [\d,]+ B of [\d,]+ B for layer \w+ under ", problems[0].message)
    hint = problems[-1].hint
    assert hint is not None
    alternatives = [advised for part in hint.split(", or ") if (advised := SETTING.findall(part))]
    assert alternatives, hint
    for advised in alternatives:
        mended = settings | {key: f"{size} B" if size else side for key, size, side in advised}
        assert attempt(arch, flow, mended) == [], advised
        for key, size, side in advised:
            short = f"{int(size) - 1} B" if size else str(int(side) + 1)
            assert attempt(arch, flow, mended | {key: short}), f"{key}={short} would do"


def test_dataflow_any_is_advised_where_it_works() -> None:
    settings = {"spad_psum.size": "1 B"}
    hint = attempt("eyeriss", "rs", settings)[-1].hint
    assert hint is not None
    assert "--dataflow any" in hint
    assert attempt("eyeriss", "any", settings) == []


def test_layers_of_a_mapping_file_that_do_not_fit_keep_their_place(tmp_path: Path) -> None:
    """Only what was searched is explained; a given mapping breaks at a line of its file."""
    net, machine = accelsim.load("lenet"), accelsim.arch("eyeriss")
    file = tmp_path / "mapping.yaml"
    file.write_text(accelsim.run(net, machine).files["mapping.yaml"])
    with pytest.raises(InfeasibleError) as caught:
        accelsim.run(net, accelsim.arch("eyeriss", ["glb.size=64 B"]), mapping=file)
    assert {problem.file for problem in caught.value.problems} == {str(file)}


def test_no_number_of_a_possible_machine_is_changed() -> None:
    plain = request()
    assert explain([plain], finds) == []
    assert is_possible(replace(plain, machine=small_machine()))
