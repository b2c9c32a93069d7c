"""`vary:` as variables, choices of several settings at once, and texts of expressions still to be read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from accelsim.base.errors import InputError, did_you_mean
from accelsim.base.units import UnitError, quantity_of
from accelsim.base.yaml_lines import Key
from accelsim.explore.sweep.expressions import Node
from accelsim.explore.sweep.space import KEY_OF, RUN_NAMES
from accelsim.explore.sweep.variables import (
    Derived,
    Value,
    ValuesError,
    Variable,
    is_range,
    read_texts,
    read_values,
    setting_text,
)
from accelsim.hardware.settings import Settings

if TYPE_CHECKING:
    from accelsim.explore.sweep.read import Reader

_OF_SPLIT: Final = ("mp", "dp", "threads")
_OPERATOR: Final = re.compile(r"[-+*/%()<>=]|\w\.[A-Za-z_]|\bif\b")


@dataclass
class Entries:
    """What `vary:` says: variables and choices in order, expressions by name, and names that are wrong."""

    settings: Settings | None
    variables: list[Variable] = field(default_factory=list)
    chosen: list[Derived] = field(default_factory=list)
    expressions: dict[str, tuple[str, str | None]] = field(default_factory=dict)  # name -> text, key
    broken: set[str] = field(default_factory=set)
    keys: dict[str, str] = field(default_factory=dict)  # full key -> name of the column that sets it
    whole: set[str] = field(default_factory=set)  # names whose key takes whole numbers alone
    places: dict[str, Key] = field(default_factory=dict)

    def values_of(self, name: str) -> tuple[Value, ...]:
        return next((one.values for one in self.variables if one.name == name), ())

    def add_first(self, name: str, values: tuple[Value, ...]) -> None:
        self.places[name] = ("networks",)
        self.variables.insert(0, Variable(name, values, ""))


def read_entries(reader: Reader, arch: str | None, method: str) -> Entries:
    """Every entry of `vary:`; without an architecture keys are not looked up."""
    data = reader.data.get("vary")
    if not isinstance(data, dict) or not data:
        reader.note(
            ("vary",), "vary is missing" if data is None else "varies nothing", "variables and values"
        )
        data = {}
    entries = Entries(_settings(arch, data.get("dataflow")))
    for name, value in data.items():
        _Entry(reader, entries, name, value, method, set(data)).read()
    return entries


def _settings(arch: str | None, dataflows: Any) -> Settings | None:
    """The architecture's keys, their values under all dataflows of the space where those are right."""
    if arch is None:
        return None
    listed = dataflows if isinstance(dataflows, list) else [dataflows]
    try:
        return Settings(arch, tuple(one for one in listed if isinstance(one, str)))
    except InputError:
        return Settings(arch)


