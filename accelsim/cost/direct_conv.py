"""Cycles and bytes of one convolution on NVDLA's pipeline, in closed form.

    DRAM -> CDMA -> CBUF -> CSC -> CMAC -> CACC -> SDP -> DRAM

An atomic operation multiplies one pixel of 8 channels by the weights of 8 kernels in a cycle. A stripe is up
to 16 pixels under the same weights; a channel operation adds up the stripes of all taps and channels, so that
its sums are complete and leave; a group is all pixels for 8 kernels. Input and weights share the port to
DRAM. Computing starts when the whole input and the first group's weights lie in the CBUF; a group's weights
are released when it is done. Figures in brackets are those of nv_small.
Source: nvdla/hw, spec/defs/nv_small.spec and vmod/nvdla (csc/NV_NVDLA_CSC_sg.v,
cacc/NV_NVDLA_CACC_delivery_buffer.v), read there; nothing is fitted.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import ceil

from accelsim.base.errors import InfeasibleError
from accelsim.base.errors import Problem as Message


@dataclass(frozen=True)
class Pipeline:
    """One configuration of the pipeline, and the memory behind it."""

    atomic_c: int = 8  # channels of an atomic operation, bytes of a CBUF entry and of a pixel in memory
    atomic_k: int = 8  # kernels of a group
    banks: int = 32  # of the CBUF
    bank_entries: int = 512
    stripe: int = 16  # pixels, 2 atomic_k: depth of the accumulators
    least_stripe: int = 8  # pixels: loading the next 8 kernels' weights into their MACs takes 8 cycles
    weight_align_bytes: int = 128
    beat_cycles: int = 2
    """For each 8 bytes read: nv_small asks for one beat at a time (PRIMARY_MEMIF_MAX_BURST_LENGTH_1), and the
    memory of verif/verilator/nvdla.cpp accepts a request every other cycle."""
    deliver_cycles: int = 9
    """To hand 8 sums to the SDP one by one (SDP_BS_THROUGHPUT_1), and one to read the next 8."""
    read_latency_cycles: int = 32  # AXI_R_LATENCY of verif/verilator/nvdla.cpp
    mac_latency_cycles: int = 36
    """From a stripe's start to its first sum's delivery: CBUF 6, CSC 5 + 2, CMAC 9, to CACC 3, CACC 7 (by
    NV_NVDLA_CSC.h, _CMAC.h, _CACC.h), 4 for the registers of the sequencer."""
    fixed_cycles: int = 128
    """Launch 28, latency of the first read 32, drain 77 (with the table of RTL cycles), less the 9 that the
    one sum of the shortest trace takes to be delivered."""


NV_SMALL = Pipeline()


@dataclass(frozen=True)
class Convolution:
    """A convolution as the hardware sees it: the output's shape is in `out_pixels` alone."""

    in_w: int
    in_h: int
    in_c: int
    k_w: int
    k_h: int
    k_n: int
    out_pixels: int
    weight_banks: int | None = None  # None: all that the input leaves

    def surfaces(self, pipeline: Pipeline) -> int:
        return ceil(self.in_c / pipeline.atomic_c)


@dataclass(frozen=True)
class ConvolutionCost:
    cycles: int
    in_bytes: int
    weight_bytes: int
    out_bytes: int


