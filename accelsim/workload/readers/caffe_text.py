"""Protobuf text (prototxt) into messages that remember their lines.

Only the syntax: fields of any name are kept, so that an unknown one never stops a reader.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NoReturn

from accelsim.base.errors import InputError, Problem

MAX_NESTING: Final = 64
"""Real files nest four deep; the parser recurses, so the depth is capped."""

MAX_COUNT: Final = 2**63 - 1
"""Counts stay in 64 bits, since they end in int64 arrays."""

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\f\v\n]+|\#[^\n]*)
      | (?P<word>[A-Za-z_][A-Za-z0-9_./-]*)
      | (?P<number>[-+]?(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)[fF]?)
      | (?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
      | (?P<mark>[{}<>:;,\[\]])""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str
    offset: int


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number, string or enum name, as written (quotes removed)."""

    text: str
    line: int
    column: int


@dataclass(slots=True)
class Message:
    """A block of named fields; `file` and `line` say where it opens."""

    file: str
    line: int = 1
    column: int = 1
    fields: dict[str, list[Scalar | Message]] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        return name in self.fields

    def messages(self, *names: str) -> list[Message]:
        """All blocks of these names, in the order of the file for each name."""
        return [v for name in names for v in self.fields.get(name, ()) if isinstance(v, Message)]

    def message(self, *names: str) -> Message:
        """The last block of these names, as protobuf reads a repeated one; empty where there is none."""
        found = self.messages(*names)
        return found[-1] if found else Message(self.file, self.line, self.column)

    def scalars(self, name: str) -> list[Scalar]:
        return [v for v in self.fields.get(name, ()) if isinstance(v, Scalar)]

    def texts(self, name: str) -> list[str]:
        return [scalar.text for scalar in self.scalars(name)]

    def text(self, name: str, default: str = "") -> str:
        found = self.scalars(name)
        return found[-1].text if found else default

    def flag(self, name: str, default: bool = False) -> bool:
        found = self.text(name, str(default)).lower()
        return found in ("true", "1", "t")

    def number(self, name: str, default: float) -> float:
        """The last value of a number. InputError: none."""
        found = self.scalars(name)
        try:
            return float(found[-1].text.rstrip("fF")) if found else default
        except ValueError:
            self.fail(f"{found[-1].text!r} is no number", found[-1], name, "a number")

    def wholes(self, name: str, least: int = 0) -> list[int]:
        """All values of a repeated whole number. InputError: no whole number, or below `least`."""
        return [self._checked(name, scalar, least) for scalar in self.scalars(name)]

    def whole(self, name: str, default: int | None = None, least: int = 0) -> int:
        """The last value of a whole number. InputError: absent without default, none, or below `least`."""
        found = self.wholes(name, least)
        if found:
            return found[-1]
        if default is None:
            self.fail(f"{name} is missing", key=name, expected="a whole number")
        return default

    def _checked(self, name: str, scalar: Scalar, least: int) -> int:
        try:
            value = int(scalar.text, 0) if len(scalar.text) < 40 else MAX_COUNT + 1
        except ValueError:
            self.fail(f"{scalar.text!r} is no whole number", scalar, name, f"{least} or more")
        if value < least:
            self.fail(f"{value} is too small", scalar, name, f"{least} or more")
        if value > MAX_COUNT:
            self.fail("the number does not fit in 64 bits", scalar, name, f"{least} to {MAX_COUNT:,}")
        return value

    def fail(
        self,
        message: str,
        at: Scalar | None = None,
        key: str | None = None,
        expected: str | None = None,
        hint: str | None = None,
    ) -> NoReturn:
        place = at or self
        raise InputError(
            Problem(
                message,
                file=self.file,
                line=place.line,
                column=place.column,
                key=key,
                expected=expected,
                hint=hint,
            )
        )


def parse_prototxt(text: str, file: str) -> Message:
    """The whole file as one message. InputError: no protobuf text, or nested deeper than MAX_NESTING."""
    return _Parser(text, file).parse()


class _Parser:
    def __init__(self, text: str, file: str) -> None:
        self.text, self.file = text, file
        self.tokens = self._scan()
        self.line, self.line_start, self.counted = 1, 0, 0
        self.token = next(self.tokens)

    def _scan(self) -> Iterator[Token]:
        offset = 0
        while offset < len(self.text):
            match = _TOKEN.match(self.text, offset)
            if match is None:
                self._fail(f"{self.text[offset]!r} can't stand here", offset, "protobuf text, `name: value`")
            kind = match.lastgroup or ""
            if kind != "space":
                yield Token(kind, match.group(), offset)
            offset = match.end()
        while True:
            yield Token("end", "", len(self.text))

    def _place(self, offset: int) -> tuple[int, int]:
        """Line and column; counts on from the last place asked for, so that a file is walked once."""
        if offset >= self.counted:
            breaks = self.text.count("\n", self.counted, offset)
            if breaks:
                self.line += breaks
                self.line_start = self.text.rindex("\n", self.counted, offset) + 1
            self.counted = offset
            return self.line, offset - self.line_start + 1
        before = self.text[:offset]
        return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1

    def _fail(self, message: str, offset: int, expected: str, hint: str | None = None) -> NoReturn:
        line, column = self._place(offset)
        raise InputError(
            Problem(message, file=self.file, line=line, column=column, expected=expected, hint=hint)
        )

    def _next(self) -> Token:
        token = self.token
        self.token = next(self.tokens)
        return token

    def _take(self, mark: str) -> bool:
        if self.token.kind == "mark" and self.token.text == mark:
            self._next()
            return True
        return False

    def parse(self) -> Message:
        return self._body(Message(self.file), "", 0)

    def _body(self, message: Message, closing: str, depth: int) -> Message:
        if depth > MAX_NESTING:
            self._fail(f"blocks nest deeper than {MAX_NESTING}", self.token.offset, "at most that many")
        while not (closing and self._take(closing)):
            if self.token.kind == "end":
                if not closing:
                    break
                self._fail(
                    f"the file ends inside the block that opens in line {message.line}",
                    self.token.offset,
                    f"{closing!r}",
                    "is the file cut off?",
                )
            name = self._next()
            if name.kind != "word":
                self._fail(f"{name.text!r} can't stand here", name.offset, "the name of a field")
            self._values(message.fields.setdefault(name.text, []), name, depth)
            if not self._take(","):
                self._take(";")
        return message

    def _values(self, values: list[Scalar | Message], name: Token, depth: int) -> None:
        """What follows a field's name: a block, a scalar or a list of either in brackets."""
        has_colon = self._take(":")
        if has_colon and self._take("["):
            while not self._take("]"):
                values.append(self._value(name, True, depth))
                if not self._take(",") and self.token.text != "]":
                    self._fail(f"{self.token.text!r} can't stand in a list", self.token.offset, "',' or ']'")
        else:
            values.append(self._value(name, has_colon, depth))

    def _value(self, name: Token, has_colon: bool, depth: int) -> Scalar | Message:
        token = self._next()
        line, column = self._place(token.offset)
        if token.kind == "mark" and token.text in "{<":
            block = Message(self.file, line, column)
            return self._body(block, "}" if token.text == "{" else ">", depth + 1)
        if token.kind == "string" and has_colon:
            text = token.text[1:-1]
            while self.token.kind == "string":  # neighbouring strings are one, as in C
                text += self._next().text[1:-1]
            return Scalar(text, line, column)
        if token.kind in ("word", "number") and has_colon:
            return Scalar(token.text, line, column)
        found = repr(token.text) if token.text else "the end of the file"
        return self._fail(f"{found} can't follow {name.text!r}", token.offset, "a value or '{'")
