"""CPU seconds of whole processes, start-up included: what a person waits for on one idle core.

Run: python benchmarks/bench_cli.py [REPEATS]      (5 repeats where not told)

Each line is the median of REPEATS processes, user + system time of the child as the kernel counts it
(getrusage), after one run that is not counted, which fills the file cache and writes the byte code. Each run
starts with an empty cache of searches, which it fills; one line shows what is left to do where it is full.
`python -c pass` is the interpreter alone; its share of `import accelsim` is subtracted in the line that says
so. The work that is timed is asserted: each run must end with the row count and MACs of its network. Budgets:
design section 7; the issue that sets them is number 2.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

RESNET50_MACS = 4_089_184_256
"""53 convolutions and the classifier at 224 x 224, batch 1 (torchvision's resnet50)."""

RUN = ("-m", "accelsim", "run", "resnet50", "--arch")
CASES: tuple[tuple[str, tuple[str, ...], float | None], ...] = (
    ("python -c pass", ("-c", "pass"), None),
    ("python -c 'import accelsim'", ("-c", "import accelsim"), None),
    ("accelsim --help", ("-m", "accelsim", "--help"), 0.3),
    ("accelsim run resnet50 --arch eyeriss", (*RUN, "eyeriss"), 1.5),
    ("accelsim run resnet50 --arch systolic_128x128", (*RUN, "systolic_128x128"), 1.0),
)
IMPORT_BUDGET_S = 0.05


def cpu_s(arguments: tuple[str, ...], cache: Path | None = None) -> float:
    """User and system seconds of one process and its children, with a cache of its own or the one given."""
    with tempfile.TemporaryDirectory() as empty:
        environment = {**os.environ, "ACCELSIM_CACHE": str(cache or empty)}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program has its byte code
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, cwd=ROOT, env=environment
        )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def assert_work() -> None:
    """What is timed is the whole network, not an early exit."""
    for arch in ("eyeriss", "systolic_128x128"):
        command = [sys.executable, *RUN, arch, "--json", "--no-cache"]
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
        answer = json.loads(done.stdout)
        assert answer["totals"]["macs"] == RESNET50_MACS, answer["totals"]["macs"]
        assert sum(row["op"] == "conv" for row in answer["layers"]) == 53


def main(repeats: int) -> None:
    assert_work()
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
          f"Python {platform.python_version()}; CPU seconds, median of {repeats} (least)")  # fmt: skip
    medians: dict[str, float] = {}
    for title, arguments, budget in CASES:
        cpu_s(arguments)
        times = [cpu_s(arguments) for _ in range(repeats)]
        medians[title] = statistics.median(times)
        limit = f"  (budget {budget} s)" if budget is not None else ""
        print(f"{title:48} {medians[title]:6.3f} ({min(times):.3f}){limit}")
    with tempfile.TemporaryDirectory() as full:
        times = [cpu_s((*RUN, "eyeriss"), Path(full)) for _ in range(repeats + 1)][1:]
    print(f"{'the same on eyeriss, cache full':48} {statistics.median(times):6.3f} ({min(times):.3f})")
    above = medians["python -c 'import accelsim'"] - medians["python -c pass"]
    print(f"{'import accelsim above the interpreter':48} {above:6.3f}  (budget {IMPORT_BUDGET_S} s)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