@dataclass
class _Entry:
    """One entry of `vary:` on its way into `entries`."""

    reader: Reader
    entries: Entries
    name: str
    value: Any
    method: str
    others: set[str]

    def read(self) -> None:
        path: Key = ("vary", self.name)
        before = len(self.reader.problems)
        self.entries.places[self.name] = path
        value = self.value
        of_mappings = isinstance(value, dict) and value and all(isinstance(v, dict) for v in value.values())
        if of_mappings and self._is_no_key():
            self._choices(value)
            return
        key = self._key(self.name, path)
        if len(self.reader.problems) > before:
            self.entries.broken.add(self.name)
            return
        if isinstance(value, str) and self._is_expression(value):
            self.entries.expressions[self.name] = (value, key)
            return
        try:
            if self.name in ("network", "dataflow"):
                values, unit = read_texts(value), ""
            else:
                values, unit = read_values(value)
        except ValuesError as error:
            self.reader.values_error(path, error)
            self.entries.broken.add(self.name)
            return
        self._check_whole(self.name, path, values, unit)
        self.entries.variables.append(Variable(self.name, values, unit, key))

    def _is_no_key(self) -> bool:
        settings = self.entries.settings
        plain = self.name not in RUN_NAMES and self.name not in KEY_OF
        return plain and (settings is None or not settings.has(self.name))

    def _key(self, name: str, path: Key) -> str | None:
        """The full key that a name means, noted where there is none or where it is set twice."""
        if name in RUN_NAMES:
            if name in _OF_SPLIT and self.method != "split":
                self.reader.note(path, "has no effect", hint="method: split", key=True)
            if name != "network":
                self.entries.whole.add(name)
            return None
        settings = self.entries.settings
        if settings is None:
            return None
        mark = self.reader.document.at(path, key=True)
        try:
            setting = settings.find(KEY_OF.get(name, name), mark)
        except InputError as error:
            hint = error.problems[0].hint or did_you_mean(name, (*RUN_NAMES, *KEY_OF))
            message = f"{error.problems[0].message} in {settings.file}"
            self.reader.note(path, message, error.problems[0].expected, hint, key=True)
            return None
        if setting.name in self.entries.keys:
            other = self.entries.keys[setting.name]
            self.reader.note(path, f"sets {setting.name}, which {other} sets too", "one of them", key=True)
            return None
        self.entries.keys[setting.name] = name
        if setting.whole:
            self.entries.whole.add(name)
        return setting.name

    def _is_expression(self, text: str) -> bool:
        """Whether a text relates variables: has operators or dotted names, and is no quantity or range."""
        text = text.strip()
        if is_range(text) or text[:1] in "{[" or self.name == "network":
            return False
        if text in self.others:
            return True
        try:
            if quantity_of(text) is not None:
                return False
        except UnitError:
            pass
        return _OPERATOR.search(text) is not None

    def _check_whole(self, name: str, path: Key, values: tuple[Value, ...], unit: str) -> None:
        """Keys that count take whole numbers."""
        if name not in self.entries.whole:
            return
        wrong = [v for v in values if isinstance(v, str) or unit or v != int(v)]
        if name in RUN_NAMES:
            wrong += [v for v in values if not isinstance(v, str) and v < 1]
        if wrong:
            self.reader.note(path, f"{setting_text(wrong[0], unit)} does not fit", "whole numbers from 1")

    def _choices(self, choices: dict[str, dict[str, Any]]) -> None:
        """`precision: {int8: {mac.bits: 8}, fp16: {mac.bits: 16}}`: one axis that may set several keys."""
        path: Key = ("vary", self.name)
        labels = tuple(choices)
        wanted = dict.fromkeys(key for settings in choices.values() for key in settings)
        before = len(self.reader.problems)
        for label, settings in choices.items():
            for missing in (key for key in wanted if key not in settings):
                self.reader.note((*path, label), f"does not set {missing}, which others set", "all or none")
        leaf = Node("name", value=self.name, kind="text", labels=labels)
        for name in wanted if len(self.reader.problems) == before else ():
            inner = (*path, labels[0], name)
            key = self._key(name, inner)
            self.entries.places[name] = inner
            values: list[Value] = []
            units: set[str] = set()
            for label in labels:
                try:
                    found, unit = read_values([choices[label][name]])
                except ValuesError as error:
                    self.reader.note((*path, label, name), error.message, error.expected, error.hint)
                    continue
                if len(found) != 1:
                    self.reader.note((*path, label, name), "is a range", "one value")
                self._check_whole(name, (*path, label, name), found, unit)
                values += found[:1]
                units.add("text" if isinstance(found[0], str) else unit)
            if len(units) > 1:
                self.reader.note(
                    path, f"gives {name} values in different units", "values in one unit, or texts"
                )
            if len(self.reader.problems) == before:
                self.entries.chosen.append(
                    _looked_up(name, key, leaf, values, (units - {"text"} or {""}).pop())
                )
        if len(self.reader.problems) > before:
            self.entries.broken |= {self.name, *wanted}
        else:
            self.entries.variables.append(Variable(self.name, labels, ""))


def _looked_up(name: str, key: str | None, leaf: Node, values: list[Value], unit: str) -> Derived:
    """The column of a setting that follows from a choice."""
    text = " or ".join(dict.fromkeys(setting_text(value, unit) for value in values))
    if isinstance(values[0], str):
        labels = tuple(dict.fromkeys(str(value) for value in values))
        codes = tuple(labels.index(str(value)) for value in values)
        return Derived(
            name, text, Node("recode", (leaf,), codes, "text", labels=labels), "", True, labels, key
        )
    whole = all(isinstance(value, int) for value in values)
    return Derived(name, text, Node("recode", (leaf,), tuple(values)), unit, whole, (), key)
