"""Mapping files: read with places, written back, and what is said about a file that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_mapping import mappings

import accelsim
from accelsim.base.errors import AccelsimError, InfeasibleError, InputError
from accelsim.mapping.files import RowStationaryParameters, dump_mappings, load_mappings, parse_mappings
from accelsim.mapping.mapping import LevelLoops, Loop, Mapping

HEAD = "schema: accelsim.mapping/1\nlayers:\n"
GOOD = HEAD + (
    "  conv1:\n"
    "    - {level: dram, keep: [I, W, O], time: [K 96, C 3, P 55]}\n"
    "    - {level: glb, keep: [O], time: [Q 55], rows: [R 11]}\n"
    "    - {level: spad_filter, keep: [W], time: [S 11]}\n"
)


def refused(text: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        parse_mappings(text, "map.yaml")
    return [str(problem) for problem in caught.value.problems]


def run_refused(
    tmp_path: Path, text: str, kind: type[Exception] = InputError, arch: str = "eyeriss"
) -> list[str]:
    """What `accelsim run alexnet --mapping` says, file names shortened."""
    path = tmp_path / "map.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(kind) as caught:
        accelsim.run(accelsim.load("alexnet"), accelsim.arch(arch), mapping=path)
    return [str(problem).replace(str(path), "map.yaml") for problem in caught.value.problems]


# --- reading and writing


def test_file_is_read_level_by_level() -> None:
    found = parse_mappings(GOOD)
    assert found.layers == {
        "conv1": Mapping(
            (
                LevelLoops("dram", ("I", "W", "O"), (Loop("K", 96), Loop("C", 3), Loop("P", 55))),
                LevelLoops("glb", ("O",), (Loop("Q", 55), Loop("R", 11, "rows"))),
                LevelLoops("spad_filter", ("W",), (Loop("S", 11),)),
            )
        )
    }
    assert (found.where["conv1"].line, found.where["conv1"].column) == (3, 3)


def test_parameters_of_row_stationary_are_read_as_such() -> None:
    text = HEAD + "  conv1:\n    row_stationary: {m: 96, n: 1, e: 7, p: 16, q: 1, r: 1, t: 2}\n"
    found = parse_mappings(text).layers["conv1"]
    assert isinstance(found, RowStationaryParameters)
    assert found.values == {"m": 96, "n": 1, "e": 7, "p": 16, "q": 1, "r": 1, "t": 2}


names = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_categories=("Cc", "Cs")), min_size=1
)


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(st.dictionaries(names, mappings(), min_size=1, max_size=3))
def test_what_is_written_is_read_back_equal(layers: dict[str, Mapping]) -> None:
    assert parse_mappings(dump_mappings(layers)).layers == layers


@pytest.mark.parametrize("name", ["a\nb", "a\tb", "a\x07b", "\x85", "\ufeffx", "\U0001f600"])
def test_layer_names_of_any_characters_are_read_back_equal(name: str) -> None:
    """ONNX names are free text."""
    mapping = parse_mappings(GOOD).layers["conv1"]
    assert isinstance(mapping, Mapping)
    assert list(parse_mappings(dump_mappings({name: mapping})).layers) == [name]


@pytest.mark.parametrize("arch", ["eyeriss", "systolic_32x32", "gemmini_16x16", "tpu_v1", "mlu100"])
def test_mappings_that_a_run_writes_cost_the_same_when_they_are_given(arch: str, tmp_path: Path) -> None:
    net, machine = accelsim.load("lenet"), accelsim.arch(arch)
    result = accelsim.run(net, machine)
    result.save(tmp_path / "out")
    again = accelsim.run(net, machine, mapping=tmp_path / "out" / "mapping.yaml")
    assert again.rows == result.rows


# --- files that are wrong


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("time: [K4]", "4:28: layers.conv1.0.time.0: 'K4' is no loop"),
        ("time: [X 4]", "4:28: layers.conv1.0.time.0: 'X 4' is no loop"),
        ("time: [K 0]", "4:28: layers.conv1.0.time.0: 'K 0' is no loop"),
        ("time: [C 3, K -1]", "4:33: layers.conv1.0.time.1: 'K -1' is no loop"),
        ("rows: [K 1.5]", "4:28: layers.conv1.0.rows.0: 'K 1.5' is no loop"),
        ("cols: K 4", "4:21: layers.conv1.0.cols: 'K 4' is no list"),
        ("keep: I", "4:21: layers.conv1.0.keep: 'I' names no operands, expected a list of I, W, O"),
        ("keep: [I, X]", "4:21: layers.conv1.0.keep: ['I', 'X'] names no operands"),
        ("tiem: [K 4]", "4:21: layers.conv1.0.tiem: unknown key 'tiem'"),
    ],
)
def test_each_wrong_entry_of_a_level_is_named_with_its_place(entry: str, said: str) -> None:
    (problem,) = refused(HEAD + f"  conv1:\n    - {{level: dram, {entry}}}\n")
    assert problem.startswith(f"map.yaml:{said}")


def test_loop_syntax_is_shown_where_it_is_wrong() -> None:
    (problem,) = refused(HEAD + "  conv1:\n    - {level: dram, time: [K4]}\n")
    assert problem.endswith("expected a dimension (N G K C P Q R S Z V) and its trips, as K 4")


def test_misspelt_key_of_a_level_has_a_suggestion() -> None:
    (problem,) = refused(HEAD + "  conv1:\n    - {level: dram, tiem: [K 4]}\n")
    assert "did you mean 'time'?" in problem


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("[]", "layers.conv1: a layer's mapping is missing"),
        ("fast", "layers.conv1: a layer's mapping is missing"),
        ("[{keep: [I]}]", "layers.conv1.0: a level needs its name"),
        ("[3]", "layers.conv1.0: a level needs its name"),
        ("{row_stationary: 3}", "layers.conv1.row_stationary: row_stationary has no parameters"),
        (
            "{row_stationary: {m: 1, n: 1, e: 1, p: 1, q: 1, r: 1}}",
            "layers.conv1.row_stationary: t missing, expected all of m, n, e, p, q, r, t",
        ),
        (
            "{row_stationary: {m: 0, n: 1, e: 1, p: 1, q: 1, r: 1, t: 1}}",
            "layers.conv1.row_stationary.m: 0 is no count, expected a whole number from 1",
        ),
        (
            "{row_stationary: {m: 1, n: 1.5, e: 1, p: 1, q: 1, r: 1, t: 1}}",
            "layers.conv1.row_stationary.n: 1.5 is no count",
        ),
    ],
)
def test_each_wrong_layer_is_named_with_its_place(body: str, said: str) -> None:
    (problem,) = refused(HEAD + f"  conv1: {body}\n")
    assert problem.startswith("map.yaml:3:")
    assert problem.partition(": ")[2].startswith(said)


def test_unknown_parameter_of_row_stationary_is_named() -> None:
    body = "{row_stationary: {m: 1, n: 1, e: 1, p: 1, q: 1, r: 1, t: 1, u: 1}}"
    (problem,) = refused(HEAD + f"  conv1: {body}\n")
    assert "unknown parameter 'u', expected m, n, e, p, q, r, t" in problem


@pytest.mark.parametrize(
    "text", ["- 1\n", "schema: accelsim.mapping/2\nlayers: {a: []}\n", "layers: {a: []}\n"]
)
def test_file_of_another_kind_is_no_mapping_file(text: str) -> None:
    (problem,) = refused(text)
    assert "this is no mapping file, expected schema: accelsim.mapping/1" in problem


@pytest.mark.parametrize("rest", ["", "layer: {conv1: []}\n", "layers: {}\n", "layers: 3\n"])
def test_file_without_layers_says_what_layers_look_like(rest: str) -> None:
    (problem,) = refused("schema: accelsim.mapping/1\n" + rest)
    assert "no layers, expected layers: {name: [levels]}" in problem


def test_unknown_key_of_the_file_is_named() -> None:
    (problem,) = refused(GOOD + "lairs: 3\n")
    assert problem.startswith("map.yaml:7:1: lairs: unknown key 'lairs'")


def test_all_that_is_wrong_is_said_at_once() -> None:
    text = HEAD + "  a:\n    - {level: dram, time: [K4, Y 2]}\n  b: []\nlairs: 3\n"
    assert len(refused(text)) == 4


def test_layer_twice_is_refused() -> None:
    (problem,) = refused(GOOD + "  conv1: []\n")
    assert "conv1" in problem


# --- files that do not suit the network or the machine


def test_unknown_layer_has_a_suggestion(tmp_path: Path) -> None:
    (problem,) = run_refused(tmp_path, GOOD.replace("conv1:", "conv11:"))
    assert problem == "map.yaml:3:3: conv11: no layer 'conv11' to map in alexnet (did you mean 'conv1'?)"


def test_layer_without_loops_cannot_be_mapped(tmp_path: Path) -> None:
    (problem,) = run_refused(tmp_path, GOOD.replace("conv1:", "pool1:"))
    assert problem.startswith("map.yaml:3:3: pool1: no layer 'pool1' to map in alexnet")


def test_unknown_level_has_a_suggestion(tmp_path: Path) -> None:
    (problem,) = run_refused(tmp_path, GOOD.replace("glb", "glp"))
    assert problem == (
        "map.yaml:3:3: conv1: eyeriss has no level 'glp', "
        "expected spad_psum, spad_filter, spad_ifmap, glb, dram (did you mean 'glb'?)"
    )


def test_row_stationary_parameters_need_a_row_stationary_machine(tmp_path: Path) -> None:
    text = HEAD + "  conv1:\n    row_stationary: {m: 96, n: 1, e: 7, p: 16, q: 1, r: 1, t: 2}\n"
    (problem,) = run_refused(tmp_path, text, arch="systolic_32x32")
    assert problem == "map.yaml:3:3: conv1: systolic_32x32 runs ws, not row-stationary"


@pytest.mark.parametrize(
    "levels",
    [
        "    - {level: dram, keep: [I, W, O], time: [K 99999999999999999999, C 3]}\n",
        "    row_stationary: {m: 99999999999999999999, n: 1, e: 7, p: 16, q: 1, r: 1, t: 2}\n",
        "    - {level: dram, keep: [I, W, O], time: [K 4294967296, K 4294967296, C 3, P 55, Q 55, R 121]}\n",
    ],
    ids=["trips", "parameters", "product"],
)
def test_counts_beyond_64_bits_are_refused_by_name(levels: str, tmp_path: Path) -> None:
    problems = run_refused(tmp_path, HEAD + "  conv1:\n" + levels, AccelsimError)
    assert any("99999999999999999999" in problem or "64-bit" in problem for problem in problems)


@pytest.mark.parametrize(
    "levels",
    [
        "    - {level: glb, keep: [I, O], time: [K 96]}\n"
        "    - {level: dram, keep: [I, W, O], time: [C 3, P 55, Q 55, R 11, S 11]}\n",
        "    - {level: dram, keep: [I, W, O], time: [K 96]}\n"
        "    - {level: dram, keep: [I, W, O], time: [C 3, P 55, Q 55, R 11, S 11]}\n",
    ],
    ids=["inside out", "twice"],
)
def test_levels_stand_once_each_from_the_outermost_in(levels: str, tmp_path: Path) -> None:
    """The closed forms take loops outer to inner: any other order would be counted as another mapping."""
    (problem,) = run_refused(tmp_path, HEAD + "  conv1:\n" + levels, AccelsimError)
    assert problem.startswith("map.yaml:3:3: conv1: ")


# --- mappings that can't run: exit code 3


def test_mapping_that_does_not_fit_says_demand_limit_and_remedy(tmp_path: Path) -> None:
    """AlexNet's first layer filter by filter: 227 x 227 x 3 inputs and 55 x 55 sums in words of 2 B."""
    text = HEAD + (
        "  conv1:\n"
        "    - {level: dram, keep: [I, W, O], time: [K 96]}\n"
        "    - {level: glb, keep: [I, O], time: [C 3, P 55, Q 55, R 11, S 11]}\n"
    )
    (problem,) = run_refused(tmp_path, text, InfeasibleError)
    demand = 2 * (227 * 227 * 3 + 55 * 55)
    assert problem == (
        f"map.yaml:3:3: conv1: glb needs {demand:,} B of 102,400 B for layer conv1 "
        f"(a smaller tile, or --set glb.size='{demand} B')"
    )
    assert InfeasibleError.exit_code == 3


