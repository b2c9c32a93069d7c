"""Output-stationary: each PE keeps one sum until it is complete.

OSA: the PEs hold e x f outputs of one map (ShiDianNao), OSB: f outputs of a line in each of p maps, OSC: one
output in each of p maps; n images beside each other in all three.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from accelsim.compat.isca16 import form
from accelsim.compat.isca16.form import Block, Demands, Floats, Form, Ints, Parameters, Words, folds
from accelsim.compat.isca16.machine import Room
from accelsim.compat.isca16.shape import Shape


class OutputStationary(Form):
    """Weights come from DRAM once, from the buffer for every set of outputs; sums never leave unfinished."""

    @abstractmethod
    def windows(self, x: Shape, at: Parameters) -> tuple[Words, Words]:
        """Input words of a channel and image that the buffer holds, and maps read for one set of filters."""

    @abstractmethod
    def weight_reads(self, x: Shape, at: Parameters) -> Ints:
        """How often the buffer gives out every weight."""

    @abstractmethod
    def line_words(self, x: Shape) -> int:
        """Words of register file: the sum, and what passes on to the neighbours."""

    def demands(self, x: Shape, room: Room, at: Parameters) -> Demands:
        words, _ = self.windows(x, at)
        needs: dict[str, tuple[Words, Words]] = {
            form.PES: (self.active_pes(x, at), room.num_pes),
            form.RF: (self.line_words(x), room.rf_words),
            form.GLB: (at["n"] * x.C * words + at["m"] * x.C * x.R**2, room.glb_words),
        }
        if "p" in at:
            needs[form.FILTERS] = (at["p"], at["m"])
        return needs

    def counts(self, x: Shape, at: Parameters) -> Floats:
        _, maps = self.windows(x, at)
        at_once = folds(x.M, at["p"]) if "p" in at else x.M
        return form.table(
            len(at["m"]),
            dram=(x.inputs * folds(x.M, at["m"]) * maps, x.weights, x.outputs),
            glb=(x.inputs * at_once * maps, x.weights * self.weight_reads(x, at), 0),
            array=(x.inputs * x.M * x.R**2 * x.a**2, x.weights * x.N * x.E**2, 0),
            rf=(0, 0, 2 * x.outputs * (x.C * x.R**2 - 1)),
        )

    def active_pes(self, x: Shape, at: Parameters) -> Ints:
        return np.asarray(np.prod([at[name] for name in self.parameters if name != "m"], axis=0), np.int64)

    def candidates(self, x: Shape, room: Room, block: Block) -> Parameters:
        """All strips; the largest m and p that fit save most inputs."""
        side = form.upto(min(x.E, room.num_pes))
        strips = {name: side for name in self.parameters if name in ("e", "f")}
        at = form.grid(n=np.array([block.n]), **strips)
        fan_out = np.prod(list(at.values()), axis=0)
        words, _ = self.windows(x, at)
        at["m"] = np.minimum(x.M, (room.glb_words - block.n * x.C * words + 0 * fan_out) // (x.C * x.R**2))
        if "p" in self.parameters:
            at["p"] = np.minimum(at["m"], room.num_pes // fan_out)
        return form.only(at, (fan_out <= room.num_pes) & (at["m"] >= 1))


class OutputStationaryA(OutputStationary):
    """OSA: many outputs of one map, one map."""

    name = "osa"
    title = "output-stationary, one map of many outputs"
    rf_bytes = 98
    parameters = ("m", "n", "e", "f")

    def windows(self, x: Shape, at: Parameters) -> tuple[Words, Words]:
        maps = form.overlap(x, at["e"]) * form.overlap(x, at["f"])
        return form.strip(x, at["e"]) * form.strip(x, at["f"]), maps

    def weight_reads(self, x: Shape, at: Parameters) -> Ints:
        return folds(x.N, at["n"]) * folds(x.E, at["e"]) * folds(x.E, at["f"])

    def line_words(self, x: Shape) -> int:
        return x.U + x.U * x.R + 1


class OutputStationaryB(OutputStationary):
    """OSB: many maps, several outputs of a line in each."""

    name = "osb"
    title = "output-stationary, many maps of several outputs"
    rf_bytes = 10
    parameters = ("m", "n", "p", "f")

    def windows(self, x: Shape, at: Parameters) -> tuple[Words, Words]:
        return x.R * form.strip(x, at["f"]), x.R * x.a * form.overlap(x, at["f"])

    def weight_reads(self, x: Shape, at: Parameters) -> Ints:
        return folds(x.N, at["n"]) * x.E * folds(x.E, at["f"])

    def line_words(self, x: Shape) -> int:
        return x.U + 1


class OutputStationaryC(OutputStationary):
    """OSC: many maps, one output of each."""

    name = "osc"
    title = "output-stationary, many maps of one output"
    rf_bytes = 2
    parameters = ("m", "n", "p")

    def windows(self, x: Shape, at: Parameters) -> tuple[Words, Words]:
        return x.R**2, x.R**2 * x.a**2

    def weight_reads(self, x: Shape, at: Parameters) -> Ints:
        return folds(x.N, at["n"]) * x.E**2

    def line_words(self, x: Shape) -> int:
        return 1
