"""Each malformed model gives one clear InputError, quickly; messages follow the interface contract."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import onnx
import onnx.parser
import pytest

from accelsim.base.errors import InputError
from accelsim.workload import read

HEAD = '<ir_version: 8, opset_import: ["" : 17]>\n'
LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"


def refused(path: Path, batch: int | None = None) -> InputError:
    with pytest.raises(InputError) as caught:
        read(path, batch)
    assert caught.value.exit_code == 2
    assert all(p.file == str(path) for p in caught.value.problems)
    return caught.value


def text_file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "model.onnx.txt"
    path.write_text(HEAD + text)
    return path


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b" \n\t\n", "empty"),
        (b"hello, this is a letter\nand no model\n", "text that is no model"),
        (b'<?xml version="1.0"?><net name="a"/>', "XML"),
        (b'{"class_name": "Functional"}', "JSON"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        (b"\x08\x03\x12\x04onnx", "no ONNX graph"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "binary data that is no model"),
    ],
)
def test_files_that_are_no_model_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    assert message in str(refused(path))


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    assert "no such file" in str(refused(tmp_path / "absent.onnx"))
    assert "folder" in str(refused(tmp_path))


@pytest.mark.parametrize("part", [0.2, 0.5, 0.9, 0.999])
def test_truncated_protobuf_is_refused(tmp_path: Path, part: float) -> None:
    data = (LIGHT / "light_resnet50.onnx").read_bytes()
    path = tmp_path / "cut.onnx"
    path.write_bytes(data[: int(len(data) * part)])
    assert "no whole ONNX protobuf" in str(refused(path))


@pytest.mark.parametrize("first", [b"\x08", b"\x3a", b"\x00", b"\xff", b"<", b"a"])
def test_fifty_megabytes_of_noise_are_refused_within_a_second(tmp_path: Path, first: bytes) -> None:
    path = tmp_path / "noise.onnx"
    path.write_bytes(first + random.Random(0).randbytes(50_000_000))
    start = time.process_time()
    refused(path)
    assert time.process_time() - start < 1.0


@pytest.mark.parametrize("bracket", ["[", "(", "{", "<"])
def test_nested_brackets_are_refused_before_the_parser_sees_them(tmp_path: Path, bracket: str) -> None:
    path = text_file(tmp_path, "g (float[1] x) => (float[1] y) { y = Foo<a = " + bracket * 200_000 + ">(x) }")
    error = refused(path)
    assert "nest deeper than 64" in str(error)
    assert error.problems[0].line == 2


def test_brackets_in_strings_and_comments_do_not_nest(tmp_path: Path) -> None:
    text = (
        "g (float[1,2] x) => (float[1,2] y) {\n# "
        + "[" * 100
        + '\n y = Relu<note = "'
        + "(" * 100
        + '\\"((">(x) }'
    )
    assert [layer.op for layer in read(text_file(tmp_path, text)).layers] == ["relu"]


def test_syntax_errors_of_text_have_line_and_column(tmp_path: Path) -> None:
    problem = refused(text_file(tmp_path, "g (float[1] x) => (float[1] y)\n{ y = Re lu(x) }")).problems[0]
    assert problem.line == 3
    assert problem.column is not None


@pytest.mark.parametrize(
    ("graph", "message", "key"),
    [
        ("(float[1,4] x) => (float[1,4] y) { a = Add(x, b) b = Relu(a) y = Relu(b) }", "cycle", "'a'"),
        ("(float[1,4] x) => (float[1,4] y) { y = Add(y, x) }", "cycle", "'y'"),
        ("(float[1,4] x) => (float[1,4] y) { y = Add(x, gone) }", "'gone' is not defined", "'y'"),
        ("(float[1,4] x) => (float[1,4] z) { y = Relu(x) }", "is not defined", "output 'z'"),
        ("(float[1,4] x) => (float[1,4] y) { y = Relu(x) y = Tanh(x) }", "defined twice", "'y#2'"),
        ("(float[1,4] x) => (float[1,4] x) { x = Relu(x) }", "defined twice", "'x'"),
        ("(float[1,0,8,8] x) => (float[a,b] y) { y = Flatten(x) }", "extent 0", "input 'x'"),
        ("(float[1,s] x) => (float[1,s] y) { y = Relu(x) }", "symbolic ('s')", "input 'x'"),
        ("(float[] x) => (float y) { y = Relu(x) }", "unknown shape", "input 'x'"),
        ("(float[1,4] x) => (float[a,b] y) { y = NoSuch(x) z = Relu(y) }", "unknown shape of 'y'", "'y'"),
        (
            "(float[4611686018427387904,4] x) => (float[a,b] y) { y = Relu(x) }",
            "at most 2^63 - 1",
            "input 'x'",
        ),
        (
            "(float[1,3,8,8] x, float[4,5,3,3] w) => (float[a,b,c,d] y) { y = Conv(x, w) }",
            "3 channels",
            "'y'",
        ),
        (
            "(float[1,3,8,8] x, float[4,3,3,3] w) => (float[a,b,c,d] y) { y = Conv<strides=[0,0]>(x, w) }",
            "strides",
            "'y'",
        ),
        (
            "(float[1,3,8,8] x, float[4,3,3,3] w) => (float[a,b,c,d] y) { y = Conv<group=0>(x, w) }",
            "group",
            "'y'",
        ),
        (
            "(float[1,3,2,2] x, float[4,3,3,3] w) => (float[a,b,c,d] y) { y = Conv(x, w) }",
            "",
            "'y'",
        ),
        ("(float[2,3] x, float[4,5] w) => (float[a,b] y) { y = MatMul(x, w) }", "", "'y'"),
        (
            "(float[1,12] x) => (float[a,b] y) <int64[2] s = {1, 7}> { y = Reshape(x, s) }",
            "words differ",
            "'y'",
        ),
        (
            "(float[1048576,1048576,1024] x, float[1024,1048576] w) => (float[a,b,c] y) { y = MatMul(x, w) }",
            "at most",
            "'y'",
        ),
    ],
)
def test_wrong_graphs_are_refused_with_file_and_node(
    tmp_path: Path, graph: str, message: str, key: str
) -> None:
    error = refused(text_file(tmp_path, "g " + graph))
    assert message in str(error)
    assert key in str(error)


def test_a_long_vector_costs_no_time(tmp_path: Path) -> None:
    """onnx's data propagation walks this one word by word: 0.1 CPU seconds a million words."""
    length = 10**9
    head = HEAD.replace("17", "20").replace(">", ', metadata_props: ["accelsim.data_inputs": "x"]>')
    body = '{ a = Add(x, b) y = Gelu<approximate = "tanh">(a) }'
    path = tmp_path / "model.onnx.txt"
    path.write_text(f"{head}g (float[1,1,1] x, float[{length}] b) => (float[k,m,n] y) {body}")
    start = time.process_time()
    assert read(path).tensors["y"].shape == (1, 1, length)
    assert time.process_time() - start < 1.0


