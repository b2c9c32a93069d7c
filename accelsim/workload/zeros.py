"""Zero fractions of maps, measured elsewhere: a table by layer (CSV) that goes with a network.

    layer,input_zero_frac,output_zero_frac
    conv1,0.0001,
    conv2,0.387,

Where the output's cell is empty, it has the zeros of the input of the next layers that the table names, seen
through pooling and other work between them: zeros before pooling are more, so that less is saved than could.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from accelsim.base.errors import InputError, Problem, did_you_mean
from accelsim.base.files import read_limited
from accelsim.workload.graph import LayerGraph

COLUMNS = ("layer", "input_zero_frac", "output_zero_frac")
MAX_BYTES = 2**22


@dataclass(frozen=True)
class ZeroTable:
    """Rows of a file: the zero fractions of a layer's input and output, None where a cell is empty."""

    file: str
    sha256: str
    rows: dict[str, tuple[float | None, float | None]]
    lines: dict[str, int]

    @property
    def provenance(self) -> dict[str, str]:
        return {"name": Path(self.file).name, "sha256": self.sha256}

    def of(self, graph: LayerGraph) -> dict[str, tuple[float | None, float | None]]:
        """Of each layer of multiply-accumulates that the table names, the zeros of its input and output.

        InputError for a row without such a layer.
        """
        names = {layer.name: layer for layer in graph.layers if layer.kind == "array"}
        unknown = [name for name in self.rows if name not in names]
        if unknown:
            raise InputError(
                Problem(
                    f"no layer {name!r} that multiplies in {graph.name}",
                    file=self.file,
                    line=self.lines[name],
                    hint=did_you_mean(name, list(names)) or "accelsim inspect lists the layers",
                )
                for name in unknown
            )
        found = {}
        for name, (inputs, outputs) in self.rows.items():
            if outputs is None:
                nexts = list(self._next(graph, names[name].outputs[0], set()))
                outputs = min(nexts) if nexts else None
            found[name] = inputs, outputs
        return found

    def _next(self, graph: LayerGraph, tensor: str, seen: set[str]) -> Iterator[float]:
        """Zeros of the inputs of the next named layers that a tensor leads to."""
        for layer in graph.layers:
            if layer.name in seen or not layer.inputs or tensor not in layer.inputs:
                continue
            seen.add(layer.name)
            if layer.kind != "array":
                for made in layer.outputs:
                    yield from self._next(graph, made, seen)
                continue
            inputs, _ = self.rows.get(layer.name, (None, None))
            if inputs is not None:
                yield inputs


def load_zeros(path: Path) -> ZeroTable:
    """Read a table of zero fractions; InputError with all that is wrong in it."""
    body = read_limited(path, MAX_BYTES, "a table of zero fractions")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise InputError(Problem("is no text", file=str(path), expected="a CSV file in UTF-8")) from None
    lines = [(n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip() and line[0] != "#"]
    header = next(csv.reader([lines[0][1]])) if lines else []
    if tuple(header) not in (COLUMNS, COLUMNS[:2]):
        place = lines[0][0] if lines else 1
        raise InputError(Problem("has other columns", file=str(path), line=place, expected=",".join(COLUMNS)))
    wrong: list[Problem] = []
    rows: dict[str, tuple[float | None, float | None]] = {}
    for n, line in lines[1:]:
        cells = [*next(csv.reader([line])), "", ""]
        name = cells[0].strip()
        if name in rows:
            wrong.append(Problem(f"a second row of {name!r}", file=str(path), line=n))
        values = [_fraction(cell, str(path), n, wrong) for cell in cells[1:3]]
        rows[name] = values[0], values[1]
    if wrong:
        raise InputError(wrong)
    sha256 = hashlib.sha256(body).hexdigest()
    return ZeroTable(str(path), sha256, rows, {next(csv.reader([line]))[0]: n for n, line in lines[1:]})


def _fraction(cell: str, file: str, line: int, wrong: list[Problem]) -> float | None:
    """A cell's fraction, or None where it is empty; what it is not goes to `wrong`."""
    if not cell.strip():
        return None
    try:
        value = float(cell)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        wrong.append(Problem(f"{cell!r} is no fraction", file=file, line=line, expected="0 to 1, or nothing"))
        return None
    return value
