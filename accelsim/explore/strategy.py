"""Richer ways to use the cores of each cell than one split for all layers; each contains the poorer ones.

uniform: every layer on the same `mp x dp` cores. hybrid: each layer its own. pipeline: also groups of layers
on clusters of their own. A cell takes the plan where it is better than what the cell has by the poorer
strategy, judged by the same model: the simulation where the cell was simulated, else the closed form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from accelsim.base.errors import InfeasibleError
from accelsim.cost.chip_plan import timing
from accelsim.explore.cells import Decided
from accelsim.explore.chain import Chain
from accelsim.explore.hybrid import hybrids, least
from accelsim.explore.pipeline import pipelines, stage_places
from accelsim.explore.plan import Plan, sharing, slots
from accelsim.explore.states import Place
from accelsim.explore.work import Works
from accelsim.results.grid import loss
from accelsim.sim.chip_plan import PlanSimulation
from accelsim.tables.chip import ReplicaWork

STRATEGIES: Final = ("uniform", "hybrid", "pipeline")
MAX_PLACES: Final = 16
"""Numbers of cores, images and sharing instances that plans are sought for: those of the best cells."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Bound:
    """What no plan of a cell is better than, and whether the best plan was proven to be the best."""

    value: float
    exact: bool


@dataclass
class Planned:
    """Rows of the grid with plans where they are better."""

    rows: list[dict[str, Any]]
    plans: dict[int, Plan] = field(default_factory=dict)
    bounds: dict[int, Bound] = field(default_factory=dict)
    n_places: int = 0
    n_planned: int = 0

    def best(self, order: list[int], objective: str) -> int:
        """Of equal cells the one that the poorer strategy puts first."""
        first = {b: at for at, b in enumerate(order)}
        ok = [b for b, row in enumerate(self.rows) if row["status"] == "ok"]
        return min(ok, key=lambda b: (loss(self.rows[b], objective), first.get(b, len(first))))

    def answer(self, best: int, objective: str, works: Mapping[int, ReplicaWork]) -> dict[str, Any]:
        """The plan of the best cell, and how far the search went."""
        row = self.rows[best]
        if best in self.plans:
            plan = self.plans[best].rows()
        else:
            work = works[row["mp"]]
            plan = [
                {"layer": layer, "mp": row["mp"], "dp": row["dp"], "partition": cut, "stage": 0}
                for layer, cut in zip(work.layers, work.partition, strict=True)
            ]
        return {
            "plan": plan,
            **self.bound(best, objective),
            "n_places": self.n_places,
            "n_places_planned": self.n_planned,
        }

    def bound(self, best: int, objective: str) -> dict[str, Any]:
        """Lower bound of the best cell's objective, how far it is above it, and what the search covered."""
        row = self.rows[best]
        known = self.bounds.get(best)
        value = loss(row, objective)
        return {
            "exhaustive": known is not None and known.exact and self.n_planned == self.n_places,
            "lower_bound": known.value if known is not None else None,
            "gap_frac": value / known.value - 1 if known is not None and known.value > 0 else None,
        }


