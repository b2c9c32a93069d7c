"""YAML as plain data with the line and column of every key and value.

Read from PyYAML's event stream, never through its composer: that one recurses in C and crashes the process
on deep nesting. Scalars follow YAML 1.2's core schema (`1e-3` is a number, `NO` and `10:30` are strings,
`010` is ten), duplicate keys are refused, and nesting, aliases and nodes are counted as the events arrive.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NoReturn

import yaml

from accelsim.base.errors import InputError, Problem

MAX_BYTES: Final = 4_000_000
MAX_DEPTH: Final = 64
MAX_NODES: Final = 100_000

Key = tuple[str | int, ...]

_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL: Final = {"", "~", "null", "Null", "NULL"}
_TRUE: Final = {"true", "True", "TRUE"}
_FALSE: Final = {"false", "False", "FALSE"}
_INT: Final = re.compile(r"[-+]?[0-9]+")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL: Final = {f"{sign}.{word}" for sign in ("", "-", "+") for word in ("inf", "Inf", "INF")}
_NAN: Final = {".nan", ".NaN", ".NAN"}


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a file, counted from 1."""

    file: str | None = None
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True)
class Document:
    """What a file says, and where: paths are tuples of keys and list indices, () is the whole."""

    data: Any
    file: str
    values: dict[Key, Mark] = field(default_factory=dict)
    keys: dict[Key, Mark] = field(default_factory=dict)

    def at(self, path: Key, *, key: bool = False) -> Mark:
        """Where the value (or `key`) of a path stands; of a path that is not there, its nearest parent."""
        if key and path in self.keys:
            return self.keys[path]
        while path not in self.values and path:
            path = path[:-1]
        return self.values.get(path, Mark(self.file))


def load_yaml(text: str | bytes, file: str = "<text>") -> Document:
    """Read one YAML document; InputError with file, line and column for whatever can't be read safely."""
    text = _decoded(text, file)
    return _Builder(text, file).document()


def load_yaml_file(path: Path) -> Document:
    """`load_yaml` of a file, at most MAX_BYTES of it."""
    from accelsim.base.files import read_limited

    return load_yaml(read_limited(path, MAX_BYTES, "a YAML file"), str(path))


def scalar(text: str) -> Any:
    """A plain scalar by YAML 1.2's core schema: null, bool, int, float or the text itself."""
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _INT.fullmatch(text) and len(text) < 400:
        return int(text)
    if text[:2] == "0o" and re.fullmatch("0o[0-7]{1,300}", text):
        return int(text, 8)
    if text[:2] == "0x" and re.fullmatch("0x[0-9a-fA-F]{1,300}", text):
        return int(text, 16)
    if _FLOAT.fullmatch(text):
        return float(text)
    if text in _SPECIAL:
        return float(text.replace(".", ""))
    return float("nan") if text in _NAN else text


def _decoded(text: str | bytes, file: str) -> str:
    if len(text) > MAX_BYTES:
        raise InputError(Problem(f"{len(text):,} B of YAML", file=file, expected=f"at most {MAX_BYTES:,} B"))
    if isinstance(text, str):
        return text
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = text[: error.start]
        raise InputError(
            Problem(
                f"byte 0x{text[error.start]:02x} is not UTF-8 text",
                file=file,
                line=before.count(b"\n") + 1,
                column=error.start - (before.rfind(b"\n") + 1) + 1,
                expected="a YAML text file",
            )
        ) from None