def test_loops_that_do_not_cover_say_how_far_they_reach(tmp_path: Path) -> None:
    text = (
        HEAD + "  conv1:\n    - {level: dram, keep: [I, W, O], time: [K 96, C 2, P 55, Q 55, R 11, S 11]}\n"
    )
    (problem,) = run_refused(tmp_path, text, InfeasibleError)
    assert problem == "map.yaml:3:3: conv1: the loops of C cover 2 of 3 (raise their trips)"


def test_more_elements_than_the_array_has_are_refused(tmp_path: Path) -> None:
    text = HEAD + (
        "  conv1:\n"
        "    - {level: dram, keep: [I, W, O], time: [C 3, P 55, Q 55, S 11]}\n"
        "    - {level: glb, keep: [O], rows: [R 11], cols: [K 96]}\n"
    )
    (problem,) = run_refused(tmp_path, text, InfeasibleError)
    assert "11 x 96 processing elements on rows x cols, 1056 in all" in problem
    assert "expected at most 12 x 14" in problem


def test_level_that_does_not_hold_an_operand_is_refused(tmp_path: Path) -> None:
    text = GOOD.replace("keep: [O]", "keep: [W]")
    problems = run_refused(tmp_path, text, InfeasibleError)
    assert "map.yaml:3:3: conv1: glb does not hold W (take it out of glb's keep)" in problems


@pytest.mark.parametrize("level", ["dram", "spad_psum"])
def test_loops_side_by_side_belong_to_the_memory_around_the_array(level: str, tmp_path: Path) -> None:
    """Only the buffer outside the array has children side by side."""
    text = HEAD + (
        "  conv1:\n"
        "    - {level: dram, keep: [I, W, O], time: [K 48, C 3, P 55, Q 55, R 11, S 11]}\n"
        "    - {level: glb}\n"
        "    - {level: spad_psum}\n"
    )
    text = text.replace(f"{{level: {level}", f"{{level: {level}, cols: [K 2]")
    (problem,) = run_refused(tmp_path, text, AccelsimError)
    assert level in problem


def test_reading_a_path_and_reading_its_text_agree(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(GOOD, encoding="utf-8")
    assert load_mappings(path).layers == parse_mappings(GOOD).layers
    assert load_mappings(path).where["conv1"].file == str(path)
