"""The searches of a network: each distinct one once, from the disk cache, here, or spread over processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from accelsim.base.disk_cache import DiskCache, cache_folder
from accelsim.base.errors import InfeasibleError, InputError
from accelsim.base.errors import Problem as Message
from accelsim.mapper.found import Found, SearchOptions
from accelsim.mapper.infeasible import is_possible
from accelsim.mapper.request import Request
from accelsim.mapper.search import search
from accelsim.mapper.stored import from_bytes, to_bytes
from accelsim.mapping.dataflows import DATAFLOWS

Outcome = Found | tuple[Message, ...]
"""The mappings found, or why there is none."""
Progress = Callable[[str, int, int], None]


class NothingLegalError(InfeasibleError):
    """A layer for which the search had nothing to choose from."""

    def __init__(self, request: Request, problems: Sequence[Message]) -> None:
        super().__init__(problems)
        self.request = request


class Solver:
    """Does searches and remembers them, in memory and on disk; the results do not depend on how."""

    def __init__(self, jobs: int = 1, disk: DiskCache | None = None) -> None:
        self.jobs = n_processes(jobs)
        self.disk = disk
        self.n_searched = self.n_from_disk = self.n_evaluated = 0
        self._known: dict[str, Outcome] = {}

    def solve(self, requests: Sequence[Request], progress: Progress | None = None) -> list[Found]:
        """What each request finds, in their order.

        Raises NothingLegalError for the first of them for which no mapping is legal.
        """
        new: dict[str, Request] = {}
        for request in requests:
            if request.key not in self._known:
                new.setdefault(request.key, request)
        total = len(new)
        if self.disk is not None:
            new = {key: request for key, request in new.items() if not self._read(key)}
        done = total - len(new)
        for request, outcome in self._outcomes(list(new.values())):
            done += 1
            if progress is not None:
                progress(request.layer, done, total)
            self._learn(request, outcome)
        found = []
        for request in requests:
            outcome = self._known[request.key]
            if not isinstance(outcome, Found):
                raise NothingLegalError(request, outcome)
            found.append(outcome)
        return found

    def effort(self, n_given: int = 0) -> dict[str, Any]:
        """What it took, which equal runs may differ in; `n_given` mappings were counted without a search."""
        took: dict[str, Any] = {
            "n_mappings_evaluated": self.n_evaluated + n_given,
            "n_searches": self.n_searched,
            "n_from_cache": self.n_from_disk,
        }
        if self.disk is not None and self.disk.trouble is not None:
            took["cache_trouble"] = self.disk.trouble
        return took

    def check(self, requests: Iterable[Request]) -> None:
        """Raises NothingLegalError for the first request that has no legal mapping; searches nothing."""
        for request in dict.fromkeys(requests):
            if not is_possible(request):
                problem = Message(f"no mapping of {request.layer} fits {request.machine.name}")
                raise NothingLegalError(request, [problem])

    def _outcomes(self, requests: Sequence[Request]) -> Iterator[tuple[Request, Outcome]]:
        """As they come; nothing behind the first one without a legal mapping is waited for."""
        if min(self.jobs, len(requests)) > 1:
            from accelsim.mapper.workers import spread

            yield from spread(attempt, requests, min(self.jobs, len(requests)))
            return
        for request in requests:
            outcome = attempt(request)
            yield request, outcome
            if not isinstance(outcome, Found):
                return

    def _learn(self, request: Request, outcome: Outcome) -> None:
        self._known[request.key] = outcome
        if not isinstance(outcome, Found):
            return
        self.n_searched += 1
        self.n_evaluated += outcome.certificate.n_evaluated
        if self.disk is not None and is_settled(request, outcome):
            self.disk.put(request.key, to_bytes(outcome))

    def _read(self, key: str) -> bool:
        body = self.disk.get(key) if self.disk is not None else None
        if body is None:
            return False
        try:
            self._known[key] = from_bytes(body)
        except ValueError:
            return False
        self.n_from_disk += 1
        return True


def attempt(request: Request) -> Outcome:
    """One search."""
    dataflow = DATAFLOWS[request.machine.dataflow]
    try:
        return search(
            request.problem, request.machine, dataflow, request.homes, request.options, request.layer
        )
    except InfeasibleError as error:
        return error.problems


def finds(request: Request) -> bool:
    """Whether a real search, in haste, comes back with a mapping."""
    hasty = replace(request, options=SearchOptions(request.options.objective, gap_frac=1.0))
    return isinstance(attempt(hasty), Found)


def is_settled(request: Request, found: Found) -> bool:
    """Whether the same search would find the same again, however long it takes: nothing stopped it early."""
    options, certificate = request.options, found.certificate
    if options.time_limit_s is None and options.gap_frac == 0:
        return True
    return certificate.complete and certificate.proven


def n_processes(jobs: int) -> int:
    """As many as asked for; 0 means one for each core that this process may use."""
    if jobs < 0:
        raise InputError(
            Message(f"{jobs} processes can't be started", key="jobs", expected="1 or more, 0 for all cores")
        )
    if jobs:
        return jobs
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def open_cache() -> DiskCache | None:
    """The user's cache of searches, where it is not switched off."""
    folder = cache_folder()
    return DiskCache(folder / "search") if folder is not None else None
