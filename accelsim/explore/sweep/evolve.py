"""An evolutionary search for the Pareto front of a space: NSGA-II (Deb et al., IEEE Trans. Evolutionary
Computation 6(2), 2002) of optuna over the variables, its generations evaluated as chunks. Where there are
several networks it searches machines, by the geometric mean of each objective over all networks.

The parts of the store are the memory of the search: resuming asks a fresh study of the same seed for the same
generations and tells it what is stored, so that it goes on as if it had never ended. No second file
can disagree.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from accelsim.base.errors import InputError, Problem
from accelsim.explore.sweep.encode import decode
from accelsim.explore.sweep.engine import Run
from accelsim.explore.sweep.sampling import Machines, Sample
from accelsim.explore.sweep.source import Floats, geometric
from accelsim.explore.sweep.store import Store
from accelsim.explore.sweep.work import Chunk, Goals, Indices, Keep, Work, is_ok

POPULATION: Final = 64
LARGEST_CHUNK: Final = 4096
MAX_IDLE: Final = 30
"""Generations in a row without a new machine, after which a search has seen all that it will."""

Values = dict[int, tuple[float, ...] | None]
"""The objectives of each machine that is evaluated, None where a network has none or breaks a constraint."""


def evolve(work: Work, sample: Sample, chunk: int, store: Store, run: Run, keep: Keep) -> None:
    """Evaluates distinct machines, a generation after the other, until there are as many as asked for.

    InputError without optuna, without goals, or where another version of it made the stored parts.
    """
    if not work.goals:
        raise InputError(Problem("a search needs something to look for", key="answers", expected="metrics"))
    machines = Machines(work.space)
    study = Study(work.goals, machines, sample)
    values: Values = {}
    number, idle, wanted = 0, 0, min(machines.asked(sample), machines.n)
    while len(values) < wanted and idle < MAX_IDLE:
        asked = study.ask()
        _, first = np.unique(asked, return_index=True)
        new = np.asarray([index for index in asked[np.sort(first)].tolist() if index not in values], np.int64)
        if len(new):
            new = machines.there(new)[: wanted - len(values)]
        points = machines.points(new)
        size = min(chunk, LARGEST_CHUNK)
        chunks = [
            Chunk(number + at, start, min(start + size, len(points)), points[start : start + size])
            for at, start in enumerate(range(0, len(points), size))
        ]
        for part in run(one for one in chunks if one.number not in store.done):
            keep(part)
        if chunks:
            found = np.concatenate([_stored(work, store, one) for one in chunks])
            values |= values_of(new, found)
        number += len(chunks)
        idle = 0 if len(new) else idle + 1
        study.tell([values.get(index) for index in asked.tolist()])


def values_of(machine: Indices, found: Floats) -> Values:  # [m], [m * networks, goals]
    """Means over networks; a machine that fails for one of them has failed."""
    goals = geometric(found.reshape(len(machine), -1, found.shape[1]))
    rows = zip(machine.tolist(), goals.tolist(), strict=True)
    return {one: tuple(row) if np.isfinite(row).all() else None for one, row in rows}


def _stored(work: Work, store: Store, chunk: Chunk) -> Floats:
    """The objectives of a part's points, out of its file; nan where they don't count  # [n, goals]"""
    names = [name for name, _ in store.columns]
    table = decode(store.data(chunk.number), store.columns, work.format, names)
    if chunk.listed is None or not np.array_equal(table["index"], chunk.listed):
        raise InputError(
            Problem(
                f"part {chunk.number} holds other points than this version of optuna asks for",
                file=str(store.directory),
                hint="resume with the version that started it, or choose another directory",
            )
        )
    return counted(work.goals, table)


def counted(goals: Goals, table: Mapping[str, NDArray[Any]]) -> Floats:
    """The objectives of points, nan where they don't count  # [n, goals]"""
    found = np.stack([table[name] for name, _ in goals], axis=1)
    return np.where(is_ok(table)[:, None], found, np.nan)


class Study:
    """optuna's study, in numbers of machines."""

    def __init__(self, goals: Goals, machines: Machines, sample: Sample) -> None:
        try:
            import optuna
        except ImportError:
            hint = "pip install 'accelsim[evolve]', or sample: {method: lhs}"
            raise InputError(Problem("optuna is not installed", key="sample.method", hint=hint)) from None
        self._optuna = optuna
        self._shape = machines.shape
        self._axes = {
            f"v{at:03d}": optuna.distributions.IntDistribution(0, size - 1)
            for at, size in enumerate(self._shape)
        }
        self._n = max(2, min(POPULATION, machines.asked(sample)))
        with self._quiet():
            self._study = optuna.create_study(
                directions=["minimize" if less else "maximize" for _, less in goals],
                sampler=optuna.samplers.NSGAIISampler(population_size=self._n, seed=sample.seed),
            )
        self._trials: list[Any] = []

    def ask(self) -> NDArray[np.int64]:
        """The machines of the next generation, some of them perhaps asked for before  # [population]"""
        with self._quiet():
            self._trials = [self._study.ask(self._axes) for _ in range(self._n)]
        index = np.zeros(self._n, np.int64)
        for name, size in zip(self._axes, self._shape, strict=True):
            index = index * size + np.asarray([trial.params[name] for trial in self._trials], np.int64)
        return index

    def tell(self, values: list[tuple[float, ...] | None]) -> None:
        """Their objectives; what has none leaves the population."""
        states = self._optuna.trial.TrialState
        with self._quiet():
            for trial, found in zip(self._trials, values, strict=True):
                state = states.FAIL if found is None else states.COMPLETE
                self._study.tell(trial, found, state)

    @contextlib.contextmanager
    def _quiet(self) -> Iterator[None]:
        """It would say a line for each trial."""
        logging = self._optuna.logging
        before = logging.get_verbosity()
        logging.set_verbosity(logging.WARNING)
        try:
            yield
        finally:
            logging.set_verbosity(before)