class Planner:
    """Plans for the cells of a grid."""

    def __init__(
        self, works: Works, decided: Decided, objective: str, strategy: str, images: int | None = None
    ) -> None:
        """`images`: of a data set whose time is asked for."""
        self.works, self.chip, self.decided, self.images = works, works.chip, decided, images
        self.objective, self.strategy = objective, strategy
        self.simulation = PlanSimulation(works.chip)
        self._chains: dict[Place, Chain] = {}

    def improve(self, rows: list[dict[str, Any]], progress: Progress | None = None) -> Planned:
        """The rows, better ones put in; the places of the best cells are looked at."""
        for row in rows:
            row["strategy"] = "uniform" if row["status"] == "ok" else None
        places: dict[Place, list[int]] = {}
        order = self.decided.order()
        others = [b for b in range(len(rows)) if rows[b]["status"] == "oom"]
        for b in (*order, *others):
            places.setdefault(self._place(rows[b]), []).append(b)
        planned = Planned(rows, n_places=len(places))
        for at, (place, cells) in enumerate(list(places.items())[:MAX_PLACES]):
            if progress is not None:
                progress(f"plans for {place.n_cores} cores", at, min(len(places), MAX_PLACES))
            try:
                self._improve(place, cells, planned)
            except InfeasibleError:  # no legal mapping of a part: the cells stay as they are
                continue
            planned.n_planned += 1
        return planned

    def _place(self, row: dict[str, Any]) -> Place:
        n_cores = row["mp"] * row["dp"]
        return Place(n_cores, row["dp"] * row["batch"], sharing(self.chip, n_cores, row["threads"]))

    def _improve(self, place: Place, cells: list[int], planned: Planned) -> None:
        whole = self._chain(place)
        chains = [whole]
        if self.strategy == "pipeline":
            chains += [self._chain(small) for small in stage_places(self.chip, place)]
        found, exact = hybrids(whole, self.objective)
        kinds = [("hybrid", found)]
        if len(chains) > 1:
            kinds.append(("pipeline", pipelines(chains[1:], place, self.objective)))
            exact = False  # stages are on powers of two of clusters, and the best for one number of threads
        for b in cells:
            threads = planned.rows[b]["threads"]
            for name, plans in kinds:
                if plans:
                    self._take(planned, b, name, min(plans, key=lambda plan: self._value(plan, threads)))
            planned.bounds[b] = Bound(self._bound(chains, place, threads, b), exact)

    def _chain(self, place: Place) -> Chain:
        """Kept where it may be a stage of another place: a chain of hundreds of layers takes 100 MB."""
        if self.strategy == "hybrid":
            return Chain(self.works, place)
        if place not in self._chains:
            self._chains[place] = Chain(self.works, place)
        return self._chains[place]

    def _value(self, plan: Plan, threads: int) -> float:
        """In closed form; infinite where there is no room."""
        if not plan.fits(self.chip, threads):
            return float("inf")
        fps, latency, _ = plan.cost(self.chip, threads)
        figures = {"throughput_fps": fps, "latency_s": latency, "energy_j": plan.run.energy_j}
        return loss(figures, self.objective)

    def _bound(self, chains: list[Chain], place: Place, threads: int, b: int) -> float:
        """Of every plan, and of the cell's one split, whose replicas may be spread wider."""
        seconds, interval, joules = least(chains, place)
        words = float(sum(self.works.words(name) for name in self.works.graph.inputs))
        n_slots = slots(self.chip, place.n_cores)
        fps, latency, _ = timing(self.chip, place.images, threads, n_slots, words, seconds, interval)
        if not self.chip.runtime.asynchronous:
            latency = min(latency, seconds)
        figures = {"throughput_fps": fps, "latency_s": latency, "energy_j": joules / place.images}
        closed = float(self.decided.closed[b])
        bound = loss(figures, self.objective)
        return bound if np.isnan(closed) else min(bound, closed)

    def _take(self, planned: Planned, b: int, name: str, plan: Plan) -> None:
        """The plan in the cell's row where it is better by the same model."""
        row, chip = planned.rows[b], self.chip
        threads = row["threads"]
        if not plan.fits(chip, threads):
            return
        memory = plan.memory(chip, threads)
        by_events = row["decided_by"] != "analytic"
        fps, latency, limit = plan.cost(chip, threads)
        new = {
            "status": "ok",
            "latency_s": latency,
            "throughput_fps": fps,
            "analytic_latency_s": latency,
            "simulated_latency_s": float("nan"),
            "decided_by": "analytic",
            "energy_j": plan.run.energy_j,
            "memory_bytes": memory,
            "limit": limit if limit != "device" else "compute",
            "strategy": name,
        }
        if by_events:
            done = self.simulation.cell(plan.run, threads, plan.input_words)
            new |= {
                "latency_s": done.latency_s,
                "simulated_latency_s": done.latency_s,
                "throughput_fps": done.throughput_fps,
                "decided_by": "simulation",
                "limit": done.limit,
            }
        if self.images is not None:
            new["data_set_s"] = self.simulation.run_s(plan.run, threads, plan.input_words, self.images)
        if row["status"] != "ok" or loss(new, self.objective) < loss(row, self.objective) * (1 - 1e-9):
            row.update(new)
            planned.plans[b] = plan
