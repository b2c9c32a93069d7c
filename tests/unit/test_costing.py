"""Rows of layers of every kind, on graphs small enough to be counted by hand (machine: `small_machine`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.small_machine import small_machine

import accelsim
from accelsim.base.errors import InputError, UncostedError
from accelsim.cost.latency import busy_cycles, transfers_of
from accelsim.costing import Costing, compulsory_words, status_of
from accelsim.mapper.found import SearchOptions
from accelsim.mapper.solve import Solver
from accelsim.mapping.lower import lower
from accelsim.results.row import bound_columns
from accelsim.tables.columns import COLUMNS
from accelsim.tables.dims import DIMS
from accelsim.tables.machine import Machine
from accelsim.workload.graph import LayerGraph
from accelsim.workload.layer import Layer, Tensor, Window
from accelsim.workload.shapes import shape_columns

SRAM, DRAM = 1, 2


def product(name: str, inputs: tuple[str, ...] = ("x",), output: str = "y", **more: Any) -> Layer:
    """A matrix product: 4 inputs, 3 outputs, 12 weights."""
    dims = tuple({"K": 3, "C": 4}.get(d, 1) for d in DIMS)
    plain = {"dims": dims, "macs": 12 * more.get("repeat", 1), "params": 12}
    return Layer(name, "gemm", "array", inputs, (output,), **{**plain, **more})


def graph(*layers: Layer, **words: int) -> LayerGraph:
    """Tensors have 4 words where nothing else is said, y has 3."""
    sizes = {"y": 3} | words
    names = dict.fromkeys(t for layer in layers for t in (*layer.inputs, *layer.outputs, *layer.fused_inputs))
    tensors = {name: Tensor(name, (sizes.get(name, 4),)) for name in names}
    made = {t for layer in layers for t in layer.outputs}
    inputs = tuple(name for name in names if name not in made)
    return LayerGraph("small", layers, tensors, inputs, (layers[-1].outputs[0],))


def rows(layers: Iterable[Layer], machine: Machine | None = None, **words: int) -> list[dict[str, Any]]:
    net = graph(*layers, **words)
    costing = Costing(net, machine or small_machine(), SearchOptions("energy")).solve(Solver())
    return [costing.row(i) for i in range(len(net.layers))]


def dram(row: dict[str, Any]) -> dict[str, tuple[int, int]]:
    return {t: (counts["read"], counts["write"]) for t, counts in row["accesses"]["dram"].items()}


# --- layers of multiply-accumulates


def test_product_that_fits_reads_each_word_of_dram_once() -> None:
    (row,) = rows([product("one")])
    assert dram(row) == {"I": (4, 0), "W": (12, 0), "O": (0, 3)}
    assert (row["dram_read_bytes"], row["dram_write_bytes"]) == (16, 3)
    assert (row["compulsory_dram_bytes"], row["memory_bound_cycles"]) == (19, 10)  # 2 B a cycle
    assert row["compute_bound_cycles"] == 1  # 12 on 16 PEs
    assert row["energy_bound_pj"] == 12 * 5 + 16 * 100 + 3 * 200
    assert (row["status"], row["reason"], row["bound"]) == ("costed", None, "dram")
    assert row["active_pes"] == 12
    assert row["utilization_frac"] == 12 / (row["latency_cycles"] * 16)


def test_latency_and_energy_are_the_sums_of_their_parts() -> None:
    (row,) = rows([product("one")])
    assert (
        row["latency_cycles"] == row["compute_cycles"] + row["fill_drain_cycles"] + row["stall_cycles"] == 10
    )
    assert row["transfer_cycles_by_level"]["dram"] == 10
    assert sum(row["energy_pj_by_level"].values()) == pytest.approx(row["energy_pj"])
    assert row["energy_pj_by_level"]["mac"] == 60
    assert row["energy_pj_by_level"]["leakage"] == 10 * 7
    assert row["latency_s"] == 10e-9


def test_transfers_that_end_with_a_cycle_take_no_further_one() -> None:
    """LeNet conv2 on Eyeriss: (55,760 + 6,400) / 2.4 = 25,900, though 55,760 / 2.4 + 6,400 / 2.4 is more."""
    machine = small_machine()
    two = replace(
        machine,
        read_bytes_per_cycle=np.full(machine.n_levels, 2.4),
        write_bytes_per_cycle=np.full(machine.n_levels, 2.4),
        shared_port=np.ones(machine.n_levels, np.bool_),
        overlap=np.zeros((machine.n_levels, 3), np.bool_),
    )
    read, written = np.zeros((2, machine.n_levels, 3))
    read[0, 0], written[0, 2] = 55_760.0, 6_400.0
    transfer = transfers_of(two, read, written)
    assert transfer.all[0] > 25_900
    assert busy_cycles(np.array(7), transfer) == 25_907
    assert busy_cycles(np.array(7), transfers_of(two, read + read / 1e9, written)) == 25_908


def test_row_has_only_columns_of_the_table() -> None:
    (row,) = rows([product("one")])
    assert set(row) <= {column.name for column in COLUMNS}


def test_runs_of_a_recurrent_layer_cost_as_many_times_as_one() -> None:
    (once,), (thrice,) = rows([product("one")]), rows([product("one", repeat=3)])
    assert thrice["latency_cycles"] == 3 * once["latency_cycles"]
    assert thrice["energy_pj"] == pytest.approx(3 * once["energy_pj"])
    assert dram(thrice) == {"I": (12, 0), "W": (36, 0), "O": (0, 9)}
    # yet no more than once would the weights have to be read
    assert thrice["compulsory_dram_bytes"] == 3 * 4 + 12 + 3 * 3


def test_equal_layers_are_mapped_once() -> None:
    chain = [product("one", ("x",), "a"), product("two", ("a",), "b"), product("three", ("b",), "y")]
    net = graph(*chain)
    costing = Costing(net, small_machine(), SearchOptions("edp")).solve(Solver())
    first, second, third = (costing.row(i) for i in range(3))
    assert costing.effort["n_searches"] == 1
    assert costing.searched_as == {"one": "one", "two": "one", "three": "one"}
    assert list(costing.found) == ["one"]
    assert [{**row, "layer": ""} for row in (second, third)] == [{**first, "layer": ""}] * 2


def test_activations_at_home_in_the_buffer_leave_dram_alone() -> None:
    machine = small_machine(activation_home=SRAM)
    one, two = rows([product("one", ("x",), "a"), product("two", ("a",), "y")], machine)
    assert dram(one) == {"I": (4, 0), "W": (12, 0), "O": (0, 0)}
    assert dram(two) == {"I": (0, 0), "W": (12, 0), "O": (0, 3)}
    assert (one["compulsory_dram_bytes"], two["compulsory_dram_bytes"]) == (16, 15)
    assert one["accesses"]["sram"]["O"]["write"] == 3  # the product's own outputs arrive once


def test_second_activation_is_read_where_it_lives() -> None:
    two = product("two", ("x", "a"), weight_is_activation=True, params=0)
    move = Layer("one", "reshape", "movement", ("z",), ("a",))
    inside = rows([move, two], small_machine(activation_home=SRAM), a=12, z=12)[1]
    outside = rows([move, two], a=12, z=12)[1]
    assert (dram(inside)["W"], dram(outside)["W"]) == ((0, 0), (12, 0))
    assert outside["params"] == 0


def test_fused_addition_reads_its_shortcut_beside() -> None:
    plain, fused = product("one"), product("one", fused=("add",), fused_inputs=("shortcut",))
    (without,), (row,) = rows([plain]), rows([fused], shortcut=100)
    assert row["dram_read_bytes"] == without["dram_read_bytes"] + 100
    assert row["latency_cycles"] == (16 + 3 + 100) / 2 + 0.5  # whole cycles of one stream
    assert row["macs"] == without["macs"]
    assert row["fused"] == ["add"]


def test_compulsory_words_of_a_strided_layer_are_those_it_touches() -> None:
    """A 1x1 filter of stride 2 over 28 x 28 outputs and four filters: 784 inputs (design, section 5)."""
    dims = tuple({"K": 4, "P": 28, "Q": 28}.get(d, 1) for d in DIMS)
    layer = Layer(
        "one", "conv", "array", dims=dims, windows=(Window(2, 1, 0, 56), Window(2, 1, 0, 56), Window())
    )
    assert compulsory_words(lower(layer)) == (784, 4, 4 * 784)


# --- other work


def test_pooling_counts_its_words_and_operations() -> None:
    (row,) = rows([Layer("pool", "max_pool", "vector", ("x",), ("y",), vector_ops=9)], x=12)
    assert (row["status"], row["op"], row["mapping"]) == ("costed", "max_pool", None)
    assert dram(row) == {"I": (12, 0), "W": (0, 0), "O": (0, 3)}
    assert (row["compute_cycles"], row["compute_bound_cycles"], row["latency_cycles"]) == (3, 3, 8)
    assert row["compulsory_dram_bytes"] == 15
    assert row["energy_pj"] == 9 * 3 + 15 * 30 + 12 * 100 + 3 * 200 + 8 * 7


def test_addition_reads_both_maps() -> None:
    (row,) = rows([Layer("add", "add", "vector", ("x", "z"), ("y",), vector_ops=3)], x=3, z=3)
    assert dram(row) == {"I": (6, 0), "W": (0, 0), "O": (0, 3)}


def test_scales_of_a_normalisation_are_read_from_dram() -> None:
    norm = Layer("norm", "batch_normalization", "vector", ("x",), ("y",), vector_ops=6, params=8)
    assert dram(rows([norm])[0])["W"] == (8, 0)


def test_concatenation_moves_every_word_once_and_computes_nothing() -> None:
    (row,) = rows([Layer("concat", "concat", "movement", ("x", "z"), ("y",))], x=10, z=20, y=30)
    assert row["status"] == "data_movement"
    assert dram(row) == {"I": (30, 0), "W": (0, 0), "O": (0, 30)}
    assert (row["compute_cycles"], row["macs"], row["latency_cycles"]) == (0, 0, 30)


def test_lookup_reads_the_rows_that_it_takes_not_the_table() -> None:
    """A table of 1,000 words of which 6 are taken, and one of 4 words that is read whole."""
    (large,) = rows([Layer("embed", "gather", "movement", ("x",), ("y",), params=1000)], x=2, y=6)
    (small,) = rows([Layer("embed", "gather", "movement", ("x",), ("y",), params=4)], x=2, y=6)
    assert (dram(large)["W"], dram(small)["W"]) == ((6, 0), (4, 0))


# --- what has no cost


def test_vector_work_without_an_engine_is_listed_with_the_reason() -> None:
    (row,) = rows(
        [Layer("pool", "max_pool", "vector", ("x",), ("y",), vector_ops=9)], small_machine(vector_lanes=0)
    )
    assert (row["status"], row["reason"]) == (
        "not_costed",
        "the architecture has no vector engine or host that could do it",
    )
    assert "latency_cycles" not in row


def test_operator_without_a_model_keeps_its_own_reason() -> None:
    layer = Layer("nms", "nms", "not_costed", reason="depends on the data")
    assert status_of(layer, small_machine()) == ("not_costed", "depends on the data")
    assert status_of(Layer("nms", "nms", "not_costed"), None)[1]


def test_strict_refuses_what_is_not_costed(tmp_path: Path) -> None:
    layer = Layer("nms", "nms", "not_costed", ("x",), ("y",), reason="depends on the data")
    with pytest.raises(UncostedError, match="nms: nms is not costed: depends on the data") as caught:
        accelsim.run(graph(layer), accelsim.arch("eyeriss"), strict=True)
    assert caught.value.exit_code == 4
    result = accelsim.run(graph(layer), accelsim.arch("eyeriss"))
    assert (result.rows[0]["status"], result.totals["n_not_costed"]) == ("not_costed", 1)


@pytest.mark.parametrize(
    ("keyword", "word", "hint"), [("objective", "enrgy", "energy"), ("compat", "scalsim", "scalesim")]
)
def test_unknown_choice_is_refused_with_a_suggestion(keyword: str, word: str, hint: str) -> None:
    with pytest.raises(InputError, match=f"'{word}' is no {keyword}.*did you mean '{hint}'"):
        accelsim.run(graph(product("one")), accelsim.arch("eyeriss"), **{keyword: word})


# --- columns


def test_bound_is_the_level_that_takes_longest_or_compute() -> None:
    assert rows([product("one")])[0]["bound"] == "dram"
    wide = small_machine(read_bytes_per_cycle=np.full(3, np.inf), write_bytes_per_cycle=np.full(3, np.inf))
    (row,) = rows([product("one")], wide)
    assert (row["bound"], row["stall_cycles"]) == ("compute", 0)


def test_bounds_use_both_ports_where_dram_has_two() -> None:
    one, two = small_machine(), small_machine(shared_port=np.zeros(3, np.bool_))
    assert bound_columns(33, 5.0, 40, 100.0, one)["memory_bound_cycles"] == 20
    assert bound_columns(33, 5.0, 40, 100.0, two) == {
        "compute_bound_cycles": 3,
        "memory_bound_cycles": 10,
        "compulsory_dram_bytes": 40,
        "energy_bound_pj": 265.0,
    }


def test_shape_columns_are_those_of_the_file() -> None:
    """A 3x3 convolution of 2 to 4 channels on 8x8 in 16 bits: 72 weights, 128 words in, 256 out."""
    dims = tuple({"K": 4, "C": 2, "P": 8, "Q": 8, "R": 3, "S": 3}.get(d, 1) for d in DIMS)
    layer = Layer(
        "one", "conv", "array", ("x",), ("y",), dims=dims, macs=72 * 64, params=72, params_bn_folded=76
    )
    tensors = {"x": Tensor("x", (1, 2, 8, 8), 16), "y": Tensor("y", (1, 4, 8, 8), 16)}
    row = shape_columns(layer, LayerGraph("net", (layer,), tensors, ("x",), ("y",)))
    assert (row["weight_bytes"], row["input_bytes"], row["output_bytes"]) == (144, 256, 512)
    assert row["arithmetic_intensity"] == 72 * 64 / (144 + 256 + 512)
    assert row["dims"] == {"K": 4, "C": 2, "P": 8, "Q": 8, "R": 3, "S": 3}
    assert (row["input_shapes"], row["output_shape"]) == ([[1, 2, 8, 8]], [1, 4, 8, 8])
    assert (row["params"], row["params_bn_folded"], row["status"]) == (72, 76, "costed")
