"""The architecture: read from YAML, checked, with one dataflow chosen, ready to be lowered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from pydantic import ValidationError

from accelsim.base.errors import InputError
from accelsim.base.html import html_table
from accelsim.hardware.checks import faults
from accelsim.hardware.constants import access_text
from accelsim.hardware.lower import lower
from accelsim.hardware.lower_chip import lower_chip
from accelsim.hardware.messages import from_fault, from_validation
from accelsim.hardware.model import ArchFile
from accelsim.hardware.sources import apply_settings, read_merged
from accelsim.tables.chip import Chip
from accelsim.tables.machine import Machine


@dataclass(frozen=True)
class Arch:
    """An architecture as its file says, with the settings applied and a dataflow chosen."""

    spec: ArchFile
    dataflow: str
    path: str
    sha256: str
    sets: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def description(self) -> str:
        return self.spec.description

    @property
    def notes(self) -> tuple[str, ...]:
        return self.spec.notes

    @property
    def fuses(self) -> tuple[str, ...]:
        """What the core folds into the producing layer: batch_norm, activation, add."""
        return self.spec.fuses

    @cached_property
    def _machine(self) -> Machine:
        return lower(self.spec, self.dataflow)

    def machine(self) -> Machine:
        """The arrays that the kernels see (made once)."""
        return self._machine

    def chip(self) -> Chip:
        """Its cores, clusters, cards, host and runtime, as the models of a chip see them."""
        return lower_chip(self.spec)

    def __str__(self) -> str:
        array = self.spec.core.array
        cores = f"{self.spec.core.count} x " if self.spec.core.count > 1 else ""
        return f"{self.name} ({cores}{array.rows}x{array.cols} PEs, {self.spec.clock}, {self.dataflow})"

    def __repr__(self) -> str:
        return f"<accelsim architecture {self}>"

    def _repr_html_(self) -> str:
        """The memories from the array outwards, as a notebook shows them."""
        spec = self.spec
        memories = (*spec.core.pe.memories, *spec.core.memories, *spec.memories)
        rows = [
            (
                memory.name,
                "-" if memory.size is None else str(memory.size),
                ", ".join(memory.holds),
                access_text(memory),
            )
            for memory in memories
        ]
        return html_table(str(self), ("memory", "size", "holds", "read / write"), rows, self.description)


def load_arch(name_or_path: str, sets: Sequence[str] | str = (), dataflow: str | None = None) -> Arch:
    """Read a shipped architecture or a file, apply `--set` texts (one alone will do) and check everything.

    InputError with all that is wrong, each with its place. `dataflow` None takes the file's first.
    """
    sets = (sets,) if isinstance(sets, str) else tuple(sets)
    document, sha256 = read_merged(str(name_or_path))
    chosen = apply_settings(document, sets, dataflow)
    try:
        spec = ArchFile.model_validate(document.data)
    except ValidationError as error:
        raise InputError(from_validation(error, document)) from None
    found = [from_fault(fault, document) for fault in faults(spec)]
    if found:
        raise InputError(found)
    return Arch(spec, chosen or spec.core.dataflow[0], document.file, sha256, sets)
