"""The closed form of a systolic layer against a walk over its folds that keeps sets of words.

The walk is written from the rule at the head of `cost.network_form`: an operand's share of the SRAM holds all
of it, or the slab of one fold, or nothing. Cycles are those of SCALE-Sim 3.0.0's rules (`compat`).
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import accelsim
from accelsim.workload.graph import LayerGraph

FLOWS = ("os", "ws", "is")
Word = tuple[int, int]


class Share:
    """An operand's share of the SRAM: what it holds, and the words that come in."""

    def __init__(self, slabs: list[set[Word]], bits: int, room_bits: int) -> None:
        self.slabs, self.held, self.came, self.last = slabs, set[Word](), 0, -1
        self.whole = len(set().union(*slabs)) * bits <= room_bits
        self.slab = max(map(len, slabs)) * bits <= room_bits

    def use(self, i: int) -> None:
        self.came += len(self.slabs[i] - self.held)
        if self.whole:
            self.held |= self.slabs[i]
        else:
            self.held = self.slabs[i] if self.slab else set()


class Sums(Share):
    """Partial sums: what leaves unfinished has to return."""

    def __init__(self, slabs: list[set[Word]], bits: int, room_bits: int, passes: int) -> None:
        super().__init__(slabs, bits, room_bits)
        self.visits, self.passes, self.returned, self.left = [0] * len(slabs), passes, 0, 0

    def use(self, i: int) -> None:
        if self.visits[i] and not self.slabs[i] <= self.held:
            self.returned += len(self.slabs[i])
        self.visits[i] += 1
        if not self.whole:  # another slab pushes the last one out
            if self.last not in (-1, i) and self.slab and self.visits[self.last] < self.passes:
                self.left += len(self.slabs[self.last])
            if not self.slab and self.visits[i] < self.passes:
                self.left += len(self.slabs[i])
        self.last = i
        self.held = self.held | self.slabs[i] if self.whole else self.slabs[i] if self.slab else set()


def cut(n: int, size: int) -> list[range]:
    return [range(at, min(at + size, n)) for at in range(0, n, size)]


def walk(flow: str, m: int, f: int, k: int, rows: int, cols: int, room_bits: int) -> dict[str, int]:
    """Words over DRAM's pins in the better order of the folds; 8 bits a word, 32 a sum."""
    found = []
    for rows_outside in (True, False):
        on_rows, on_cols = cut(m if flow == "os" else k, rows), cut(m if flow == "is" else f, cols)
        x = [{(a, b) for a in part for b in range({"os": k, "ws": m, "is": f}[flow])} for part in on_rows]
        y = [{(a, b) for a in part for b in range({"os": k, "ws": m, "is": f}[flow])} for part in on_cols]
        x_share = Share(x, 8, room_bits)
        y_share = Share(y, 8, room_bits) if flow == "os" else Sums(y, 32, room_bits, len(on_rows))
        stays = 0
        folds = [(i, j) for i in range(len(on_rows)) for j in range(len(on_cols))]
        for i, j in folds if rows_outside else sorted(folds, key=lambda fold: fold[::-1]):
            x_share.use(i)
            y_share.use(j)
            stays += len(on_rows[i]) * len(on_cols[j])
        words = {"I": stays if flow == "is" else x_share.came, "W": x_share.came if flow == "is" else stays}
        words |= {"O": m * f, "return": 0}
        if isinstance(y_share, Sums):
            assert y_share.left == y_share.returned
            words["O"], words["return"] = words["O"] + y_share.left, y_share.returned
        else:
            words["W"] = y_share.came
        # the bits by which the orders differ
        found.append((8 * (words["I"] + words["W"]) + 64 * words["return"], words))
    return min(found, key=lambda each: each[0])[1]


def gemm(tmp_path: Path, m: int, f: int, k: int) -> LayerGraph:
    path = tmp_path / "gemm.csv"
    path.write_text(f"Layer, M, N, K,\ngemm, {m}, {f}, {k},\n")
    return accelsim.load(path)


@pytest.mark.parametrize("flow", FLOWS)
def test_dram_words_equal_a_walk_over_the_folds(flow: str, tmp_path: Path) -> None:
    draw, seen = random.Random(flow), set()
    for _ in range(60):
        m, f, k = (draw.randint(1, 24) for _ in range(3))
        rows, cols = draw.randint(1, 7), draw.randint(1, 7)
        room = draw.randint(4 * max(rows, cols), 400)  # bytes of a share
        sets = [f"array.rows={rows}", f"array.cols={cols}", f"sram.size={6 * room} B"]
        row = accelsim.run(
            gemm(tmp_path, m, f, k), accelsim.arch("systolic_32x32", sets, flow), closed_form=True
        ).rows[0]
        dram = row["accesses"]["dram"]
        ours = {"I": dram["I"]["read"], "W": dram["W"]["read"], "O": dram["O"]["write"]}
        ours["return"] = dram["O"]["read"]
        theirs = walk(flow, m, f, k, rows, cols, 8 * room)
        assert ours == theirs, (m, f, k, rows, cols, room)
        seen.add((theirs["return"] > 0, theirs["I"] > m * k, theirs["W"] > k * f))
    assert len(seen) > 1  # some operands came again


@pytest.mark.parametrize("flow", FLOWS)
def test_cycles_of_sequential_folds_are_those_of_scalesim(flow: str) -> None:
    graph = accelsim.load("alexnet_torchvision")
    for rows, cols in ((8, 8), (31, 5), (12, 200)):
        sets = [f"array.rows={rows}", f"array.cols={cols}"]
        machine = accelsim.arch("systolic_128x128", sets, flow)
        ours = accelsim.run(graph, machine, closed_form=True).rows
        theirs = accelsim.run(graph, machine, compat="scalesim").rows
        for our, their in zip(ours, theirs, strict=True):
            if our["macs"]:
                assert our["compute_cycles"] + our["fill_drain_cycles"] == their["compute_cycles"]


@pytest.mark.parametrize("flow", FLOWS)
def test_words_and_energy_are_those_of_the_mapping_with_the_same_folds(flow: str, tmp_path: Path) -> None:
    machine = accelsim.arch("systolic_32x32", ["sram.size=1 MiB"], flow)
    graph = gemm(tmp_path, 96, 64, 96)  # whole folds, and all of it fits
    ours = accelsim.run(graph, machine, closed_form=True)
    mapped = accelsim.run(graph, machine, objective="energy", cache=False)
    assert ours.rows[0]["accesses"] == mapped.rows[0]["accesses"]
    assert ours.totals["energy_pj"] == pytest.approx(mapped.totals["energy_pj"], rel=1e-12)
