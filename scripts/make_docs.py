"""Writes what the documentation shows of the program: outputs, files, the table of columns, the pictures.

    python scripts/make_docs.py            rewrites README.md, docs/ and reports/gallery/ where they differ

A `console` block is run line by line (lines that start with "$ accelsim"), in a folder that has docs/ and
nothing else of the checkout; a line "..." in its output stands for lines left out, and as many lines as stand
before and after it are shown again. A block with file=PATH in its first line shows that file. tests/docs
calls the same functions and compares: what the documentation says is what the program does.
"""

from __future__ import annotations

import contextlib
import csv
import io
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from accelsim.cli.app import execute
from accelsim.tables.columns import render_markdown

ROOT = Path(__file__).resolve().parents[1]
GALLERY = ROOT / "reports" / "gallery"
COLUMNS = ROOT / "docs" / "columns.md"
NUMBERS = GALLERY / "resnet50_eyeriss_energy.csv"
EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.py"))
MARK = "<!-- columns: written by scripts/make_docs.py -->\n"

BLOCK = re.compile(r"^```(?P<info>[^\n`]+)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
ELISION = "..."


def documents() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "reports" / "README.md"]


def blocks(text: str, kind: str) -> list[str]:
    """The bodies of the code blocks of one kind."""
    return [m["body"] for m in BLOCK.finditer(text) if m["info"].split()[0] == kind]


@contextlib.contextmanager
def reader_folder() -> Iterator[Path]:
    """The working directory of a reader: docs/ is there, and nothing that a command could lean on."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.symlink(ROOT / "docs", Path(folder) / "docs")
        os.chdir(folder)
        try:
            yield Path(folder)
        finally:
            os.chdir(before)


def run_console(body: str) -> str:
    """A console block with the outputs that its commands give now."""
    parts, code = [], 0
    for command, shown in _commands(body):
        if command == "echo $?":
            output = f"{code}\n"
        else:
            code, output = _run(command)
        parts.append(f"$ {command}\n{_elided(output, shown)}")
    return "".join(parts)


def refreshed(text: str) -> str:
    """The document with its console blocks run and its file blocks read again."""

    def renew(match: re.Match[str]) -> str:
        info, body = match["info"], match["body"]
        if info == "console":
            body = run_console(body)
        for word in info.split()[1:]:
            if word.startswith("file="):
                body = (ROOT / word.removeprefix("file=")).read_text(encoding="utf-8")
        return f"```{info}\n{body}```"

    with reader_folder():
        return BLOCK.sub(renew, text)


def example_output(script: Path) -> str:
    """What an example prints, run as a reader would run it."""
    with reader_folder():
        done = subprocess.run(
            [sys.executable, str(script)],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "MPLBACKEND": "Agg", "PYTHONPATH": str(ROOT)},
        )
    return done.stdout


def columns_page(text: str) -> str:
    """docs/columns.md with a table for each command in place of what follows the mark."""
    head = text.partition(MARK)[0]
    commands = ("run", "simulate", "map", "split", "inspect", "reuse", "sweep", "validate")
    tables = (f"## `{name}`\n\n{render_markdown(name)}" for name in commands)
    return head + MARK + "\n" + "\n".join(tables)


def write_region(page: Path, name: str, text: str) -> None:
    """The text between `<!-- name -->` and `<!-- end -->` of a page."""
    before = page.read_text(encoding="utf-8")
    head, mark, rest = before.partition(f"<!-- {name} -->\n")
    _, end, tail = rest.partition("<!-- end -->")
    if not mark or not end:
        raise ValueError(f"{page} has no place for {name}")
    page.write_text(f"{head}{mark}{text}{end}{tail}", encoding="utf-8")


def energy_rows() -> list[dict[str, str]]:
    """Energy in pJ of ResNet-50 on Eyeriss by layer and level: the numbers behind the README's picture."""
    import accelsim

    rows = accelsim.run(accelsim.load("resnet50"), accelsim.arch("eyeriss")).rows
    return [
        {"layer": str(row["layer"]), **{k: f"{v:.6g}" for k, v in row["energy_pj_by_level"].items()}}
        for row in rows
    ]


def write_gallery() -> None:
    """The pictures of ResNet-50 on Eyeriss, and their numbers."""
    import accelsim

    result = accelsim.run(accelsim.load("resnet50"), accelsim.arch("eyeriss"))
    GALLERY.mkdir(parents=True, exist_ok=True)
    for name in ("energy", "accesses", "cycles"):
        figure = getattr(result.plot, name)()
        figure.savefig(GALLERY / f"resnet50_eyeriss_{name}.png", dpi=110, metadata={"Software": None})
    rows = energy_rows()
    with NUMBERS.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _commands(body: str) -> Iterator[tuple[str, list[str]]]:
    """Each command with the lines that are shown below it."""
    command, shown = None, list[str]()
    for line in body.splitlines():
        if line.startswith("$ "):
            if command is not None:
                yield command, shown
            command, shown = line.removeprefix("$ "), []
        else:
            shown.append(line)
    if command is not None:
        yield command, shown


def _run(command: str) -> tuple[int, str]:
    """Exit code and what a terminal would show."""
    words = shlex.split(command)
    if words[0] != "accelsim":
        raise ValueError(f"a console block can run accelsim alone: {command}")
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        code = execute(words[1:])
    return code, out.getvalue()


def _elided(output: str, shown: list[str]) -> str:
    """The output, or where "..." is shown as many of its first and last lines as are."""
    lines = output.splitlines()
    if ELISION in shown:
        first = shown.index(ELISION)
        last = len(shown) - first - 1
        lines = [*lines[:first], ELISION, *(lines[-last:] if last else [])]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def main() -> None:
    write_gallery()
    COLUMNS.write_text(columns_page(COLUMNS.read_text(encoding="utf-8")), encoding="utf-8")
    for script in EXAMPLES:
        script.with_suffix(".out").write_text(example_output(script), encoding="utf-8")
    for path in documents():
        before = path.read_text(encoding="utf-8")
        after = refreshed(before)
        if after != before:
            path.write_text(after, encoding="utf-8")
            print(f"rewrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
