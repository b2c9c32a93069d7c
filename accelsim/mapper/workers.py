"""Searches in processes of their own, of which none is left behind, whatever ends the work.

A worker is a fresh interpreter (`spawn`): it inherits no thread and no lock. It ignores ctrl-C, which the
terminal sends to all; the parent kills it instead, and if the parent is killed it ends by itself.
"""

from __future__ import annotations

import multiprocessing as mp
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from accelsim.base.errors import InputError
from accelsim.base.errors import Problem as Message
from accelsim.base.processes import prepare, quiet_start
from accelsim.mapper.found import Found
from accelsim.mapper.request import Request

Result = TypeVar("Result")


def spread(
    work: Callable[[Request], Result], requests: Sequence[Request], n_workers: int
) -> Iterator[tuple[Request, Result]]:
    """Each request with its result, as they come.

    Where one gives no Found, all before it are finished and none behind it is waited for: which one is the
    first does not depend on the number of workers. Raises InputError where a process can't start or dies.
    """
    before = set(mp.active_children())
    executor: ProcessPoolExecutor | None = None
    finished = False
    try:
        executor = ProcessPoolExecutor(n_workers, mp.get_context("spawn"), prepare)
        with quiet_start():
            place = {executor.submit(work, request): at for at, request in enumerate(requests)}
        awaited = set(place.values())
        for future in as_completed(place):
            at = place[future]
            if at not in awaited:
                continue
            awaited.discard(at)
            result = future.result()
            if not isinstance(result, Found):
                awaited = {other for other in awaited if other < at}
                for other, behind in place.items():
                    if behind > at:
                        other.cancel()
            yield requests[at], result
            if not awaited:
                break
        finished = all(future.done() for future in place)
    except (BrokenProcessPool, OSError) as error:
        reason = getattr(error, "strerror", None) or "one ended before its search was done"
        hint = "fewer processes take less memory; 1 starts none"
        raise InputError(Message(f"worker processes: {reason}", key="jobs", hint=hint)) from None
    finally:  # whether all is done, an error or ctrl-C ends it: no search is waited for
        if not finished:
            for child in set(mp.active_children()) - before:
                child.kill()
        if executor is not None:  # one that has only just started may go on to its end: killed, it complains
            executor.shutdown(wait=finished, cancel_futures=True)
