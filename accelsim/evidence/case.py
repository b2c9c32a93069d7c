"""A case: a table that somebody published, the model held against it, and what counts as agreement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["silicon", "rtl", "simulator", "model", "counts"]
Rule = Literal[
    "exact", "mean", "median", "max", "spearman", "accuracy", "at_least", "at_most", "within", "shown"
]
Basis = Literal["predicted", "fitted"]

KINDS: Final[dict[Kind, str]] = {
    "silicon": "measured silicon",
    "rtl": "RTL simulation",
    "simulator": "another simulator",
    "model": "a published model",
    "counts": "published counts",
}
RULES: Final[dict[Rule, str]] = {
    "exact": "every row equal, to the last digit that is given",
    "mean": "mean of the absolute relative errors",
    "median": "median of the absolute relative errors",
    "max": "largest absolute relative error",
    "spearman": "rank correlation",
    "accuracy": "balanced accuracy: the mean over their classes of the share that is ours too",
    "at_least": "in every row ours is at least theirs",
    "at_most": "in every row ours is at most theirs",
    "within": "in every row ours / theirs is at most the factor, either way",
    "shown": "no gate",
}
ERRORS: Final = ("mean", "median", "max")
SCORES: Final = ("spearman", "accuracy")

Row = Mapping[str, str]
Value = float | int | str | None


@dataclass(frozen=True, slots=True)
class Check:
    """One quantity of the table, and how near ours must be; `tolerance` is absent where the rule has none."""

    quantity: str
    name: str
    unit: str
    rule: Rule
    reason: str
    basis: Basis = "predicted"
    tolerance: float | None = None
    only: Mapping[str, tuple[str, ...]] | None = None
    but: Mapping[str, tuple[str, ...]] | None = None

    def takes(self, row: Row) -> bool:
        """Whether the check is about this row: all that `only` says is so, and not all that `but` says."""
        if self.but and _has(row, self.but):
            return False
        return _has(row, self.only or {})


def _has(row: Row, wanted: Mapping[str, tuple[str, ...]]) -> bool:
    return all(row[key] in values for key, values in wanted.items())


@dataclass(frozen=True, slots=True)
class Fitted:
    """A constant that no source gives: its value, where it stands, and what it was fitted to."""

    name: str
    value: float | str
    unit: str
    where: str
    fitted_to: str


@dataclass(frozen=True, slots=True)
class Case:
    """All that `accelsim/evidence/<name>/` says; `key` are the columns that name a row."""

    name: str
    title: str
    kind: Kind
    source: str
    about: str
    key: tuple[str, ...]
    given: tuple[str, ...]
    checks: tuple[Check, ...]
    fitted: tuple[Fitted, ...]
    rows: tuple[Row, ...]
    values_file: str
    of_user: bool = False
    """The rows are a user's, in place of those that ship."""

    def label(self, row: Row) -> str:
        """`CONV1`, or `RS 256 16 CONV1`: a row by its keys."""
        return " ".join(row[key] for key in self.key)
