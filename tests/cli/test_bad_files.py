"""Every kind of bad file: one clear message that names it, exit code 2, never a traceback or a crash."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from .conftest import TINY, Here, Outcome, accelsim

FLOAT = TensorProto.FLOAT


def value(name: str, shape: list[int | str] | None) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, FLOAT, shape)


def conv(shape: list[int | str] | None, weights: list[int], **attributes: object) -> bytes:
    """One convolution of the given input and weight shapes; weights are inputs, so nothing is stored."""
    node = helper.make_node("Conv", ["x", "w"], ["y"], name="conv", **attributes)
    graph = helper.make_graph([node], "g", [value("x", shape), value("w", weights)], [value("y", None)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    helper.set_model_props(model, {"accelsim.data_inputs": "x"})
    return model.SerializeToString()


def cycle() -> bytes:
    nodes = [
        helper.make_node("Add", ["x", "b"], ["a"], name="first"),
        helper.make_node("Relu", ["a"], ["b"], name="second"),
    ]
    graph = helper.make_graph(nodes, "g", [value("x", [1, 4])], [value("b", [1, 4])])
    return helper.make_model(graph).SerializeToString()


def nested_text() -> bytes:
    head = b'<ir_version: 8, opset_import: ["" : 17]>\ng (float[1,4] x) => (float[1,4] y)\n{\n'
    return (
        head
        + b"y = If <then_branch = g2 () => (float z) {" * 1
        + b"[" * 200_000
        + b"]" * 200_000
        + b"}>(x)\n}"
    )


@cache
def noise(n_bytes: int) -> bytes:
    return random.Random(7).randbytes(n_bytes)


CSV_HEAD = (
    b"Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n"
)
GOOD = conv([1, 3, 8, 8], [4, 3, 3, 3])

BAD_MODELS: dict[str, tuple[str, bytes]] = {
    "empty": ("m.onnx", b""),
    "truncated": ("m.onnx", GOOD[: len(GOOD) * 2 // 3]),
    "text that is no model": ("m.onnx", b"Dear reader, this is a letter.\nIt has lines, but no layers.\n"),
    "text named as onnx text": ("m.onnx.txt", b"hello world"),
    "cycle": ("m.onnx", cycle()),
    "unknown shape": ("m.onnx", conv(None, [4, 3, 3, 3])),
    "unknown size of a map": ("m.onnx", conv([1, 3, "height", "width"], [4, 3, 3, 3])),
    "negative dimension": ("m.onnx", conv([1, 3, -8, 8], [4, 3, 3, 3])),
    "zero dimension": ("m.onnx", conv([1, 3, 0, 8], [4, 3, 3, 3])),
    "negative stride": ("m.onnx", conv([1, 3, 8, 8], [4, 3, 3, 3], strides=[-1, 1])),
    "filter larger than its map": ("m.onnx", conv([1, 3, 2, 2], [4, 3, 3, 3])),
    "channels that do not fit": ("m.onnx", conv([1, 3, 8, 8], [4, 5, 3, 3])),
    "more than 64 bits": ("m.onnx", conv([2**20, 2**20, 2**20, 2**20], [2**20, 2**20, 3, 3])),
    "nested brackets": ("m.onnx.txt", nested_text()),
    "brackets alone": ("m.onnx.txt", b"[" * 200_000),
    "caffe without an input": ("m.prototxt", b'layer { name: "c" type: "Convolution" bottom: "d" top: "c" }'),
    "caffe cut off": ("m.prototxt", b'name: "n"\nlayer { name: "c" type: "Convolution" convolution_param {'),
    "caffe nested": ("m.prototxt", b'name: "n"\nlayer {' + b"a {" * 200_000),
    "csv without columns": ("m.csv", b"Layer name, IFMAP Height\nconv1, 8\n"),
    "csv of words": ("m.csv", CSV_HEAD + b"conv1, eight, 8, 3, 3, 3, 4, 1,\n"),
    "csv of negatives": ("m.csv", CSV_HEAD + b"conv1, -8, 8, 3, 3, 3, 4, 1,\n"),
}


CRASHING = ("brackets", "braces", "nested", "alias")
"""These kill a parser that is not guarded, and its process with it: they are tried in one of their own."""


def outcome_of(here: Here, kind: str, *arguments: str | Path) -> Outcome:
    if not any(word in kind for word in CRASHING):
        return here(*arguments)
    done = accelsim(*arguments)
    return Outcome(done.returncode, done.stdout, done.stderr)


def is_refused(outcome: Outcome, file: Path) -> None:
    """Exit code 2, nothing on stdout, a short message that names the file."""
    assert outcome.code == 2, (outcome.code, outcome.out[-500:], outcome.err[-500:])
    assert outcome.out == ""
    assert "Traceback" not in outcome.err
    assert "a defect of accelsim" not in outcome.err
    assert file.name in outcome.err
    assert len(outcome.err) < 4000


def test_the_good_model_is_good(here: Here, tmp_path: Path) -> None:
    file = tmp_path / "m.onnx"
    file.write_bytes(GOOD)
    outcome = here("inspect", file, "--json")
    assert outcome.code == 0, outcome.err
    # 6x6 outputs of 4 channels, each 3 channels of 3x3: 36 x 4 x 27
    assert outcome.json["totals"]["macs"] == 3888
    assert here("check", file).code == 0


@pytest.mark.parametrize("kind", BAD_MODELS)
def test_a_bad_model_is_refused_by_name(here: Here, kind: str, tmp_path: Path) -> None:
    name, data = BAD_MODELS[kind]
    file = tmp_path / name
    file.write_bytes(data)
    is_refused(outcome_of(here, kind, "inspect", file), file)


@pytest.mark.parametrize("name", ["m.onnx", "m.yaml", "m.prototxt", "m.csv", "m.onnx.txt", "noise"])
def test_50_megabytes_of_noise_are_refused(here: Here, name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_bytes(noise(50_000_000))
    is_refused(here("check", file), file)
    file.unlink()


@pytest.mark.parametrize("command", ["inspect", "check"])
def test_a_missing_file_is_no_such_file(here: Here, command: str) -> None:
    outcome = here(command, "no/such/model.onnx")
    assert outcome.code == 2
    assert "no such file" in outcome.err


def test_an_unknown_name_gets_the_nearest(here: Here) -> None:
    assert "resnet50" in here("inspect", "resnet5O").err
    assert "eyeriss" in here("run", "lenet", "--arch", "eyeris").err


def changed(old: str, new: str) -> str:
    assert old in TINY
    return TINY.replace(old, new, 1)


ALIASES = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12))

BAD_ARCHS: dict[str, tuple[str, tuple[str, ...]]] = {
    "empty": ("", ("empty",)),
    "misspelt key": (changed("clock:", "clokc:"), ("clokc", "did you mean 'clock'")),
    "misspelt inner key": (changed("rows:", "row:"), ("row", "did you mean 'rows'")),
    "wrong unit": (changed("clock: 1 GHz", "clock: 1 GB"), ("clock", "frequency")),
    "unit unknown": (changed("256 KiB", "256 parsecs"), ("size", "parsecs")),
    "no unit": (changed("25.6 GB/s", "25.6"), ("bandwidth",)),
    "duplicate key": (changed("clock: 1 GHz", "clock: 1 GHz\nclock: 2 GHz"), ("clock", "duplicate")),
    "negative energy": (changed("0.23 pJ", "-0.23 pJ"), ("energy",)),
    "missing source": (
        changed(', source: "assumption: one row of the array a cycle"', ""),
        ("source", "bandwidth"),
    ),
    "missing key": (changed("technology: 45nm\n", ""), ("technology",)),
    "alias bomb": (f"a0: &a0 [x, x, x, x, x, x, x, x, x]\n{ALIASES}\n", ()),
    "recursive alias": (changed("core:", "more: &more [*more]\ncore:"), ()),
    "200,000 brackets": ("[" * 200_000, ()),
    "200,000 closed brackets": ("a: " + "[" * 200_000 + "]" * 200_000, ()),
    "200,000 braces": ("{a: " * 200_000, ()),
    "a list": ("- 1\n- 2\n", ()),
    "a word": ("hello\n", ()),
    "a tab": ("core:\n\tcount: 1\n", ()),
    "not UTF-8": ("name: \udcff\udcfe", ()),
    "huge number": (changed("rows: 32", "rows: 99999999999999999999"), ("rows",)),
    "zero rows": (changed("rows: 32", "rows: 0"), ("rows",)),
    "not a number": (changed("rows: 32", "rows: .nan"), ("rows",)),
    "python tag": (changed("name: tiny", "name: !!python/object/apply:os.system ['true']"), ()),
    "wrong schema": (changed("accelsim.arch/1", "accelsim.arch/9"), ("schema",)),
}


@pytest.mark.parametrize("kind", BAD_ARCHS)
def test_a_bad_architecture_is_refused_with_key_and_remedy(here: Here, kind: str, tmp_path: Path) -> None:
    text, said = BAD_ARCHS[kind]
    file = tmp_path / "bad.yaml"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    outcome = outcome_of(here, kind, "run", "lenet", "--arch", file)
    is_refused(outcome, file)
    for word in said:
        assert word in outcome.err


def test_all_errors_of_an_architecture_come_at_once_with_their_places(here: Here, tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(changed("clock: 1 GHz", "clock: 1 GB").replace("0.23 pJ", "-0.23 pJ"), encoding="utf-8")
    errors = here("run", "lenet", "--arch", file, "--json").json["errors"]
    assert {error["line"] for error in errors} == {4, 10}  # counted in TINY: clock and mac
    assert all(error["file"] == str(file) for error in errors)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("array.rowz=8", "did you mean"),
        ("array.rows", "="),
        ("array.rows=many", "rows"),
        ("array.rows=-1", "rows"),
        ("dataflow=rs", "dataflow"),
        ("size='64 KiB'", "size"),  # not unique: several memories have one
    ],
)
def test_a_bad_setting_is_refused(here: Here, tiny: Path, setting: str, said: str) -> None:
    outcome = here("run", "lenet", "--arch", tiny, "--set", setting)
    assert outcome.code == 2, outcome.out
    assert said in outcome.err
    assert "a defect" not in outcome.err


def test_a_layer_that_does_not_fit_says_demand_limit_and_remedy(here: Here) -> None:
    outcome = here("run", "lenet", "--arch", "eyeriss", "--set", "glb.size='16 B'", "--json")
    assert outcome.code == 3, (outcome.out[:500], outcome.err)
    (error, *_) = outcome.json["errors"]
    assert any(letter.isdigit() for letter in error["message"])
    assert error["hint"]


def test_check_reports_the_good_and_the_bad_of_one_call(here: Here, tiny: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(changed("clock:", "clokc:"), encoding="utf-8")
    outcome = here("check", tiny, bad)
    assert outcome.code == 2
    assert str(tiny) in outcome.out
    assert str(bad) in outcome.err
    fine = here("check", tiny, "--json")
    assert fine.code == 0
    assert fine.json["schema"] == "accelsim.check/1"
    assert [item["ok"] for item in fine.json["files"]] == [True]
