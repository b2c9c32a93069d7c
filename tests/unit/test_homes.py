"""Where tensors live between layers: liveness worked out by hand on graphs of a few layers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.small_machine import small_machine

from accelsim.base.errors import InfeasibleError
from accelsim.mapping.homes import candidate_levels, find_homes
from accelsim.tables.machine import BEST_HOME, Machine
from accelsim.workload.graph import LayerGraph
from accelsim.workload.layer import Layer, Tensor

REG, SRAM, DRAM = range(3)


def array(name: str, inputs: tuple[str, ...], output: str, **more: object) -> Layer:
    return Layer(name, "conv", "array", inputs, (output,), **more)  # type: ignore[arg-type]


def vector(name: str, inputs: tuple[str, ...], output: str) -> Layer:
    return Layer(name, "add", "vector", inputs, (output,))


def graph(layers: list[Layer], **words: int) -> LayerGraph:
    """A graph from `x` to the last layer's output; tensors without a size have 10 words."""
    names = dict.fromkeys(t for layer in layers for t in (*layer.inputs, *layer.outputs, *layer.fused_inputs))
    tensors = {name: Tensor(name, (1, words.get(name, 10))) for name in names}
    return LayerGraph("small", tuple(layers), tensors, ("x",), (layers[-1].outputs[0],))


def machine(room: float, **changes: object) -> Machine:
    capacity = np.array([3.0, room, np.inf])
    return small_machine(**{"capacity_bytes": capacity, "activation_home": SRAM, **changes})


CHAIN = [
    array("one", ("x",), "a"),
    array("two", ("a",), "b"),
    array("three", ("b",), "c"),
    array("four", ("c",), "y"),
]


def test_inputs_and_outputs_of_the_network_are_in_dram() -> None:
    homes = find_homes(graph(CHAIN), machine(1000))
    assert {name: homes.of(name) for name in "xabcy"} == {
        "x": DRAM,
        "a": SRAM,
        "b": SRAM,
        "c": SRAM,
        "y": DRAM,
    }


def test_architecture_that_says_dram_keeps_nothing_inside() -> None:
    homes = find_homes(graph(CHAIN), small_machine(activation_home=DRAM))
    assert set(homes.level.values()) == {DRAM}
    assert not homes.live_bytes[:, :DRAM].any()


def test_chain_needs_room_for_a_layers_input_and_output_at_once() -> None:
    """10 words each: while `two` runs a and b are live, while `one` runs only a, while `four` only c."""
    homes = find_homes(graph(CHAIN), machine(20))
    assert [homes.of(name) for name in "abc"] == [SRAM, SRAM, SRAM]
    assert homes.live_bytes[:, SRAM].tolist() == [10, 20, 20, 10]


def test_tensor_that_does_not_fit_beside_the_live_ones_goes_to_dram() -> None:
    """With room for 19 bytes b meets a in `two`; c finds the buffer empty again."""
    homes = find_homes(graph(CHAIN), machine(19))
    assert [homes.of(name) for name in "abc"] == [SRAM, DRAM, SRAM]
    assert homes.live_bytes[:, SRAM].tolist() == [10, 10, 10, 10]


def test_what_lives_in_dram_is_counted_beside_the_weights() -> None:
    """Two maps of 10 bytes at any time and 7 weights: 27 bytes; the network's output stays to the end."""
    layers = [array("one", ("x",), "a", params=7), *CHAIN[1:]]
    exact = small_machine(activation_home=DRAM, capacity_bytes=np.array([3.0, 100.0, 27.0]))
    assert find_homes(graph(layers), exact).live_bytes[:, DRAM].tolist() == [20, 20, 20, 20]
    small = replace(exact, capacity_bytes=np.array([3.0, 100.0, 26.0]))
    with pytest.raises(InfeasibleError, match="dram needs 27 B of 26 B") as caught:
        find_homes(graph(layers), small)
    assert caught.value.problems[0].hint


SHORTCUT = [
    array("one", ("x",), "a"),
    array("two", ("a",), "b"),
    array("three", ("b",), "c"),
    vector("add", ("a", "c"), "d"),
    array("four", ("d",), "y"),
]


def test_shortcut_occupies_room_until_its_addition() -> None:
    """a lives from `one` to `add`: 10 words beside b, beside b and c, beside c and d."""
    homes = find_homes(graph(SHORTCUT), machine(30))
    assert [homes.of(name) for name in "abcd"] == [SRAM] * 4
    assert homes.live_bytes[:, SRAM].tolist() == [10, 20, 30, 30, 10]


