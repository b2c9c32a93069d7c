"""Writes technologies/*.yaml from the evidence: laws of arithmetic, fits of SRAM, and what scaling adds.

    python scripts/make_technologies.py          rewrites the files where they differ, and prints the errors

Needs numpy alone. tests/unit/test_technologies.py holds the files to what this script makes of the evidence.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from accelsim.hardware.sram import TERMS, Curve, terms
from accelsim.hardware.technology import SIGNIFICAND_BITS

ROOT: Final = Path(__file__).resolve().parents[1]
FOLDER: Final = ROOT / "technologies"
EVIDENCE: Final = ROOT / "accelsim" / "evidence"
NODES: Final = (65, 45, 32, 28, 22, 16, 7)
CACTI_NODES: Final = (65, 45, 32, 28, 22)
QUANTITIES: Final = ("read_pj", "write_pj", "leakage_mw", "area_mm2", "access_ns")

HOROWITZ: Final = "Horowitz, ISSCC 2014, 45 nm 0.9 V"
JOUPPI: Final = "Jouppi et al., ISCA 2021, Table 2, 7 nm"
DALLY: Final = "Dally, NIPS 2015 tutorial, 45 nm (from memory)"
STILLMAKER: Final = "Stillmaker and Baas, Integration 58, 2017"

# Stillmaker and Baas, Tables 2 and 5 (as wromaszkan/nodeScale and Accelergy repeat them; the paper's
# corrigendum recomputes an example that fixes the coefficients of 65 nm)
AREA_FROM_45: Final = {65: 1.5, 45: 1.0, 32: 0.46, 20: 0.21, 16: 0.19, 7: 0.059}
ENERGY_65: Final = (3.755, -4.398, 1.975)  # of V^2, V, 1
ENERGY_45: Final = (1.018, -0.3107, 0.1539)  # high performance
VOLTS_65, VOLTS_45 = 1.0, 0.9  # the Eyeriss chip; Horowitz

Rows = Sequence[Mapping[str, str]]


def read(path: Path) -> list[dict[str, str]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


def energy_factor(coefficients: tuple[float, float, float], volts: float) -> float:
    a, b, c = coefficients
    return a * volts**2 + b * volts + c


def area_factor(node: int, origin: int = 45) -> float:
    """Area at `node` over that at `origin`; between two nodes of the table on a line in logarithms."""

    def of(nm: int) -> float:
        known = sorted(AREA_FROM_45)
        return math.exp(np.interp(math.log(nm), np.log(known), [math.log(AREA_FROM_45[k]) for k in known]))

    return of(node) / of(origin)


ENERGY_65_OVER_45: Final = energy_factor(ENERGY_65, VOLTS_65) / energy_factor(ENERGY_45, VOLTS_45)


# --- arithmetic ---------------------------------------------------------------------------------------------


def power_law(rows: Sequence[tuple[float, float]], at: int) -> tuple[float, float, str]:
    """value at `at` bits and exponent, least squares of the logarithms, and how it meets its rows."""
    bits, values = (np.log(np.array(column)) for column in zip(*rows, strict=True))
    exponent, constant = np.polyfit(bits - math.log(at), values, 1)
    error = np.abs(np.exp(constant + exponent * (bits - math.log(at)) - values) - 1).max()
    how = (
        f"power law within {error:.0%} of its {len(rows)} rows"
        if len(rows) > 2
        else "power law of its two rows"
    )
    return float(np.exp(constant)), float(exponent), how


def unit_rows(rows: Rows, kind: str, family: str, value: str) -> list[tuple[float, float]]:
    """(bits, value) of an integer unit, (bits of the significand, value) of a floating-point one."""
    found = []
    for row in rows:
        form = row["form"]
        if row["kind"] == kind and form and (form == "int") == (family == "int"):
            bits = int(row["bits"]) if form == "int" else SIGNIFICAND_BITS[form]
            found.append((float(bits), float(row[value])))
    return found


def arithmetic(node: int) -> dict[str, dict[str, tuple[float, int, float, str]]]:
    """unit -> quantity -> (value, at, exponent, source)."""
    energies, areas = (
        read(EVIDENCE / "energy_per_op" / "values.csv"),
        read(EVIDENCE / "energy_per_op" / "area.csv"),
    )
    made: dict[str, dict[str, tuple[float, int, float, str]]] = {}
    for family in ("int", "float"):
        at = 8 if family == "int" else 11
        for kind in ("add", "multiply"):
            ends = {}
            for end in (45, 7):
                rows = [row for row in energies if row["node_nm"] == str(end)]
                ends[end] = power_law(unit_rows(rows, kind, family, "energy_pj"), at)
            area, growth, how = power_law(unit_rows(areas, kind, family, "area_um2"), at)
            area_source = f"{DALLY}: {how}"
            if node != 45:
                area_source = f"derived: {area_source}, times {area_factor(node):.3f} ({STILLMAKER}, area)"
            made[f"{family}_{kind}"] = {
                "energy": _between(node, ends, at),
                "area": (area * area_factor(node), at, growth, area_source),
            }
    return made


def _between(
    node: int, ends: Mapping[int, tuple[float, float, str]], at: int
) -> tuple[float, int, float, str]:
    """The published node's law, the line between the two in logarithms, or the scaled one above 45 nm."""
    if node in ends:
        value, exponent, how = ends[node]
        return (
            value,
            at,
            exponent,
            f"{HOROWITZ if node == 45 else JOUPPI}: {how}",
        )
    if node > 45:
        value, exponent, _ = ends[45]
        rule = f"times {ENERGY_65_OVER_45:.3f} ({STILLMAKER}, {VOLTS_65} V over {VOLTS_45} V)"
        return value * ENERGY_65_OVER_45, at, exponent, f"derived: {HOROWITZ}, {rule}"
    share = math.log(45 / node) / math.log(45 / 7)
    value = ends[45][0] ** (1 - share) * ends[7][0] ** share
    exponent = ends[45][1] * (1 - share) + ends[7][1] * share
    return value, at, exponent, f"derived: on the line in log(nm) between {HOROWITZ} and {JOUPPI}"


