"""Chunks made into parts by the workers of a Dask cluster.

The scheduler gives the chunks of a worker that dies to others. Workers need accelsim of the same version and
nothing else: they read and write no files of the sweep.
"""

from __future__ import annotations

import contextlib
import pickle
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import islice
from queue import Empty, SimpleQueue
from typing import Any, Final

from accelsim.base.errors import InputError, Problem
from accelsim.base.version import VERSION
from accelsim.explore.sweep.engine import Run
from accelsim.explore.sweep.work import Chunk, Indices, Part, Work

AHEAD: Final = 3
"""Chunks sent for each thread of the cluster: in work, waiting, and on the way."""
CONNECT_S: Final = 20.0
"""Seconds that a scheduler, or a worker where there is none, is waited for."""
QUIET_S: Final = 1.0
"""Seconds without an answer, after which the workers are counted."""


@dataclass(frozen=True)
class Cluster:
    """The cluster of the scheduler at an address, `tcp://host:8786`."""

    address: str

    @contextlib.contextmanager
    def __call__(self, work: Work) -> Iterator[Run]:
        """`run` raises what the work raises; InputError where there is no scheduler, or a chunk is lost."""
        distributed = _distributed()
        with self._client(distributed) as client:
            yield partial(_run, distributed, client, pickle.dumps(replace(work, sample=None)), work.sample)

    @contextlib.contextmanager
    def _client(self, distributed: Any) -> Iterator[Any]:
        try:
            client = distributed.Client(self.address, timeout=CONNECT_S, set_as_default=False)
        except (OSError, ValueError) as error:
            raise InputError(
                Problem(
                    f"no Dask scheduler answers at {self.address}: {' '.join(str(error).split())[:200]}",
                    key="cluster",
                    expected="the address of a running scheduler, as tcp://host:8786",
                    hint="`dask scheduler` starts one and prints its address",
                )
            ) from None
        try:
            _need_workers(client, f"the scheduler at {self.address} has no workers")
            yield client
        finally:
            client.close()


def _run(
    distributed: Any, client: Any, packed: bytes, sample: Indices | None, chunks: Iterator[Chunk]
) -> Iterator[Part]:
    done: SimpleQueue[Any] = SimpleQueue()
    pending = set()

    def send(n: int) -> None:
        for chunk in islice(chunks, n):
            if sample is not None and chunk.listed is None:
                chunk = replace(chunk, listed=sample[chunk.start : chunk.stop])
            # the work rides with each chunk: what is scattered dies with the workers that hold it
            future = client.submit(_serve, VERSION, packed, chunk, pure=False)
            pending.add(future)
            future.add_done_callback(done.put)

    send(AHEAD * max(1, sum(client.nthreads().values())))
    try:
        while pending:
            try:
                future = done.get(timeout=QUIET_S)
            except Empty:
                _need_workers(client, "the cluster has no workers left", "--resume continues")
                continue
            part = future.result()
            pending.remove(future)
            future.release()
            send(1)
            yield part
    except ImportError as error:
        raise InputError(
            Problem(
                f"a worker of the cluster can't import what it needs: {error}",
                key="cluster",
                hint=f"install accelsim {VERSION} where the workers run",
            )
        ) from None
    except (distributed.KilledWorker, distributed.CancelledError, OSError) as error:
        raise InputError(
            Problem(
                f"the cluster lost a chunk: {' '.join(str(error).split())[:200]}",
                key="cluster",
                hint="smaller chunks take less memory; --resume continues",
            )
        ) from None


def _need_workers(client: Any, without: str, hint: str | None = None) -> None:
    """InputError `without` any worker where none comes in time: one that died may be replaced."""
    if client.nthreads():
        return
    try:
        client.wait_for_workers(1, timeout=CONNECT_S)
    except TimeoutError:
        raise InputError(Problem(without, key="cluster", hint=hint)) from None


def _distributed() -> Any:
    try:
        import distributed
    except ImportError:
        raise InputError(
            Problem(
                "Dask distributed is not installed", key="cluster", hint="pip install 'accelsim[cluster]'"
            )
        ) from None
    return distributed


def _serve(version: str, packed: bytes, chunk: Chunk) -> Part:
    """In a worker of the cluster."""
    if version != VERSION:
        raise InputError(
            Problem(f"a worker of the cluster has accelsim {VERSION}, this is {version}", key="cluster")
        )
    return _unpacked(packed)(chunk)


@lru_cache(maxsize=2)
def _unpacked(packed: bytes) -> Work:
    """Unpacked once a worker: an evaluator keeps what it has learnt from one chunk to the next."""
    work = pickle.loads(packed)
    assert isinstance(work, Work)
    return work
