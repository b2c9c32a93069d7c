"""SCALE-Sim 3.0.0 beside accelsim on one small sweep: AlexNet on 20 array shapes, output-stationary.

    python benchmarks/bench_peers.py [--folder reports/peers] [--layers conv] [--shapes 20] [--limit 3600]

Makes a virtual environment in the folder, installs SCALE-Sim from PyPI, writes AlexNet as its topology file,
runs one SCALE-Sim process a shape (without traces, its fastest way; what an earlier call has done is kept),
then one `accelsim sweep` of all shapes and the kernel alone. Times are CPU seconds, of whole
processes or (kernel) of the call. Ends with an error where a cycle of any layer on any shape differs.
`--layers conv` leaves out the three fully connected layers, which take most of SCALE-Sim's time and memory.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import accelsim
from accelsim.compat.scalesim import work_of
from accelsim.compat.scalesim.array import array_cycles, products_of

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("scalesim==3.0.0", "numpy==2.2.6")
"""SCALE-Sim asks for any NumPy."""
ROWS, COLS = (128, 192, 256, 384, 512), (128, 256, 384, 512)
SHAPES = [(rows, cols) for rows in ROWS for cols in COLS]
SRAM_KB = 1024

DRIVER = """import sys
from scalesim.scale_sim import scalesim

if __name__ == "__main__":
    config, topology, layout, out = sys.argv[1:]
    files = {"config": config, "topology": topology, "layout": layout}
    scalesim(save_disk_space=True, verbose=False, input_type_gemm=False, **files).run_scale(top_path=out)
"""
CONFIG = """[general]
run_name = run
[run_presets]
InterfaceBandwidth: CALC
UseRamulatorTrace: False
[architecture_presets]
ArrayHeight: {rows}
ArrayWidth: {cols}
IfmapSramSzkB: {kb}
FilterSramSzkB: {kb}
OfmapSramSzkB: {kb}
IfmapOffset: 0
FilterOffset: 10000000
OfmapOffset: 20000000
Dataflow: os
Bandwidth: 10
ReadRequestBuffer: 32
WriteRequestBuffer: 32
[layout]
IfmapCustomLayout: False
IfmapSRAMBankBandwidth: 10
IfmapSRAMBankNum: 10
IfmapSRAMBankPort: 2
FilterCustomLayout: False
FilterSRAMBankBandwidth: 10
FilterSRAMBankNum: 10
FilterSRAMBankPort: 2
[sparsity]
SparsitySupport: false
SparseRep: ellpack_block
OptimizedMapping: false
BlockSize: 8
RandomNumberGeneratorSeed: 40
"""
SPACE = f"""schema: accelsim.space/1
name: peers
arch: systolic_128x128
networks: [topology.csv]
vary:
  array.rows: {list(ROWS)}
  array.cols: {list(COLS)}
  dataflow: [os]
compat: scalesim
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--folder", type=Path, default=ROOT / "reports" / "peers")
    parser.add_argument("--layers", choices=("all", "conv"), default="all")
    parser.add_argument(
        "--shapes", type=int, default=len(SHAPES), help="only the first so many, largest first"
    )
    parser.add_argument("--limit", type=float, default=3600.0, help="seconds of a SCALE-Sim process")
    given = parser.parse_args()
    folder = given.folder.resolve() / given.layers
    folder.mkdir(parents=True, exist_ok=True)
    python = environment(given.folder.resolve() / "venv")
    write_inputs(folder, given.layers)
    largest_first = sorted(SHAPES, key=lambda shape: -shape[0] * shape[1])[: given.shapes]
    theirs: dict[tuple[int, int], tuple[list[int], float]] = {}
    for rows, cols in largest_first:
        found = scalesim(python, folder, rows, cols, given.limit)
        said = f"{found[1]:.1f} CPU s" if found else f"not done after {given.limit:.0f} s"
        print(f"SCALE-Sim, {rows} x {cols}: {said}", flush=True)
        if found:
            theirs[rows, cols] = found
    compare(folder, theirs)


def environment(folder: Path) -> Path:
    """The Python of a virtual environment with SCALE-Sim in it."""
    python = folder / "bin" / "python"
    if not (folder / "done").exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *PACKAGES], check=True)
        (folder / "done").touch()
    return python


def write_inputs(folder: Path, layers: str) -> None:
    """AlexNet (torchvision's, which has no groups) as a topology, a layout that is not used, the space."""
    lines = [
        "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,"
    ]
    for layer in accelsim.load("alexnet_torchvision").layers:
        if layer.kind == "array" and (layers == "all" or layer.op == "conv"):
            work = work_of(layer)
            shape = (work.height, work.width, work.filter_rows, work.filter_cols, work.channels, work.filters)
            lines.append(", ".join(map(str, (layer.name, *shape, work.row_stride))) + ",")
    (folder / "topology.csv").write_text("\n".join(lines) + "\n")
    (folder / "layout.csv").write_text("Layer name,\n")
    (folder / "drive.py").write_text(DRIVER)
    (folder / "space.yaml").write_text(SPACE)


