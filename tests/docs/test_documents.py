"""What the documentation says is what the program does: commands, examples, files, links, tables, pictures.

`python scripts/make_docs.py` mends most of what fails here.
"""

from __future__ import annotations

import csv
import doctest
import re
from pathlib import Path
from types import ModuleType

import pytest
import typer

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "reports" / "README.md"]
EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.py"))
SETUP = {"install-and-run", "install-and-test"}
"""The code blocks of the README that .ci/run runs."""


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_there_are_documents_with_commands_and_examples(make_docs: ModuleType) -> None:
    texts = [path.read_text(encoding="utf-8") for path in DOCUMENTS]
    assert sum(len(make_docs.blocks(text, "console")) for text in texts) >= 8
    assert sum(len(make_docs.blocks(text, "python")) for text in texts) >= 6
    assert EXAMPLES


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_every_command_gives_what_the_document_shows(path: Path, make_docs: ModuleType) -> None:
    text = path.read_text(encoding="utf-8")
    assert make_docs.refreshed(text) == text


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_every_python_example_runs_and_gives_what_it_shows(path: Path, make_docs: ModuleType) -> None:
    text = path.read_text(encoding="utf-8")
    for info, body in re.findall(r"^```(python[^\n]*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        assert "file=" in info or ">>>" in body, "a Python block is a file that is run, or a session"
    sessions = "\n".join(body for body in make_docs.blocks(text, "python") if ">>>" in body)
    if not sessions:
        return
    test = doctest.DocTestParser().get_doctest(sessions, {}, name(path), str(path), 0)
    report: list[str] = []
    with make_docs.reader_folder():
        doctest.DocTestRunner().run(test, out=report.append)
    assert "".join(report) == ""


@pytest.mark.parametrize("script", EXAMPLES, ids=name)
def test_every_example_prints_what_its_out_file_says(script: Path, make_docs: ModuleType) -> None:
    assert make_docs.example_output(script) == script.with_suffix(".out").read_text(encoding="utf-8")


def test_every_example_file_is_used_by_a_document_or_by_ci() -> None:
    texts = "".join(path.read_text(encoding="utf-8") for path in (*DOCUMENTS, ROOT / ".ci" / "run"))
    files = [path for path in (ROOT / "docs" / "examples").iterdir() if path.is_file()]
    # The semantics page calls its models and mappings by their stems
    unused = [p.name for p in files if name(p) not in texts and f'"{p.name.split(".")[0]}"' not in texts]
    assert unused == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_every_link_leads_to_a_file_and_every_named_file_exists(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text)]
    local = [link for link in links if link and "://" not in link]
    assert [link for link in local if not (path.parent / link).exists()] == []
    named = re.findall(r"`((?:accelsim|docs|tests|benchmarks|scripts|arch_configs|workloads)/[\w./]*)`", text)
    named += re.findall(r"`(?:pytest|python) ((?:tests|benchmarks|scripts)/[\w./]+)`", text)
    assert [file for file in named if not (ROOT / file).exists()] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_every_command_in_a_sentence_or_table_exists_with_its_options(path: Path) -> None:
    from accelsim.cli.app import app

    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for line in re.findall(r"`accelsim ([a-z][^`]*)`", path.read_text(encoding="utf-8")):
        words = line.split()
        assert words[0] in commands, line
        known = {option for parameter in commands[words[0]].params for option in parameter.opts}
        known |= {option for parameter in commands[words[0]].params for option in parameter.secondary_opts}
        used = [word.strip("[]") for word in words[1:] if word.strip("[]").startswith("-")]
        assert set(used) <= known, line


def test_the_page_of_columns_is_the_table_of_columns(make_docs: ModuleType) -> None:
    text = (ROOT / "docs" / "columns.md").read_text(encoding="utf-8")
    assert make_docs.columns_page(text) == text


def test_the_numbers_behind_the_pictures_are_those_of_a_run_today(make_docs: ModuleType) -> None:
    with make_docs.NUMBERS.open(encoding="utf-8") as stream:
        assert list(csv.DictReader(stream)) == make_docs.energy_rows()
    for picture in ("energy", "accesses", "cycles"):
        file = make_docs.GALLERY / f"resnet50_eyeriss_{picture}.png"
        assert file.read_bytes().startswith(b"\x89PNG")


def test_the_readmes_two_set_up_commands_are_one_line_each_and_make_environments_of_their_own() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = dict(re.findall(r"^<!-- ([a-z-]+) -->\n```sh\n([^\n]+)\n```$", text, re.MULTILINE))
    assert set(commands) == SETUP
    environments = [re.findall(r"-m venv (\S+)", command) for command in commands.values()]
    assert [len(found) for found in environments] == [1, 1]
    assert environments[0] != environments[1]
    assert "accelsim run" in commands["install-and-run"]
    assert "pytest" in commands["install-and-test"]


def test_ci_takes_both_commands_from_the_readme_instead_of_repeating_them() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for block in SETUP:
        assert re.search(rf'^command=\$\(readme_command {block}\)\n.*\nbash -c "\$command"', script, re.M)
    assert "pytest" not in script


def _evidence(file: str) -> list[dict[str, str]]:
    lines = (ROOT / "accelsim" / "evidence" / file).read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


def test_the_readme_counts_its_evidence_right() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = _evidence("networks/values.csv")
    for kind, pattern in (
        ("params", r"\((\d+) exact ones; (\d+) that the source rounds\)"),
        ("macs", r"\((\d+) exact counts; (\d+) rounded ones\)"),
    ):
        of_kind = [row["tolerance"] == "0" for row in rows if row["quantity"].startswith(kind)]
        found = re.search(pattern, text)
        assert found is not None
        assert (int(found[1]), int(found[2])) == (of_kind.count(True), of_kind.count(False))
    loose = [row["source"] for row in rows if row["tolerance"] != "0" and "rounded" not in row["reason"]]
    assert len(loose) == 1, "the README speaks of one source beyond its last digit"
    found = re.search(r"(\d+) rows of its own runs", text)
    assert found is not None
    assert int(found[1]) == len(_evidence("scalesim_cycles.csv"))
    walk = (ROOT / "tests" / "oracle" / "test_traffic_equals_walk.py").read_text(encoding="utf-8")
    drawn = re.search(r"on (\d+) random cases", text)
    assert drawn is not None
    assert f"max_examples={drawn[1]}" in walk


def test_the_readme_and_changelog_count_what_ships() -> None:
    n_networks = len(list((ROOT / "workloads").glob("*.onnx.txt")))
    n_archs = len(list((ROOT / "arch_configs").glob("*.yaml")))
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"{n_networks} networks in `workloads/`, {n_archs} architectures" in changelog