class _Builder:
    """Walks the events once; `problems` are those that don't stop the reading (duplicate keys, tags)."""

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.text = text
        self.n_nodes = 0
        self.problems: list[Problem] = []
        self.values: dict[Key, Mark] = {}
        self.keys: dict[Key, Mark] = {}
        self.anchors: dict[str, tuple[Any, int] | None] = {}  # None while the node is still open

    def document(self) -> Document:
        events = self._events()
        data: Any = None
        n_documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                n_documents += 1
                if n_documents > 1:
                    self._stop(event, "a second document", "one document a file")
            elif isinstance(event, yaml.NodeEvent):
                data = self._node(event, events, ())
        if self.problems:
            raise InputError(self.problems)
        return Document(data, self.file, self.values, self.keys)

    def _events(self) -> Iterator[Any]:
        """The parser's events, its errors as ours, with the nesting counted before anything recurses."""
        depth = 0
        try:
            for event in yaml.parse(self.text, Loader=_LOADER):
                if isinstance(event, yaml.CollectionStartEvent):
                    depth += 1
                    if depth > MAX_DEPTH:
                        self._stop(event, f"nested more than {MAX_DEPTH} levels deep", "a flatter file")
                elif isinstance(event, yaml.CollectionEndEvent):
                    depth -= 1
                yield event
        except yaml.YAMLError as error:
            raise InputError(self._syntax(error)) from None
        except UnicodeError:
            raise InputError(Problem("a character that no encoding has", file=self.file)) from None

    def _syntax(self, error: yaml.YAMLError) -> Problem:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        parts = [getattr(error, name, None) for name in ("context", "problem")]
        message = ": ".join(part for part in parts if part) or getattr(error, "reason", None)
        return Problem(
            f"not YAML: {message or str(error).splitlines()[0]}",
            file=self.file,
            line=mark.line + 1 if mark else None,
            column=mark.column + 1 if mark else None,
            hint="a tab or a control character?" if mark is None or "cannot start" in str(message) else None,
        )

    def _node(self, event: Any, events: Iterator[Any], path: Key) -> Any:
        self.n_nodes += 1
        if self.n_nodes > MAX_NODES:
            self._stop(event, f"more than {MAX_NODES:,} values", "a smaller file, or fewer aliases")
        self.values[path] = self._mark(event)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if event.tag not in (None, "!"):
            self._note(event, path, f"tag {event.tag!r} is not read", "plain values")
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        before = self.n_nodes
        data: Any
        if isinstance(event, yaml.ScalarEvent):
            data = scalar(event.value) if event.implicit[0] else event.value
        elif isinstance(event, yaml.SequenceStartEvent):
            data = []
            for child in events:
                if isinstance(child, yaml.SequenceEndEvent):
                    break
                data.append(self._node(child, events, (*path, len(data))))
        else:
            data = self._mapping(events, path)
        if event.anchor is not None:
            self.anchors[event.anchor] = (data, self.n_nodes - before + 1)
        return data

    def _mapping(self, events: Iterator[Any], path: Key) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            if not isinstance(event, yaml.ScalarEvent):
                self._stop(event, "a key that is no plain word", "key: value")
            key = event.value
            here = (*path, key)
            duplicate = key in data
            if duplicate:
                first = self.keys[here]
                self._note(event, here, "duplicate key", hint=f"first given in line {first.line}")
            elif key == "<<" and event.implicit[0]:
                self._note(event, here, "merge keys are not read", "the keys written out, or extends:")
            else:
                self.keys[here] = self._mark(event)
            value = self._node(next(events), events, here)
            if not duplicate:
                data[key] = value
        return data

    def _alias(self, event: Any) -> Any:
        """The value of an anchor; its nodes count again, so that a bomb of aliases runs into MAX_NODES."""
        if event.anchor not in self.anchors:
            self._stop(event, f"alias *{event.anchor[:60]} of no anchor", f"&{event.anchor[:60]} before it")
        known = self.anchors[event.anchor]
        if known is None:
            self._stop(event, f"alias *{event.anchor[:60]} stands inside its own anchor", "no recursion")
        data, n_nodes = known
        self.n_nodes += n_nodes - 1
        if self.n_nodes > MAX_NODES:
            self._stop(event, f"aliases expand to more than {MAX_NODES:,} values", "the values written out")
        return data

    def _mark(self, event: Any) -> Mark:
        return Mark(self.file, event.start_mark.line + 1, event.start_mark.column + 1)

    def _problem(
        self, event: Any, message: str, expected: str | None, hint: str | None = None, path: Key = ()
    ) -> Problem:
        mark = self._mark(event)
        key = ".".join(str(part) for part in path) or None
        return Problem(message, mark.file, mark.line, mark.column, key, expected, hint)

    def _note(
        self, event: Any, path: Key, message: str, expected: str | None = None, hint: str | None = None
    ) -> None:
        self.problems.append(self._problem(event, message, expected, hint, path))

    def _stop(self, event: Any, message: str, expected: str) -> NoReturn:
        raise InputError([*self.problems, self._problem(event, message, expected)])
