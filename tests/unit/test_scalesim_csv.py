"""The SCALE-Sim topology reader: SCALE-Sim 3.0.0's own M, N, K, its conventions, and bad files."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from accelsim.base.errors import InputError
from accelsim.workload.layer import Window
from accelsim.workload.readers import read
from accelsim.workload.readers.scalesim import read_scalesim

CONV = "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n"
GEMM = "Layer, M, N, K,\n"
EVIDENCE = Path(__file__).resolve().parents[2] / "accelsim" / "evidence" / "scalesim" / "values.csv"


def reference_rows() -> list[dict[str, str]]:
    with EVIDENCE.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    return list({row["layer"]: row for row in rows}.values())


def refusal(text: str) -> str:
    with pytest.raises(InputError) as caught:
        read_scalesim(text, "t.csv", None)
    return str(caught.value)


@pytest.mark.parametrize("row", reference_rows(), ids=lambda row: row["layer"])
def test_rows_become_the_gemm_that_scalesim_runs(row: dict[str, str]) -> None:
    if row["kind"] == "gemm":
        text = GEMM + f"{row['layer']}, {row['M']}, {row['N']}, {row['K']},\n"
    else:
        columns = ("ifmap_h", "ifmap_w", "filt_h", "filt_w", "channels", "num_filters", "stride")
        text = CONV + f"{row['layer']}, {', '.join(row[column] for column in columns)},\n"
    (layer,) = read_scalesim(text, "t.csv", None).layers
    m = layer.extent("P") * layer.extent("Q")
    n = layer.extent("G") * layer.extent("K")
    k = layer.extent("C") * layer.extent("R") * layer.extent("S")
    assert (m, n, k) == tuple(int(row[name]) for name in "MNK")
    assert layer.macs == m * n * k
    assert layer.params == n * k


def test_the_output_size_is_rounded_up_and_the_overhang_is_not_stored() -> None:
    (layer,) = read_scalesim(CONV + "c, 8, 9, 3, 3, 2, 4, 2,\n", "t.csv", None).layers
    assert (layer.extent("P"), layer.extent("Q")) == (4, 4)  # ceil((8 - 3 + 2) / 2), ceil((9 - 3 + 2) / 2)
    assert layer.windows[0] == Window(stride=2, dilation=1, pad=0, size=8)


def test_layers_are_independent_and_batch_sets_n() -> None:
    graph = read_scalesim(CONV + "a,8,8,3,3,2,4,1\n\na,6,6,3,3,4,4,1\n", "t.csv", 5)
    assert [layer.name for layer in graph.layers] == ["a", "a#2"]
    assert len(graph.inputs) == len(graph.outputs) == 2
    assert not set(graph.inputs) & set(graph.outputs)
    assert graph.batch == graph.layers[0].extent("N") == 5
    assert graph.tensors[graph.inputs[0]].shape == (5, 2, 8, 8)


def test_a_name_with_dp_is_depthwise_as_in_scalesim() -> None:
    graph = read_scalesim(CONV + "Conv1DP, 8, 8, 3, 3, 32, 1, 1,\n", "t.csv", None)
    (layer,) = graph.layers
    assert (layer.op, layer.extent("G"), layer.extent("C"), layer.extent("K")) == ("depthwise_conv", 32, 1, 1)
    assert layer.params == 32 * 9
    assert any("depthwise" in note for note in graph.notes)


def test_a_sparsity_column_is_read_and_told_of() -> None:
    text = (
        CONV.replace("Strides,", "Strides, Sparsity,")
        + "c, 8, 8, 3, 3, 2, 4, 1, 2:4,\nd, 8, 8, 3, 3, 2, 4, 1, 1:1\n"
    )
    graph = read_scalesim(text, "t.csv", None)
    assert any("c (2:4)" in note and "d (" not in note for note in graph.notes)


@pytest.mark.parametrize(
    "text",
    [
        "c, 8, 8, 3, 3, 2, 4, 1,\n",
        "# a comment\n\n" + CONV + "c,8,8,3,3,2,4,1",
        CONV.lower() + "c,8,8,3,3,2,4,1\r\n",
    ],
)
def test_header_comments_and_trailing_commas_may_be_there_or_not(text: str, tmp_path: Path) -> None:
    path = tmp_path / "some.csv"
    path.write_text(text, encoding="utf-8")
    graph = read(path)
    assert (graph.format, graph.layers[0].name, graph.layers[0].macs) == ("scalesim", "c", 36 * 4 * 18)


def test_a_gemm_file_without_header_is_told_by_its_columns() -> None:
    (layer,) = read_scalesim("g, 7, 5, 3,\n", "t.csv", None).layers
    assert (layer.op, layer.extent("P"), layer.extent("K"), layer.extent("C")) == ("gemm", 7, 5, 3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            CONV + "c, 8, 8, 3, x, 2, 4, 1,\n",
            "t.csv:2:13: Filter Width: found 'x', expected a positive whole number",
        ),
        (CONV + "c, 8, 8, 3, 3, 0, 4, 1,\n", "Channels: found '0'"),
        (CONV + "c, 8, 8, 3, 3, -2, 4, 1,\n", "Channels: found '-2'"),
        (CONV + "c, 8, 8, 3, 3, 2, 4.5, 1,\n", "Num Filter: found '4.5'"),
        (CONV + "c, 8, 8, 3, 3, 2,\n", "t.csv:2: c: 5 columns beside the name"),
        (CONV + "c, 8, 8, 9, 3, 2, 4, 1,\n", "a 9x3 filter on a 8x8 map"),
        (GEMM + "g, 9000000000000000000, 5, 3,\n", "don't fit in 64 bits"),
        (GEMM + "g, 99999999999999999999999999, 5, 3,\n", "M: found '99999999999999999999999999'"),
        (GEMM + "g, 7, 5,\n", "2 columns beside the name"),
        (CONV, "no layer in this file"),
        ("", "no layer in this file"),
    ],
)
def test_bad_rows_name_the_place_and_the_column(text: str, message: str) -> None:
    assert message in refusal(text)


def test_all_bad_rows_are_told_at_once() -> None:
    assert len(refusal(GEMM + "a, x, y, 1,\nb, 1, 1, 1,\nc, 1, 1, z,\n").splitlines()) == 3
