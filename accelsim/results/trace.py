"""The timeline of a simulation, in columns: what Perfetto opens, and a CSV of the same slices."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelsim.base.errors import InputError, Problem
from accelsim.base.write import write_whole

Floats = NDArray[np.float64]
N_BINS = 1000
"""Points of the curve of a channel's bandwidth."""


@dataclass(frozen=True, eq=False)
class Slices:
    """Work of units: `busy` seconds between `start` and `end`; a process is a core, or what they share."""

    process: list[str]
    track: list[str]
    name: list[str]
    start: Floats  # [n] s
    end: Floats  # [n] s
    busy: Floats  # [n] s


@dataclass(frozen=True, eq=False)
class Counter:
    """A quantity over time: from `at` on it has the value."""

    process: str
    name: str
    unit: str
    at: Floats  # [n] s
    value: Floats  # [n]


@dataclass(frozen=True, slots=True)
class Arrow:
    """A dependency: what ends at `start` on one core is needed from `end` on, on another or the same."""

    name: str
    process: str
    start: float  # s
    to_process: str
    end: float  # s


@dataclass(frozen=True, eq=False)
class Trace:
    """All that a viewer shows; the layers themselves are slices of the track `layers`."""

    slices: Slices
    counters: tuple[Counter, ...]
    arrows: tuple[Arrow, ...]

    def events(self) -> Iterator[dict[str, Any]]:
        """Events of the Chrome trace format, which Perfetto opens; times in microseconds."""
        s = self.slices
        pids = {name: i for i, name in enumerate(dict.fromkeys(s.process))}
        tids = {pair: i for i, pair in enumerate(dict.fromkeys(zip(s.process, s.track, strict=True)))}
        for process, pid in pids.items():
            yield {"ph": "M", "name": "process_name", "pid": pid, "args": {"name": process}}
        for (process, track), tid in tids.items():
            yield {
                "ph": "M",
                "name": "thread_name",
                "pid": pids[process],
                "tid": tid,
                "args": {"name": track},
            }
        for i, name in enumerate(s.name):
            pair = s.process[i], s.track[i]
            yield {
                "ph": "X",
                "name": name,
                "pid": pids[pair[0]],
                "tid": tids[pair],
                "ts": _us(s.start[i]),
                "dur": _us(s.end[i] - s.start[i]),
            }
        for counter in self.counters:
            for at, value in zip(counter.at, counter.value, strict=True):
                yield {
                    "ph": "C",
                    "name": f"{counter.name} ({counter.unit})",
                    "pid": pids.get(counter.process, 0),
                    "ts": _us(at),
                    "args": {counter.unit: float(value)},
                }
        for i, arrow in enumerate(self.arrows):
            ends = (("s", arrow.process, arrow.start), ("f", arrow.to_process, arrow.end))
            for phase, process, at in ends:
                event = {"ph": phase, "id": i, "cat": "dependency", "name": arrow.name, "pid": pids[process]}
                event |= {"tid": tids[process, "layers"], "ts": _us(at)}
                yield event | ({"bp": "e"} if phase == "f" else {})

    def write(self, file: Path) -> None:
        """Chrome trace JSON, compressed where the name ends in .gz, whole or not at all.

        InputError where it can't be written.
        """
        text = '{"displayTimeUnit":"ns","traceEvents":[\n'
        text += ",\n".join(json.dumps(event, separators=(",", ":")) for event in self.events()) + "\n]}\n"
        data = text.encode()
        if file.suffix == ".gz":
            data = gzip.compress(data, mtime=0)  # no time in the header: equal runs give equal bytes
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(file, data)
        except OSError as error:
            said = f"can't write the trace: {error.strerror or error}"
            raise InputError(
                Problem(said, file=str(file), expected="a file that can be made", hint="choose another place")
            ) from error

    def csv(self) -> str:
        """The slices, one a line, in order of time."""
        s, out = self.slices, io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(("process", "track", "name", "start_s", "end_s", "busy_s"))
        for i in np.lexsort((s.end, s.start)).tolist():
            times = (f"{value:.12g}" for value in (s.start[i], s.end[i], s.busy[i]))
            writer.writerow((s.process[i], s.track[i], s.name[i], *times))
        return out.getvalue()


def check_trace_name(file: Path | str) -> None:
    """InputError for a name that no viewer opens: asked before the work is done."""
    if not str(file).endswith((".json", ".json.gz")):
        expected = "a name that ends in .json.gz or .json"
        raise InputError(Problem("no name of a trace", file=str(file), expected=expected))


def bandwidth(slices: Slices, process: str, track: str, bytes_per_s: float) -> Counter:
    """Bytes a second that a channel moves, averaged over a thousandth of the time each."""
    at = [
        i for i, pair in enumerate(zip(slices.process, slices.track, strict=True)) if pair == (process, track)
    ]
    start, end, busy = slices.start[at], slices.end[at], slices.busy[at]
    edges = np.linspace(0.0, float(slices.end.max(initial=0.0)), N_BINS + 1)
    width = max(float(edges[1]), 1e-30)
    share = busy / np.maximum(end - start, 1e-30)
    # work done until each edge, as the sum over slices of what of them lies before it
    done = np.zeros(N_BINS + 1)
    for sign, times in ((1.0, start), (-1.0, end)):
        order = np.argsort(times)
        weights, moments = np.cumsum(share[order]), np.cumsum(share[order] * times[order])
        n = np.searchsorted(times[order], edges, side="right")
        weight = np.where(n > 0, weights[n - 1] if len(order) else 0.0, 0.0)
        moment = np.where(n > 0, moments[n - 1] if len(order) else 0.0, 0.0)
        done += sign * (weight * edges - moment)
    value = np.append(np.clip(np.diff(done) / width, 0.0, 1.0) * bytes_per_s, 0.0)
    return Counter(process, f"{track} bandwidth", "B/s", edges, value)


def fills(process: str, name: str, at: Floats, more_bytes: Floats) -> Counter:
    """Bytes that a buffer holds over time, from its changes."""
    order = np.argsort(at, kind="stable")
    return Counter(process, f"{name} fill", "B", at[order], np.cumsum(more_bytes[order]))


def _us(seconds: float) -> float:
    return round(float(seconds) * 1e6, 6)
