"""Weight-stationary: R x R taps of r channels and t filters stay in the PEs, one weight in each."""

from __future__ import annotations

import numpy as np

from accelsim.compat.isca16 import form
from accelsim.compat.isca16.form import Block, Demands, Floats, Form, Ints, Parameters, folds
from accelsim.compat.isca16.machine import Room
from accelsim.compat.isca16.shape import Shape


class WeightStationary(Form):
    """WS: every weight is fetched once; sums of all images wait in the buffer, which large batches burst."""

    name = "ws"
    title = "weight-stationary"
    rf_bytes = 2
    parameters = ("r", "t", "f")

    def demands(self, x: Shape, room: Room, at: Parameters) -> Demands:
        r, t, f = (at[name] for name in self.parameters)
        sums, lines = x.N * t * x.E**2, r * t * (form.strip(x, f) - x.R) * (x.R - 1)
        return {
            form.PES: (x.R**2 * r * t, room.num_pes),
            form.RF: (np.ones_like(r), room.rf_words),
            form.GLB: (sums + lines, room.glb_words),
        }

    def counts(self, x: Shape, at: Parameters) -> Floats:
        r, t, f = (at[name] for name in self.parameters)
        returns = folds(x.C, r) * x.R
        return form.table(
            len(r),
            dram=(x.inputs * folds(x.M, t) * form.overlap(x, f), x.weights, x.outputs),
            glb=(0, 0, 2 * x.outputs * (returns - 1)),
            array=(x.inputs * x.M * x.R**2 * x.a**2, 0, 2 * x.outputs * (x.C * x.R**2 - returns)),
            rf=(0, x.weights * x.N * x.E**2, 0),
        )

    def active_pes(self, x: Shape, at: Parameters) -> Ints:
        return x.R**2 * at["r"] * at["t"]

    def blocks(self, x: Shape, room: Room) -> list[Block]:
        """One: all images are in it."""
        return [Block(x.N)]

    def candidates(self, x: Shape, room: Room, block: Block) -> Parameters:
        """Over r and f; the largest t that fits saves most inputs and keeps most PEs busy."""
        sets = room.num_pes // x.R**2
        at = form.grid(r=form.upto(min(sets, x.C)), f=form.upto(x.E))
        r, f = at["r"], at["f"]
        words = x.N * x.E**2 + r * (form.strip(x, f) - x.R) * (x.R - 1)
        t = np.minimum(np.minimum(x.M, sets // r), room.glb_words // words)
        return form.only({"r": r, "t": t, "f": f}, t >= 1)
