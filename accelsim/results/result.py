"""The answer of a command: rows of the columns that `tables.columns` lists, with where they come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from accelsim.base.version import VERSION
from accelsim.results import show
from accelsim.results.plain import column_names, flatten, plain, to_json
from accelsim.tables import columns

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False)
class Result:
    """One object a layer in `rows`, in network order; equal inputs give equal bytes outside `run`."""

    schema: str
    inputs: Mapping[str, Any]
    totals: Mapping[str, Any]
    rows: Sequence[Mapping[str, Any]]
    notes: tuple[str, ...] = ()
    """What the reader must know beside the numbers, a line each."""
    run: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """What may differ between equal runs: seconds, counts of evaluated mappings, host."""
    files: Mapping[str, str] = field(default_factory=dict, compare=False)
    """Texts that `save` writes beside the result, by file name: the mappings, as they can be read back."""
    plotter: Callable[[Result], Any] | None = field(default=None, compare=False)
    """Makes the object behind `.plot`; `flow` gives it, since charts stand above results."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """Further parts of the envelope: the `grid` and the `best` of a split, the `cases` of `validate`."""
    rows_name: str = "layers"
    """What the rows are: their key in the envelope and the name of their CSV file."""

    @property
    def command(self) -> str:
        """`run` of the schema `accelsim.run/1`."""
        return self.schema.removeprefix("accelsim.").partition("/")[0]

    @property
    def units(self) -> dict[str, str]:
        """Unit of every column that the rows, the totals or the grid have."""
        grid = self.more.get("grid") or ()
        return columns.units(dict.fromkeys((*column_names(self.rows), *column_names(grid))))

    def to_dict(self) -> dict[str, Any]:
        """The envelope of the interface contract, of plain JSON types: no NaN, no infinity."""
        return {
            "schema": self.schema,
            "tool": {"name": "accelsim", "version": VERSION},
            "inputs": plain(self.inputs),
            "units": self.units,
            "totals": plain(self.totals),
            self.rows_name: [plain(row) for row in self.rows],
            **plain(self.more),
            "notes": list(self.notes),
            "run": plain(self.run),
        }

    def to_json(self) -> str:
        """The envelope as text, one layer a line, keys in the order of the contract."""
        return to_json(self.to_dict())

    @property
    def layers(self) -> pd.DataFrame:
        """The rows as a DataFrame; nested columns become `accesses.<level>.<operand>.<rw>`."""
        from accelsim.results.frame import frame

        return frame(self.rows)

    @property
    def grid(self) -> pd.DataFrame:
        """The cells of a split as a DataFrame; AttributeError where the answer has none."""
        from accelsim.results.frame import frame

        if "grid" not in self.more:
            raise AttributeError(f"an answer of {self.command} has no grid")
        return frame(self.more["grid"])

    @property
    def best(self) -> Mapping[str, Any]:
        """The best cell of a split; AttributeError where the answer has none."""
        if "best" not in self.more:
            raise AttributeError(f"an answer of {self.command} has no best cell")
        return dict(self.more["best"])

    def flat_rows(self) -> list[dict[str, Any]]:
        """The rows as CSV has them: nested columns flattened, lists joined."""
        return [flatten(row) for row in self.rows]

    @property
    def plot(self) -> Any:
        """Pictures of this result: `.plot.energy()`, `.plot.accesses()`, `.plot.cycles()`."""
        if self.plotter is None:
            raise AttributeError(
                "this result was made without a plotter: accelsim.charts.Plots(result) has its charts"
            )
        return self.plotter(self)

    def save(self, directory: str | Path) -> tuple[str, ...]:
        """Writes result.json, layers.csv and the pictures, whole or not at all; gives the names.

        Raises InputError where the place can't be written or holds something that is no result.
        """
        from accelsim.results.save import save

        return save(self, Path(directory))

    def __repr__(self) -> str:
        return show.text(self)

    def _repr_html_(self) -> str:
        return show.html(self)
