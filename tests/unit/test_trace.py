"""The timeline: what Perfetto needs, counters from slices, and files written whole or not at all."""

from __future__ import annotations

import gzip
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import accelsim
from accelsim.base.errors import InputError
from accelsim.results.result import Result
from accelsim.results.trace import Arrow, Slices, Trace, bandwidth, fills


def some_slices() -> Slices:
    """Two cores' worth of work; the channel is busy half of its second slice."""
    start, end, busy = (np.array(x, np.float64) for x in ([0, 0, 2], [1, 2, 4], [1, 2, 1]))
    return Slices(
        ["core 0", "shared", "shared"], ["layers", "dram", "dram"], ["a", "load", "x"], start, end, busy
    )


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, dict[str, Any]]:
    file = tmp_path_factory.mktemp("trace") / "deep" / "lenet.json.gz"
    result = accelsim.simulate(accelsim.load("lenet"), accelsim.arch("gemmini_16x16"), trace=file)
    return result, json.loads(gzip.decompress(file.read_bytes()))


def test_the_trace_has_processes_tracks_slices_counters_and_arrows(traced: Any) -> None:
    events = traced[1]["traceEvents"]
    kinds = {event["ph"] for event in events}
    assert kinds == {"M", "X", "C", "s", "f"}
    processes = {e["args"]["name"] for e in events if e["name"] == "process_name"}
    tracks = {e["args"]["name"] for e in events if e["name"] == "thread_name"}
    assert processes == {"core 0", "memory channel"}
    assert {"layers", "array", "dram read", "dram read link", "scratchpad write"} <= tracks
    counters = {event["name"] for event in events if event["ph"] == "C"}
    assert {"dram read bandwidth (B/s)", "scratchpad W fill (B)"} <= counters


def test_layers_of_the_trace_are_those_of_the_rows(traced: Any) -> None:
    result, trace = traced
    events = trace["traceEvents"]
    track = next(e["tid"] for e in events if e["name"] == "thread_name" and e["args"]["name"] == "layers")
    layers = {e["name"]: e for e in events if e["ph"] == "X" and e["tid"] == track}
    for row in result.rows:
        clock = result.inputs["arch"]["clock_hz"]
        assert layers[row["layer"]]["ts"] == pytest.approx(row["start_cycle"] / clock * 1e6, abs=1e-5)
        assert layers[row["layer"]]["dur"] == pytest.approx(row["latency_s"] * 1e6, abs=1e-5)


def test_equal_layers_have_their_own_names_on_the_array(tmp_path: Path) -> None:
    """Layers 1.1 and 1.2 of ResNet-50 are equal and share a program."""
    file = tmp_path / "t.json"
    accelsim.simulate(accelsim.load("resnet50"), accelsim.arch("tpu_v1"), trace=file)
    names = {event["name"].partition(":")[0] for event in json.loads(file.read_text())["traceEvents"]}
    assert {"layer1.1.conv1", "layer1.2.conv1", "layer4.2.conv3"} <= names


def test_slices_of_a_track_do_not_overlap(traced: Any) -> None:
    by_track: dict[int, list[tuple[float, float]]] = {}
    for event in traced[1]["traceEvents"]:
        if event["ph"] == "X":
            by_track.setdefault(event["tid"], []).append((event["ts"], event["ts"] + event["dur"]))
    for slices in by_track.values():
        slices.sort()
        assert all(a[1] <= b[0] + 1e-5 for a, b in pairwise(slices))


def test_a_buffer_is_empty_at_the_end(traced: Any) -> None:
    last: dict[str, float] = {}
    for event in traced[1]["traceEvents"]:
        if event["ph"] == "C" and "fill" in event["name"]:
            last[event["name"]] = event["args"]["B"]
    assert last
    assert set(last.values()) == {0.0}


def test_bandwidth_is_the_share_of_the_time_that_a_channel_is_busy() -> None:
    """Busy from 0 to 2 s, half of the time from 2 to 4 s, at 100 B/s."""
    curve = bandwidth(some_slices(), "shared", "dram", 100.0)
    assert curve.value[:499] == pytest.approx(100.0)
    assert curve.value[501:-1] == pytest.approx(50.0)
    assert curve.value[-1] == 0


def test_fill_adds_up_the_changes_in_order_of_time() -> None:
    curve = fills("core 0", "buffer", np.array([2.0, 1.0, 3.0]), np.array([5.0, 7.0, -12.0]))
    assert curve.at.tolist() == [1, 2, 3]
    assert curve.value.tolist() == [7, 12, 0]


def test_equal_traces_are_equal_bytes(tmp_path: Path) -> None:
    trace = Trace(some_slices(), (), (Arrow("t", "core 0", 1.0, "core 0", 2.0),))
    for name in ("a.json.gz", "b.json.gz"):
        trace.write(tmp_path / name)
    assert (tmp_path / "a.json.gz").read_bytes() == (tmp_path / "b.json.gz").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json.gz", "b.json.gz"]


def test_the_csv_has_the_slices_in_order_of_time() -> None:
    lines = Trace(some_slices(), (), ()).csv().splitlines()
    assert lines[0] == "process,track,name,start_s,end_s,busy_s"
    assert lines[1:] == ["core 0,layers,a,0,1,1", "shared,dram,load,0,2,2", "shared,dram,x,2,4,1"]


def test_a_place_that_can_not_be_written_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="can't write the trace"):
        Trace(some_slices(), (), ()).write(tmp_path / "file" / "t.json")
    with pytest.raises(InputError, match=r"\.json\.gz"):
        accelsim.simulate(accelsim.load("lenet"), accelsim.arch("eyeriss"), trace=tmp_path / "t.txt")
