"""Writes the pages of the five spaces that ship: answers, tables and pictures from their sweeps.

    python scripts/sweep_pages.py [NAME]...     all of them, three minutes

A page's prose stands in docs/sweep_NAME.md; what has numbers is written here between its marks. Sweeps that
search take a minute, so their points stay in reports/gallery: tests/docs holds the page to them, and some of
them to runs of today.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd
from make_docs import GALLERY, ROOT, write_region
from sweep_answers import ANSWERS, Sweep

from accelsim.cli.app import execute

SPACES: Final = ROOT / "spaces"
SLOW: Final = ("cores_bandwidth", "global_buffer")


@dataclass(frozen=True)
class Picture:
    """A picture of a sweep under its name in the gallery; of one network where `network` is given."""

    file: str
    network: str = ""


PICTURES: Final[dict[str, dict[str, Picture]]] = {
    "aspect_ratio": {
        "resnet50": Picture("heat_latency_s", "resnet50"),
        "mobilenet_v2": Picture("heat_latency_s", "mobilenet_v2"),
    },
    "global_buffer": {
        "front": Picture("pareto_energy_j_area_mm2"),
        "energy": Picture("heat_energy_j"),
    },
    "cores_bandwidth": {
        "front": Picture("pareto_latency_s_throughput_fps"),
        "throughput": Picture("heat_throughput_fps"),
    },
    "int8_fp16": {
        "front": Picture("pareto_latency_s_energy_j"),
        "effects": Picture("effects"),
    },
    "five_networks": {
        "front": Picture("pareto_latency_s_energy_j"),
        "latency": Picture("heat_latency_s"),
    },
}


def page_of(name: str) -> Path:
    return ROOT / "docs" / f"sweep_{name}.md"


def swept(name: str, folder: Path, network: str = "") -> Sweep:
    """A space's sweep of today; `network`: of that one alone."""
    text = (SPACES / f"{name}.yaml").read_text(encoding="utf-8")
    if network:
        listed = next(line for line in text.splitlines() if line.startswith("networks:"))
        text = text.replace(listed, f"networks: [{network}]")
    file = folder / f"{name}.yaml"
    file.write_text(text, encoding="utf-8")
    return run(file, folder / f"out_{name}{network}")


def run(file: Path, out: Path) -> Sweep:
    """The answer and the points of a space file."""
    shutil.rmtree(out, ignore_errors=True)
    if code := execute(["sweep", str(file), "-o", str(out), "--format", "csv", "--quiet"]):
        raise SystemExit(code)
    parts = [pd.read_csv(part) for part in sorted((out / "points").glob("*.csv"))]
    found: dict[str, Any] = json.loads((out / "result.json").read_text(encoding="utf-8"))
    return Sweep(found, pd.concat(parts, ignore_index=True))


def kept_files(name: str) -> tuple[Path, Path]:
    """Where a slow sweep's answer and points stay."""
    return GALLERY / f"sweep_{name}.json", GALLERY / f"sweep_{name}.csv"


def kept(name: str) -> Sweep:
    """A slow sweep as this script last ran it."""
    answer, points = kept_files(name)
    return Sweep(json.loads(answer.read_text(encoding="utf-8")), pd.read_csv(points))


def keep(name: str, sweep: Sweep) -> None:
    answer, points = kept_files(name)
    parts = {key: sweep.found[key] for key in ("schema", "units", "objectives", "points", "pareto")}
    answer.write_text(json.dumps(parts, indent=1) + "\n", encoding="utf-8")
    sweep.points.to_csv(points, index=False, lineterminator="\n")


def regions(name: str, sweep: Sweep) -> dict[str, str]:
    """What stands between the marks of a page."""
    return ANSWERS[name](sweep)


def write(name: str, folder: Path) -> None:
    sweep = swept(name, folder)
    if name in SLOW:
        keep(name, sweep)
    for region, text in regions(name, sweep).items():
        write_region(page_of(name), region, text)
        if region == "short":
            write_region(ROOT / "docs" / "sweep.md", name, text)
    for picture, of in PICTURES[name].items():
        if of.network:
            swept(name, folder, of.network)
        made = folder / f"out_{name}{of.network}" / f"{of.file}.png"
        shutil.copyfile(made, GALLERY / f"sweep_{name}_{picture}.png")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name in sys.argv[1:] or ANSWERS:
            print(name, flush=True)
            write(name, Path(folder))


if __name__ == "__main__":
    main()
