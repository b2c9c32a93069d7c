"""One layer on one machine as the general search sees it: sizes, words of every tile, room at every level."""

from __future__ import annotations

from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray

from accelsim.mapper.general.boundary import Units
from accelsim.mapper.general.lattice import EVERY, Lattice, any_sizes, divisors, few_nodes
from accelsim.mapper.general.windows import AxisTables, axis_tables
from accelsim.mapping.footprint import partial_bytes, tile_words, word_bytes
from accelsim.mapping.legality import limited_levels
from accelsim.mapping.touched import Axis
from accelsim.tables.dims import (
    DIMS,
    N_OPERANDS,
    OUTPUT_DIMS,
    REDUCTION_DIMS,
    WINDOWS,
    I,
    O,
    W,
    relevant_dims,
)
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Nest, Problem

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Space:
    """Everything that does not depend on what the levels keep."""

    def __init__(self, problem: Problem, machine: Machine, homes: tuple[int, int, int], ragged: bool) -> None:
        self.problem, self.machine, self.homes, self.ragged = problem, machine, homes, ragged
        x = problem.extents
        active = [d for d in range(len(DIMS)) if x[d] > 1]
        self.sizes = few_nodes([any_sizes(n) if ragged else divisors(n) for n in x])
        self.lattice = Lattice(active, [self.sizes[d] for d in active])
        relevant = tuple(
            OUTPUT_DIMS if t == O else relevant_dims(t, problem.weight_has_batch) for t in range(N_OPERANDS)
        )
        self.relevant = relevant
        self.units = Units(machine)
        self.input_words: dict[tuple[bool, bool, bool], object] = {}
        """`inputs.InputWords` by the way of counting the edge."""
        self.classes = tuple(tuple(d for d in active if d not in relevant[t]) for t in range(N_OPERANDS))
        """The dimensions that leave an operand's tile where it is."""

    @property
    def title(self) -> str:
        """What is searched, in words."""
        text = "ragged tiles" if self.ragged else "tiles that divide the layer"
        thin = [
            f"{len(s.values)} sizes of {DIMS[d]}"
            for d, s in enumerate(self.sizes)
            if not s.shape and (not self.ragged or s.extent > EVERY)
        ]
        return f"all mappings of {text}" + (f" ({', '.join(thin)})" if thin else "")

    # --- words

    @cached_property
    def words_outside(self) -> tuple[Floats, Floats, Floats]:  # T x [M]
        """Words of an operand that pass a boundary whose tile stays for all of its own class inside a node:
        its volume times the steps of its class outside; for I without the factors of windows that slide."""
        lattice, x = self.lattice, self.problem.extents
        out = []
        for t in range(N_OPERANDS):
            own = 1.0
            for d in self.relevant[t]:
                if t != I or self.plain or not any(d in pair for pair in WINDOWS):
                    own *= x[d]
            tiles = {d: x[d] / self.sizes[d].values for d in self.classes[t]}
            out.append(own * lattice.spread(tiles) * (self._whole_chunks(t) if self.ragged else 1.0))
        return out[0], out[1], out[2]

    def _whole_chunks(self, t: int) -> float:
        """The least part of an operand's words where loops of its own dimensions step more than once.

        The last chunk of a ragged loop may be a single tile, which then stays through the loops outside. That
        takes three tiles or more, so that the last of them holds less than a third of the words.
        """
        part = 0.0
        for d in self.relevant[t]:
            s = self.sizes[d]
            last = s.extent - (s.tiles - 1) * s.values
            part = max(part, float((last / s.extent)[s.tiles > 2].max(initial=0.0)))
        return 1 - part

    def axis(self, number: int, padded: bool, box: bool, real: bool) -> AxisTables:
        stride, dilation, pad, size = self.problem.windows[number]
        p, r = WINDOWS[number]
        axis = Axis(stride, dilation, pad, size, padded, box, real)
        return axis_tables((self.sizes[p], self.sizes[r]), axis, not self.ragged)

    def mac_words(self, padded: bool) -> float:
        """Multiply-accumulates whose input exists."""
        x = self.problem.extents
        words = 1.0
        for d in range(len(DIMS)):
            if not any(d in pair for pair in WINDOWS):
                words *= x[d]
        for number in range(len(WINDOWS)):
            words *= float(self.axis(number, padded, False, False).all_tiles[0, 0, 0])
        return words

    # --- room

    @cached_property
    def limited(self) -> list[int]:
        return limited_levels(self.machine)

    @cached_property
    def _node_nest(self) -> Nest:
        """Every node as a mapping of one level, to ask `mapping.footprint` for its words."""
        nodes = np.arange(self.lattice.n_nodes)
        trips = [self.lattice.size(nodes, d) for d in self.lattice.dims]
        n = len(trips)
        keep = np.ones((1, N_OPERANDS), np.bool_)
        shape = np.array(trips).reshape(n, len(nodes))
        return Nest(self.lattice.dims, (0,) * n, ("",) * n, shape, keep)

    def tile_words(self, t: int, level: int) -> Ints:  # [M]
        machine = self.machine
        padded, box = bool(machine.padding_stored[level]), bool(machine.fetch_box[level])
        return tile_words(self.problem, self._node_nest, t, level, padded, box)

    @cached_property
    def room(self) -> dict[int, tuple[Floats, ...]]:
        """Bytes of I, W, finished and unfinished O at every limited level, [M] each."""
        machine = self.machine
        out: dict[int, tuple[Floats, ...]] = {}
        for level in self.limited:
            copies = 2 if machine.double_buffered[level] else 1
            words = [self.tile_words(t, level) * copies for t in range(N_OPERANDS)]
            wide = partial_bytes(machine, level)
            widths = [(t, word_bytes(machine, level, t)) for t in (I, W, O)] + [(O, wide)]
            out[level] = tuple(np.asarray(words[t] * width, np.float64) for t, width in widths)
        return out

    @cached_property
    def summed(self) -> Bools:  # [M]
        """Nodes that hold whole reductions."""
        lattice = self.lattice
        done = {
            d: (self.sizes[d].values >= self.problem.extents[d]).astype(np.float64)
            for d in lattice.dims
            if d in REDUCTION_DIMS
        }
        return lattice.spread(done) > 0

    # --- space

    @cached_property
    def elements(self) -> Floats:  # [M]
        """Processing elements that a node takes as loops on the array."""
        lattice = self.lattice
        return lattice.spread({d: self.sizes[d].values.astype(np.float64) for d in lattice.dims})

    @cached_property
    def steps(self) -> Floats:  # [M]
        """Least steps in time with a node as loops on the array: what is left over in each dimension."""
        x = self.problem.extents
        return self.lattice.spread({d: np.ceil(x[d] / self.sizes[d].values) for d in self.lattice.dims})

    @cached_property
    def sharing(self) -> Floats:  # [T, M]
        """Instances of a node, as loops on the array, that share each operand."""
        sizes = {d: self.sizes[d].values.astype(np.float64) for d in self.lattice.dims}
        spread = self.lattice.spread
        return np.array([spread({d: sizes[d] for d in self.classes[t]}) for t in range(N_OPERANDS)])

    @cached_property
    def spreads(self) -> Ints:
        """Nodes that fit the array as loops on it, largest first."""
        machine = self.machine
        nodes = np.flatnonzero(self.elements <= machine.rows * machine.cols)
        size = self.elements[nodes].astype(np.int64)
        fits = np.array([_splits(int(n), machine.rows, machine.cols) for n in range(int(size.max()) + 1)])
        nodes = nodes[fits[size]]
        order: Ints = nodes[np.argsort(-self.elements[nodes], kind="stable")]
        return order

    @cached_property
    def plain(self) -> bool:
        """Whether tiles of inputs never share a word: they are counted as those of weights and sums are.

        No window is larger than one step, all that it touches exists, and no level fetches boxes.
        """
        x = self.problem.extents
        inside = all(
            pad == 0 and (x[p] - 1) * stride + (x[r] - 1) * dilation < size
            for (p, r), (stride, dilation, pad, size) in zip(WINDOWS, self.problem.windows, strict=True)
        )
        return inside and not self.sliding and not self.machine.fetch_box.any()

    @cached_property
    def sliding(self) -> tuple[int, ...]:
        """Dimensions along which windows overlap: their loops share input words with each other."""
        active = self.lattice.axis_of
        return tuple(d for pair in WINDOWS if all(d in active for d in pair) for d in pair)

    # --- what is kept

    def keeps(self) -> list[Bools]:
        """Every choice of levels for the operands: any of those that hold it up to its home."""
        machine = self.machine
        choices = []
        for t in range(N_OPERANDS):
            inner = [level for level in range(self.homes[t]) if machine.holds[level, t]]
            subsets = []
            for chosen in product((True, False), repeat=len(inner)):
                column = np.zeros(machine.n_levels, np.bool_)
                column[[level for level, yes in zip(inner, chosen, strict=True) if yes]] = True
                column[self.homes[t]] = True
                subsets.append(column)
            choices.append(subsets)
        return [np.stack(columns, axis=1) for columns in product(*choices)]

    def macs(self, keep: Bools) -> tuple[float, float, float]:
        innermost = int(np.flatnonzero(keep[:, I])[0])
        n = float(self.problem.n_macs)
        return self.mac_words(bool(self.machine.padding_stored[innermost])), n, n


def _splits(n: int, rows: int, cols: int) -> bool:
    """Whether n elements can be laid out as r x c, with r a divisor of n."""
    return n > 0 and any(n % r == 0 and n // r <= cols for r in range(1, min(n, rows) + 1))
