"""Looking things up in a YAML document of Timeloop's, with every fault noted at its line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from accelsim.base.errors import InputError, Problem, did_you_mean
from accelsim.base.yaml_lines import Document, Key


class Notes:
    """All that is wrong with one document, so that it is told at once."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Problem] = []
        self.passed_over: list[str] = []
        """Names that were read and have no meaning here."""

    def note(
        self,
        path: Key,
        message: str,
        expected: str | None = None,
        hint: str | None = None,
        *,
        key: bool = False,
    ) -> None:
        mark = self.document.at(path, key=key)
        where = ".".join(str(part) for part in path)
        problem = Problem(message, mark.file, mark.line, mark.column, where, expected, hint)
        if problem not in self.problems:
            self.problems.append(problem)

    def stop(self) -> None:
        """InputError where anything was noted."""
        if self.problems:
            raise InputError(self.problems)

    def at(self, path: Key) -> Any:
        """The value of a path, None where there is none."""
        value = self.document.data
        for part in path:
            if isinstance(value, dict):
                value = value.get(part)
            elif isinstance(value, list) and isinstance(part, int) and part < len(value):
                value = value[part]
            else:
                return None
        return value

    def table(self, path: Key, known: Iterable[str] | None, required: Iterable[str] = ()) -> dict[str, Any]:
        """A mapping with hyphens read as underscores (Timeloop v0.3 writes read-write, v0.4 read_write)."""
        value = self.at(path)
        if not isinstance(value, dict):
            self.note(path, f"{_shown(value)} is no table", "keys and values")
            return {}
        names = set(known) if known is not None else None
        table = {}
        for key, item in value.items():
            plain = key.replace("-", "_")
            if names is not None and plain not in names:
                self.note(
                    (*path, key), "unknown key", "a key that is read", did_you_mean(plain, names), key=True
                )
            table[plain] = item
        for key in required:
            if key not in table:
                self.note(path, f"{key} is missing", key)
        return table

    def items(self, path: Key, *, optional: bool = False) -> list[Any]:
        """A list; with `optional` an empty one where there is none."""
        value = self.at(path)
        if value is None and optional:
            return []
        if not isinstance(value, list):
            self.note(path, f"{_shown(value)} is no list", "a list")
            return []
        return value

    def whole(self, path: Key, value: Any, least: int = 1) -> int:
        """A whole number of at least `least`; where it is none that is noted and `least` taken."""
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            self.note(path, f"{_shown(value)} is no number here", f"a whole number of at least {least}")
            return least
        if value >= 2**31:
            self.note(path, f"{value:,} is too large", "less than 2^31")
            return least
        return value

    def number(self, path: Key, value: Any) -> float:
        """A number that is not negative."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
            self.note(path, f"{_shown(value)} is no number here", "a number of at least 0")
            return 0.0
        return float(value)

    def one_of(self, path: Key, value: Any, known: Iterable[str], what: str) -> str | None:
        """A name among the known ones, else None with a note."""
        names = list(known)
        if value in names:
            return str(value)
        hint = did_you_mean(str(value), names)
        self.note(path, f"{_shown(value)} is no {what}", "one of " + ", ".join(names), hint)
        return None


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
