"""From bytes to an onnx ModelProto, without crashing: the text parser recurses on nested brackets."""

from __future__ import annotations

import re
from typing import Any, Final

import onnx

from accelsim.base.errors import InputError, Problem

MAX_NESTING: Final = 64
"""Graphs in attributes of graphs nest three deep in practice; the parser's stack ends at some thousands."""

# Possessive and closed at the end of the text, so that no input makes it backtrack.
_TOKEN = re.compile(r'"(?:\\.|[^"\\])*+(?:"|\\?\Z)|#[^\n]*|=>|[()\[\]{}<>]', re.DOTALL)
_POSITION = re.compile(r"line:\s*(\d+)\s*column:\s*(\d+)")


def parse_binary(data: bytes, path: str) -> Any:
    """The model of a serialised protobuf; InputError where the bytes end early or are something else."""
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except Exception as error:
        raise InputError(
            Problem(
                f"no whole ONNX protobuf in these {len(data):,} bytes ({_first_line(error)})",
                file=path,
                expected="a complete ONNX model",
                hint="truncated download, or another format?",
            )
        ) from None
    if not model.HasField("graph") or not (model.graph.node or model.graph.input):
        raise InputError(
            Problem(
                "the protobuf has no ONNX graph",
                file=path,
                expected="a complete ONNX model",
                hint="truncated download, or another format?",
            )
        )
    return model


def parse_text(data: bytes, path: str) -> Any:
    """The model of a file in onnx's text syntax; nesting is capped before the parser sees it."""
    text = data.decode("utf-8-sig", errors="replace")
    cap_nesting(text, path)
    import onnx.parser

    try:
        return onnx.parser.parse_model(text)
    except Exception as error:
        message = _message(error)
        place = _POSITION.search(message)
        lines = [
            line.strip() for line in message.splitlines() if line.strip() and "ParseError at" not in line
        ]
        said = lines[-1].rstrip(".") if lines else "the parser gives no reason"
        context = lines[0].removeprefix("Error context:").strip() if len(lines) > 1 else ""
        raise InputError(
            Problem(
                f"ONNX text that can't be parsed: {said}" + (f", at {context[:60]!r}" if context else ""),
                file=path,
                line=int(place[1]) if place else None,
                column=int(place[2]) if place else None,
                expected="onnx's text syntax (onnx.printer.to_text writes it)",
            )
        ) from None


def cap_nesting(text: str, path: str) -> None:
    """InputError where brackets nest deeper than MAX_NESTING; strings and comments don't count."""
    depth = 0
    for token in _TOKEN.finditer(text):
        first = token[0][0]
        if first in "([{<":
            depth += 1
            if depth > MAX_NESTING:
                line = text.count("\n", 0, token.start()) + 1
                column = token.start() - text.rfind("\n", 0, token.start())
                raise InputError(
                    Problem(
                        f"brackets nest deeper than {MAX_NESTING}",
                        file=path,
                        line=line,
                        column=column,
                        expected=f"at most {MAX_NESTING} open brackets",
                    )
                )
        elif first in ")]}>":
            depth = max(0, depth - 1)


def _message(error: Exception) -> str:
    first = error.args[0] if error.args else ""
    return first.decode("utf-8", errors="replace") if isinstance(first, bytes) else str(first)


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