def test_shortcut_that_stays_live_pushes_a_later_tensor_out() -> None:
    """Room for two maps: a stays for the addition, b beside it, so c must go; d finds b's place free."""
    homes = find_homes(graph(SHORTCUT), machine(20))
    assert [homes.of(name) for name in "abcd"] == [SRAM, SRAM, DRAM, SRAM]
    without = [layer if layer.name != "add" else vector("add", ("c",), "d") for layer in SHORTCUT]
    assert find_homes(graph(without), machine(20)).of("c") == SRAM


def test_shortcut_of_a_fused_addition_lives_as_long() -> None:
    layers = [*SHORTCUT[:2], array("three", ("b",), "d", fused_inputs=("a",)), SHORTCUT[4]]
    assert find_homes(graph(layers), machine(30)).live_bytes[:, SRAM].tolist() == [10, 20, 30, 10]


def test_tensor_that_nobody_reads_lives_only_while_it_is_made() -> None:
    layers = [Layer("split", "split", "movement", ("x",), ("a", "unused")), array("two", ("a",), "y")]
    assert find_homes(graph(layers), machine(100)).live_bytes[:, SRAM].tolist() == [20, 10]


def test_larger_tensor_than_the_buffer_goes_to_dram_and_takes_no_room() -> None:
    homes = find_homes(graph(CHAIN, b=1000), machine(100))
    assert [homes.of(name) for name in "abc"] == [SRAM, DRAM, SRAM]


def test_share_of_the_level_is_kept_free_for_tiles() -> None:
    """A tenth of 20 bytes is reserved: two maps of 10 no longer fit side by side."""
    assert find_homes(graph(CHAIN), machine(20, activation_reserve_frac=0.1)).of("b") == DRAM


def test_bytes_are_those_of_the_machines_words_not_the_files() -> None:
    """16-bit activations: 10 words are 20 bytes; a memory of 32-bit words takes 40."""
    bits = np.array([16, 16, 16])
    assert find_homes(graph(CHAIN), machine(100, bits=bits)).live_bytes[0, SRAM] == 20
    own = np.array([0, 32, 0])
    assert find_homes(graph(CHAIN), machine(100, bits=bits, word_bits=own)).live_bytes[0, SRAM] == 40


def holds(**levels: str) -> np.ndarray:
    return np.array(
        [[operand in levels.get(name, "IWO") for operand in "IWO"] for name in ("reg", "sram", "dram")]
    )


def test_second_factor_of_a_product_stays_only_where_weights_are_held() -> None:
    product = Layer("matmul", "matmul", "array", ("a", "b"), ("y",), weight_is_activation=True)
    layers = [array("one", ("x",), "a"), array("two", ("x",), "b"), product]
    with_weights = find_homes(graph(layers), machine(100))
    without = find_homes(graph(layers), machine(100, holds=holds(sram="IO")))
    assert (with_weights.of("a"), with_weights.of("b")) == (SRAM, SRAM)
    assert (without.of("a"), without.of("b")) == (SRAM, DRAM)


def test_output_of_an_array_needs_a_level_that_holds_outputs() -> None:
    homes = find_homes(graph(CHAIN), machine(100, holds=holds(sram="IW")))
    assert set(homes.level.values()) == {DRAM}


def test_work_of_the_vector_engine_takes_a_tensor_from_anywhere() -> None:
    """Between two vector layers no operand of an array is asked of the level."""
    layers = [vector("one", ("x",), "a"), vector("two", ("a",), "y")]
    assert find_homes(graph(layers), machine(100, holds=holds(sram="W"))).of("a") == SRAM


def four_levels(l1: float, l2: float) -> Machine:
    return small_machine(
        level_names=("reg", "l1", "l2", "dram"),
        capacity_bytes=np.array([3.0, l1, l2, np.inf]),
        holds=np.ones((4, 3), np.bool_),
        word_bits=np.zeros(4, np.int64),
        activation_home=BEST_HOME,
    )


def test_best_home_is_the_innermost_level_that_has_room() -> None:
    layers = CHAIN
    assert [find_homes(graph(layers), four_levels(20, 100)).of(name) for name in "abc"] == [1, 1, 1]
    assert [find_homes(graph(layers), four_levels(19, 100)).of(name) for name in "abc"] == [1, 2, 1]
    assert [find_homes(graph(layers, b=50), four_levels(19, 40)).of(name) for name in "abc"] == [1, 3, 1]


def test_best_home_is_never_inside_the_array_or_at_dram() -> None:
    assert candidate_levels(four_levels(1, 1)) == [1, 2]
    assert candidate_levels(small_machine(activation_home=DRAM)) == []
    assert candidate_levels(small_machine(activation_home=SRAM)) == [SRAM]
