"""Energy, latency and legality of every mapping of a grid, exactly, some tens of nanoseconds each.

`evaluate` says what a mapping costs; here the counts of a whole grid are put together from factors that are
counted once a choice (`grid_traffic`), block by block in bounded memory. The twin with numba does the same
arithmetic in one loop (`grid_numba`).
"""

from __future__ import annotations

import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from accelsim.base.errors import InputError
from accelsim.base.errors import Problem as Message
from accelsim.cost.evaluate import Cost, assemble, evaluate
from accelsim.cost.grid_quantities import NONE, Rules, limits_of, quantities_of, room_of
from accelsim.cost.grid_sums import Sum
from accelsim.cost.grid_tables import EXACT, Tables
from accelsim.cost.grid_traffic import GridCounter
from accelsim.cost.systolic import fold_cycles
from accelsim.cost.traffic import Traffic
from accelsim.mapping.dataflows import DATAFLOWS
from accelsim.mapping.legality import legal
from accelsim.tables.grid import Grid
from accelsim.tables.layer_cost import whole_cycles
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Nest, Problem

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

KERNELS: Final = ("numpy", "numba")
BLOCK_POINTS = 2**15
"""Mappings that are put together at once: their arrays stay in a processor's cache."""
FEW_POINTS = 2**12
"""Mappings that are evaluated at once where counts are too large to be exact in float64."""


class Quantities(Protocol):
    """The quantities of some mappings by their number, [n_a, n_inner] or what broadcasts to it."""

    def __getitem__(self, q: int) -> Floats: ...


Ends = Callable[[Rules, Floats, Quantities], tuple[Floats, Floats]]
"""Fill and drain, and what of it are waits, from the compute cycles."""
Kernel = Callable[[Tables, Floats], tuple[Floats, Floats, Bools]]


@dataclass(frozen=True, eq=False)
class GridBlock:
    """What B mappings of a grid cost; they stand in the grid from `first` on."""

    grid: Grid
    order: tuple[int, ...]  # [A] axes of the grid, from the slowest to the fastest
    first: int
    energy_pj: Floats  # [B]
    latency: Floats  # [B] cycles, whole numbers
    legal: Bools  # [B]
    places: Ints | None = None  # [B] where the mappings stand after `first`; None: one after the other

    @property
    def latency_cycles(self) -> Ints:  # [B]
        return self.latency.astype(np.int64)

    def nest(self, points: Ints) -> Nest:
        """Some mappings of the block."""
        return self.grid.nest_at(self.index(points)) if self.grid.sizes else self.grid.template

    def index(self, points: Ints) -> list[Ints]:  # [A] of [B]
        """Where mappings of the block stand on the axes of its grid."""
        return index_of(self.grid, self.order, self.place(points))

    def place(self, points: Ints) -> Ints:
        """Where mappings of the block stand in its grid."""
        return self.first + (points if self.places is None else self.places[points])

    def objective(self, name: str) -> Floats:  # [B]
        """latency in cycles, energy in pJ or their product; infinite where a mapping is not legal."""
        values: Floats = self.energy_pj if name == "energy" else self.latency
        if name == "edp":
            values = self.energy_pj * self.latency
        return np.where(self.legal, values, np.inf)


def grid_costs(
    problem: Problem,
    grid: Grid,
    machine: Machine,
    dataflow: str,
    kernel: str = "numpy",
    legal_only: bool = False,
) -> Iterator[GridBlock]:
    """Cost of every mapping of a grid, equal to `evaluate`; `dataflow` is the one that all of them follow.

    Blocks of BLOCK_POINTS or so, whatever the size of the grid. With `legal_only` most of those that are not
    legal are left out. InputError where the kernel is unknown or its library is absent.
    """
    run = kernel_of(kernel)
    for part in grid.parts():
        yield from GridCost(problem, part, machine, dataflow).blocks(run, legal_only)


def index_of(grid: Grid, order: tuple[int, ...], place: Ints) -> list[Ints]:  # [A] of [B]
    """Where mappings stand on the axes of a grid, by their place in an order of the axes."""
    sizes = [grid.sizes[axis] for axis in order]
    index = dict(zip(order, np.unravel_index(place, sizes), strict=True)) if sizes else {}
    return [np.asarray(index[axis], np.int64) for axis in range(len(sizes))]


