"""Errors as the interface contract has them: plain lines on stderr, or one JSON object on stdout."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from typing import Any, Final

import typer

from accelsim.base.errors import AccelsimError, Problem, did_you_mean
from accelsim.base.version import VERSION
from accelsim.cli import streams

USAGE: Final = 2
DEFECT: Final = 70
INTERRUPTED: Final = 130
PIPE_CLOSED: Final = 141
TRACKER: Final = "the issue tracker of accelsim"
KEYS: Final = ("file", "line", "column", "key", "message", "expected", "hint")

# The base class of all usage errors: from click up to typer 0.2x, from typer's own copy of it since.
_CLICK_ERROR: type[BaseException] = next(
    kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException"
)


def report(error: BaseException, as_json: bool) -> int:
    """Shows the error and gives its exit code."""
    if isinstance(error, typer.Exit):
        return error.exit_code
    if isinstance(error, BrokenPipeError):
        return PIPE_CLOSED
    code, problems = _diagnose(error)
    if os.environ.get("ACCELSIM_DEBUG") == "1":
        import traceback

        streams.err("".join(traceback.format_exception(error)).rstrip())
    try:
        if as_json:
            streams.out(to_json(code, problems))
        else:
            streams.err("\n".join(str(problem) for problem in problems))
    except BrokenPipeError:
        return PIPE_CLOSED
    except OSError:
        pass  # nowhere left to say it: the exit code does
    return code


def to_json(code: int, problems: Iterable[Problem]) -> str:
    """The error object of the contract."""
    errors = [{key: getattr(problem, key) for key in KEYS} for problem in problems]
    return json.dumps({"schema": "accelsim.error/1", "exit_code": code, "errors": errors}, indent=2)


def _diagnose(error: BaseException) -> tuple[int, tuple[Problem, ...]]:
    if isinstance(error, AccelsimError):
        return error.exit_code, error.problems
    if isinstance(error, _CLICK_ERROR):
        return USAGE, (_usage(error),)
    if isinstance(error, (KeyboardInterrupt, typer.Abort)):
        return INTERRUPTED, (Problem("interrupted"),)
    if isinstance(error, OSError) and error.filename is None and error.errno is not None:
        return USAGE, (Problem(f"can't write the answer: {error.strerror}"),)
    return DEFECT, (_defect(error),)


def _defect(error: BaseException) -> Problem:
    """What only a mistake of the program can cause, on one line: the traceback is for those who ask."""
    what = " ".join(str(error).split())[:300]
    return Problem(
        f"a defect of accelsim {VERSION}, not of your input: {type(error).__name__}"
        + (f": {what}" if what else ""),
        hint=f"please report it with its files to {TRACKER}; ACCELSIM_DEBUG=1 adds the traceback",
    )


def _usage(error: Any) -> Problem:
    """A wrong command line: what is wrong, the nearest thing that exists, and where help is."""
    context = getattr(error, "ctx", None)
    where = context.command_path if context is not None else "accelsim"
    key: str | None = None
    near: str | None = None
    message = " ".join(str(getattr(error, "message", None) or error.format_message()).split()).rstrip(".")
    unknown = re.match(r"No such command '(.*?)'", message)
    if unknown is not None:
        message = unknown[0]
        near = did_you_mean(unknown[1], getattr(context.command, "commands", ())) if context else None
    elif type(error).__name__ == "NoSuchOption":
        message = f"no such option {error.option_name!r}"
        known = [name for parameter in context.command.params for name in parameter.opts] if context else []
        near = did_you_mean(str(error.option_name), known)
    elif type(error).__name__ == "MissingParameter":
        message = error.format_message().rstrip(".")
    elif getattr(error, "param", None) is not None:
        key = _spelt(error.param)
        message = message.removeprefix("Value error, ")
    return Problem(message[:1].lower() + message[1:], key=key, hint=near or f"see {where} --help")


def _spelt(parameter: Any) -> str:
    """An option in its long form, an argument by its metavar."""
    long = [name for name in parameter.opts if name.startswith("--")]
    return str(long[0] if long else parameter.metavar or parameter.name)
