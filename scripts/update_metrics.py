"""Write the stored metrics of the shipped networks: our own results, kept so that a change of them shows.

    python scripts/update_metrics.py              # rewrites tests/golden/shipped_metrics.csv
    python scripts/update_metrics.py --check      # says what differs and exits 1, writes nothing

They are no evidence: they say what accelsim gave when the file was last written, right or wrong.
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections.abc import Iterator
from pathlib import Path

import accelsim

TABLE = Path(__file__).resolve().parents[1] / "tests" / "golden" / "shipped_metrics.csv"
NETWORKS = ("lenet", "alexnet", "resnet18", "shufflenet_v1", "bert_base", "gpt2_decode")
ARCHITECTURES = (
    "eyeriss",
    "eyeriss_isca16_256",
    "systolic_32x32",
    "systolic_128x128",
    "tpu_v1",
    "gemmini_16x16",
    "nvdla_small",
    "mlu100",
)
COLUMNS = ("network", "arch", "latency_cycles", "energy_pj", "dram_read_bytes", "dram_write_bytes")
HEAD = """\
# Our own results, stored to show when they change; not evidence for anything. Batch 1, objective edp.
# A change that moves them on purpose runs scripts/update_metrics.py and has the difference in its commit.
"""


def metrics() -> Iterator[dict[str, str]]:
    """A row for each network on each architecture, energies in full precision."""
    for network in NETWORKS:
        graph = accelsim.load(network)
        for arch in ARCHITECTURES:
            totals = accelsim.run(graph, accelsim.arch(arch), cache=False).totals
            yield {
                "network": network,
                "arch": arch,
                "latency_cycles": str(totals["latency_cycles"]),
                "energy_pj": repr(float(totals["energy_pj"])),
                "dram_read_bytes": str(totals["dram_read_bytes"]),
                "dram_write_bytes": str(totals["dram_write_bytes"]),
            }


def stored(path: Path = TABLE) -> list[dict[str, str]]:
    """The table as it stands."""
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def differences(old: list[dict[str, str]], new: list[dict[str, str]], relative: float = 1e-9) -> list[str]:
    """What differs, a line each: counts exactly, energies by more than `relative`."""
    before = {(row["network"], row["arch"]): row for row in old}
    after = {(row["network"], row["arch"]): row for row in new}
    found = [f"{' on '.join(key)}: no longer there" for key in before if key not in after]
    found += [f"{' on '.join(key)}: new" for key in after if key not in before]
    for key in before.keys() & after.keys():
        for column in COLUMNS[2:]:
            was, now = float(before[key][column]), float(after[key][column])
            if abs(now - was) > (relative * abs(was) if column.endswith("_pj") else 0):
                share = f" ({now / was - 1:+.3%})" if was else ""
                found.append(f"{' on '.join(key)}: {column} {was:,.0f} -> {now:,.0f}{share}")
    return sorted(found)


def text(rows: list[dict[str, str]]) -> str:
    out = io.StringIO()
    out.write(HEAD)
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 where something differs")
    check = parser.parse_args().check
    new = list(metrics())
    found = differences(stored(), new) if TABLE.exists() else ["no table yet"]
    print("\n".join(found) or "no difference")
    if not check:
        TABLE.write_text(text(new), encoding="utf-8")
    return int(bool(found) and check)


if __name__ == "__main__":
    sys.exit(main())
