"""No local reuse: p filters by q channels at once; nothing stays in a PE, all comes from the buffer."""

from __future__ import annotations

import numpy as np

from accelsim.compat.isca16 import form
from accelsim.compat.isca16.form import Block, Demands, Floats, Form, Ints, Parameters, folds
from accelsim.compat.isca16.machine import Room
from accelsim.compat.isca16.shape import Shape
from accelsim.mapping.dataflows.base import ladder


class NoLocalReuse(Form):
    """NLR: all the area is buffer, and every weight is read from it for every output."""

    name = "nlr"
    title = "no local reuse"
    rf_bytes = 0
    parameters = ("n", "m", "p", "q", "e", "f")

    def demands(self, x: Shape, room: Room, at: Parameters) -> Demands:
        n, m, p, q, e, f = (at[name] for name in self.parameters)
        words = n * q * form.strip(x, e) * form.strip(x, f) + m * q * x.R**2 + m * n * e * f
        return {
            form.PES: (p * q, room.num_pes),
            form.GLB: (words, room.glb_words),
            form.FILTERS: (p, m),
        }

    def counts(self, x: Shape, at: Parameters) -> Floats:
        n, m, p, q, e, f = (at[name] for name in self.parameters)
        returns, taps = folds(x.C, q) * x.R**2, x.R**2 * x.a**2
        maps = form.overlap(x, e) * form.overlap(x, f)
        times = folds(x.N, n) * folds(x.E, e) * folds(x.E, f)
        return form.table(
            len(m),
            dram=(x.inputs * folds(x.M, m) * maps, x.weights * times, x.outputs),
            glb=(
                x.inputs * folds(x.M, p) * taps,
                x.weights * x.N * x.E**2,
                2 * x.outputs * (returns - 1),
            ),
            array=(x.inputs * x.M * taps, 0, 2 * x.outputs * (x.C * x.R**2 - returns)),
            rf=(0, 0, 0),
        )

    def active_pes(self, x: Shape, at: Parameters) -> Ints:
        return at["p"] * at["q"]

    def candidates(self, x: Shape, room: Room, block: Block) -> Parameters:
        """All q of the ladder and all strips; the largest m and p that fit save most inputs."""
        at = form.grid(q=ladder(x.C, room.num_pes), e=form.upto(x.E), f=form.upto(x.E))
        n, q, e, f = block.n, at["q"], at["e"], at["f"]
        left = room.glb_words - n * q * form.strip(x, e) * form.strip(x, f)
        m = np.minimum(x.M, left // (q * x.R**2 + n * e * f))
        at |= {"n": np.full_like(m, n), "m": m, "p": np.minimum(m, room.num_pes // q)}
        return form.only(at, m >= 1)
