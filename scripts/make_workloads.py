"""Writes the networks of workloads/ as ONNX text: python scripts/make_workloads.py [-o DIR] [NAME ...]."""

from __future__ import annotations

import argparse
from pathlib import Path

from networks import NETWORKS

WORKLOADS = Path(__file__).resolve().parent.parent / "workloads"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="networks to write (default: all)")
    parser.add_argument("-o", "--output", type=Path, default=WORKLOADS, help="folder (default: workloads/)")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in NETWORKS]:
        parser.error(f"unknown network {', '.join(unknown)}; known are {', '.join(NETWORKS)}")
    options.output.mkdir(parents=True, exist_ok=True)
    for name in options.names or NETWORKS:
        path = options.output / f"{name}.onnx.txt"
        path.write_text(NETWORKS[name]().text(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
