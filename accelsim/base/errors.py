"""Errors that a user can act on: each names the place, what is wrong, what was expected and how to mend it.

Exit codes are those of the interface contract: 2 bad input, 3 infeasible, 4 an operator that can't be costed,
130 interrupted.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, at one place of one file."""

    message: str
    file: str | None = None
    line: int | None = None
    column: int | None = None
    key: str | None = None
    expected: str | None = None
    hint: str | None = None

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        head = ": ".join(part for part in (place, self.key, self.message) if part)
        expected = f", expected {self.expected}" if self.expected else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{head}{expected}{hint}"


class AccelsimError(Exception):
    """Base of all errors that the user sees as plain lines, never as a traceback."""

    exit_code = 2

    def __init__(self, problems: str | Problem | Iterable[Problem]) -> None:
        if isinstance(problems, str):
            problems = Problem(problems)
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[type[AccelsimError], tuple[tuple[Problem, ...]]]:
        """How it comes out of a worker process, with all that it says."""
        return type(self), (self.problems,)


class InputError(AccelsimError):
    """A file, option or value that can't be used as it stands (exit code 2)."""

    exit_code = 2


class InfeasibleError(AccelsimError):
    """A layer that does not fit, or for which no mapping is legal (exit code 3)."""

    exit_code = 3


class UncostedError(AccelsimError):
    """An operator that can't be costed, under --strict (exit code 4)."""

    exit_code = 4


class InterruptedWorkError(AccelsimError):
    """Ctrl-C in work that keeps what is done: how much, and what goes on (exit code 130)."""

    exit_code = 130


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """The hint for a misspelt word, or None where nothing known is close; other capitals are closest."""
    names = list(known)
    close = [name for name in names if name.casefold() == word.casefold()]
    close = close or difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else None
