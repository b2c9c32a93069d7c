"""The spaces that the sweeps' benchmarks share, and what a whole process of `accelsim sweep` takes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

LENET = """schema: accelsim.space/1
name: lenet_machines
description: 12,288 systolic machines x LeNet
arch: systolic_32x32
networks: [lenet]
vary:
  array.rows: 4..256 step 4
  array.cols: 4..256 step 4
  dataflow: [ws, os, is]
method: closed_form
answers: {minimise: [latency_s, energy_j]}
"""

RESNET = """schema: accelsim.space/1
name: resnet_machines
description: systolic machines x ResNet-50
arch: systolic_128x128
networks: [resnet50]
vary:
  array.rows: 8..256 step 8
  array.cols: 8..256 step 8
  sram.size: 64 KiB..32 MiB step x2
  dram.bandwidth.value: 10 GB/s..204 GB/s step BANDWIDTHS
method: closed_form
answers: {minimise: [latency_s, energy_j]}
"""
STEPS = {"102,400": "20 GB/s", "1,003,520": "2 GB/s", "3,983,360": "500 MB/s"}
"""Of the bandwidth, by the number of machines x ResNet-50 that they make."""


def resnet_space(folder: Path, n_points: str) -> Path:
    """A space file of so many machines."""
    file = folder / f"resnet_{n_points}.yaml"
    file.write_text(RESNET.replace("BANDWIDTHS", STEPS[n_points]))
    return file


@dataclass(frozen=True)
class Took:
    """Of a process with all that it started."""

    wall_s: float
    user_s: float
    system_s: float
    peak_mib: float

    def __str__(self) -> str:
        return (
            f"{self.wall_s:5.1f} s wall, {self.user_s:5.1f} s user + {self.system_s:.1f} s system, "
            f"{self.peak_mib:.0f} MiB"
        )


def process(*words: str) -> Took:
    """`python -m accelsim` with these words; CalledProcessError where it fails."""
    start = time.perf_counter()
    child = subprocess.Popen([sys.executable, "-m", "accelsim", *words])
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, child.args)
    wall_s = time.perf_counter() - start
    return Took(wall_s, used.ru_utime, used.ru_stime, used.ru_maxrss / 2**10)
