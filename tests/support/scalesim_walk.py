"""SCALE-Sim 3.0.0 walked line by line in plain Python: every request of every port, one after the other.

Slow and literal on purpose: the demand of each cycle is written out, the buffers are lists and sets, time is
counted one line at a time. Nothing of accelsim is imported. Words are (row, column) of the operand's map or
(filter, tap); None is no word.
"""

from __future__ import annotations

from math import ceil

Word = tuple[int, ...] | None
Panel = list[list[Word]]


def skewed(panel: Panel) -> Panel:
    """Column c of the panel c lines later."""
    width = len(panel[0])
    lines: Panel = [[None] * width for _ in range(len(panel) + width - 1)]
    for t, row in enumerate(panel):
        for c, word in enumerate(row):
            lines[t + c][c] = word
    return lines


def nothing(n: int, width: int) -> Panel:
    return [[None] * width for _ in range(n)]


def cut(matrix: Panel, start: int, size: int) -> Panel:
    """Columns start .. start + size of a matrix, filled up with nothing."""
    return [[row[c] if c < len(row) else None for c in range(start, start + size)] for row in matrix]


def transposed(matrix: Panel) -> Panel:
    return [list(column) for column in zip(*matrix, strict=True)]


def operands(h: int, w: int, r: int, s: int, c: int, n: int, stride: int) -> tuple[Panel, Panel]:
    """im2col: the map as M x K, the filters as K x N."""
    out_h, out_w = ceil((h - r + stride) / stride), ceil((w - s + stride) / stride)
    taps = [(i, j, ch) for i in range(r) for j in range(s) for ch in range(c)]

    def word(p: int, q: int, tap: tuple[int, int, int]) -> Word:
        row, col = p * stride + tap[0], q * stride + tap[1]
        return (row, col, tap[2]) if row < h and col < w else None

    maps = [[word(p, q, tap) for tap in taps] for p in range(out_h) for q in range(out_w)]
    return maps, [[(f, *tap) for f in range(n)] for tap in taps]


def demand(maps: Panel, filters: Panel, rows: int, cols: int, dataflow: str) -> tuple[Panel, Panel, Panel]:
    """What the ports ask for in each cycle, and what leaves: column folds outside, row folds inside."""
    m, k, n = len(maps), len(filters), len(filters[0])
    outs: Panel = [[(i, f) for f in range(n)] for i in range(m)]
    on_rows, on_cols = {"os": (m, n), "ws": (k, n), "is": (k, m)}[dataflow]
    lines: tuple[Panel, Panel, Panel] = ([], [], [])
    for col in range(0, on_cols, cols):
        for row in range(0, on_rows, rows):
            if dataflow == "os":
                a = skewed(cut(transposed(maps), row, rows) + nothing(cols - 1, rows))
                b = skewed(cut(filters, col, cols) + nothing(rows - 1, cols))
                tile = cut((outs + nothing(rows, n))[row : row + rows], col, cols)
                o = skewed(nothing(k - 1, cols) + tile[::-1])
            else:
                moving, staying = (
                    (maps, filters) if dataflow == "ws" else (transposed(filters), transposed(maps))
                )
                t = len(moving)
                stream = skewed(nothing(rows, rows) + cut(moving, row, rows) + nothing(cols - 1, rows))
                tile = cut((staying + nothing(rows, on_cols))[row : row + rows], col, cols)
                load = tile[::-1] + nothing(rows + cols + t - 2, cols)
                a, b = (stream, load) if dataflow == "ws" else (load, stream)
                o = skewed(
                    nothing(2 * rows - 1, cols)
                    + cut(outs if dataflow == "ws" else transposed(outs), col, cols)
                )
            assert len(a) == len(b) == len(o)
            for total, fold in zip(lines, (a, b, o), strict=True):
                total.extend(fold)
    return lines


def prefetched(
    maps: Panel, filters: Panel, rows: int, cols: int, dataflow: str
) -> tuple[list[Word], list[Word]]:
    """The sequences that USER mode fetches ahead."""

    def below(matrix: Panel, size: int) -> Panel:
        return [row for start in range(0, len(matrix[0]), size) for row in cut(matrix, start, size)]

    def flat(panel: Panel, diagonal: bool) -> list[Word]:
        if not diagonal:
            return [word for row in panel for word in row]
        height, width = len(panel), len(panel[0])
        return [panel[d - c][c] for d in range(height + width) for c in range(width) if 0 <= d - c < height]

    if dataflow == "os":
        return flat(below(transposed(maps), rows), True), flat(below(filters, cols), True)
    if dataflow == "ws":
        return flat(below(maps, rows), True), flat(below(filters, cols), False)
    return flat(below(transposed(maps), cols), False), flat(below(transposed(filters), rows), True)


class CalcBuffer:
    """Dropped whenever it is full."""

    def __init__(self, size: int) -> None:
        self.set_size, self.cap = size // 100, 50 * (size // 100)
        self.held: set[Word] = set()
        self.reads = 0
        self.ends: list[int] = []
        self.first: int | None = None

    def serve(self, line: list[Word], cycle: int) -> int:
        for word in line:
            if word is None:
                continue
            if self.first is None:
                self.first = cycle
            if word not in self.held:
                self.held.add(word)
                self.reads += 1
                if len(self.held) == self.cap:
                    self.held = set()
                    self.ends.append(cycle)
        return 1

    def dram(self) -> tuple[int, int, int]:
        if not self.ends:
            n_sets = ceil(len(self.held) / self.set_size)
            return -ceil(n_sets * self.set_size / 10), -1, self.reads
        assert self.first is not None
        return self.first - ceil(self.cap / 10), self.ends[-1] + 1, self.reads


