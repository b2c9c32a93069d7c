"""Timeloop's flattened input file with the energies beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from accelsim.base.errors import InputError, Problem
from accelsim.base.yaml_lines import Document, load_yaml_file
from accelsim.compat.timeloop.lines import Notes
from accelsim.compat.timeloop.model import TimeloopInput
from accelsim.compat.timeloop.read_arch import read_architecture
from accelsim.compat.timeloop.read_mapping import read_constraints, read_mapping
from accelsim.compat.timeloop.read_problem import read_workload

SECTIONS: Final = {
    "architecture", "architecture_constraints", "mapspace_constraints", "problem", "mapping", "ERT", "ART",
    "dumped_by_timeloop_front_end", "compound_components", "components", "mapper", "mapspace", "globals",
}  # fmt: skip
SWITCHES: Final = ("TIMELOOP_DISABLE_TEMPORAL_EXTRAPOLATION", "TIMELOOP_ENABLE_FIRST_READ_ELISION")
SILENT: Final = "TIMELOOP_HIDE_INCONSEQUENTIAL_STATS"
ERT_NAMES: Final = ("ERT.yaml", "timeloop-model.ERT.yaml", "timeloop-mapper.ERT.yaml")


def read_timeloop(path: Path, ert: Path | None = None, mapping: Path | None = None) -> TimeloopInput:
    """An input file (`parsed-processed-input.yaml` of Timeloop's front end, or one in that form).

    Energies per action in pJ come from the section ERT, else from `ert`, else from ERT.yaml in the same
    folder. `mapping` (map.yaml of a mapper) takes the place of the file's own. InputError with file and line
    for what is not understood: an unknown key, a misspelt dim, sparse data, imperfect factors.
    """
    notes = Notes(load_yaml_file(path))
    notes.table((), SECTIONS, ("architecture", "problem"))
    notes.stop()
    workload = read_workload(notes)
    architecture = read_architecture(notes, notes if "ERT" in notes.document.data else Notes(_ert(path, ert)))
    constraints = read_constraints(notes, workload, architecture)
    switches = _switches(notes)
    found = None
    if mapping is not None:
        found = read_mapping(Notes(load_yaml_file(mapping)), ("mapping",), workload, architecture, {})
    elif notes.at(("mapping",)):
        found = read_mapping(notes, ("mapping",), workload, architecture, constraints.keep)
    return TimeloopInput(
        str(path),
        workload,
        architecture,
        constraints,
        found,
        extrapolates=switches.get(SWITCHES[0], "0") == "0",
        elides_first_read=switches.get(SWITCHES[1], "1") != "0",
    )


def _ert(path: Path, ert: Path | None) -> Document:
    tried = [ert] if ert is not None else [path.parent / name for name in ERT_NAMES]
    for place in tried:
        if ert is not None or place.is_file():
            return load_yaml_file(place)
    raise InputError(
        Problem(
            "no energies: the file has no section ERT",
            file=str(path),
            expected=f"{ERT_NAMES[0]} in the same folder",
            hint="Accelergy and timeloop-mapper write it as timeloop-mapper.ERT.yaml",
        )
    )


def _switches(notes: Notes) -> dict[str, str]:
    """Environment variables of Timeloop that the file sets and that change counts."""
    path = ("globals", "environment_variables")
    if not notes.at(path):
        return {}
    table = notes.table(path, {*SWITCHES, SILENT})
    notes.stop()
    return {key: str(value) for key, value in table.items()}