def test_an_axis_that_crashes_onnx_is_refused_first(tmp_path: Path) -> None:
    """Shape inference of LayerNormalization ends the process with a segmentation fault on this axis."""
    body = f"{{ y, m, i = LayerNormalization<axis = {2**63 - 1}>(x, s) }}"
    assert "axis" in str(
        refused(text_file(tmp_path, f"g (float[1,4] x, float[4] s) => (float[a,b] y) {body}"))
    )


def test_macs_beyond_64_bits_are_refused_though_each_tensor_fits(tmp_path: Path) -> None:
    side = 2**21  # 2^42 words each, 2^63 multiply-accumulates
    graph = f"g (float[{side},{side}] x, float[{side},{side}] w) => (float[a,b] y) {{ y = MatMul(x, w) }}"
    assert "multiply-accumulates" in str(refused(text_file(tmp_path, graph)))


def test_negative_dimensions_are_refused(tmp_path: Path) -> None:
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Relu", ["x"], ["y"])],
        "g",
        [value("x", onnx.TensorProto.FLOAT, [1, -3])],
        [value("y", onnx.TensorProto.FLOAT, None)],
    )
    path = tmp_path / "negative.onnx"
    path.write_bytes(onnx.helper.make_model(graph).SerializeToString())
    assert "extent -3" in str(refused(path))


@pytest.mark.parametrize("opset", [6, 9999])
def test_opsets_that_are_too_old_or_unknown_are_refused(tmp_path: Path, opset: int) -> None:
    path = tmp_path / "model.onnx.txt"
    head = HEAD.replace("17", str(opset))
    path.write_text(head + "g (float[1,4] x) => (float[1,4] y) { y = Relu(x) }")
    assert f"opset {opset}" in str(refused(path))


def test_all_errors_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    graph = "g (float[1,4] x) => (float[1,4] y) { a = Add(x, one) y = Add(a, two) }"
    assert len(refused(text_file(tmp_path, graph)).problems) == 2


def test_unknown_data_inputs_get_a_hint(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx.txt"
    head = HEAD.replace(">", ', metadata_props: ["accelsim.data_inputs": "imag"]>')
    path.write_text(head + "g (float[1,4] image) => (float[1,4] y) { y = Relu(image) }")
    assert "did you mean 'image'?" in str(refused(path))


@pytest.mark.parametrize(
    "graph",
    [
        "(float[1,8] x) => (float[a,b] y) <int64[2] s = {2, 4}> { y = Reshape(x, s) }",
        "(float[1,8] x) => (float[a,b] y) { y = ReduceMean<axes = [0]>(x) }",
    ],
)
def test_a_batch_that_a_fixed_file_cannot_follow_is_refused_with_the_node(tmp_path: Path, graph: str) -> None:
    path = text_file(tmp_path, "g " + graph)
    assert read(path).batch == 1
    error = refused(path, batch=4)
    assert "node 'y'" in str(error)
    assert "batch 1" in str(error)
    assert "batch 4" in str(error)


@pytest.mark.parametrize("batch", [0, -1])
def test_a_batch_below_one_is_refused(tmp_path: Path, batch: int) -> None:
    path = text_file(tmp_path, "g (float[N,4] x) => (float[N,4] y) { y = Relu(x) }")
    with pytest.raises(InputError, match="not positive"):
        read(path, batch)


def test_neither_the_package_nor_a_foreign_file_imports_onnx(tmp_path: Path) -> None:
    path = tmp_path / "no.onnx"
    path.write_text("no model")
    code = f"""
import sys
from accelsim.base.errors import InputError
from accelsim.workload import read
try:
    read({str(path)!r})
except InputError:
    pass
sys.exit(sum(name in sys.modules for name in ("onnx", "numpy", "networkx")))
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
