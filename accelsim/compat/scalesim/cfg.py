"""SCALE-Sim's configuration files (`.cfg`): sections of `key: value` or `key = value`, names in any case.

Source: SCALE-Sim 3.0.0, scale_config.py (read_conf_file). Keys that its code never reads are let pass, keys
that it does not know at all are refused: there they would change nothing without a word.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from accelsim.base.errors import InputError, Problem, did_you_mean
from accelsim.base.files import read_limited
from accelsim.compat.scalesim.setup import Setup

MAX_BYTES: Final = 1_000_000
_LAYOUT: Final = tuple(
    f"{operand}{key}"
    for operand in ("Ifmap", "Filter")
    for key in ("CustomLayout", "SRAMBankBandwidth", "SRAMBankNum", "SRAMBankPort")
)
KEYS: Final = {
    "general": ("run_name",),
    "architecture_presets": (
        *("ArrayHeight", "ArrayWidth", "IfmapSramSzkB", "FilterSramSzkB", "OfmapSramSzkB"),
        *("IfmapOffset", "FilterOffset", "OfmapOffset", "Dataflow", "Bandwidth"),
        *("ReadRequestBuffer", "WriteRequestBuffer"),
        *("MemoryBanks", "OnChipMemoryBanks", "OnChipMemoryBankPorts", *_LAYOUT),  # of earlier versions
    ),
    "run_presets": (
        *("InterfaceBandwidth", "UseRamulatorTrace"),
        *("SRAM_row_size", "SRAM_bank_size", "DRAM_row_size", "DRAM_bank_size"),  # of earlier versions
        "TimeLinearModel",  # of later ones
    ),
    "layout": _LAYOUT,
    "sparsity": (
        *("SparsitySupport", "SparseRep", "OptimizedMapping", "BlockSize", "RandomNumberGeneratorSeed"),
        "NonZeroElems",
    ),
    "network_presets": ("TopologyCsvLoc",),
}
"""Keys by section, spelt as SCALE-Sim's own files spell them."""

_PAIR = re.compile(r"([^:=]+?)\s*[:=]\s*(.*)")


@dataclass(frozen=True, slots=True)
class ScaleConfig:
    """A configuration that can be run: what `accelsim run --arch FILE.cfg --compat scalesim` takes."""

    name: str
    setup: Setup
    path: str
    sha256: str
    sets: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Entry:
    text: str
    line: int | None


