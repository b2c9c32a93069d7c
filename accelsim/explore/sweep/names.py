"""What a name in an expression means: a variable, a metric, or a key of the architecture that is fixed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accelsim.base.errors import InputError, did_you_mean
from accelsim.base.units import UnitError, quantity_of
from accelsim.base.yaml_lines import Key, Mark
from accelsim.explore.sweep.choose import Entries
from accelsim.explore.sweep.dimensions import dimension_of, name_of, unit_of
from accelsim.explore.sweep.expressions import Dimension, Node, number, scaled
from accelsim.explore.sweep.grammar import ExpressionError, Parsed, parse, typed
from accelsim.explore.sweep.metrics import METRICS, SHORT
from accelsim.explore.sweep.space import Constraint
from accelsim.explore.sweep.variables import Derived, dimension_of_unit

if TYPE_CHECKING:
    from accelsim.explore.sweep.read import Reader


class Names:
    """The nodes of names, as they become known; `column` finds the column that a shortened name means."""

    def __init__(self, entries: Entries) -> None:
        assert entries.settings is not None
        self.entries, self.settings = entries, entries.settings
        self.terms: dict[str, Node] = {}
        for variable in entries.variables:
            whole = variable.column.dtype.kind == "i" and not variable.labels
            magnitude = float(max(abs(variable.column.min()), abs(variable.column.max()))) if whole else None
            self.terms[variable.name] = leaf(variable.name, variable.labels, variable.dimension, magnitude)
        for one in entries.chosen:
            magnitude = float(max(map(abs, one.tree.value))) if one.whole and not one.labels else None
            self.terms[one.name] = leaf(one.name, one.labels, dimension_of_unit(one.unit), magnitude)

    def column(self, name: str) -> str | None:
        """The variable, choice or derived column of a name, also where it is shortened or spelt out."""
        entries = self.entries
        if name in self.terms or name in entries.expressions or name in entries.broken:
            return name
        try:
            return entries.keys.get(self.settings.find(name, Mark()).name)
        except InputError:
            return None

    def known(self) -> list[str]:
        return [*self.terms, *self.entries.expressions, *METRICS, *self.settings.endings()]

    def term(self, name: str, metrics: bool) -> Node:
        """The node of a name; ExpressionError where it has none."""
        column = self.column(name)
        if column is not None:
            return self.terms[column]
        if name in METRICS or name in SHORT:
            if not metrics:
                raise ExpressionError(
                    f"{name} is known only after the evaluation", "variables alone", "where:"
                )
            return _metric(name)
        return self._constant(name)

    def _constant(self, name: str) -> Node:
        """A key that does not vary, with the value of the architecture's file."""
        try:
            value = self.settings.find(name, Mark()).value
        except InputError as error:
            problem = error.problems[0]
            if problem.expected is not None:  # several keys
                raise ExpressionError(f"{name} {problem.message}", problem.expected) from None
            quoted = [v.name for v in self.entries.variables if name in v.labels]
            hint = f"'{name}' in quotes, if the text is meant" if quoted else did_you_mean(name, self.known())
            raise ExpressionError(f"unknown name {name!r}", "a variable, metric or key", hint) from None
        if isinstance(value, int | float) and not isinstance(value, bool):
            return number(value)
        if isinstance(value, str):
            try:
                quantity = quantity_of(value)
            except UnitError:
                quantity = None
            if quantity is not None:
                return number(quantity.value, dimension_of(quantity.dimension))
        why = "is not one number" if value is not None else "is not given, or differs between dataflows"
        raise ExpressionError(f"{name} {why} in {self.settings.file}", "a key with one number")


def leaf(name: str, labels: tuple[str, ...], dimension: Dimension, magnitude: float | None) -> Node:
    """The node of a column."""
    if labels:
        return Node("name", value=name, kind="text", labels=labels)
    scale = None if dimension else 1.0
    bound = float("inf") if magnitude is None else magnitude
    return Node("name", value=name, dimension=dimension, scale=scale, magnitude=bound)


