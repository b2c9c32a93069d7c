"""Processes of our own: how they start, hear no ctrl-C, and end with the one that started them."""

from __future__ import annotations

import contextlib
import multiprocessing as mp
import os
import signal
import sys
import threading
from collections.abc import Iterator
from multiprocessing import resource_tracker
from types import ModuleType


@contextlib.contextmanager
def quiet_start() -> Iterator[None]:
    """Processes started here begin deaf to ctrl-C and without the caller's main module.

    They inherit that it is blocked here; one that comes meanwhile reaches the caller at the end. They need
    nothing of the main module, and a script without `if __name__ == "__main__"` would run again in each.
    """
    main = sys.modules["__main__"]
    resource_tracker.ensure_running()  # it starts with the first process, and would unblock ctrl-C
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def prepare() -> None:
    """In a worker, before its first work: ctrl-C is the parent's business, and it ends if the parent does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = mp.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