def direct_convolution(conv: Convolution, pipeline: Pipeline = NV_SMALL) -> ConvolutionCost:
    """What one hardware layer takes from its launch to its interrupt.

    bytes:  input w h 8 ceil(c / 8); weights taps c k in whole 128 bytes; output pixels 8 ceil(k / 8)
    cycles: loads before the first group + groups, each max(compute, its own weights) + delivery + fixed

    Raises InfeasibleError where the input, or one group's weights, do not fit the CBUF.
    """
    atom = pipeline.atomic_c
    in_entries = conv.in_w * conv.in_h * conv.surfaces(pipeline)
    weights = conv.k_w * conv.k_h * conv.in_c * conv.k_n
    weight_bytes = pipeline.weight_align_bytes * ceil(weights / pipeline.weight_align_bytes)
    groups = ceil(conv.k_n / pipeline.atomic_k)
    return ConvolutionCost(
        cycles=_cycles(conv, pipeline, in_entries, weight_bytes // atom),
        in_bytes=in_entries * atom,
        weight_bytes=weight_bytes,
        out_bytes=conv.out_pixels * atom * groups,
    )


def stripes(pixels: int, pipeline: Pipeline = NV_SMALL) -> list[tuple[int, int]]:
    """Lengths of the stripes that cover the output and how many of each follow one another.

    Long ones while two more fit, then short ones until the rest is no longer than a long one.
    """
    long, short = pipeline.stripe, pipeline.least_stripe
    n_long = max(0, pixels // long - 1)
    left, runs = pixels - n_long * long, [(long, n_long)] if n_long else []
    while left > long:
        runs.append((short, 1))
        left -= short
    return [*runs, (left, 1)]


def weight_room(conv: Convolution, in_entries: int, pipeline: Pipeline) -> int:
    """Entries of the CBUF for weights; InfeasibleError where the input leaves no bank."""
    in_banks = ceil(in_entries / pipeline.bank_entries)
    banks = conv.weight_banks if conv.weight_banks is not None else pipeline.banks - in_banks
    if banks < 1 or in_banks + banks > pipeline.banks:
        size = pipeline.bank_entries * pipeline.atomic_c
        raise InfeasibleError(
            Message(
                f"the input takes {in_banks} banks of {size:,} B, of {pipeline.banks}, the weights {banks}",
                hint="cut the layer into strips of rows, each a convolution of its own",
            )
        )
    return banks * pipeline.bank_entries


def group_ends(conv: Convolution, weight_beats: int, pipeline: Pipeline) -> list[int]:
    """Beats of weights up to the end of each group; the padding belongs to the last."""
    one = conv.k_w * conv.k_h * conv.in_c
    n = ceil(conv.k_n / pipeline.atomic_k)
    return [ceil(g * pipeline.atomic_k * one / pipeline.atomic_c) for g in range(1, n)] + [weight_beats]


def _cycles(conv: Convolution, pipeline: Pipeline, in_beats: int, weight_beats: int) -> int:
    room = weight_room(conv, in_beats, pipeline)
    loads = _Loads(in_beats, weight_beats, room, pipeline)
    taps = conv.k_w * conv.k_h * conv.surfaces(pipeline)
    array = _Array(taps, stripes(conv.out_pixels, pipeline), pipeline)
    now = loads.input_done
    for end in group_ends(conv, weight_beats, pipeline):
        now = array.group(max(now, loads.weights_done(end)))
        loads.release(end, now)
    return array.delivered[-1] - pipeline.mac_latency_cycles + pipeline.fixed_cycles


class _Loads:
    """When beats of input and weights have come; they take turns while both want some, input first."""

    def __init__(self, in_beats: int, weight_beats: int, room: int, pipeline: Pipeline) -> None:
        self.in_beats, self.weight_beats, self.room, self.pipeline = in_beats, weight_beats, room, pipeline
        self.limit = min(weight_beats, room)  # beats of weights that have had room so far
        self.stretches: list[tuple[int, int]] = []  # of weights alone: beats before it, and its start
        self.input_done = pipeline.beat_cycles * (in_beats + min(in_beats - 1, self.limit))

    def weights_done(self, beats: int) -> int:
        """When so many beats of weights are there; InfeasibleError where they never find room together."""
        if beats > self.limit:
            have, atom = self.room * self.pipeline.atomic_c, self.pipeline.atomic_c
            need = (beats - self.limit) * atom + have
            raise InfeasibleError(
                Message(
                    f"the weights of {self.pipeline.atomic_k} kernels need {need:,} B of {have:,} B",
                    hint="more weight_banks, or fewer channels at once",
                )
            )
        for before, start in reversed(self.stretches):
            if beats > before:
                return start + self.pipeline.beat_cycles * (beats - before)
        return self.pipeline.beat_cycles * (beats + min(beats, self.in_beats))

    def release(self, beats: int, now: int) -> None:
        """A group is done at `now`: as many beats as its weights had may come."""
        done, limit = self.weights_done(self.limit), min(self.weight_beats, self.room + beats)
        if limit > self.limit:
            stalled = done + self.pipeline.beat_cycles < now  # nothing was asked for
            self.stretches.append((self.limit, now + self.pipeline.read_latency_cycles if stalled else done))
            self.limit = limit


class _Array:
    """Stripe after stripe; the last one of a channel operation waits until the accumulators have room."""

    def __init__(self, taps: int, runs: list[tuple[int, int]], pipeline: Pipeline) -> None:
        self.taps, self.runs, self.pipeline = taps, runs, pipeline
        self.delivered: deque[int] = deque([0] * pipeline.stripe, maxlen=pipeline.stripe)
        """When each of the last 16 pixels' sums had left."""

    def group(self, now: int) -> int:
        """When the last stripe of a group that starts at `now` has been taken up."""
        for pixels, n in self.runs:
            last = self._last_stripe(now, pixels)
            if n > 1:  # all alike: each waits for its turn in the array, or for all sums of the one before
                busy = self.taps * max(pixels, self.pipeline.least_stripe)
                out = self.pipeline.mac_latency_cycles + self.pipeline.deliver_cycles * pixels
                last += (n - 1) * max(busy, out)
            self._deliver(last, pixels)
            now = last + max(pixels, self.pipeline.least_stripe)
        return now

    def _last_stripe(self, now: int, pixels: int) -> int:
        """When the last stripe of a channel operation can start: in turn, with room for its sums."""
        in_turn = now + (self.taps - 1) * max(pixels, self.pipeline.least_stripe)
        return max(in_turn, self.delivered[pixels - 1])

    def _deliver(self, last: int, pixels: int) -> None:
        first = last + self.pipeline.mac_latency_cycles
        for pixel in range(pixels):
            free = max(first + pixel, self.delivered[-1])
            self.delivered.append(free + self.pipeline.deliver_cycles)
