"""A space file as a Space, or all that is wrong with it at once.

keys -> architecture and networks -> variables -> expressions, in the order in which one follows from the
other -> constraints -> what the values do to the architecture
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from accelsim.base.errors import InputError, Problem, did_you_mean
from accelsim.base.files import find_shipped, read_limited
from accelsim.base.yaml_lines import MAX_BYTES, Document, Key, load_yaml
from accelsim.explore.sweep.choose import Entries, read_entries
from accelsim.explore.sweep.metrics import METRICS, UNKNOWN
from accelsim.explore.sweep.names import Names, constraint, derived_columns
from accelsim.explore.sweep.screen_key import read_screen
from accelsim.explore.sweep.space import (
    COMPATS,
    METHODS,
    SAMPLES,
    SCHEMA,
    Answers,
    Constraint,
    Sample,
    Space,
    beside,
)
from accelsim.explore.sweep.trial import check_points, check_values, ends
from accelsim.explore.sweep.variables import ValuesError, read_texts
from accelsim.hardware.settings import Settings

OBJECTIVES: Final = ("edp", "energy", "latency", "throughput")
KEYS: Final = (
    "schema",
    "name",
    "description",
    "arch",
    "networks",
    "vary",
    "where",
    "method",
    "compat",
    "objective",
    "answers",
    "sample",
    "screen",
)
MAX_POINTS: Final = 2**53
"""Numbers of points are int64 and stand in tables as doubles do."""


def read_space(path: str | Path, compat: str | None = None) -> Space:
    """Read and check a space file; `compat` stands for its key.

    InputError with all that is wrong, each with file, line and key.
    """
    content = read_limited(Path(path), MAX_BYTES, "a space in YAML")
    document = load_yaml(content, str(path))
    if not isinstance(document.data, dict):
        raise InputError(Problem("holds no space", str(path), 1, 1, expected="keys and values"))
    if compat is not None:
        document.data["compat"] = compat
    return Reader(document, hashlib.sha256(content).hexdigest()).space()


class Reader:
    """Walks the file once; `problems` gathers what is wrong."""

    def __init__(self, document: Document, sha256: str) -> None:
        self.document, self.sha256 = document, sha256
        self.data: dict[str, Any] = document.data
        self.problems: list[Problem] = []

    def note(
        self, path: Key, message: str, expected: str | None = None, hint: str | None = None, key: bool = False
    ) -> None:
        """One thing that is wrong at the value (or `key`) of a path."""
        mark = self.document.at(path, key=key)
        shown = ".".join(str(part) for part in path) or None
        self.problems.append(Problem(message, mark.file, mark.line, mark.column, shown, expected, hint))

    def space(self) -> Space:
        self.unknown_keys((), self.data, KEYS)
        schema, name = self.text("schema"), self.text("name")
        if schema is not None and schema != SCHEMA:
            self.note(("schema",), f"is {schema!r}", SCHEMA)
        if name is not None and not re.fullmatch(r"[a-z0-9_]+", name):
            self.note(("name",), f"is {name!r}", "a lower-case name of letters, digits and _")
        description = self.text("description", "")
        arch = self.arch()
        method = self.choice("method", METHODS, "closed_form")
        compat = self.compat(method)
        entries = read_entries(self, arch, method)
        self.networks(entries)
        objective = self.choice("objective", OBJECTIVES, "edp")
        answers, sample = self.answers(compat), self.sample()
        screen = read_screen(self, method, answers, sample)
        self.constraint_texts()
        if entries.settings is None or self.problems:
            self.agreement(entries)
            if entries.settings is not None:
                check_values(self, entries.variables, entries, {v.name: ends(v) for v in entries.variables})
            raise InputError(self.sorted())
        derived, constraints = self.agreement(entries)
        self.known_metrics(compat, answers, constraints)
        if self.problems:
            raise InputError(self.sorted())
        space = Space(
            name or "",
            description or "",
            arch or "",
            tuple(str(value) for value in entries.values_of("network")),
            tuple(entries.variables),
            derived,
            constraints,
            method,
            objective,
            answers,
            sample,
            self.document.file,
            self.sha256,
            screen,
            compat,
            self.document.at(("method",) if "method" in self.data else ("arch",)).line,
        )
        if space.n_raw > MAX_POINTS:
            self.note(
                ("vary",), f"{space.n_raw:,} combinations", "at most 2^53", "fewer values, or larger steps"
            )
            raise InputError(self.sorted())
        space = check_points(self, space, entries)
        if self.problems:
            raise InputError(self.sorted())
        return space

    def agreement(self, entries: Entries) -> tuple[tuple[Any, ...], tuple[Constraint, ...]]:
        """Derived columns and constraints; none where there is no architecture."""
        if entries.settings is None:
            return (), ()
        names = Names(entries)
        derived = derived_columns(self, entries, names)
        constraints = [
            constraint(self, path, text, names) for path, text in self.constraint_texts(quiet=True)
        ]
        return derived, tuple(one for one in constraints if one is not None)

    def sorted(self) -> list[Problem]:
        """In the order of the file, nothing twice."""
        found = dict.fromkeys(self.problems)
        return sorted(found, key=lambda problem: (problem.line or 0, problem.column or 0))

    def unknown_keys(self, path: Key, data: Mapping[str, Any], known: Sequence[str]) -> None:
        for key in data:
            if key not in known:
                mark = self.document.at((*path, key), key=True)
                hint = did_you_mean(key, known)
                expected = None if hint else f"one of {', '.join(known)}"
                shown = ".".join(str(part) for part in (*path, key))
                self.problems.append(
                    Problem("unknown key", mark.file, mark.line, mark.column, shown, expected, hint)
                )

    def text(self, key: str, default: str | None = None) -> str | None:
        value = self.data.get(key, default)
        if value is None:
            self.note((key,), f"{key} is missing")
        elif not isinstance(value, str):
            self.note((key,), f"{value!r} is no text", "text")
            return None
        return value

    def choice(self, key: str, known: Sequence[str], default: str, path: Key = ()) -> str:
        data = self.data
        for part in path:
            data = data[str(part)]
        value = data.get(key, default)
        if value not in known:
            hint = did_you_mean(str(value), known)
            self.note((*path, key), f"no {key} {value!r}", f"one of {', '.join(known)}", hint)
            return default
        return str(value)

    def arch(self) -> str | None:
        """The base architecture as `accelsim.arch` takes it."""
        name = self.text("arch")
        if name is None:
            return None
        name = beside(self.document.file, name)
        try:
            Settings(name)
        except InputError as error:
            self.found_below(("arch",), error)
            return None
        return name

    def found_below(self, path: Key, error: InputError) -> None:
        """Problems of another file or of a name, told at the place that asks for it."""
        for problem in error.problems:
            inside = problem.file is not None and problem.line is not None
            message = str(problem) if inside else problem.message
            if inside:
                self.note(path, message)
            else:
                named = f"{problem.file}: {message}" if problem.file else message
                self.note(path, named, problem.expected, problem.hint)

    def networks(self, entries: Entries) -> None:
        """`networks:` is the first variable, unless `vary` has it in another place; each has to exist."""
        listed, varied = self.data.get("networks"), entries.values_of("network")
        path: Key = ("networks",) if listed is not None else ("vary", "network")
        if listed is None and not varied:
            if "network" not in entries.broken:
                self.note((), "networks is missing", "networks: a name, or a list of names")
            return
        if listed is not None and (varied or "network" in entries.broken):
            self.note(("networks",), "are given here and in vary.network", "one of them")
            return
        if listed is not None:
            try:
                varied = read_texts(listed)
            except ValuesError as error:
                self.values_error(path, error)
                return
            entries.add_first("network", varied)
        for place, value in enumerate(varied):
            data = self.data["networks"] if listed is not None else self.data["vary"]["network"]
            try:
                find_shipped("workloads", beside(self.document.file, str(value)))
            except InputError as error:
                self.found_below((*path, place) if isinstance(data, list) else path, error)

    def values_error(self, path: Key, error: ValuesError) -> None:
        path = path if error.item is None else (*path, error.item)
        self.note(path, error.message, error.expected, error.hint)

    def constraint_texts(self, quiet: bool = False) -> list[tuple[Key, str]]:
        data = self.data.get("where", [])
        items: Iterable[tuple[Key, Any]] = (
            [(("where", i), item) for i, item in enumerate(data)]
            if isinstance(data, list)
            else [(("where",), data)]
        )
        found: list[tuple[Key, str]] = []
        for path, item in items:
            if isinstance(item, str):
                found.append((path, item))
            elif not quiet:
                self.note(path, f"{item!r} is no constraint", "text such as 'glb.size >= 64 KiB'")
        return found

    def compat(self, method: str) -> str | None:
        """By whose rules points are counted; other simulators have a closed form alone."""
        if self.data.get("compat") is None:
            return None
        compat = self.choice("compat", COMPATS, COMPATS[0])
        if method != "closed_form":
            self.note(("method",), f"{method!r} has no compat: {compat}", "closed_form")
        return compat

    def known_metrics(self, compat: str | None, answers: Answers, constraints: Sequence[Constraint]) -> None:
        """Another simulator's rules do not give all metrics."""
        unknown = UNKNOWN.get(compat or "", ())
        said = f"compat: {compat} does not give it"
        for key in ("minimise", "maximise"):
            for name in getattr(answers, key):
                if name in unknown:
                    self.note(("answers", key), f"{name}: {said}")
        for number, one in enumerate(constraints):
            for name in sorted(one.tree.names() & set(unknown)):
                path: Key = ("where", number) if isinstance(self.data["where"], list) else ("where",)
                self.note(path, f"{one.text}: {name}: {said}")

    def answers(self, compat: str | None) -> Answers:
        data = self.mapping("answers", ("minimise", "maximise"))
        if data is None:
            return Answers(("latency_s",)) if compat else Answers()
        found: dict[str, tuple[str, ...]] = {"minimise": (), "maximise": ()}
        seen: set[str] = set()
        for key in found:
            try:
                items = read_texts(data[key]) if key in data and data[key] != [] else ()
            except ValuesError as error:
                self.values_error(("answers", key), error)
                continue
            for place, item in enumerate(items):
                path: Key = ("answers", key, place) if isinstance(data[key], list) else ("answers", key)
                if item not in METRICS:
                    self.note(
                        path, f"no metric {item!r}", None, did_you_mean(str(item), METRICS) or _metrics()
                    )
                elif item in seen:
                    self.note(path, f"{item} is asked for twice")
                seen.add(str(item))
            found[key] = tuple(str(item) for item in items)
        if not 1 <= len(seen) <= 4 and not self.problems:
            self.note(("answers",), f"asks for {len(seen)} metrics", "1 to 4")
        return Answers(**found)

    def sample(self) -> Sample | None:
        data = self.mapping("sample", ("method", "points", "seed"))
        if data is None:
            return None
        for key in ("method", "points"):
            if key not in data:
                self.note(("sample",), f"has no {key}", f"{key}: {'lhs' if key == 'method' else '1000'}")
        method = self.choice("method", SAMPLES, "lhs", ("sample",))
        counts = {"points": data.get("points", 1), "seed": data.get("seed", 0)}
        for key, least in (("points", 1), ("seed", 0)):
            value = counts[key]
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value < 2**32:
                self.note(("sample", key), f"{value!r} does not fit", f"a whole number from {least}")
        return Sample(method, counts["points"], counts["seed"])  # type: ignore[arg-type]

    def mapping(self, key: str, known: Sequence[str]) -> dict[str, Any] | None:
        data = self.data.get(key)
        if data is None:
            return None
        if not isinstance(data, dict):
            self.note((key,), f"{data!r} does not fit", f"keys and values: {', '.join(known)}")
            return None
        self.unknown_keys((key,), data, known)
        return data


def _metrics() -> str:
    return f"metrics are {', '.join(METRICS)}"
