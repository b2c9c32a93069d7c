"""How near ours is to theirs: errors of rows, and what a rule makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from statistics import fmean, median

from accelsim.evidence.case import Check, Value


@dataclass(frozen=True, slots=True)
class Pair:
    """A published value (None: the source has none; text as printed) beside ours."""

    theirs: str | None
    ours: Value

    @property
    def number(self) -> float | None:
        """Theirs as a number, None where it is text."""
        try:
            return None if self.theirs is None else float(self.theirs)
        except ValueError:
            return None

    @property
    def error_frac(self) -> float | None:
        """ours / theirs - 1; None without two numbers, or where theirs is zero and ours is not."""
        if self.number is None or self.ours is None or isinstance(self.ours, str):
            return None
        if self.number == 0:
            return 0.0 if self.ours == 0 else None
        return self.ours / self.number - 1

    @property
    def equal(self) -> bool:
        """Equal to the last digit that they print; text must be the same."""
        if self.number is None or self.ours is None or isinstance(self.ours, str):
            return self.theirs == str(self.ours)
        if isinstance(self.ours, int):
            return self.ours == self.number
        return abs(self.ours - self.number) <= _half_digit(str(self.theirs)) * (1 + 1e-9)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check comes to over the rows that have a published value."""

    n_rows: int
    n_equal: int
    mean_error_frac: float | None
    median_error_frac: float | None
    max_error_frac: float | None
    score: float | None
    """Rank correlation or balanced accuracy, where the rule is one of these."""
    passed: bool | None
    """None where nothing is asked."""

    def value(self, check: Check) -> float | None:
        """The figure that the rule looks at; of what is only shown, the mean error."""
        if check.rule in ("spearman", "accuracy"):
            return self.score
        if check.rule in ("mean", "shown"):
            return self.mean_error_frac
        return self.median_error_frac if check.rule == "median" else self.max_error_frac


def outcome(check: Check, pairs: Sequence[Pair]) -> Outcome:
    """The check over its rows; a published value without one of ours fails every gate."""
    known = [pair for pair in pairs if pair.theirs is not None]
    errors = [abs(pair.error_frac) for pair in known if pair.error_frac is not None]
    score = None
    if check.rule == "spearman":
        both = [
            (p.number, p.ours) for p in known if p.number is not None and isinstance(p.ours, (int, float))
        ]
        score = spearman([ours for _, ours in both], [theirs for theirs, _ in both])
    elif check.rule == "accuracy":
        score = balanced_accuracy([(str(p.theirs), str(p.ours)) for p in known])
    found = Outcome(
        len(known),
        sum(pair.equal for pair in known),
        fmean(errors) if errors else None,
        median(errors) if errors else None,
        max(errors) if errors else None,
        score,
        passed=None,
    )
    return replace(found, passed=_passed(check, found, known))


def _passed(check: Check, found: Outcome, known: Sequence[Pair]) -> bool | None:
    if check.rule == "shown" or not known:
        return None
    if check.rule == "exact":
        return found.n_equal == len(known)
    if check.rule in ("spearman", "accuracy"):
        return found.score is not None and found.score >= (check.tolerance or 0)
    if any(pair.error_frac is None for pair in known):
        return False
    if check.rule == "within":
        factor = check.tolerance or 1.0
        return all(1 / factor <= 1 + (pair.error_frac or 0) <= factor for pair in known)
    if check.rule == "at_least":
        return all((pair.error_frac or 0) >= 0 for pair in known)
    if check.rule == "at_most":
        return all((pair.error_frac or 0) <= 0 for pair in known)
    value = found.value(check)
    return value is not None and value <= (check.tolerance or 0)


def spearman(ours: Sequence[float], theirs: Sequence[float]) -> float | None:
    """Pearson's correlation of the ranks; equal values share the mean of theirs. None where all are equal."""
    from statistics import StatisticsError, correlation

    try:
        return correlation(_ranks(ours), _ranks(theirs))
    except StatisticsError:
        return None


def balanced_accuracy(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Mean over their classes of the share of its rows that is ours too."""
    classes = {theirs for theirs, _ in pairs}
    if not classes:
        return None
    return fmean(fmean(ours == kind for theirs, ours in pairs if theirs == kind) for kind in sorted(classes))


def _ranks(values: Sequence[float]) -> list[float]:
    return [
        sum(other < value for other in values) + (sum(other == value for other in values) - 1) / 2
        for value in values
    ]


def _half_digit(text: str) -> float:
    """Half of the last digit that a number is printed with."""
    try:
        exponent = Decimal(text).as_tuple().exponent
    except InvalidOperation:
        return 0.0
    return 0.5 * 10.0 ** int(exponent) if isinstance(exponent, int) else 0.0
