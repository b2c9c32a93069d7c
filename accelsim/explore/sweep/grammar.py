"""The text of an expression as a checked tree: what may stand in it, and what its parts have to agree in."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from accelsim.base.errors import did_you_mean
from accelsim.base.units import UnitError, is_unit, quantity_of
from accelsim.explore.sweep.dimensions import dimension_of, said, times
from accelsim.explore.sweep.expressions import MAX_NUMBER, Kind, Node, number, result_magnitude, scaled

MAX_TEXT: Final = 500
_MAX_DEPTH: Final = 40

_TOKEN: Final = re.compile(
    r"""\s*(?:
      (?P<number>(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)
    | (?P<text>'[^']*'|"[^"]*")
    | (?P<name>[A-Za-z_]\w*(?:\.\w+)*)
    | (?P<op>\*\*|//|<=|>=|==|!=|&&|\|\||[-+*/%()<>,=!\[\]])
    )""",
    re.VERBOSE | re.ASCII,
)
_UNIT: Final = re.compile(r"\s*([A-Za-z\u00b5\u03bc][A-Za-z0-9\u00b2]*)(?:/([A-Za-z]+)(?![\w.(]))?")
_PERCENT: Final = re.compile(r"%(?=\s*(?:$|[)\],<>=!+*/-]|(?:and|or|if|else)\b))")
_WORDS: Final = {"and", "or", "not", "in", "if", "else"}
_FUNCTIONS: Final = {"min": 2, "max": 2, "ceil": 1, "floor": 1}
_MEANT: Final = {"&&": "and", "||": "or", "=": "==", "!": "not", "**": "a product"}
_ALLOWED: Final = "+ - * / // % min max ceil floor, comparisons, and, or, not, in, a if b else c"
_OPS: Final[dict[type[ast.AST], str]] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%",
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
    ast.And: "and", ast.Or: "or",
}  # fmt: skip


class ExpressionError(ValueError):
    """A text that is no expression; the caller adds file, line and key."""

    def __init__(self, message: str, expected: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message, self.expected, self.hint = message, expected, hint


@dataclass(frozen=True)
class Parsed:
    """An expression whose grammar is right; `leaves` are the quantities, texts and names of its tree."""

    text: str
    tree: ast.expr
    leaves: tuple[Node, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names as they are written, in order."""
        return tuple(dict.fromkeys(str(leaf.value) for leaf in self.leaves if leaf.op == "name"))


def parse(text: str) -> Parsed:
    """Read the text; ExpressionError where it is no expression."""
    if len(text) > MAX_TEXT:
        raise ExpressionError(f"is {len(text):,} characters long", f"at most {MAX_TEXT}")
    leaves: list[Node] = []
    words: list[str] = []
    at = 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            rest = text[at:].strip()
            raise ExpressionError(f"{rest[0]!r} can't stand in an expression", _ALLOWED)
        at = match.end()
        kind, word = str(match.lastgroup), str(match[str(match.lastgroup)])
        if kind == "number":
            leaf, at = _quantity(text, word, at)
        elif kind == "text":
            leaf = Node("text", value=word[1:-1], kind="text")
        elif kind == "name" and word in ("true", "false", "True", "False"):
            leaf = Node("text", value=word.lower(), kind="text")
        elif kind == "name" and word not in _WORDS and not text[at:].lstrip().startswith("("):
            leaf = Node("name", value=word)
        else:
            words.append(_plain_word(kind, word))
            continue
        words.append(f"_{len(leaves)}")
        leaves.append(leaf)
    return Parsed(text, _tree(" ".join(words), text), tuple(leaves))


def _plain_word(kind: str, word: str) -> str:
    if word in _MEANT:
        raise ExpressionError(f"{word!r} can't stand in an expression", _MEANT[word])
    if kind == "name" and word not in _WORDS and word not in _FUNCTIONS:
        hint = did_you_mean(word, _FUNCTIONS)
        raise ExpressionError(f"no function {word!r}", f"one of {', '.join(_FUNCTIONS)}", hint)
    return word


def _quantity(text: str, digits: str, at: int) -> tuple[Node, int]:
    """A number with the unit that follows it, and where the text goes on."""
    if not float(digits) <= MAX_NUMBER:
        raise ExpressionError(f"{digits} is too large", "below 1e30")
    percent, unit = _PERCENT.match(text, at), _UNIT.match(text, at)
    if percent:
        return number(float(digits) * 0.01), percent.end()
    if unit is None or unit[1] in _WORDS:
        return number(float(digits)), at
    word, at = unit[1], unit.end(1)
    if unit[2] and is_unit(unit[2]):
        word, at = f"{unit[1]}/{unit[2]}", unit.end(2)
    try:
        found = quantity_of(f"{digits} {word}")
    except UnitError as error:
        raise ExpressionError(error.message, error.expected, error.hint) from None
    assert found is not None, "a number and a word"
    return number(found.value, dimension_of(found.dimension)), at


def _tree(source: str, text: str) -> ast.expr:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ExpressionError(f"{text!r} is no expression", _ALLOWED) from None


def typed(parsed: Parsed, terms: Mapping[str, Node]) -> Node:
    """The tree with names taken from `terms` and all parts checked, else ExpressionError."""
    return _Typing(parsed.leaves, terms).node(parsed.tree, 0)


class _Typing:
    def __init__(self, leaves: tuple[Node, ...], terms: Mapping[str, Node]) -> None:
        self.leaves, self.terms = leaves, terms

    def node(self, tree: ast.expr, depth: int) -> Node:
        if depth > _MAX_DEPTH:
            raise ExpressionError(f"is nested more than {_MAX_DEPTH} levels deep")
        below: Callable[[ast.expr], Node] = lambda part: self.node(part, depth + 1)  # noqa: E731
        if isinstance(tree, ast.Name) and tree.id.startswith("_"):
            leaf = self.leaves[int(tree.id[1:])]
            return self.terms[str(leaf.value)] if leaf.op == "name" else leaf
        if isinstance(tree, ast.BinOp) and type(tree.op) in _OPS:
            return _arithmetic(_OPS[type(tree.op)], (below(tree.left), below(tree.right)))
        if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.Not):
            return Node("not", (_must_be("bool", "not", below(tree.operand)),), kind="bool")
        if isinstance(tree, ast.UnaryOp):
            return self.signed(tree, below(tree.operand))
        if isinstance(tree, ast.BoolOp):
            op = _OPS[type(tree.op)]
            return Node(op, tuple(_must_be("bool", op, below(value)) for value in tree.values), kind="bool")
        if isinstance(tree, ast.Compare):
            return self.comparison(tree, below)
        if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and not tree.keywords:
            return _call(tree.func.id, tuple(below(argument) for argument in tree.args))
        if isinstance(tree, ast.IfExp):
            return _choice(_must_be("bool", "if", below(tree.test)), below(tree.body), below(tree.orelse))
        raise ExpressionError("is no expression between variables", _ALLOWED)

    def signed(self, tree: ast.UnaryOp, operand: Node) -> Node:
        operand = _must_be("number", "-", operand)
        if isinstance(tree.op, ast.UAdd):
            return operand
        if operand.op == "number":
            return replace(operand, value=-operand.value)
        return _alike("negative", operand)

    def comparison(self, tree: ast.Compare, below: Callable[[ast.expr], Node]) -> Node:
        """Every pair of a chain (`8 <= a <= 64`), and-ed."""
        pairs: list[Node] = []
        left = below(tree.left)
        for op, right_tree in zip(tree.ops, tree.comparators, strict=True):
            if isinstance(op, ast.In | ast.NotIn):
                if not isinstance(right_tree, ast.List | ast.Tuple):
                    raise ExpressionError("'in' needs a list", "as in dataflow in ['ws', 'os']")
                ones = tuple(_compared("==", left, below(item)) for item in right_tree.elts)
                inside = Node("or", ones, kind="bool") if len(ones) > 1 else ones[0] if ones else None
                if inside is None:
                    raise ExpressionError("'in' an empty list is never true")
                pairs.append(Node("not", (inside,), kind="bool") if isinstance(op, ast.NotIn) else inside)
                right = left
            elif type(op) in _OPS:
                right = below(right_tree)
                pairs.append(_compared(_OPS[type(op)], left, right))
            else:
                raise ExpressionError("is no comparison of ours", _ALLOWED)
            left = right
        return pairs[0] if len(pairs) == 1 else Node("and", tuple(pairs), kind="bool")


def _alike(op: str, node: Node) -> Node:
    """An operation on one number that leaves its dimension and its bound."""
    return replace(node, op=op, args=(node,), value=None)


def _must_be(kind: Kind, op: str, node: Node) -> Node:
    if node.kind != kind:
        nouns = {"number": "a number", "bool": "true or false", "text": "text"}
        raise ExpressionError(f"{op!r} of {nouns[node.kind]}", nouns[kind])
    return node


def _agreed(op: str, a: Node, b: Node) -> tuple[Node, Node]:
    """Both sides in base units of one dimension; a bare number counts in the unit of a metric's name."""
    if a.dimension == b.dimension:
        return a, b
    for plain, other in ((a, b), (b, a)):
        if plain.op == "number" and plain.value == 0:
            return (
                (replace(a, dimension=b.dimension), b)
                if plain is a
                else (a, replace(b, dimension=a.dimension))
            )
        if not plain.dimension and other.scale is not None:
            mended = replace(scaled(plain, other.scale), dimension=other.dimension, scale=other.scale)
            return (mended, b) if plain is a else (a, mended)
    raise ExpressionError(
        f"{op!r} between {said(a.dimension)} and {said(b.dimension)}",
        "one unit on both sides",
        None if a.dimension and b.dimension else "2 * 64 KiB, not 2 * 64",
    )


def _arithmetic(op: str, args: tuple[Node, ...]) -> Node:
    a, b = (_must_be("number", op, argument) for argument in args)
    if op in ("*", "/", "//"):
        power = 1 if op == "*" else -1
        dimension = times(a.dimension, b.dimension, power)
        scale = None if a.scale is None or b.scale is None else a.scale * b.scale**power
    else:
        a, b = _agreed(op, a, b)
        dimension, scale = a.dimension, a.scale if a.scale == b.scale else None
    return Node(op, (a, b), dimension=dimension, scale=scale, magnitude=result_magnitude(op, (a, b)))


def _call(function: str, args: tuple[Node, ...]) -> Node:
    n_least = _FUNCTIONS[function]
    if len(args) < n_least or (n_least == 1 and len(args) > 1):
        raise ExpressionError(
            f"{function} of {len(args)}", "one number" if n_least == 1 else "two numbers or more"
        )
    if n_least == 1:
        only = _must_be("number", function, args[0])
        return _alike(function, only)
    result = _must_be("number", function, args[0])
    for argument in args[1:]:
        result = _arithmetic(function, (result, argument))
    return result


def _compared(op: str, a: Node, b: Node) -> Node:
    if a.kind == b.kind == "text" and op in ("==", "!="):
        return _text_compared(op, *((a, b) if b.op == "text" else (b, a)))
    if "text" in (a.kind, b.kind):
        raise ExpressionError(
            f"{op!r} between {_noun(a)} and {_noun(b)}", "text == text, or number <= number"
        )
    a, b = _agreed(op, _must_be("number", op, a), _must_be("number", op, b))
    return Node(op, (a, b), kind="bool")


def _noun(node: Node) -> str:
    return "text" if node.kind == "text" else "a number"


def _text_compared(op: str, column: Node, literal: Node) -> Node:
    if literal.op != "text" or column.op == "text":
        raise ExpressionError("texts are compared with a variable", "as in dataflow == 'ws'")
    if literal.value not in column.labels:
        hint = did_you_mean(str(literal.value), column.labels)
        raise ExpressionError(f"is never {literal.value!r}", f"one of {', '.join(column.labels)}", hint)
    found = Node("among", (column,), (column.labels.index(literal.value),), "bool")
    return found if op == "==" else Node("not", (found,), kind="bool")


def _choice(test: Node, a: Node, b: Node) -> Node:
    """`a if test else b`, of two numbers or two texts."""
    if a.kind == b.kind == "text":
        labels = tuple(dict.fromkeys((*(a.labels or (a.value,)), *(b.labels or (b.value,)))))
        codes = (_recoded(a, labels), _recoded(b, labels))
        return Node("if", (test, *codes), kind="text", labels=labels)
    a, b = _agreed("else", _must_be("number", "if", a), _must_be("number", "else", b))
    magnitude = result_magnitude("max", (a, b))
    return Node("if", (test, a, b), dimension=a.dimension, scale=a.scale, magnitude=magnitude)


def _recoded(node: Node, labels: tuple[str, ...]) -> Node:
    if node.op == "text":
        return Node("number", value=labels.index(node.value))
    return Node("recode", (node,), tuple(labels.index(label) for label in node.labels))
