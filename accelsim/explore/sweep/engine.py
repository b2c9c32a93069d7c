"""Chunks made into parts by this process, or by a pool of worker processes.

An engine takes chunks from an iterator only as it needs them, so that memory does not grow with their number,
and gives parts as they come: their bytes do not depend on their order.
"""

from __future__ import annotations

import contextlib
import multiprocessing as mp
import pickle
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Final, cast

from accelsim.base.errors import AccelsimError, InputError, Problem
from accelsim.base.processes import prepare, quiet_start
from accelsim.explore.sweep.work import Chunk, Part, Work, laid

Run = Callable[[Iterator[Chunk]], Iterator[Part]]
Engine = Callable[[Work], AbstractContextManager[Run]]
"""Started for a work, it runs chunks; more than once where what to run next depends on answers."""

Deal = Callable[[int], Chunk | None]
"""The next chunk of a worker, by its place among the workers; None where there is no more."""

MAX_ATTEMPTS: Final = 3
AHEAD: Final = 2
"""Chunks that a worker has: one in work, one waiting, so that it never waits for the parent."""


def here(work: Work) -> AbstractContextManager[Run]:
    """One after the other in this process."""
    return contextlib.nullcontext(partial(map, work))


@dataclass(eq=False)
class _Worker:
    """A process, the parent's end of its pipe, and the chunks that it has, the one in work first."""

    process: BaseProcess
    pipe: Connection
    chunks: deque[Chunk] = field(default_factory=deque)


@dataclass(frozen=True)
class Pool:
    """So many worker processes; one that dies is replaced and its chunk repeated."""

    n_workers: int
    in_runs: bool = False
    """Whether a worker's chunks shall be neighbours, of which it knows something: they come in any order."""

    @contextlib.contextmanager
    def __call__(self, work: Work) -> Iterator[Run]:
        """`run` raises what a worker raises; InputError for a chunk that ends its process three times."""
        workers: list[_Worker] = []
        try:
            yield partial(self._run, pickle.dumps(work), workers)
        finally:  # done, an error or ctrl-C: no chunk is waited for
            for worker in workers:
                worker.process.kill()
            for worker in workers:
                worker.process.join()
                worker.pipe.close()

    def _run(self, packed: bytes, workers: list[_Worker], chunks: Iterator[Chunk]) -> Iterator[Part]:
        deal: Deal = Runs(list(chunks), self.n_workers).take if self.in_runs else lambda _: next(chunks, None)
        again: deque[Chunk] = deque()
        attempts: dict[int, int] = {}
        while True:
            self._hand_out(packed, workers, again, deal)
            busy = {worker.pipe: worker for worker in workers if worker.chunks}
            if not busy:
                return
            for pipe in wait(list(busy)):
                worker = busy[cast(Connection, pipe)]
                try:
                    answer = worker.pipe.recv()
                except (EOFError, OSError):  # it has died, perhaps in the middle of an answer
                    workers.remove(worker)
                    again.extend(worker.chunks)
                    _blame(worker, attempts)
                    continue
                attempts.pop(worker.chunks.popleft().number, None)
                if isinstance(answer, BaseException):
                    raise answer
                yield answer

    def _hand_out(self, packed: bytes, workers: list[_Worker], again: deque[Chunk], deal: Deal) -> None:
        """Gives every worker what it can hold, the emptiest first; starts workers while there is work."""
        for level in range(AHEAD):
            for at in range(self.n_workers):
                if at < len(workers) and len(workers[at].chunks) > level:
                    continue
                chunk = again.popleft() if again else deal(at)
                if chunk is None:
                    return
                if at >= len(workers):
                    workers.append(_start(packed))
                worker = workers[at]
                worker.chunks.append(chunk)
                with contextlib.suppress(OSError):  # it has just died: its end of the pipe tells
                    worker.pipe.send(chunk)


class Runs:
    """Chunks in as many runs of neighbours as there are workers."""

    def __init__(self, chunks: Sequence[Chunk], n: int) -> None:
        self._chunks = chunks
        ends = [len(chunks) * at // n for at in range(n + 1)]
        self._left = [[first, last] for first, last in pairwise(ends)]

    def take(self, at: int) -> Chunk | None:
        """The next of a worker's run; at its end it gets the later half of the longest that is left."""
        run = self._left[at]
        if run[0] == run[1]:
            longest = max(self._left, key=lambda one: one[1] - one[0])
            middle = (longest[0] + longest[1]) // 2
            run[:] = middle, longest[1]
            longest[1] = middle
        if run[0] == run[1]:
            return None
        run[0] += 1
        return self._chunks[run[0] - 1]


def _start(packed: bytes) -> _Worker:
    context = mp.get_context("spawn")
    ours, theirs = context.Pipe()
    # not a daemon: an evaluator may search in processes of its own, and `prepare` ends it with the parent
    process = context.Process(target=_serve, args=(theirs, packed))
    try:
        with quiet_start():
            process.start()
    except OSError as error:
        raise InputError(
            Problem(f"a worker process can't be started: {error.strerror or error}", key="workers")
        ) from None
    theirs.close()  # only the worker has it now: where it dies, the pipe ends
    return _Worker(process, ours)


def _blame(worker: _Worker, attempts: dict[int, int]) -> None:
    """The chunk in work may be what killed it."""
    worker.process.join()
    worker.pipe.close()
    chunk = worker.chunks[0]
    attempts[chunk.number] = attempts.get(chunk.number, 0) + 1
    if attempts[chunk.number] >= MAX_ATTEMPTS:
        code = worker.process.exitcode or 0
        how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        raise InputError(
            Problem(
                f"{MAX_ATTEMPTS} workers died on points {chunk.start} to {chunk.stop - 1} ({how})",
                key="workers",
                hint="fewer workers or smaller chunks take less memory",
            )
        )


def _serve(pipe: Connection, packed: bytes) -> None:
    """The life of a worker."""
    prepare()
    work: Work | None = None
    while True:
        try:
            chunk = pipe.recv()
        except EOFError:
            return
        try:
            # here and not on the way in: an evaluator reads files again, and may have to say what is wrong
            work = work or cast(Work, pickle.loads(packed))
            answer: Part | BaseException = laid(work(chunk), work)
        except AccelsimError as error:
            answer = error
        except Exception as error:  # not every exception survives a pipe
            answer = RuntimeError(f"{type(error).__name__}: {error}")
            answer.add_note(traceback.format_exc())
        pipe.send(answer)
