"""The cycles of a layer: the array stops as a whole where one of its three buffers makes a line wait.

Line i comes at cycle i + (stalls of the lines before). Nothing happens between two events (a miss of a read
buffer, a drain or a full output buffer), so only the lines of events are visited.
Source: SCALE-Sim 3.0.0, memory/double_buffered_scratchpad_mem.py (service_memory_requests).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from accelsim.compat.scalesim.read_user import Misses
from accelsim.compat.scalesim.work import Ints
from accelsim.compat.scalesim.write_buffer import NEVER, WriteBuffer


@dataclass(eq=False)
class ReadPort:
    """A read buffer in time: when its last fetch ends, and how long a missing line waits for it."""

    misses: Misses
    fetched_until: int = -1  # cycle; the first fetch ends before cycle 0
    waits: dict[int, int] = field(default_factory=dict)  # of lines that missed; may be below 0
    _next: int = 0

    def next_line(self) -> int:
        return int(self.misses.lines[self._next]) if self._next < self.misses.lines.size else NEVER

    def wait(self, line: int, cycle: int) -> int:
        """Cycles that the line waits: each move of the window fetches c = `fetch_lines` + 1 cycles long.

        A fetch that ends p cycles after the line would be served is charged twice (p > 0), one that ends
        earlier draws the line back to its end (p < 0). With e the cycles by which the line is behind the last
        fetch, a move makes it c - e, or 0 where that is negative: after two moves it repeats itself in pairs.
        """
        n = int(self.misses.moves[self._next])
        self._next += 1
        each = self.misses.fetch_lines + 1
        behind = cycle + 1 - self.fetched_until
        self.fetched_until += n * each
        for _ in range(n if n < 4 else 4 + n % 2):
            behind = max(each - behind, 0)
        self.waits[line] = self.fetched_until + behind - cycle - 1
        return self.waits[line]


@dataclass(frozen=True, eq=False)
class Timeline:
    """Where cycles were lost: `stalls` is the sum of all lines up to and with `lines`."""

    lines: Ints  # [events], ascending
    stalls: Ints  # [events]
    output_waits: dict[int, int]
    total_stalls: int

    def cycle(self, line: int) -> int:
        """The cycle at which a line comes."""
        return int(self.cycles(np.array([line]))[0])

    def cycles(self, lines: Ints) -> Ints:
        before = np.searchsorted(self.lines, lines)
        cycles: Ints = lines + np.concatenate([[0], self.stalls])[before]
        return cycles


def timeline(ports: tuple[ReadPort, ...], output: WriteBuffer) -> Timeline:
    """Runs the events in order; the output buffer is not emptied at the end."""
    lines: list[int] = []
    sums: list[int] = []
    output_waits: dict[int, int] = {}
    stalls = 0
    next_output = output.next_line(0, 0)
    while True:
        reads = [port.next_line() for port in ports]
        line = min([*reads, next_output])
        if line == NEVER:
            break
        cycle = line + stalls
        wait = 0
        for port, at in zip(ports, reads, strict=True):
            if at == line:
                wait = max(wait, port.wait(line, cycle))
        if next_output == line:
            output_waits[line] = output.write_line(line, cycle)
            wait = max(wait, output_waits[line])
        if wait:
            stalls += wait
            lines.append(line)
            sums.append(stalls)
        if wait or next_output == line:
            next_output = output.next_line(line + 1, stalls)
    return Timeline(np.array(lines, np.int64), np.array(sums, np.int64), output_waits, stalls)