# --- SRAM ---------------------------------------------------------------------------------------------------


def fit(rows: Rows, quantity: str, start: Curve | None = None, steps: int = 600) -> Curve:
    """Coefficients >= 0 that make sum (log model - log row)^2 least (Levenberg, Marquardt)."""
    design, values = _design(rows), np.array([float(row[quantity]) for row in rows])
    scale = np.exp(np.mean(np.log(values))) / design.mean(axis=0)
    first = scale / len(TERMS) if start is None else np.maximum(start.coefficients, scale * 1e-9)
    logs, damping = np.log(first), 1e-2
    rest = np.log(design @ np.exp(logs)) - np.log(values)
    for _ in range(steps):
        parts = design * np.exp(logs)
        slope = parts / parts.sum(axis=1, keepdims=True)
        square = slope.T @ slope
        step = np.linalg.solve(square + np.diag(damping * (np.diag(square) + 1e-9)), -slope.T @ rest)
        tried = np.maximum(logs + np.clip(step, -2, 2), -60.0)  # a term that no row wants fades to nothing
        moved = np.log(design @ np.exp(tried)) - np.log(values)
        if moved @ moved < rest @ rest:
            logs, rest, damping = tried, moved, max(damping / 3, 1e-9)
        else:
            damping = min(damping * 4, 1e9)
    parts = design * np.exp(logs)
    counts = (parts / parts.sum(axis=1, keepdims=True)).max(axis=0) > 1e-6
    return Curve(tuple(float(np.exp(log)) if kept else 0.0 for log, kept in zip(logs, counts, strict=True)))


def _design(rows: Rows) -> NDArray[np.float64]:
    return np.array([terms(float(row["size_bytes"]), float(row["width_bits"])) for row in rows])


def errors(curve: Curve, rows: Rows, quantity: str) -> NDArray[np.float64]:
    """|ours / theirs - 1| of each row."""
    model = _design(rows) @ np.array(curve.coefficients)
    return np.abs(model / np.array([float(row[quantity]) for row in rows]) - 1)


def left_out_error(rows: Rows, quantity: str) -> float:
    """Mean error of each row under a fit to the others."""
    every = fit(rows, quantity)
    found = []
    for at, row in enumerate(rows):
        others = [*rows[:at], *rows[at + 1 :]]
        found.append(errors(fit(others, quantity, every, 60), [row], quantity)[0])
    return float(np.mean(found))


def cacti_rows(node: int) -> list[dict[str, str]]:
    return [row for row in read(EVIDENCE / "sram_cacti" / "fitted.csv") if row["tech_nm"] == str(node)]


def published_sram_exponent() -> float:
    """q of energy ~ nm^q: the mean over 8 KB, 32 KB and 1 MB of log(7 nm / 45 nm) in the published tables."""
    rows = [row for row in read(EVIDENCE / "energy_per_op" / "values.csv") if row["kind"] == "sram"]
    by_node = {
        node: [math.log(float(r["energy_pj"])) for r in rows if r["node_nm"] == node and r["bits"] == "64"]
        for node in ("45", "7")
    }
    return float(np.mean(np.subtract(by_node["7"], by_node["45"]))) / math.log(7 / 45)


