"""Timeloop's input files with the energies and areas beside them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from accelsim.base.errors import InputError, Problem
from accelsim.compat.timeloop.files import BESIDE, SECTIONS, gather
from accelsim.compat.timeloop.lines import Notes
from accelsim.compat.timeloop.model import TimeloopInput
from accelsim.compat.timeloop.read_arch import read_architecture
from accelsim.compat.timeloop.read_mapping import read_constraints, read_mapping
from accelsim.compat.timeloop.read_problem import read_workload

SWITCHES: Final = (
    "TIMELOOP_DISABLE_TEMPORAL_EXTRAPOLATION",
    "TIMELOOP_ENABLE_FIRST_READ_ELISION",
    "TIMELOOP_DISABLE_LINK_TRANSFERS",
)
SILENT: Final = {
    "TIMELOOP_HIDE_INCONSEQUENTIAL_STATS", "TIMELOOP_DISABLE_SPATIAL_EXTRAPOLATION",
    "TIMELOOP_DISABLE_FIRST_ELEMENT_ONLY_SPATIAL_EXTRAPOLATION", "TIMELOOP_DUMP_NEST_ANALYSIS_RESULT",
    "TIMELOOP_ENABLE_TRACING",
}  # fmt: skip
"""They change no count."""


def read_timeloop(
    paths: Path | Sequence[Path], ert: Path | None = None, mapping: Path | None = None
) -> TimeloopInput:
    """A folder, an input file (`parsed-processed-input.yaml` of Timeloop's front end) or one file a section.

    Energies per action in pJ come from the section ERT, else from `ert`, else from ERT.yaml in the same
    folder; areas likewise from ART. `mapping` (map.yaml of a mapper) takes the place of the file's own.
    InputError with file and line for what is not understood: an unknown key, a misspelt dim, sparse data.
    """
    paths = [paths] if isinstance(paths, Path) else list(paths)
    notes = Notes(gather(paths, {"ERT": ert, "mapping": mapping}))
    notes.table((), SECTIONS, ("architecture", "problem"))
    notes.stop()
    workload = read_workload(notes)
    if not notes.at(("ERT",)):
        raise InputError(
            Problem(
                "no energies: no section ERT",
                file=str(paths[0]),
                expected=f"{BESIDE['ERT'][0]} in the same folder",
                hint="Accelergy and timeloop-mapper write it as timeloop-mapper.ERT.yaml",
            )
        )
    names = tuple(tensor.name for tensor in workload.tensors)
    areas = Notes(notes.document) if notes.at(("ART",)) else None
    architecture = read_architecture(notes, Notes(notes.document), areas, names)
    constraints = read_constraints(notes, workload, architecture)
    switches = _switches(notes)
    found = None
    if notes.at(("mapping",)):
        # a mapper's own file names all that it keeps; beside a mapping by hand the constraints hold too
        keep = {} if mapping is not None else constraints.keep
        found = read_mapping(notes, ("mapping",), workload, architecture, keep)
    return TimeloopInput(
        str(paths[0]),
        workload,
        architecture,
        constraints,
        found,
        extrapolates=switches.get(SWITCHES[0], "0") == "0",
        links=switches.get(SWITCHES[2], "0") == "0",
        elides_first_read=switches.get(SWITCHES[1], "1") != "0",
        passed_over=tuple(notes.passed_over),
    )


def _switches(notes: Notes) -> dict[str, str]:
    """Environment variables of Timeloop that the file sets and that change counts."""
    path = ("globals", "environment_variables")
    if not notes.at(path):
        return {}
    table = notes.table(path, {*SWITCHES, *SILENT})
    notes.stop()
    return {key: str(value) for key, value in table.items()}
