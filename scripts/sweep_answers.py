"""What the five sweeps that ship answer: sentences and tables, every number from the points."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from accelsim.results.format import quantity
from accelsim.tables.columns_sweep import UNITS

Row = Mapping[str, Any]
KIB: Final = 1024


@dataclass(frozen=True)
class Sweep:
    """The answer (result.json) and all points of a sweep."""

    found: dict[str, Any]
    points: pd.DataFrame

    @property
    def ok(self) -> pd.DataFrame:
        return self.points[self.points["status"] == "ok"]

    def view(self, network: str | None = None) -> dict[str, Any]:
        """Front, knee and effects of a network; of all together without a name."""
        views = self.found["pareto"]
        return next((one for one in views if one["network"] == network), views[0])

    def front(self, network: str | None = None) -> list[dict[str, Any]]:
        wanted = self.view(network)["network"]
        return [one for one in self.found["points"] if one["network"] == wanted]

    def knee(self, network: str | None = None) -> dict[str, Any]:
        return next(one for one in self.front(network) if "knee" in one["roles"])

    def share(self, objective: str, *variables: str) -> float:
        """Of the variance of an objective, what variables explain (together)."""
        (of,) = (one for one in self.view()["effects"] if one["objective"] == objective)
        shares = {tuple(sorted(one["variables"])): one["share_frac"] for one in of["shares"]}
        return float(shares.get(tuple(sorted(variables)), 0.0))

    def over_networks(self, metric: str, by: Sequence[str]) -> pd.Series[float]:
        """Geometric mean over the networks, of machines that all of them run on."""
        logs = np.log(self.ok.set_index(list(by))[metric]).groupby(level=list(by))
        means = np.exp(logs.mean()[logs.count() == self.points["network"].nunique()])
        return pd.Series(means)


def said(metric: str, value: float) -> str:
    """A metric's value with its unit."""
    return f"{100 * value:.1f} %" if metric.endswith("_frac") else quantity(float(value), UNITS[metric])


def size(n_bytes: float) -> str:
    return quantity(int(n_bytes), "B")


def more(ratio: float) -> str:
    """A ratio as a difference in percent, as people say it."""
    if ratio >= 3:
        return f"{ratio:.3g} times"
    return f"{100 * (ratio - 1):.0f} % more" if ratio >= 1 else f"{100 * (1 - ratio):.0f} % less"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def wrapped(text: str) -> str:
    """A paragraph in lines of the pages' width."""
    from textwrap import fill

    return fill(" ".join(text.split()), 118, break_long_words=False, break_on_hyphens=False) + "\n"


def front_table(sweep: Sweep, names: Mapping[str, Callable[[Any], str]], metrics: Sequence[str]) -> str:
    """The front: the variables that tell its points apart, and metrics."""
    rows = []
    for one in sweep.front():
        roles = [role for role in one["roles"] if role != "front"]
        cells = [shown(one[name]) for name, shown in names.items()]
        rows.append([", ".join(roles), *cells, *(said(name, one[name]) for name in metrics)])
    return table(["", *names, *metrics], rows)