def own_exponent(quantity: str) -> float:
    """q of y ~ nm^q over CACTI's rows from 45 to 22 nm that have the same size and width."""
    tables = [
        {(row["size_bytes"], row["width_bits"]): float(row[quantity]) for row in cacti_rows(node)}
        for node in (45, 22)
    ]
    ratios = [math.log(tables[1][key] / tables[0][key]) for key in tables[0] if key in tables[1]]
    return float(np.mean(ratios)) / math.log(22 / 45)


def sram(node: int, base: Mapping[str, Any] | None = None) -> dict[str, dict[str, Any]]:
    """quantity -> coefficients by term, errors, source; below 22 nm those of 22 nm (`base`), scaled."""
    if base is None:
        rows, made = cacti_rows(node), {}
        for quantity in QUANTITIES:
            curve = fit(rows, quantity)
            off = errors(curve, rows, quantity)
            made[quantity] = {
                **dict(zip(TERMS, curve.coefficients, strict=True)),
                "mean_error": float(off.mean()),
                "max_error": float(off.max()),
                "left_out_error": left_out_error(rows, quantity),
                "source": f"fit to {len(rows)} runs of CACTI 7 at {node} nm (evidence/sram_cacti/fitted.csv)",
            }
        return made
    scaled = {}
    for quantity in QUANTITIES:
        factor, why = _below_22(node, quantity)
        fitted = base[quantity]
        scaled[quantity] = {
            **{term: fitted[term] * factor for term in TERMS},
            **{name: fitted[name] for name in ("mean_error", "max_error", "left_out_error")},
            "source": f"derived: the fit at 22 nm (its errors) times {factor:.4f}: {why}",
        }
    return scaled


def _below_22(node: int, quantity: str) -> tuple[float, str]:
    if quantity == "area_mm2":
        return area_factor(node, 22), f"{STILLMAKER}, area"
    if quantity in ("read_pj", "write_pj"):
        q = published_sram_exponent()
        return (node / 22) ** q, f"({node}/22)^{q:.3f}, SRAM from 45 nm ({HOROWITZ}) to 7 nm ({JOUPPI})"
    q = own_exponent(quantity)
    return (node / 22) ** q, f"({node}/22)^{q:.3f}, as CACTI's own rows go from 45 to 22 nm"


# --- files --------------------------------------------------------------------------------------------------


def text(node: int, units: Mapping[str, Any], fits: Mapping[str, Any]) -> str:
    """One technology file."""
    published = "arithmetic published" if node in (45, 7) else "arithmetic derived"
    modelled = "SRAM fitted to CACTI" if node in CACTI_NODES else "SRAM derived from the fit at 22 nm"
    lines = [
        "# Written by scripts/make_technologies.py from accelsim/evidence: change the evidence instead.",
        "schema: accelsim.technology/1",
        f"name: {node}nm",
        f"description: {node} nm; {published}, {modelled}",
        f"node: {node}nm",
        "arithmetic:                # value x (bits / at)^exponent; of floats, bits of the significand",
    ]
    for name, unit in units.items():
        lines.append(f"  {name}:")
        for quantity, symbol in (("energy", "pJ"), ("area", "um2")):
            value, at, exponent, source = unit[quantity]
            law = f"value: {value:.4g} {symbol}, at: {at}, exponent: {exponent:.3f}"
            lines.append(f'    {quantity}: {{{law}, source: "{source}"}}')
    lines.append(
        "sram:                             # of a bank of n bytes, w bits an access, in the key's unit:"
    )
    lines.append("  # fixed + per_bit w + per_root_byte sqrt(n) + per_bit_root_byte w sqrt(n) + per_byte n")
    lines.append("  # + per_mat_byte min(n, 32768) + per_bit_between_mats w max(sqrt(n) - sqrt(32768), 0)")
    for name, found in fits.items():
        lines.append(f"  {name}:")
        lines.extend(f"    {term}: {found[term]:.4g}" for term in TERMS)
        lines.extend(f"    {key}: {found[key]:.3f}" for key in ("mean_error", "max_error", "left_out_error"))
        lines.append(f'    source: "{found["source"]}"')
    return "\n".join(lines) + "\n"


def files() -> dict[str, str]:
    """File name -> text, of every node."""
    fitted = {node: sram(node) for node in CACTI_NODES}
    return {
        f"{node}nm.yaml": text(node, arithmetic(node), fitted.get(node) or sram(node, fitted[22]))
        for node in NODES
    }


def main() -> None:
    for name, content in files().items():
        path = FOLDER / name
        if not path.exists() or path.read_text(encoding="utf-8") != content:
            path.write_text(content, encoding="utf-8")
            print(f"rewrote technologies/{name}")


if __name__ == "__main__":
    main()