def any_legal(problem: Problem, grid: Grid, machine: Machine, dataflow: str) -> bool:
    """Whether a mapping of a grid is legal: no costs are counted."""
    for part in grid.parts():
        few = part.without_single_trips()
        quantities, limit = limits_of(problem, few, machine, dataflow) if few.sizes else ([], np.zeros(0))
        if few.sizes and all(quantity.bound < EXACT for quantity in quantities):
            if not quantities:
                return True
            tables = Tables(few, quantities)
            for _, left in tables.lefts(max(1, BLOCK_POINTS // tables.n_inner)):
                if _fits(limit, _Quantities(tables, left), (left.shape[1], tables.n_inner)).any():
                    return True
            continue
        for first in range(0, few.n_points, FEW_POINTS):
            nest = few.nest(np.arange(first, min(first + FEW_POINTS, few.n_points)))
            if legal(problem, nest, machine, DATAFLOWS[dataflow]).any():
                return True
    return False


def least_bytes(problem: Problem, grid: Grid, machine: Machine, dataflow: str, level: int) -> float:
    """The fewest bytes of a level among a grid's mappings that keep all other limits; infinite without any.

    `legality.legal` on a machine whose level has no limit, and `footprint.level_bytes`.
    """
    least = np.inf
    for part in grid.parts():
        few = part.without_single_trips()
        few = few if few.sizes else part
        quantities, limit = room_of(problem, few, machine, dataflow, level)
        tables, room = Tables(few, quantities), len(quantities) - 1
        for _, left in tables.lefts(max(1, BLOCK_POINTS // tables.n_inner)):
            block = _Quantities(tables, left)
            fits = _fits(limit, block, (left.shape[1], tables.n_inner))
            least = min(least, float(np.where(fits, block[room], np.inf).min()) / 8)
    return least


class GridCost:
    """The quantities of one grid, and what its mappings cost: all, some, or the least of each family."""

    def __init__(self, problem: Problem, grid: Grid, machine: Machine, dataflow: str) -> None:
        self.problem, self.machine, self.dataflow = problem, machine, dataflow
        self.grid = grid.without_single_trips()
        self.quantities: list[Sum] = []
        self.before = 0
        """The number of the grid's first mapping."""
        self.sizes = self.grid.sizes  # [A] of the grid in which mappings have their numbers
        self.first: dict[int, Ints] = {}  # by axis: choices there that the choices here stand for
        self.exact = False
        if self.grid.sizes:
            self.quantities, self.rules, self.counter = quantities_of(problem, self.grid, machine, dataflow)
            self.exact = all(quantity.bound < EXACT for quantity in self.quantities)

    def blocks(self, run: Kernel, legal_only: bool = False) -> Iterator[GridBlock]:
        """Every mapping of the grid."""
        if not self.exact:
            yield from self._slow_blocks()
            return
        tables = self._tables()
        for first, left in tables.lefts(max(1, BLOCK_POINTS // tables.n_inner)):
            if legal_only:
                yield from self._legal_block(tables, run, left, first + np.arange(left.shape[1]))
            else:
                yield GridBlock(self.grid, tables.order, first * tables.n_inner, *run(tables, left))

    def number(self, index: Sequence[Ints]) -> Ints:  # [B]
        """Where mappings stand, by their place on each axis; of families, where their first does."""
        place = [self.first[axis][i] if axis in self.first else i for axis, i in enumerate(index)]
        if not place:
            return np.full(1, self.before)
        return self.before + np.asarray(np.ravel_multi_index(place, self.sizes), np.int64)

    def _legal_block(self, tables: Tables, run: Kernel, left: Floats, outer: Ints) -> Iterator[GridBlock]:
        """The mappings of some outer choices, those left out that share an inner one with none that fits."""
        without = replace(self.rules, limit=np.full_like(self.rules.limit, np.inf))  # known before
        fits = _fits(self.rules.limit, _Quantities(tables, left), (left.shape[1], tables.n_inner))
        rows, cols = np.flatnonzero(fits.any(1)), np.flatnonzero(fits.any(0))
        if len(rows):
            energy, cycles, _ = run(tables.inside(cols).ruled(without), left[:, rows])
            places = (outer[rows, None] * tables.n_inner + cols).ravel()
            fits = fits[np.ix_(rows, cols)].ravel()
            yield GridBlock(self.grid, tables.order, 0, energy, cycles, fits, places)

    def at(self, index: Sequence[Ints]) -> tuple[Floats, Floats, Bools]:  # [B] each
        """Energy, latency and legality of mappings by their place on each axis [A] of [B]."""
        if self.exact:
            known: dict[tuple[int, int], Ints] = {}
            values = [quantity.at(index, known)[None].astype(np.float64) for quantity in self.quantities]
            return costs(self.rules, values, (1, len(index[0])))
        nest = self.grid.nest_at(index) if self.grid.sizes else self.grid.template
        cost = evaluate(self.problem, nest, self.machine, self.dataflow)
        fits = legal(self.problem, nest, self.machine, DATAFLOWS[self.dataflow])
        return cost.energy_pj, cost.latency_cycles.astype(np.float64), fits

    def cost(self, index: Sequence[Ints]) -> tuple[Nest, Cost]:
        """Some mappings by their place on each axis, with all that `evaluate` says of them."""
        if not self.exact:
            nest = self.grid.nest_at(index) if self.grid.sizes else self.grid.template
            return nest, evaluate(self.problem, nest, self.machine, self.dataflow)
        nest, traffic = self.counter.moved_by(index)
        return nest, assemble(self.problem, nest, self.machine, traffic, self.dataflow)

    def families(self, d: int, first: Ints) -> GridCost:
        """Of choices first[i] to first[i + 1] - 1 of a dimension: cost of the last, room of the first.

        For exact counts only.
        """
        some = copy(self)
        limited = tuple(np.isfinite(self.rules.limit).tolist())
        name = ("families", d, first.tobytes(), limited)
        some.grid, some.quantities = self.counter.once_of(
            name, self.quantities, lambda: self._ends(d, first, limited)
        )
        some.first = {self._axis(d): first[:-1]}
        return some

    def _axis(self, d: int) -> int:
        return next(i for i, dims in enumerate(self.grid.axes) if dims == (d,))

    def _ends(self, d: int, first: Ints, limited: Sequence[bool]) -> tuple[Grid, list[Sum]]:
        """The grid of families, and each quantity of the family's last member, or of its first if limited."""
        axis = self._axis(d)
        grid = replace(self.grid, choices={**self.grid.choices, d: self.grid.choices[d][:, first[1:] - 1]})
        factors = self.quantities[0].factors.like(axis, len(first) - 1)
        ends = first[1:] - 1, first[:-1]
        return grid, [
            quantity.taken(factors, axis, ends[limit])
            for quantity, limit in zip(self.quantities, limited, strict=True)
        ]

    def _tables(self) -> Tables:
        """The quantities as tables, made once for all machines that have them."""
        tables: Tables = self.once(("tables",), lambda: Tables(self.grid, self.quantities, self.rules))
        return tables.ruled(self.rules)

    def once(self, name: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        """What is made of the quantities, once for all machines that have them."""
        return self.counter.once_of(name, self.quantities, make)

    def _slow_blocks(self) -> Iterator[GridBlock]:
        """Counts too large for exact float64: `evaluate` has them."""
        order = tuple(range(len(self.grid.sizes)))
        for first in range(0, self.grid.n_points, FEW_POINTS):
            places = np.arange(first, min(first + FEW_POINTS, self.grid.n_points))
            yield GridBlock(self.grid, order, first, *self.at(self.grid.index(places)))


def grid_traffic(problem: Problem, grid: Grid, machine: Machine, points: Ints) -> Traffic:
    """The words that some mappings of a grid move, equal to `count_traffic`."""
    grid = grid.without_single_trips()
    return GridCounter(problem, grid, machine).traffic.at(grid.index(points))


def kernel_of(name: str) -> Kernel:
    """The stage that puts a block together; InputError where it is unknown or its library absent."""
    if name not in KERNELS:
        raise InputError(Message(f"no kernel {name!r}", expected=" or ".join(KERNELS)))
    if name == "numpy":
        return combine
    if importlib.util.find_spec("numba") is None:
        raise InputError(
            Message(
                "the numba kernel needs numba, which is not installed",
                expected="numba >= 0.60",
                hint="pip install 'accelsim[fast]', or take the numpy kernel",
            )
        )
    from accelsim.cost.grid_numba import combine as compiled

    return compiled


def combine(tables: Tables, left: Floats) -> tuple[Floats, Floats, Bools]:  # [n_a n_inner] each
    """Energy, latency and legality of the mappings of some outer choices (`evaluate.assemble`)."""
    return costs(tables.rules, _Quantities(tables, left), (left.shape[1], tables.n_inner))


def costs(
    rules: Rules, quantities: Quantities, shape: tuple[int, int], ends_of: Ends | None = None
) -> tuple[Floats, Floats, Bools]:
    """Energy, latency and legality of mappings by their quantities; `ends_of` if not `fold_ends`."""
    latency = _latency(rules, quantities, ends_of or fold_ends)
    energy = np.full(shape, rules.mac_pj)
    for q in np.flatnonzero(rules.pj).tolist():
        energy += quantities[q] * rules.pj[q]
    if rules.idle_pj_per_cycle:
        energy += latency * rules.idle_pj_per_cycle
    fits = _fits(rules.limit, quantities, shape)
    return energy.ravel(), np.broadcast_to(latency, shape).ravel(), fits.ravel()


def _fits(limit: Floats, quantities: Quantities, shape: tuple[int, int]) -> Bools:  # [n_a, n_inner]
    """Whether all limits are kept."""
    fits = np.ones(shape, np.bool_)
    for q in np.flatnonzero(np.isfinite(limit)).tolist():
        fits &= quantities[q] <= limit[q]
    return fits


def _latency(
    rules: Rules, quantities: Quantities, ends_of: Ends
) -> Floats:  # [n_a, n_inner] or what broadcasts to it
    """`evaluate.array_cycles`, `latency.port_cycles` and `busy_cycles`, in whole float64 numbers."""
    compute = quantities[rules.steps]
    if rules.per_pe > 1:
        compute = np.ceil(compute / rules.per_pe)
    ends, waits = ends_of(rules, compute, quantities)
    pace, apart = compute + waits, np.zeros((1, 1))
    levels = zip(rules.read.tolist(), rules.write.tolist(), rules.instances.tolist(), strict=True)
    for i, (n_read, n_written, instances) in enumerate(levels):
        read, write = quantities[n_read], quantities[n_written]
        if instances != NONE:
            read, write = read / quantities[instances], write / quantities[instances]
        read = read / (8 * rules.read_bytes_per_cycle[i])  # a power of 2 changes no rounding
        write = write / (8 * rules.write_bytes_per_cycle[i])
        cycles = whole_cycles(read + write if rules.shared_port[i] else np.maximum(read, write))
        if rules.rests[i]:
            pace = pace + cycles
        elif rules.overlap[i]:
            pace = np.maximum(pace, cycles)
        else:
            apart = apart + cycles
    latency: Floats = pace + apart + ends - waits
    return latency


def fold_ends(rules: Rules, compute: Floats, quantities: Quantities) -> tuple[Floats, Floats]:
    """Fill and drain of a systolic array, and what of it are waits beside which memory goes on."""
    zero = np.zeros((1, 1))
    if rules.folds == NONE:
        return zero, zero
    folds = quantities[rules.folds]
    streamed = np.ceil(compute / folds)  # whole numbers below 2^53: the quotient rounds to no other ceiling
    _, ends = fold_cycles(folds, streamed, rules.rows, rules.cols, rules.dataflow, rules.fold)
    if rules.fold != "overlapped" or rules.dataflow == "os":
        return ends.astype(np.float64), zero
    return ends.astype(np.float64), (folds - 1) * np.maximum(rules.rows - streamed, 0)


class Remembered(ABC):
    """Quantities, each put together when it is first asked for."""

    def __init__(self) -> None:
        self._known: dict[int, Floats] = {}

    def __getitem__(self, q: int) -> Floats:
        if q not in self._known:
            self._known[q] = self.put_together(q)
        return self._known[q]

    @abstractmethod
    def put_together(self, q: int) -> Floats: ...


class _Quantities(Remembered):
    """The quantities of a block, put together when asked for: [n_a, n_inner] or what broadcasts to it."""

    def __init__(self, tables: Tables, left: Floats) -> None:
        super().__init__()
        self.tables, self.left = tables, left

    def put_together(self, q: int) -> Floats:
        rows = slice(int(self.tables.start[q]), int(self.tables.start[q + 1]))
        if rows.stop - rows.start == 0:
            return np.zeros((1, 1))
        if self.tables.same_inside[q]:
            return self.left[rows].T
        product: Floats = self.left[rows].T @ self.tables.right[rows]
        return product