def aspect_ratio(sweep: Sweep) -> dict[str, str]:
    """Shapes of equal numbers of multipliers, network by network."""
    shape = ["array.rows", "array.cols"]
    best, lines = {}, []
    for network in ("resnet50", "mobilenet_v2"):
        rows = sweep.ok[sweep.ok["network"] == network]
        one = best[network] = rows.loc[rows["latency_s"].idxmin()]
        lines.append(
            [network, f"{one['array.rows']}x{one['array.cols']}", one["dataflow"]]
            + [said(name, one[name]) for name in ("latency_s", "energy_j", "utilization_frac")]
        )
    knee = sweep.knee()
    lines.append(
        ["both, the knee", f"{knee['array.rows']}x{knee['array.cols']}", knee["dataflow"]]
        + [said(name, knee[name]) for name in ("latency_s", "energy_j", "utilization_frac")]
    )
    head = ["network", "rows x columns", "dataflow", "latency_s", "energy_j", "utilization_frac"]
    both = sweep.over_networks("latency_s", [*shape, "dataflow"]).groupby(level=shape).min()
    at = (knee["array.rows"], knee["array.cols"])
    tall, flat = both[at[0] * 2, at[1] // 2], both[at[0] // 2, at[1] * 2]
    mobile, resnet = best["mobilenet_v2"], best["resnet50"]
    short = wrapped(
        f"ResNet-50 is fastest on {resnet['array.rows']}x{resnet['array.cols']} ({resnet['dataflow']}), "
        f"MobileNet-v2 on {mobile['array.rows']}x{mobile['array.cols']} ({mobile['dataflow']}), at "
        f"{said('utilization_frac', mobile['utilization_frac'])} of its multipliers. For both together "
        f"{at[0]}x{at[1]} is the knee; {at[0] * 2}x{at[1] // 2} takes {more(tall / both[at])} time with as "
        f"many multipliers, {at[0] // 2}x{at[1] * 2} {more(flat / both[at])}."
    )
    return {"short": short, "best": table(head, lines), "equal": _equal_arrays(sweep)}


def _equal_arrays(sweep: Sweep) -> str:
    """Latency of all shapes of 16,384 multipliers, the best dataflow of each."""
    rows = sweep.ok[sweep.ok["array.rows"] * sweep.ok["array.cols"] == 16384]
    lines = []
    for n_rows, group in rows.groupby("array.rows"):
        cells = [f"{n_rows}x{16384 // int(n_rows)}"]  # type: ignore[call-overload]
        for network in ("resnet50", "mobilenet_v2"):
            one = group[group["network"] == network]
            first = one.loc[one["latency_s"].idxmin()]
            cells += [said("latency_s", first["latency_s"]), first["dataflow"]]
        lines.append(cells)
    return table(["rows x columns", "ResNet-50", "dataflow", "MobileNet-v2", "dataflow"], lines)


def global_buffer(sweep: Sweep) -> dict[str, str]:
    """Energy by dataflow and size of the buffer; the knee and what is beside it."""
    energy = sweep.ok.set_index(["dataflow", "glb.size"])["energy_j"]
    area = sweep.points.set_index(["dataflow", "glb.size"])["area_mm2"]
    flows = ("rs", "ws", "os")
    sizes = sorted(sweep.points["glb.size"].unique())
    lines = [
        [size(one), *(said("energy_j", energy.get((flow, one), np.nan)) for flow in flows)]
        + [said("area_mm2", area[flow, one]) for flow in flows]
        for one in sizes
    ]
    knee = sweep.knee()
    flow, at = knee["dataflow"], knee["glb.size"]
    half, double = energy[flow, at // 2] / energy[flow, at], energy[flow, 2 * at] / energy[flow, at]
    growth = area[flow, 2 * at] / area[flow, at] - 1
    least = {one: energy[one].idxmin() for one in flows}
    names = {"dataflow": str, "glb.size": size}
    bests = ", ".join(f"{one} at {size(least[one])} ({said('energy_j', energy[one].min())})" for one in flows)
    short = wrapped(
        f"The knee is {flow} with {size(at)}: half of it costs {100 * (half - 1):.1f} % more energy, twice "
        f"as much saves {100 * (1 - double):.1f} % for {100 * growth:.0f} % more area. The dataflow decides "
        f"where a larger buffer stops to pay: the least energy is that of {bests}."
    )
    shares = wrapped(
        f"The size explains {100 * sweep.share('energy_j', 'glb.size'):.0f} % of the variance of energy (of "
        f"its logarithm); an effect of the dataflow alone can't be told from chance, since one point is "
        f"missing and three dataflows are few."
    )
    moved = sweep.ok.set_index(["dataflow", "glb.size"])["dram_bytes"]
    words = [[size(one), *(quantity(moved.get((flow, one), np.nan), "B") for flow in flows)] for one in sizes]
    head = ["buffer", *(f"energy, {one}" for one in flows), *(f"area, {one}" for one in flows)]
    return {
        "short": short,
        "energy": table(head, lines),
        "dram": table(["buffer", *(f"DRAM, {one}" for one in flows)], words),
        "front": front_table(sweep, names, ("energy_j", "area_mm2")),
        "shares": shares,
    }


def cores_bandwidth(sweep: Sweep) -> dict[str, str]:
    """Throughput by cores and bandwidth, latency by cores of a replica."""
    points = sweep.ok
    rates = sorted(points["clusters.channel.bandwidth.value"].unique())
    cores = sorted(points["cores"].unique())
    by = points.set_index(["cores", "clusters.channel.bandwidth.value", "mp"]).sort_index()
    best = by["throughput_fps"].groupby(level=[0, 1]).max()
    lines = [[str(n), *(f"{best[n, rate]:.0f}" for rate in rates)] for n in cores]
    enough = {n: next(rate for rate in rates if best[n, rate] >= 0.9 * best[n, rates[-1]]) for n in cores}
    mps = sorted(points["mp"].unique())
    splits = []
    for n in cores:
        fastest = [by.loc[(n, rates[-1], mp)] for mp in mps]
        cells = [
            f"{one['throughput_fps']:.0f} images/s, {said('latency_s', one['latency_s'])}" for one in fastest
        ]
        splits.append([str(n), *cells])
    knee, most = sweep.knee(), points.loc[points["throughput_fps"].idxmax()]
    needs = ", ".join(f"{quantity(enough[n], 'B/s')} for {n} cores" for n in cores)
    short = wrapped(
        f"To have 90 % of the throughput that {quantity(rates[-1], 'B/s')} a channel give takes {needs}. The "
        f"most images a second come from {most['mp']} core a replica ({most['throughput_fps']:.0f} on "
        f"{most['cores']} cores, {said('latency_s', most['latency_s'])} each); the knee is {knee['cores']} "
        f"cores with {knee['mp']} a replica: {knee['throughput_fps']:.0f} images/s, "
        f"{said('latency_s', knee['latency_s'])}."
    )
    return {
        "short": short,
        "throughput": table(["cores", *(f"{quantity(rate, 'B/s')} a channel" for rate in rates)], lines),
        "splits": table(["cores", *(f"MP {mp}" for mp in mps)], splits),
        "front": front_table(
            sweep,
            {"cores": str, "clusters.channel.bandwidth.value": lambda v: quantity(v, "B/s"), "mp": str},
            ("throughput_fps", "latency_s", "area_mm2"),
        ),
    }


def int8_fp16(sweep: Sweep) -> dict[str, str]:
    """FP16 in INT8's, all else equal, over everything and by node and buffer."""
    others = ["array.rows", "array.cols", "sram.size", "technology"]
    metrics = ("latency_s", "energy_j", "area_mm2")
    int8, fp16 = (
        sweep.ok[sweep.ok["precision"] == one].set_index(others)[list(metrics)] for one in ("int8", "fp16")
    )
    ratio = fp16 / int8

    def mean(rows: pd.DataFrame) -> list[str]:
        return [f"{float(np.exp(np.log(rows[name]).mean())):.2f}" for name in metrics]

    lines = [["all", *mean(ratio)]]
    for label, name, shown in (
        ("rows", "array.rows", str),
        ("node", "technology", lambda v: f"{v:.0f} nm"),
        ("buffer", "sram.size", size),
    ):
        for value, rows in ratio.groupby(level=name):
            lines.append([f"{label} {shown(value)}", *mean(rows)])
    lines.append(["least of all points", *(f"{ratio[name].min():.2f}" for name in metrics)])
    lines.append(["most of all points", *(f"{ratio[name].max():.2f}" for name in metrics)])
    on_front = sum(one["precision"] == "fp16" for one in sweep.front())
    time, energy, area = (float(np.exp(np.log(ratio[name]).mean())) for name in metrics)
    short = wrapped(
        f"All else equal, FP16 takes {more(time)} time, {more(energy)} energy and {area:.1f} times the area "
        f"(geometric means over {len(ratio)} machines). {on_front or 'None'} of the front's "
        f"{len(sweep.front())} points {'is' if on_front < 2 else 'are'} FP16."
    )
    names: dict[str, Callable[[Any], str]] = {
        "precision": str,
        "array.rows": str,
        "array.cols": str,
        "sram.size": size,
        "technology": lambda v: f"{v:.0f} nm",
    }
    return {
        "short": short,
        "ratios": table(["FP16 over INT8", "time", "energy", "area"], lines),
        "front": front_table(sweep, names, metrics),
    }


def five_networks(sweep: Sweep) -> dict[str, str]:
    """What each network loses on the common chip against the chip of its own."""
    names = ["array.rows", "array.cols", "sram.size", "dram.bandwidth.value", "dataflow"]
    kept = sweep.ok[sweep.ok["area_mm2"] <= 20]
    knee = sweep.knee()
    common = kept
    for name in names:
        common = common[common[name] == knee[name]]
    lines, losses = [], {}
    for network, one in common.set_index("network").iterrows():
        rows = kept[kept["network"] == network]
        own = rows.loc[rows["latency_s"].idxmin()]
        losses[str(network)] = one["latency_s"] / own["latency_s"]
        lines.append(
            [
                str(network),
                said("latency_s", one["latency_s"]),
                f"{own['array.rows']}x{own['array.cols']}",
                own["dataflow"],
                size(own["sram.size"]),
                said("latency_s", own["latency_s"]),
                f"{100 * (losses[str(network)] - 1):.0f} %",
            ]
        )
    worst = max(losses, key=lambda network: losses[network])
    array = f"{knee['array.rows']}x{knee['array.cols']} multipliers, {knee['dataflow']}"
    short = wrapped(
        f"{array}, {size(knee['sram.size'])} and {quantity(knee['dram.bandwidth.value'], 'B/s')} "
        f"({said('area_mm2', knee['area_mm2'])}) are the fastest for the five together within 20 mm2. "
        f"{sum(loss < 1.01 for loss in losses.values())} of them lose less than 1 % against the chip of "
        f"their own choice; {worst} loses most, {more(losses[worst])} time than on its own."
    )
    steps = [
        [one["variable"], _level(one["variable"], one["level"])]
        + [f"{100 * (one['ratios'][metric] - 1):+.1f} %" for metric in ("latency_s", "energy_j")]
        for one in sweep.view()["steps"]
        if one["index"] is not None and None not in one["ratios"].values()
    ]
    head = ["network", "on the common chip", "its own array", "dataflow", "SRAM", "there", "lost"]
    return {
        "short": short,
        "lost": table(head, lines),
        "steps": table(["one step from the knee", "to", "latency_s", "energy_j"], steps),
    }


def _level(variable: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    unit = {"sram.size": "B", "dram.bandwidth.value": "B/s"}.get(variable, "")
    return quantity(value, unit)


ANSWERS: Final[dict[str, Callable[[Sweep], dict[str, str]]]] = {
    "aspect_ratio": aspect_ratio,
    "global_buffer": global_buffer,
    "cores_bandwidth": cores_bandwidth,
    "int8_fp16": int8_fp16,
    "five_networks": five_networks,
}