def scalesim(
    python: Path, folder: Path, rows: int, cols: int, limit: float
) -> tuple[list[int], float] | None:
    """Total Cycles of each layer, and CPU seconds; None where it took longer than the limit."""
    place = folder / f"{rows}x{cols}"
    report, seconds = place / "run" / "COMPUTE_REPORT.csv", place / "cpu_s.json"
    if not seconds.exists():
        place.mkdir(exist_ok=True)
        (place / "scale.cfg").write_text(CONFIG.format(rows=rows, cols=cols, kb=SRAM_KB))
        files = (place / "scale.cfg", folder / "topology.csv", folder / "layout.csv", place)
        spent = process([str(python), str(folder / "drive.py"), *map(str, files)], limit)
        if spent is None:
            return None
        seconds.write_text(json.dumps(spent))
    with report.open(encoding="utf-8") as stream:
        table = list(csv.DictReader(stream, skipinitialspace=True))
    return [int(float(row["Total Cycles"])) for row in table], float(json.loads(seconds.read_text()))


def process(command: Sequence[str], limit: float) -> float | None:
    """CPU seconds of a process and its children, with modules compiled as an installer leaves them."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ours = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
    clean = {name: text for name, text in os.environ.items() if name not in ours}
    own = {**clean, "PYTHONPATH": str(ROOT)} if command[0] == sys.executable else clean
    try:
        subprocess.run(command, check=True, timeout=limit, env=own, stdout=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return None
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(folder: Path, theirs: dict[tuple[int, int], tuple[list[int], float]]) -> None:
    """Equal cycles layer by layer and in the sweep, and how many times as fast; exits where they differ."""
    products = products_of(accelsim.load(str(folder / "topology.csv")))
    rows, cols = (np.array(side) for side in zip(*SHAPES, strict=True))
    ours = array_cycles(products, rows, cols, "os")
    names = [layer.name for layer in accelsim.load(str(folder / "topology.csv")).layers]
    assert (products.times == 1).all(), "a column a layer"
    command = [sys.executable, "-m", "accelsim", "sweep", str(folder / "space.yaml"), "-q"]
    kept = whole_process([*command, "-o", str(folder / "sweep")], folder / "sweep")
    shown = whole_process(command, folder / "sweep")
    process([*command, "--format", "csv", "-o", str(folder / "sweep")], 3600.0)
    swept = {
        (int(row["array.rows"]), int(row["array.cols"])): int(row["latency_cycles"])
        for part in sorted((folder / "sweep" / "points").glob("*.csv"))
        for row in csv.DictReader(part.open(encoding="utf-8"))
    }
    different = 0
    for at, shape in enumerate(SHAPES):
        assert swept[shape] == ours[at].sum()
        for name, mine, other in zip(names, ours[at].tolist(), theirs.get(shape, ([], 0))[0], strict=False):
            if mine - 1 != other:  # SCALE-Sim's total is the index of the last cycle
                different += 1
                print(f"{shape}: {name}: {mine - 1} cycles, SCALE-Sim {other}")
    each = kernel_seconds(products, rows, cols) / len(SHAPES)
    seconds = sum(spent for _, spent in theirs.values())
    n = max(1, len(theirs))
    print(
        f"{len(theirs)} shapes x {len(names)} layers: {different} of {len(theirs) * len(names)} cycles differ"
    )
    print(f"SCALE-Sim: {seconds:.0f} CPU s in {len(theirs)} processes, {seconds / n:.1f} s a shape")
    print(f"kernel: {each * 1e9:,.0f} ns a shape, {seconds / n / each:,.0f} times as fast")
    for said, whole in (("", shown), (" -o DIR (points, pictures, a page)", kept)):
        print(f"accelsim sweep{said}, {len(SHAPES)} shapes in one process: {whole:.2f} CPU s", end="")
        print(f", {seconds / n * len(SHAPES) / whole:,.0f} times as fast as so many of SCALE-Sim's")
    if different:
        sys.exit(1)


def whole_process(command: Sequence[str], out: Path) -> float:
    """Median CPU seconds of five, each without what the one before left in its directory."""
    times = []
    for _ in range(5):
        shutil.rmtree(out, ignore_errors=True)
        times.append(process(command, 3600.0) or 0.0)
    shutil.rmtree(out, ignore_errors=True)
    return statistics.median(times)


def kernel_seconds(products: object, rows: object, cols: object) -> float:
    """Median CPU seconds of the closed form of all layers on all shapes."""
    times = []
    for _ in range(500):
        start = time.process_time_ns()
        array_cycles(products, rows, cols, "os")  # type: ignore[arg-type]
        times.append(time.process_time_ns() - start)
    return statistics.median(times) / 1e9


if __name__ == "__main__":
    main()
