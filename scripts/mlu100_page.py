"""Writes the tables of docs/mlu100.md and the picture of measured against predicted cells (some minutes).

python scripts/mlu100_page.py             parameters, errors, ResNet-101 by batch, sensitivity, picture
python scripts/mlu100_page.py --quick     the same without the sensitivity
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import mlu100_evidence as mlu100
import numpy as np
from make_docs import write_region

from accelsim.charts.measured import against_measured
from accelsim.hardware.sources import read_merged

PAGE: Final = mlu100.ROOT / "docs" / "mlu100.md"
GALLERY: Final = mlu100.ROOT / "reports" / "gallery"
NUMBERS: Final = GALLERY / "mlu100_heatmap.csv"
BATCHES: Final = (1, 4, 8, 12, 16, 20, 24, 28)
HEAT, SPEED, RN101 = "mlu100", "mlu100_offline", "mlu100_resnet101"
EVERY: Final = (HEAT, SPEED, RN101)


@dataclass(frozen=True)
class Parameter:
    """A constant of the architecture files, the range that is plausible, and whose stack has it."""

    key: str
    tried: tuple[str, ...]
    archs: tuple[str, ...] = EVERY
    source: str = ""
    """Where the file has it in a comment or a description."""


PARAMETERS: Final = (
    Parameter("runtime.kernel_efficiency", ("30%", "60%")),
    Parameter("clusters.channel.efficiency", ("40%", "90%")),
    Parameter("runtime.layer", ("3 us", "10 us")),
    Parameter("runtime.barrier", ("0.5 us", "4 us")),
    Parameter("runtime.replica", ("20 us", "130 us")),
    Parameter("runtime.pass", ("200 us", "500 us")),
    Parameter("runtime.launch", ("50 us", "120 us")),
    Parameter("runtime.convert", ("25 ns/word", "53 ns/word"), (HEAT, RN101)),
    Parameter("runtime.convert_miss", ("120 ns/word", "270 ns/word"), (HEAT, RN101)),
    Parameter("runtime.lock", ("0.75 ms", "3 ms"), (HEAT, RN101)),
    Parameter("runtime.lock_from", ("64 KiB", "256 KiB"), (HEAT, RN101)),
    Parameter("runtime.buffer", ("4 B/word", "8 B/word")),
    Parameter("runtime.in_cache", ("2 B/word", "4 B/word")),
    Parameter("runtime.copy", ("1 B/word", "4 B/word")),
    Parameter(
        "runtime.whole_clusters",
        ("false",),
        source="assumption: MP 2, 4 and 8 run four at a time in the given heat map",
    ),
    Parameter(
        "runtime.weights.read",
        ("instance", "replica"),
        source="derived: more reading would need more than 102.4 GB/s (batch 1)",
    ),
    Parameter("runtime.weights.stored", ("instance", "replica"), (HEAT,), "derived: the blank cells"),
    Parameter("clusters.link.bandwidth", ("12 GB/s", "1000 GB/s")),
    Parameter(
        "host.cores", ("4", "16"), source="E5-2620 v4: one socket; how many there are is not published"
    ),
    Parameter("host.boost", ("1", "1.43")),
    Parameter("host.cache", ("10 MiB", "40 MiB")),
    Parameter("host.link.bandwidth", ("3 GB/s", "14 GB/s")),
    Parameter("nram.size", ("256 KiB", "1 MiB"), source="assumption: that of MLU270, from memory"),
    Parameter("wram.size", ("512 KiB", "2 MiB"), source="assumption: that of MLU270, from memory"),
    Parameter("nram.bandwidth.read", ("48 B/cycle", "192 B/cycle")),
    Parameter("nram.bandwidth.write", ("48 B/cycle", "192 B/cycle")),
    Parameter("wram.bandwidth.read", ("256 B/cycle", "1024 B/cycle")),
    Parameter("wram.bandwidth.write", ("32 B/cycle", "128 B/cycle")),
    Parameter("core.vector.lanes", ("16", "64"), source="assumption: two to a column of the array"),
    Parameter("runtime.framework", ("50 us", "300 us"), (SPEED,)),
    Parameter("runtime.load", ("10 ns/word", "40 ns/word"), (SPEED,)),
    Parameter("runtime.convert", ("90 ns/word", "190 ns/word"), (SPEED,)),
    Parameter("runtime.start", ("30 ms", "120 ms"), (SPEED,)),
    Parameter("runtime.start", ("50 ms", "210 ms"), (RN101,)),
    Parameter("core.mac.weight_bits", ("4", "16"), (RN101,), "assumption: what runs out of memory"),
)


def table(heads: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rows = [heads, ["---"] * len(heads), *lines]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def constant(arch: str, key: str) -> tuple[str, str]:
    """Value and source of a constant as the file has them."""
    value: Any = read_merged(arch)[0].data
    source = ""
    for at, part in enumerate(key.split(".")):
        if at == 0 and part not in value:
            value = next(m for m in value["core"]["memories"] if m["name"] == part)
        else:
            value = value[part]
        source = value.get("source", source) if isinstance(value, dict) else source
    shown = value["value"] if isinstance(value, dict) else value
    return str(shown).lower() if isinstance(shown, bool) else str(shown), str(source)


def parameters() -> str:
    lines = []
    for parameter in PARAMETERS:
        value, source = constant(parameter.archs[0], parameter.key)
        stack = "all" if parameter.archs == EVERY else ", ".join(parameter.archs)
        lines.append((f"`{parameter.key}`", stack, value, parameter.source or source))
    return table(("constant", "in", "value", "source"), lines)


def percent(value: float, digits: int = 0) -> str:
    return f"{100 * value:.{digits}f} %"


def errors() -> str:
    """Of the given cells, by panel."""
    found = mlu100.heat_map()
    cells = np.array(mlu100.CELLS)
    across_threads = (cells[:, 0] == 1) & (cells[:, 1] == 4)
    panels = {
        "batch against threads (MP 1, DP 4)": across_threads,
        "MP and DP (8 threads, batch 16)": (cells[:, 2] == 8) & (cells[:, 3] == 16),
        "all": np.ones(len(cells), bool),
    }
    lines = []
    for name, where in panels.items():
        error = np.abs(found.error(where))
        both = where & np.isfinite(mlu100.MEASURED)
        rank = mlu100.spearman(found.fps[both], mlu100.MEASURED[both])
        figures = (percent(float(q), 1) for q in (np.median(error), np.quantile(error, 0.9), error.max()))
        lines.append((name, str(len(error)), f"{rank:.3f}", *figures))
    said = table(("cells", "n", "Spearman", "median error", "90th percentile", "largest"), lines)
    blank = int(np.isnan(mlu100.MEASURED).sum())
    return (
        f"{said}\nOf {blank} blank cells {blank - found.blanks_missed} are out of memory here, no other is. "
        f"One image at a time on one core: {found.one_fps:.0f} images a second, 711 measured.\n"
    )


def speedups() -> str:
    lines = [
        (row["experiment"].replace("_", " "), row["batch"], row["speedup"], f"{p:.2f}", f"{q:+.0%}")
        for row, p in mlu100.speedups()
        for q in [p / float(row["speedup"]) - 1]
    ]
    return table(("speed-up", "batch", "measured", "predicted", "error"), lines)


def by_batch() -> str:
    """ResNet-101: times at 8 threads, how far 4/8 is behind at each number of threads."""
    lines = []
    for batch in BATCHES:
        times = mlu100.resnet101(batch=batch)
        at_8 = times[mlu100.RN101_THREADS.index(8)]
        shown = (f"{1000 * t:.0f}" if np.isfinite(t) else "oom" for t in at_8)
        lines.append((str(batch), *shown, *(_behind(value) for value in mlu100.behind(times))))
    heads = (*("/".join(map(str, split)) for split in mlu100.SPLITS), *map(str, mlu100.RN101_THREADS))
    return table(("batch", *heads), lines)


def best_batches() -> str:
    """ResNet-101: each split with the batch that suits it best, a power of two."""
    batches = [2**at for at in range(11)]
    times = np.array([mlu100.resnet101(batch=batch) for batch in batches])  # [batches, threads, splits]
    times = np.where(np.isnan(times), np.inf, times)
    least, which = times.min(axis=0), np.array(batches)[times.argmin(axis=0)]
    lines = []
    for at, threads in enumerate(mlu100.RN101_THREADS):
        pairs = zip(least[at], which[at], strict=True)
        shown = ("oom" if np.isinf(time) else f"{1000 * time:.0f} ({batch})" for time, batch in pairs)
        lines.append((str(threads), *shown, _behind(float(mlu100.behind(least)[at]))))
    return table(("threads", *("/".join(map(str, split)) for split in mlu100.SPLITS), "4/8 behind"), lines)


def _behind(value: float) -> str:
    if not np.isfinite(value):
        return "oom"
    return "first" if value == 0 else percent(value, 1)


def sensitivity() -> str:
    lines = [_effect("as shipped", "", (), EVERY)]
    for parameter in PARAMETERS:
        for tried in parameter.tried:
            print(f"{parameter.key} = {tried}", file=sys.stderr)
            was = f"{tried} ({constant(parameter.archs[0], parameter.key)[0]})"
            lines.append(_effect(f"`{parameter.key}`", was, (f"{parameter.key}={tried}",), parameter.archs))
    heads = (
        "constant",
        "tried (shipped)",
        "heat map: median",
        "Spearman",
        "blanks missed",
        "speed-ups: largest",
    )
    return table((*heads, *(f"4/8 behind, {t} threads" for t in mlu100.RN101_THREADS), "order at 8"), lines)


def _effect(name: str, tried: str, sets: tuple[str, ...], archs: Sequence[str]) -> tuple[str, ...]:
    """A line of the table; an empty place where the stack has not this constant."""
    cells = [name, tried]
    if HEAT in archs:
        found = mlu100.heat_map(sets)
        median = float(np.median(np.abs(found.error())))
        cells += [percent(median, 1), f"{found.spearman:.3f}", str(found.blanks_missed)]
    else:
        cells += [""] * 3
    if SPEED in archs:
        off = [abs(p / float(row["speedup"]) - 1) for row, p in mlu100.speedups(sets)]
        cells.append(percent(max(off)))
    else:
        cells.append("")
    if RN101 in archs:
        times = mlu100.resnet101(sets)
        cells += [_flagged(value) for value in mlu100.behind(times)]
        at_8 = times[mlu100.RN101_THREADS.index(8)]
        order = [split for split in np.argsort(at_8) if np.isfinite(at_8[split])]
        cells.append(" ".join("/".join(map(str, mlu100.SPLITS[split])) for split in order))
    else:
        cells += [""] * 5
    return tuple(cells)


def _flagged(value: float) -> str:
    """Bold where 4/8 is too far behind."""
    return f"**{_behind(value)}**" if value > 0.15 else _behind(value)


def write_picture() -> None:
    """Every given cell that ran, and the numbers behind the picture."""
    found = mlu100.heat_map()
    cells = [
        {**row, "measured": row["normalised_fps"], "predicted": float(fps), "limit": limit}
        for row, fps, limit in zip(mlu100.HEAT, found.fps, found.limit, strict=True)
        if row["normalised_fps"]
    ]
    with NUMBERS.open("w", newline="", encoding="utf-8") as stream:
        names = [*mlu100.HEAT[0], "predicted", "limit"]
        writer = csv.DictWriter(stream, names, lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        writer.writerows({**cell, "predicted": f"{cell['predicted']:.3g}"} for cell in cells)
    figure = against_measured(cells, "images/s over one core's", "ResNet-50, CIFAR-10, on mlu100")
    figure.savefig(GALLERY / "mlu100_heatmap.png", dpi=100, metadata={"Software": None})


def main() -> None:
    write_region(PAGE, "parameters", parameters())
    write_region(PAGE, "errors", errors())
    write_region(PAGE, "speed-ups", speedups())
    write_region(PAGE, "batches", by_batch())
    write_region(PAGE, "best batches", best_batches())
    write_picture()
    if "--quick" not in sys.argv:
        write_region(PAGE, "sensitivity", sensitivity())


if __name__ == "__main__":
    main()
