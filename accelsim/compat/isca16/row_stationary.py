"""Row-stationary: p filters and q channels in a PE, r x t sets of R x f PEs, n images and m filters a pass."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from accelsim.compat.isca16 import form
from accelsim.compat.isca16.form import Candidates, Demands, Floats, Form, Ints, Parameters, folds
from accelsim.compat.isca16.machine import Room
from accelsim.compat.isca16.shape import Shape
from accelsim.mapping.dataflows.base import ladder


class RowStationary(Form):
    """RS: inputs come again for every m filters, weights for every n images and strip of f lines."""

    name = "rs"
    title = "row-stationary"
    rf_bytes = 512
    parameters = ("m", "n", "f", "p", "q", "r", "t")

    def demands(self, x: Shape, room: Room, at: Parameters) -> Demands:
        m, n, f, p, q, r, t = (at[name] for name in self.parameters)
        return {
            form.PES: (x.R * f * r * t, room.num_pes),
            form.RF: (p * q * x.R + q * x.R + p, room.rf_words),
            form.GLB: (n * q * r * x.H * form.strip(x, f) + n * m * x.E * f, room.glb_words),
            form.FILTERS: (p * t, m),
        }

    def counts(self, x: Shape, at: Parameters) -> Floats:
        m, n, f, p, q, r, t = (at[name] for name in self.parameters)
        inputs = x.inputs * form.overlap(x, f)
        passes, in_pe = folds(x.C, q * r), folds(x.C, q)
        return form.table(
            len(m),
            dram=(inputs * folds(x.M, m), x.weights * folds(x.N, n) * folds(x.E, f), x.outputs),
            glb=(inputs * folds(x.M, p * t), 0, 2 * x.outputs * (passes - 1)),
            array=(
                x.inputs * folds(x.M, p) * x.R * x.a,
                x.weights * folds(x.N, n) * x.E,
                2 * x.outputs * (in_pe * x.R - passes),
            ),
            rf=(
                x.inputs * x.M * x.R**2 * x.a**2,
                x.weights * x.N * x.E**2,
                2 * x.outputs * (x.C * x.R**2 - in_pe * x.R),
            ),
        )

    def active_pes(self, x: Shape, at: Parameters) -> Ints:
        return x.R * at["f"] * at["r"] * at["t"]

    def candidates(self, x: Shape, room: Room) -> Iterator[Candidates]:
        """Over n, f, q on their ladders and all r, t. The largest m and p that fit cost least; of p, the
        smallest with as many folds."""
        most_q = (room.rf_words - 1) // (2 * x.R)
        if most_q < 1:
            return
        q = ladder(x.C, most_q)
        per_line = room.num_pes // x.R
        blocks = [(f, n) for f in ladder(x.E) if f <= per_line for n in ladder(x.N)]
        floors = [self._floor(x, room, int(f), int(n), most_q) for f, n in blocks]
        for i in np.argsort(floors, kind="stable"):
            f, n = blocks[i]
            sets = per_line // f
            pairs = form.grid(r=form.upto(min(sets, x.C)), t=form.upto(min(sets, x.M)))
            pairs = form.only(pairs, pairs["r"] * pairs["t"] <= sets)
            at = form.grid(q=q, pair=np.arange(len(pairs["r"])))
            pair = at.pop("pair")
            at |= {name: values[pair] for name, values in pairs.items()}
            at = form.only(at, at["r"] <= folds(x.C, at["q"]))
            yield Candidates(self._largest(x, room, int(f), int(n), at), floors[i])

    def _largest(self, x: Shape, room: Room, f: int, n: int, at: dict[str, Ints]) -> Parameters:
        """m fills the buffer, p the register file, as far as the m filters go round t sets."""
        q, r, t = at["q"], at["r"], at["t"]
        lines = x.U * f + x.R - x.U
        m = np.minimum(x.M, (room.glb_words - n * q * r * x.H * lines) // (n * x.E * f))
        p = np.minimum((room.rf_words - q * x.R) // (q * x.R + 1), m // t)
        legal = (m >= 1) & (p >= 1)
        q, r, t, m, p = (values[legal] for values in (q, r, t, m, p))
        same = np.ones_like(m)
        return {"m": m, "n": n * same, "f": f * same, "p": folds(x.M, folds(x.M, p)), "q": q, "r": r, "t": t}

    def _floor(self, x: Shape, room: Room, f: int, n: int, most_q: int) -> float:
        """Each parameter as good as it can be on its own: energy falls with every fold that is saved."""
        lines = x.U * f + x.R - x.U
        m = max(1, min(x.M, (room.glb_words - n * x.H * lines) // (n * x.E * f)))
        p = max(1, (room.rf_words - x.R) // (x.R + 1))
        ideal = {"m": m, "n": n, "f": f, "p": p, "q": most_q, "r": -(-x.C // most_q), "t": -(-m // p)}
        at = {name: np.array([value], np.int64) for name, value in ideal.items()}
        return float(form.energy(x, self.counts(x, at))[0])