class UserBuffer:
    """A window over the sets of the sequence."""

    def __init__(self, size: int, sequence: list[Word], bandwidth: int) -> None:
        self.bandwidth = bandwidth
        active, eps = ceil(size / 2), ceil(size / 100)
        self.fetch_lines = ceil((size - active) / bandwidth)
        self.initial = min(ceil(active / bandwidth), ceil(len(sequence) / bandwidth))
        words = [word for word in sequence if word is not None]
        self.sets = [set(words[i : i + eps]) for i in range(0, len(words), eps)]
        if len(words) % eps == 0:
            self.sets.append(set())
        self.n_active = min(len(self.sets), ceil(active / eps))
        self.n_shift = min(len(self.sets) - self.n_active, ceil((size - active) / eps))
        self.start, self.last, self.n_fetches = 0, -1, 0

    def has(self, word: Word) -> bool:
        return any(word in self.sets[(self.start + i) % len(self.sets)] for i in range(self.n_active))

    def serve(self, line: list[Word], cycle: int) -> int:
        offset = 1
        for word in line:
            while word is not None and not self.has(word):
                self.start = (self.start + self.n_shift) % len(self.sets)
                self.n_fetches += 1
                self.last += self.fetch_lines + 1
                late = self.last - (cycle + offset)
                offset += late
                if late > 0:
                    offset += late
        return offset

    def dram(self) -> tuple[int, int, int]:
        words = self.bandwidth * (self.initial + self.n_fetches * self.fetch_lines)
        return -self.initial, self.last, words


class OutBuffer:
    """Lines of `bandwidth` words; half of the buffer leaves once more than that is held."""

    def __init__(self, size: int, bandwidth: int) -> None:
        self.size, self.bandwidth, self.drain = size, bandwidth, size // 2
        self.free = size
        self.lines: list[int] = []
        self.open = 0
        self.left, self.end, self.writes = 0, 0, 0
        self.cycles: list[int] = []

    def serve(self, line: list[Word], cycle: int) -> int:
        now = cycle
        for word in line:
            if word is None:
                continue
            self.open += 1
            self.free -= 1
            if self.open == self.bandwidth:
                self.lines.append(self.open)
                self.open = 0
            if now < self.end:
                if self.free <= 0:
                    now = self.end
            elif self.free < self.size - self.drain:
                self.close()
                self.send(now)
        return now - cycle

    def close(self) -> None:
        if self.open:
            self.lines.append(self.open)
            self.open = 0

    def send(self, cycle: int) -> None:
        leaving = self.lines[self.left : self.left + ceil(self.drain / self.bandwidth)]
        words = (len(leaving) - 1) * self.bandwidth + leaving[-1]
        self.writes += words
        self.free += words
        self.left += len(leaving)
        self.cycles += [cycle + i for i in range(len(leaving))]
        self.end = self.cycles[-1]

    def empty(self, cycle: int) -> None:
        self.close()
        while self.left < len(self.lines):
            self.send(cycle)
            cycle = self.end + 1


def walk(
    layer: tuple[int, int, int, int, int, int, int],
    array: tuple[int, int],
    dataflow: str,
    words: tuple[int, int, int],
    bandwidths: tuple[int, int, int] | None,
) -> dict[str, int]:
    """The reports' counts: `layer` h, w, r, s, c, n, stride; SRAM `words`; bandwidths None in CALC mode."""
    maps, filters = operands(*layer)
    lines = demand(maps, filters, *array, dataflow)
    reads: list[CalcBuffer | UserBuffer]
    if bandwidths is None:
        reads, out = [CalcBuffer(words[0]), CalcBuffer(words[1])], OutBuffer(words[2], array[1])
    else:
        ahead = prefetched(maps, filters, *array, dataflow)
        reads = [UserBuffer(words[i], ahead[i], bandwidths[i]) for i in range(2)]
        out = OutBuffer(words[2], bandwidths[2])
    stalls, served = 0, [[], [], []]  # type: tuple[int, list[list[int]]]
    for i, asked in enumerate(zip(*lines, strict=True)):
        cycle = i + stalls
        waits = [buffer.serve(line, cycle) for buffer, line in zip((*reads, out), asked, strict=True)]
        for answers, line, wait in zip(served, asked, waits, strict=True):
            if any(word is not None for word in line):
                answers.append(cycle + wait)
        last = cycle + waits[2]
        stalls += max(waits[0] - 1, waits[1] - 1, waits[2])
    out.empty(last)
    found = {"total_cycles": last, "stall_cycles": stalls}
    names = ("ifmap", "filter", "ofmap")
    dram = [*(buffer.dram() for buffer in reads), (min(out.cycles), max(out.cycles), out.writes)]
    for name, answers, (start, stop, n) in zip(names, served, dram, strict=True):
        found |= {f"sram_{name}_start": answers[0], f"sram_{name}_stop": answers[-1]}
        found |= {f"dram_{name}_start": start, f"dram_{name}_stop": stop}
        found[f"dram_{name}_{'writes' if name == 'ofmap' else 'reads'}"] = n
    return found
