"""NVDLA's convolution pipeline cycle by cycle: beats of DRAM, the sequencer, credits, sums that leave.

An oracle for the closed form: it knows nothing of groups of stripes, only what happens in a cycle. Written
from nvdla/hw, csc/NV_NVDLA_CSC_sg.v (order of operations, when one may start) and
cacc/NV_NVDLA_CACC_delivery_buffer.v (a credit for each pixel whose sums have left).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Walk:
    """A layer on a pipeline of A channels x A kernels, stripes of 2 A pixels and as many accumulators."""

    in_w: int
    in_h: int
    in_c: int
    k_w: int
    k_h: int
    k_n: int
    out_pixels: int
    weight_banks: int
    bank_entries: int
    atom: int = 8
    beat_cycles: int = 2
    deliver_cycles: int = 9
    read_latency: int = 32
    mac_latency: int = 36
    weight_align_bytes: int = 128
    arrivals: list[int] = field(default_factory=list)  # of pixels at the way out
    leaving: int = 0

    def cycles(self) -> int:
        """From the first beat of DRAM until the last sum has left, without the latencies at both ends."""
        self._start()
        operations = self._operations()
        op, now, idle_at = next(operations, None), 0, 0
        while op is not None or self.arrivals:
            self._beat(now)
            self._leave(now)
            if op is not None and now >= idle_at and self._may_start(op):
                group, pixels, complete, last = op
                idle_at = now + max(pixels, self.atom)
                if complete:
                    self.credits -= pixels
                    self.arrivals += [now + self.mac_latency + i for i in range(pixels)]
                if last:
                    self.release_at.append((idle_at, self.group_ends[group]))
                op = next(operations, None)
            now += 1
        return self.leaving - self.mac_latency

    def _start(self) -> None:
        surfaces = -(-self.in_c // self.atom)
        self.inputs = self.in_w * self.in_h * surfaces
        taps = self.k_w * self.k_h * self.in_c
        whole = -(-taps * self.k_n // self.weight_align_bytes) * self.weight_align_bytes
        self.weights = whole // self.atom
        n = -(-self.k_n // self.atom)
        self.group_ends = [-(-min(g * self.atom, self.k_n) * taps // self.atom) for g in range(1, n + 1)]
        self.group_ends[-1] = self.weights
        self.room = self.weight_banks * self.bank_entries
        self.have_inputs = self.have_weights = 0
        self.turn_of_weights, self.next_beat = False, self.beat_cycles
        self.stalled = False
        self.release_at: list[tuple[int, int]] = []
        self.credits = 2 * self.atom
        self.leave_next = 0

    def _beat(self, now: int) -> None:
        """One beat at a time, input and weights in turn; an idle port must wait for its memory."""
        for at, beats in [each for each in self.release_at if each[0] <= now]:
            self.release_at.remove((at, beats))
            self.room = self.weight_banks * self.bank_entries + beats
            if self.stalled:
                self.next_beat, self.stalled = now + self.read_latency + self.beat_cycles, False
        while self.next_beat <= now:
            inputs = self.have_inputs < self.inputs
            weights = self.have_weights < min(self.weights, self.room)
            if not inputs and not weights:
                self.stalled = self.have_weights < self.weights
                self.next_beat = now + 1
                return
            take_weights = weights and (self.turn_of_weights or not inputs)
            self.have_weights += take_weights
            self.have_inputs += not take_weights
            self.turn_of_weights = not take_weights
            self.next_beat += self.beat_cycles

    def _leave(self, now: int) -> None:
        """The sums of one pixel leave one after the other; its credit then returns."""
        if self.arrivals and self.leave_next == 0 and self.arrivals[0] <= now:
            self.leave_next = now + self.deliver_cycles
        if self.leave_next and now >= self.leave_next:
            self.arrivals.pop(0)
            self.credits += 1
            self.leaving, self.leave_next = now, 0
            self._leave(now)

    def _may_start(self, op: tuple[int, int, bool, bool]) -> bool:
        group, pixels, complete, _ = op
        loaded = self.have_inputs == self.inputs and self.have_weights >= self.group_ends[group]
        return loaded and (not complete or self.credits >= pixels)

    def _operations(self) -> Iterator[tuple[int, int, bool, bool]]:
        """(group, pixels of the stripe, whether its sums are complete then, whether the group is)."""
        for group in range(len(self.group_ends)):
            done = 0
            while done < self.out_pixels:
                left = self.out_pixels - done
                pixels = left if left <= 2 * self.atom else self.atom
                if left >= 4 * self.atom:
                    pixels = 2 * self.atom
                taps = self.k_w * self.k_h * -(-self.in_c // self.atom)
                for tap in range(taps):
                    complete = tap == taps - 1
                    yield group, pixels, complete, complete and left == pixels
                done += pixels