def _metric(name: str) -> Node:
    """A metric in base units; a bare number beside it counts in the unit of its name, where it has one."""
    metric = METRICS[SHORT.get(name, name)]
    dimension = dimension_of(metric.dimension)
    scale = metric.scale if name in METRICS else None
    return scaled(Node("name", value=SHORT.get(name, name), dimension=dimension, scale=scale), metric.scale)


def derived_columns(reader: Reader, entries: Entries, names: Names) -> tuple[Derived, ...]:
    """All columns that follow from variables, in an order in which each follows from those before it."""
    parsed: dict[str, Parsed] = {}
    for name, (text, _) in entries.expressions.items():
        try:
            parsed[name] = parse(text)
        except ExpressionError as error:
            reader.note(("vary", name), error.message, error.expected, error.hint)
            entries.broken.add(name)
    needs = {
        name: {
            column
            for word in one.names
            if (column := names.column(word)) in parsed or column in entries.broken
        }
        for name, one in parsed.items()
    }
    found = list(entries.chosen)
    waiting = dict(parsed)
    while waiting:
        ready = [name for name in waiting if not any(need in waiting for need in needs[name])]
        if not ready:
            _note_cycles(
                reader, {name: [need for need in needs[name] if need in waiting] for name in waiting}
            )
            break
        for name in ready:
            one = waiting.pop(name)
            derived = None if needs[name] & entries.broken else _derived(reader, name, one, entries, names)
            if derived is None:
                entries.broken.add(name)
            else:
                found.append(derived)
    entries.broken |= set(waiting)
    return tuple(found)


def _note_cycles(reader: Reader, needs: dict[str, list[str | None]]) -> None:
    """Each ring once, told at its first member in the file."""
    seen: set[str] = set()
    for start in needs:
        chain = [start]
        while (after := str(needs[chain[-1]][0])) not in chain and after not in seen:
            chain.append(after)
        if after in seen or start in seen:
            seen |= set(chain)
            continue
        ring = chain[chain.index(after) :]
        seen |= set(chain)
        reader.note(
            ("vary", ring[0]), f"follows from itself: {' -> '.join([*ring, ring[0]])}", "values for one"
        )


def _derived(reader: Reader, name: str, parsed: Parsed, entries: Entries, names: Names) -> Derived | None:
    key = entries.expressions[name][1]
    try:
        tree = typed(parsed, {word: names.term(word, metrics=False) for word in parsed.names})
        unit = unit_of(tree.dimension)
        if tree.kind == "bool":
            raise ExpressionError("is true or false", "a number or text", "1 if ... else 0")
        if tree.op == "text":
            raise ExpressionError("is one text", f"{name}: [{tree.value}]")
        if unit is None:
            raise ExpressionError(f"is {name_of(tree.dimension)}", "a unit that a key takes")
        if not tree.names():
            raise ExpressionError("names no variable", "an expression of variables, or a value")
        if unit and name in entries.whole:
            raise ExpressionError(f"is in {unit}", "a whole number")
    except ExpressionError as error:
        reader.note(("vary", name), error.message, error.expected, error.hint)
        return None
    magnitude = tree.magnitude if tree.whole else None
    names.terms[name] = leaf(name, tree.labels, tree.dimension, magnitude)
    whole = tree.whole or bool(tree.labels) or name in entries.whole
    return Derived(name, parsed.text, tree, unit, whole, tree.labels, key)


def constraint(reader: Reader, path: Key, text: str, names: Names) -> Constraint | None:
    """One item of `where:`; None where it is wrong, which is noted, or names what is wrong already."""
    try:
        parsed = parse(text)
        if any(names.column(word) in names.entries.broken for word in parsed.names):
            return None
        tree = typed(parsed, {word: names.term(word, metrics=True) for word in parsed.names})
        if tree.kind != "bool":
            raise ExpressionError("is neither true nor false", "a comparison such as glb.size >= 64 KiB")
        if not tree.names():
            raise ExpressionError("names no variable or metric", "a comparison of what varies")
    except ExpressionError as error:
        reader.note(path, f"{text}: {error.message}", error.expected, error.hint)
        return None
    on_metrics = bool(tree.names() & set(METRICS))
    return Constraint(text, tree, on_metrics, reader.document.at(path).line)
