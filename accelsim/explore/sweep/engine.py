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
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Final, cast

from accelsim.base.errors import AccelsimError, InputError, Problem
from accelsim.base.processes import prepare, quiet_start
from accelsim.explore.sweep.work import Chunk, Part, Work

Run = Callable[[Iterator[Chunk]], Iterator[Part]]
Engine = Callable[[Work], AbstractContextManager[Run]]
"""Started for a work, it runs chunks; more than once where what to run next depends on answers."""

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

    @contextlib.contextmanager
    def __call__(self, work: Work) -> Iterator[Run]:
        """`run` raises what a worker raises; InputError for a chunk that ends its process three times."""
        workers: list[_Worker] = []
        try:
            yield partial(_run, pickle.dumps(work), workers, self.n_workers)
        finally:  # done, an error or ctrl-C: no chunk is waited for
            for worker in workers:
                worker.process.kill()
            for worker in workers:
                worker.process.join()
                worker.pipe.close()


def _run(packed: bytes, workers: list[_Worker], n_workers: int, chunks: Iterator[Chunk]) -> Iterator[Part]:
    again: deque[Chunk] = deque()
    attempts: dict[int, int] = {}
    while True:
        _hand_out(packed, workers, n_workers, again, chunks)
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


def _hand_out(
    packed: bytes, workers: list[_Worker], n_workers: int, again: deque[Chunk], chunks: Iterator[Chunk]
) -> None:
    """Gives every worker what it can hold, the emptiest first; starts workers while there is work."""
    for level in range(AHEAD):
        for at in range(n_workers):
            if at < len(workers) and len(workers[at].chunks) > level:
                continue
            chunk = again.popleft() if again else next(chunks, None)
            if chunk is None:
                return
            if at >= len(workers):
                workers.append(_start(packed))
            worker = workers[at]
            worker.chunks.append(chunk)
            with contextlib.suppress(OSError):  # it has just died: its end of the pipe tells
                worker.pipe.send(chunk)


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
            answer: Part | BaseException = work(chunk)
        except AccelsimError as error:
            answer = error
        except Exception as error:  # not every exception survives a pipe
            answer = RuntimeError(f"{type(error).__name__}: {error}")
            answer.add_note(traceback.format_exc())
        pipe.send(answer)
