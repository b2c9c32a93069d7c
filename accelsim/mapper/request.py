"""One search as a value: all that its result depends on, and a key that is equal only where that is."""

from __future__ import annotations

import hashlib
import json
import platform
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from accelsim.base.version import VERSION
from accelsim.mapper.found import SearchOptions
from accelsim.tables.machine import Machine
from accelsim.tables.nest import Problem

UNSEEN: Final = frozenset(
    {
        "name",
        "n_cores",
        "n_clusters",
        "vector_lanes",
        "vector_pj_per_op",
        "vector_level",
        "activation_home",
        "activation_reserve_frac",
        "clock_pj_per_cycle",
    }
)
"""Fields of the machine that no search looks at: the dataflows and the homes say what matters."""

ROOMS: Final = ("tables", "mapping", "cost", "mapper")
"""Folders of the package whose code decides what a search finds."""


@dataclass(frozen=True, eq=False)
class Request:
    """The search for the mappings of one layer; those with equal keys have equal results."""

    problem: Problem
    machine: Machine  # with the capacities that are left for tiles
    homes: tuple[int, int, int]  # level of I, W, O
    options: SearchOptions
    layer: str
    """Named in messages; no part of the key."""

    @cached_property
    def key(self) -> str:
        """sha256 over the code and a canonical text of all fields that decide the result.

        Not over the time limit: a `Found` is stored only where it makes no difference.
        """
        machine = {f.name: getattr(self.machine, f.name) for f in fields(Machine) if f.name not in UNSEEN}
        options = replace(self.options, time_limit_s=None)
        text = json.dumps(_plain([self.problem, machine, self.homes, options]), sort_keys=True)
        return hashlib.sha256(f"{code_digest()}\n{text}".encode()).hexdigest()


def room_of_tiles(
    machine: Machine, left_bytes: NDArray[np.float64], homes: tuple[int, int, int]
) -> NDArray[np.float64]:  # [L]
    """What is left at each level, as far as it limits the tiles of a layer: nothing passes beyond the homes.

    Levels that keep whole tensors only, and the outermost, were checked when the tensors got their homes.
    """
    passed = np.array([any(level < home for home in homes) for level in range(machine.n_levels)])
    passed[-1] = False
    return np.where(passed, left_bytes, np.inf)


@cache
def code_digest() -> str:
    """What the results depend on beside the request: our own code, NumPy's and the processor's arithmetic."""
    package = Path(__file__).resolve().parent.parent
    digest = hashlib.sha256(f"{VERSION} {np.__version__} {platform.machine()}".encode())
    for room in ROOMS:
        for file in sorted((package / room).rglob("*.py")):
            body = file.read_bytes()
            digest.update(f"\n{file.relative_to(package).as_posix()} {len(body)}\n".encode())
            digest.update(body)
    return digest.hexdigest()


def _plain(value: Any) -> Any:
    """A value as JSON that differs wherever the value does: floats by their bits, arrays with their type."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.ndarray):
        return ["array", value.dtype.str, value.shape, value.tobytes().hex()]
    if isinstance(value, float):
        return ["float", value.hex()]
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


code_digest()  # now, when the code is loaded: a notebook may live on while its files are edited