class _File:
    """The entries of a file, by section and lower-case key, and all that is wrong with it."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.entries: dict[tuple[str, str], _Entry] = {}
        self.problems: list[Problem] = []

    def problem(self, key: str, message: str, expected: str | None = None, **more: str | int | None) -> None:
        line = more.get("line")
        hint = more.get("hint")
        self.problems.append(
            Problem(
                message,
                file=self.path,
                line=line if isinstance(line, int) else None,
                key=key,
                expected=expected,
                hint=hint if isinstance(hint, str) else None,
            )
        )

    def put(self, section: str, key: str, text: str, line: int | None) -> None:
        known = {name.lower(): name for name in KEYS[section]}
        if key.lower() not in known:
            hint = did_you_mean(key, known.values())
            self.problem(f"{section}.{key}", "no key of SCALE-Sim's", line=line, hint=hint)
        elif line is not None and (section, key.lower()) in self.entries:
            self.problem(f"{section}.{key}", "stands here a second time", line=line)
        else:
            self.entries[section, key.lower()] = _Entry(text, line)

    def text(self, section: str, key: str, default: str | None = None) -> str:
        entry = self.entries.get((section, key.lower()))
        if entry is not None:
            return entry.text
        if default is None:
            self.problem(f"{section}.{key}", "is missing", "a value: SCALE-Sim has no default")
        return default or ""

    def number(self, section: str, key: str, default: int | None = None, least: int = 1) -> int:
        text = self.text(section, key, str(default) if default is not None else None)
        if re.fullmatch(r"\d{1,12}", text) and int(text) >= least:
            return int(text)
        if (entry := self.entries.get((section, key.lower()))) is not None:
            expected = f"a whole number of at least {least}"
            self.problem(f"{section}.{key}", f"found {text[:40]!r}", expected, line=entry.line)
        return least

    def choice(self, section: str, key: str, known: Sequence[str], default: str | None = None) -> str:
        text = self.text(section, key, default)
        if text not in known and (entry := self.entries.get((section, key.lower()))) is not None:
            expected, hint = ", ".join(known), did_you_mean(text, known)
            self.problem(f"{section}.{key}", f"found {text[:40]!r}", expected, line=entry.line, hint=hint)
        return text if text in known else known[0]

    def refuse_if_true(self, section: str, key: str, what: str) -> None:
        entry = self.entries.get((section, key.lower()))
        if entry is not None and entry.text.lower() in ("true", "yes", "on", "1"):
            self.problem(
                f"{section}.{key}", f"{what} is not covered by --compat scalesim", "False", line=entry.line
            )


def read_config(path: str | Path, sets: Sequence[str] = (), dataflow: str | None = None) -> ScaleConfig:
    """Reads a `.cfg`; `sets` are `key=value` texts that override it, `dataflow` its Dataflow.

    InputError with all that is wrong: unknown, doubled or missing keys, no numbers, and what is not covered
    (sparsity, custom layouts, Ramulator's traces).
    """
    data = read_limited(Path(path), MAX_BYTES, "a SCALE-Sim configuration")
    file = _File(str(path))
    _scan(data.decode("utf-8-sig", errors="replace"), file)
    given = [*sets, *([f"Dataflow={dataflow}"] if dataflow is not None else [])]
    for text in given:
        _override(file, text)
    setup = _setup(file)
    if file.problems:
        raise InputError(file.problems)
    notes = ["DRAM words are bytes, and every operand has a DRAM channel of its own, as in SCALE-Sim"]
    if ("run_presets", "timelinearmodel") in file.entries:
        notes.append("TimeLinearModel is of a later version: 3.0.0 writes no TIME_REPORT.csv")
    name = file.text("general", "run_name", Path(path).stem)
    return ScaleConfig(name, setup, str(path), hashlib.sha256(data).hexdigest(), tuple(sets), tuple(notes))


def _scan(text: str, file: _File) -> None:
    section: str | None = None
    for at, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith(("#", ";")):
            continue
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1].strip()
            if section not in KEYS:
                hint = did_you_mean(section, KEYS)
                file.problem(section, "no section of SCALE-Sim's", ", ".join(KEYS), line=at, hint=hint)
                section = None
        elif not (pair := _PAIR.fullmatch(line)):
            file.problem(line[:40], "is no `key: value`", line=at)
        elif section is not None:
            file.put(section, pair[1], pair[2].strip(), at)
        elif not file.problems:
            file.problem(pair[1], "stands in no section", "a line such as [architecture_presets]", line=at)


def _override(file: _File, text: str) -> None:
    """`ArrayHeight=8` or `architecture_presets.ArrayHeight=8`; the layout's keys are those of [layout]."""
    path, equals, value = text.partition("=")
    section, _, key = path.strip().rpartition(".")
    homes = [name for name in reversed(KEYS) if key.lower() in map(str.lower, KEYS[name])]
    home = section if section in KEYS else (homes[0] if homes and not section else None)
    if not equals or home is None:
        every = [name for names in KEYS.values() for name in names]
        file.problem(path, "no key of SCALE-Sim's", "KEY=VALUE", hint=did_you_mean(key, every))
        return
    file.entries.pop((home, key.lower()), None)
    file.put(home, key, value.strip(), None)


def _setup(file: _File) -> Setup:
    arch, layout = "architecture_presets", "layout"
    user = file.choice("run_presets", "InterfaceBandwidth", ("CALC", "USER")) == "USER"
    file.refuse_if_true("sparsity", "SparsitySupport", "sparsity")
    for operand in ("Ifmap", "Filter"):
        file.refuse_if_true(layout, f"{operand}CustomLayout", "a custom layout")
        file.number(arch, f"{operand}Offset", 0, least=0)
    file.number(arch, "OfmapOffset", 0, least=0)
    setup = Setup(
        file.number(arch, "ArrayHeight"),
        file.number(arch, "ArrayWidth"),
        file.choice(arch, "Dataflow", ("os", "ws", "is")),
        file.number(arch, "IfmapSramSzkB"),
        file.number(arch, "FilterSramSzkB"),
        file.number(arch, "OfmapSramSzkB"),
    )
    if not user:
        return setup
    file.refuse_if_true("run_presets", "UseRamulatorTrace", "a trace of Ramulator")
    bandwidths = {
        operand: file.number(layout, f"{operand}SRAMBankBandwidth") for operand in ("Ifmap", "Filter")
    }
    for operand, bandwidth in bandwidths.items():
        banks = file.number(layout, f"{operand}SRAMBankNum", 1)
        if bandwidth % banks:
            file.problem(
                f"{layout}.{operand}SRAMBankBandwidth",
                f"{bandwidth} words a cycle over {banks} banks",
                "a multiple of the banks: SCALE-Sim stops otherwise",
            )
    entry = file.entries.get((arch, "bandwidth"))
    if entry is not None:  # SCALE-Sim takes the first of a list
        first = entry.text.split(",")[0].strip()
        file.entries[arch, "bandwidth"] = _Entry(first, entry.line)
    return replace(
        setup,
        mode="USER",
        ifmap_bandwidth=bandwidths["Ifmap"],
        filter_bandwidth=bandwidths["Filter"],
        ofmap_bandwidth=file.number(arch, "Bandwidth"),
    )
