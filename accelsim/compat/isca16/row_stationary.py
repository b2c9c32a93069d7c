"""Row-stationary: p filters and q channels in a PE, r x t sets of R x f PEs, n images, m filters."""

from __future__ import annotations

import numpy as np

from accelsim.compat.isca16 import form
from accelsim.compat.isca16.form import Block, Demands, Floats, Form, Ints, Parameters, folds
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

    def blocks(self, x: Shape, room: Room) -> list[Block]:
        """One for each n and f of their ladders, in the order of their floors.

        A floor has each parameter as good as it can be on its own: energy falls with every fold saved.
        """
        most_q, most_p = (room.rf_words - 1) // (2 * x.R), (room.rf_words - x.R) // (x.R + 1)
        if most_q < 1 or room.num_pes < x.R:
            return []
        at = form.grid(n=ladder(x.N), f=ladder(x.E, room.num_pes // x.R))
        n, f = at["n"], at["f"]
        m = np.clip((room.glb_words - n * x.H * form.strip(x, f)) // (n * x.E * f), 1, x.M)
        same = np.ones_like(m)
        ideal = {"m": m, "p": most_p * same, "q": most_q * same, "r": x.C * same, "t": m, **at}
        floors = form.energy(x, self.counts(x, ideal))
        return [Block(int(n[i]), int(f[i]), float(floors[i])) for i in np.argsort(floors, kind="stable")]

    def candidates(self, x: Shape, room: Room, block: Block) -> Parameters:
        """All p, q, r of their ladders; m fills the buffer, t fills the array as far as m filters go."""
        n, f, sets = block.n, block.f, room.num_pes // (x.R * block.f)
        pe = form.grid(q=ladder(x.C, room.rf_words), p=ladder(x.M, room.rf_words))
        pe = form.only(pe, pe["p"] * pe["q"] * x.R + pe["q"] * x.R + pe["p"] <= room.rf_words)
        r = ladder(x.C, sets)
        at = {name: np.repeat(values, len(r)) for name, values in pe.items()}
        at["r"] = np.tile(r, len(pe["q"]))
        at = form.only(at, at["r"] <= folds(x.C, at["q"]))
        q, p, r = at["q"], at["p"], at["r"]
        m = np.minimum(x.M, (room.glb_words - n * q * r * x.H * (x.U * f + x.R - x.U)) // (n * x.E * f))
        at |= {"m": m, "n": np.full_like(m, n), "f": np.full_like(m, f), "t": np.minimum(m // p, sets // r)}
        return form.only(at, at["t"] >= 1)
