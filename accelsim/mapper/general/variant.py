"""One choice of what every level keeps: costs of its boundaries, and the least that any partial mapping adds.

A mapping is placed from the innermost level outwards. An operand's boundary is *open* while no loop above the
child has moved its tile; the first loop that does closes it, and its words are known: they are counted once
for every step outside. At each level the loops of one class (those that leave one operand where it is) run
innermost, so that this operand stays open through them while the first of them closes all others. A level
whose loops are all of that class leaves it open for the next level.

`tail(level, open)` is the least cost from a node on, over all choices of nodes and classes further out: a
shortest path, since what closes at a node depends on that node alone. It lets every resource choose for
itself and inputs slide as far as they could, so it is a bound from below.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from accelsim.mapper.general.boundary import Boundary, Forms
from accelsim.mapper.general.inputs import InputWords, inputs_of
from accelsim.mapper.general.space import Space
from accelsim.tables.dims import N_OPERANDS, WINDOWS, I, O, W

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Open = tuple[int, ...]

WINDOW_DIMS = tuple(d for pair in WINDOWS for d in pair)


class Variant:
    """Boundaries, forms and bounds of one `keep`."""

    def __init__(self, space: Space, keep: Bools) -> None:
        self.space, self.keep = space, keep
        self.forms = Forms(
            space.units, keep, space.macs(keep), float(space.problem.n_output_words), space.ragged
        )
        self.boundaries: list[Boundary] = self.forms.boundaries
        self.n_levels = space.machine.n_levels
        self._after: dict[tuple[int, Open], Floats] = {}
        self._tails: dict[tuple[int, Open], Floats] = {}
        self._stays: dict[tuple[int, int, Open], tuple[Floats, Floats, Floats, Floats]] = {}
        self._closed: dict[tuple[Open, object], Floats] = {}
        nodes = np.arange(space.lattice.n_nodes)
        self.nodes = nodes
        self.window_dims = tuple(d for d in WINDOW_DIMS if d in space.lattice.axis_of)

    @cached_property
    def systolic_flow(self) -> str | None:
        """The dataflow whose fold rule counts, told by what stays inside a systolic array (`followed`).

        How often the array takes a new tile then depends on the whole order of the loops.
        """
        machine = self.space.machine
        inside = [int(t) for t in np.flatnonzero(self.keep[: machine.fanout_level].any(0))]
        if machine.fold == "broadcast" or len(inside) != 1:
            return None
        return {W: "ws", O: "os", I: "is"}[inside[0]]

    def opened(self, level: int) -> Open:
        """Boundaries whose child is the level."""
        return tuple(b for b, bound in enumerate(self.boundaries) if bound.child == level)

    def of(self, opens: Sequence[int], operand: int) -> Open:
        return tuple(b for b in opens if self.boundaries[b].operand == operand)

    def others(self, opens: Sequence[int], operand: int) -> Open:
        return tuple(b for b in opens if self.boundaries[b].operand != operand)

    def is_union(self, b: int) -> bool:
        """Whether a diagonal link sends the inputs of a boundary: once for all that need them."""
        bound, machine = self.boundaries[b], self.space.machine
        crossing = bound.child < machine.fanout_level <= bound.parent
        return bool(machine.diagonal) and bound.operand == I and crossing and not self.space.plain

    # --- room

    def fits(self, level: int, node: Ints, unfinished: Bools) -> Bools:
        """Whether tiles fit a level; unfinished: reductions run outside the level's child of O."""
        space = self.space
        if level not in space.room:
            return np.ones(len(node), np.bool_)
        i, w, o, wide = space.room[level]
        total = np.zeros(len(node))
        for t, size in ((0, i), (1, w)):
            if self.keep[level, t] and space.homes[t] != level:
                total += size[node]
        if self.keep[level, O] and space.homes[O] != level:
            first = not self.keep[:level, O].any()
            total += np.where(unfinished | first, wide[node], o[node])
        return np.asarray(total <= space.machine.capacity_bytes[level])

    @cached_property
    def room(self) -> list[Floats]:  # L x [M]: 0 where the node may fit the level, else inf
        return [
            np.where(self.fits(level, self.nodes, ~self.space.summed), 0.0, np.inf)
            for level in range(self.n_levels)
        ]

    # --- words

    @cached_property
    def taken(self) -> list[InputWords | None]:
        """How the child counts the inputs that it takes at a boundary."""
        return [self._inputs(b, False) for b in range(len(self.boundaries))]

    @cached_property
    def sent(self) -> list[InputWords | None]:
        return [self._inputs(b, True) for b in range(len(self.boundaries))]

    def _inputs(self, b: int, sent: bool) -> InputWords | None:
        bound, machine = self.boundaries[b], self.space.machine
        if bound.operand != I or self.space.plain:
            return None
        padded, box = bool(machine.padding_stored[bound.child]), bool(machine.fetch_box[bound.child])
        if sent and padded and not machine.padding_stored[bound.parent]:
            return inputs_of(self.space, box, box, box)
        return inputs_of(self.space, padded, box, False)

    def node_words(self, b: int, moving: int | None, whole: bool) -> tuple[Floats, Floats]:  # [M] each
        """Least words sent and taken where a boundary closes at each node, whatever its tile was.

        `moving` is the operand that stays meanwhile: its class moves the inputs (None: any loop does).
        """
        sent, taken = self.sent[b], self.taken[b]
        if sent is None or taken is None:
            outside = self.space.words_outside[self.boundaries[b].operand]
            return outside, outside
        return sent.least_at_nodes(moving, whole), taken.least_at_nodes(moving, whole)

    def least_words(self, b: int) -> tuple[float, float]:
        """The fewest words that can be sent and taken at a boundary: each once."""
        sent, taken = self.node_words(b, None, False)
        end = int(np.flatnonzero(self.space.lattice.covers)[-1])
        return float(sent[end]), float(taken[end])

    def _close(self, opens: Open, moving: int | None, whole: bool) -> Floats:  # [r, M]
        """Least cost of closing boundaries at each node, one instance taking part."""
        key = (opens, (moving, whole))
        if key not in self._closed:
            self._closed[key] = self._costs_of([(b, self.node_words(b, moving, whole)) for b in opens])
        return self._closed[key]

    def _close_at_end(self, opens: Open) -> Floats:  # [r, M]
        """Least cost where the class of these boundaries' operand runs to the end from each node."""
        words = []
        for b in opens:
            sent, taken = self.sent[b], self.taken[b]
            if sent is None or taken is None:
                outside = self.space.words_outside[self.boundaries[b].operand][self.space.lattice.cover]
                words.append((b, (outside, outside)))
            else:
                words.append((b, (sent.least_to_end, taken.least_to_end)))
        return self._costs_of(words)

    def _costs_of(self, words: list[tuple[int, tuple[Floats, Floats]]]) -> Floats:  # [r, M]
        """Cost of words sent and taken at boundaries, one instance taking part."""
        forms = self.forms
        total = np.zeros((len(forms.k0), len(self.nodes)))
        for b, (sent, taken) in words:
            send, take = (forms.s0 + forms.s1)[:, b], (forms.t0 + forms.t1)[:, b]
            parts = [(send + take, sent)] if sent is taken else [(send, sent), (take, taken)]
            for unit, each in parts:
                for r in np.flatnonzero(unit):  # most ports see few boundaries
                    total[r] += unit[r] * each
        return total

    # --- bounds

    def forget(self) -> None:
        """Drop what the first bounds needed, up to the loops on the array: half of what is kept."""
        self._closed.clear()
        first = self.space.machine.fanout_level
        self._tails = {key: least for key, least in self._tails.items() if key[0] > first}

    def tail(self, level: int, opens: Open) -> Floats:  # [r, M]
        """Least cost of all that closes from the loops of `level` on, at the node of the loops below it."""
        key = (level, opens)
        if key in self._tails:
            return self._tails[key]
        if level == self.n_levels:
            out = np.where(self.space.lattice.covers, self._close(opens, None, False), np.inf)
        else:
            inside = tuple(sorted({*opens, *self.opened(level)}))
            out = self.tail(level + 1, inside) + self.room[level]
            for a in range(N_OPERANDS):
                if not self.space.classes[a]:
                    continue
                closes, goes_on, _, _ = self.stays(level, a, self.of(opens, a))
                last = level == self.n_levels - 1
                others = self._close(self.others(opens, a), a, last)
                out = np.minimum(out, others + np.minimum(closes, goes_on))
            out = self._without_classes(level, opens, out)
        self._tails[key] = out
        return out

    def _without_classes(self, level: int, opens: Open, out: Floats) -> Floats:
        """Loops that move every operand (groups): everything closes where they begin."""
        free = [d for d in self.space.lattice.dims if not any(d in c for c in self.space.classes)]
        if not free:
            return out
        lattice = self.space.lattice
        after = lattice.least_of_multiples(self.tail(level + 1, self.opened(level)) + self.room[level], free)
        return np.minimum(out, self._close(opens, None, False) + after)

    def after(self, level: int, opens: Open) -> Floats:  # [r, M]
        """Least cost that is left where the loops of a level lead to each node, with what closes there."""
        key = (level, opens)
        if key not in self._after:
            new = self.opened(level)
            least = self.tail(level + 1, tuple(sorted({*opens, *new})))
            for a in range(N_OPERANDS):
                mine = self.of(opens, a)
                least = np.minimum(least, self.tail(level + 1, tuple(sorted({*mine, *new}))))
                least = np.minimum(least, self._close(mine, None, False) + self.tail(level + 1, new))
            self._after[key] = least + self.room[level]
        return self._after[key]

    def stays(
        self, level: int, a: int, opens: Open
    ) -> tuple[Floats, Floats, Floats, Floats]:  # [r, M], [r, M], [b, M], [b, M]
        """Least cost where operand a stays at a level: its boundaries close there, or they stay open beyond.

        Also the least words of each of its boundaries in the first case, and in the second.
        """
        key = (level, a, opens)
        if key in self._stays:
            return self._stays[key]
        lattice, room, new = self.space.lattice, self.room[level], self.opened(level)
        if level == self.n_levels - 1:
            room = np.where(lattice.covers, 0.0, np.inf)
            closes = self._close_at_end(opens)
        else:
            after = self._close(opens, None, False) + self.tail(level + 1, new) + room
            closes = lattice.least_of_multiples(after)
        words = [np.minimum(*self.node_words(b, None, False)) for b in opens]
        shape = (len(opens), len(self.nodes))
        least = np.array([lattice.least_of_multiples(w + room) for w in words]).reshape(shape)
        both = tuple(sorted({*opens, *new}))
        beyond = self.tail(level + 1, both) + room
        goes_on = lattice.least_of_multiples(beyond, self.space.classes[a])
        floor = np.array([np.full(len(self.nodes), w[lattice.covers].min()) for w in words]).reshape(shape)
        least = np.where(np.isfinite(least), least, 0.0)  # where nothing fits, `closes` says so
        self._stays[key] = closes, goes_on, least, floor
        return self._stays[key]
