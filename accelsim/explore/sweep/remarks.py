"""Notes on a space that hold before any point is evaluated: what its answers mean, and what stays fixed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import numpy as np

from accelsim.base.errors import InputError
from accelsim.explore.sweep.machines import Makers
from accelsim.explore.sweep.metrics import METRICS, OF_A_PASS, OF_AN_IMAGE
from accelsim.explore.sweep.points import digits_of
from accelsim.explore.sweep.space import Space
from accelsim.explore.sweep.variables import Variable
from accelsim.hardware.constants import given_energies

if TYPE_CHECKING:
    from accelsim.hardware.model import ArchFile

_FIRST: Final = 4096
"""Combinations among which one that meets the constraints on variables is looked for."""
_MOST_TEXTS: Final = 16
"""Values of a variable that are tried; of numbers the ends tell."""


def remarks_of(space: Space) -> list[str]:
    """Energies that do not follow what varies, and objectives that are of a whole batch where that varies."""
    wanted = {*space.answers.minimise, *space.answers.maximise}
    used = wanted.union(*(one.tree.names() for one in space.constraints if one.on_metrics))
    notes = []
    if space.compat is None and any(
        word in METRICS[name].dimension for name in used & set(METRICS) for word in ("energy", "power")
    ):
        notes += _fixed_energies(space)
    whole = [name for name in OF_A_PASS if name in wanted and name not in OF_AN_IMAGE.get(space.method, ())]
    if whole and any(
        one.name == "batch" and not (isinstance(one, Variable) and len(one) == 1) for one in space.all_columns
    ):
        verb = "is" if len(whole) == 1 else "are"
        notes.append(f"batch varies, and {', '.join(whole)} {verb} of a whole batch, not of an image")
    return notes


def _fixed_energies(space: Space) -> list[str]:
    """A note for each key that varies while energies which could follow it are as the file gives them."""
    values: dict[tuple[str, str, object], set[object]] = {}
    for spec in _specs(space):
        for part, energy, follows in given_energies(spec):
            for key, value in follows.items():
                values.setdefault((key, part, energy), set()).add(value)
    fixed: dict[str, dict[str, None]] = {}
    for (key, part, _), found in values.items():
        if len(found) > 1:
            fixed.setdefault(key, {})[part] = None
    return [
        f"{key} varies, but the energy of {', '.join(parts)} is fixed in the architecture: in vary, "
        f'`{next(iter(parts))}.energy: ["{{from: technology}}"]`'
        f"{' (and so on)' * (len(parts) > 1)} lets it follow"
        for key, parts in fixed.items()
    ]


def _specs(space: Space) -> Iterator[ArchFile]:
    """The architecture of a point, and with each variable at its other ends.

    What can't be made into a machine is left out: constraints may exclude it.
    """
    makers, seen = Makers(space), set()
    for index in _indices(space):
        try:
            sets = makers.sets(space.points_under(np.array([index]), ()).row(0))
        except InputError:
            continue
        arch = makers.arch(sets)
        if sets not in seen and not isinstance(arch, str):
            seen.add(sets)
            yield arch.spec


def _indices(space: Space) -> Iterator[int]:
    """The numbers of those points; the first meets the constraints if one of the first thousands does."""
    allowed = space.points(0, _FIRST).index
    first = int(allowed[0]) if len(allowed) else 0
    yield first
    at, stride = [int(digit[0]) for digit in digits_of(np.array([first]), space.shape)], 1
    for place, one in reversed(list(zip(at, space.variables, strict=True))):
        ends = range(min(len(one), _MOST_TEXTS)) if one.labels else (one.column.argmin(), one.column.argmax())
        yield from (first + (int(end) - place) * stride for end in ends)
        stride *= len(one)
