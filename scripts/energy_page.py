"""Writes the tables of docs/energy.md and its pictures from the technology files and the evidence.

python scripts/energy_page.py
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from make_docs import GALLERY, ROOT, write_region

from accelsim.charts.sram import sram_fit
from accelsim.evidence.read import FOLDER, read_values
from accelsim.hardware.technology import dram_devices, load_technology, nodes

PAGE: Final = ROOT / "docs" / "energy.md"
UNITS: Final = (("int_add", "int add 8 b"), ("int_multiply", "int multiply 8 b"))
FLOATS: Final = (("float_add", "fp16 add"), ("float_multiply", "fp16 multiply"))
QUANTITIES: Final = (
    ("read_pj", "read"),
    ("write_pj", "write"),
    ("leakage_mw", "leakage"),
    ("area_mm2", "area"),
    ("access_ns", "access time"),
)
BANKS: Final = (
    (64, 8, "64 B, 8 b"),
    (4096, 16, "4 KiB, 16 b"),
    (65536, 64, "64 KiB, 64 b"),
    (1 << 20, 128, "1 MiB, 128 b"),
)


def table(header: list[str], rows: Iterator[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def arithmetic() -> str:
    """pJ of an operation by node, and um2 of its unit."""

    def rows() -> Iterator[list[str]]:
        for name in nodes():
            units = load_technology(name).arithmetic
            cells = []
            for unit, _ in (*UNITS, *FLOATS):
                found = getattr(units, unit)
                cells.append(f"{found.energy.value.value:.3g} pJ, {1e6 * found.area.value.value:.3g} um2")
            source = units.int_multiply.energy.source
            yield [name, *cells, source.partition(":")[2 if source.startswith("derived") else 0].strip()]

    return table(["node", *(title for _, title in (*UNITS, *FLOATS)), "energy from"], rows())


def banks() -> str:
    """pJ a read, and um2 a byte, of four banks."""

    def rows() -> Iterator[list[str]]:
        for name in nodes():
            file = load_technology(name)
            sram = file.sram_model()
            cells = [
                f"{sram.read_pj(size, width):.3g} pJ, {1e6 * sram.area_mm2(size, width) / size:.3g} um2/B"
                for size, width, _ in BANKS
            ]
            yield [name, *cells, file.sram.read_pj.source]

    return table(["node", *(title for _, _, title in BANKS), "energy from"], rows())


def errors() -> str:
    """Mean, largest and left-out error of each fit, percent."""

    def rows() -> Iterator[list[str]]:
        for name in nodes():
            fits = load_technology(name).sram
            if fits.read_pj.source.startswith("derived"):
                continue
            found = [getattr(fits, quantity) for quantity, _ in QUANTITIES]
            yield [name, *(f"{f.mean_error:.1%} / {f.max_error:.0%} / {f.left_out_error:.1%}" for f in found)]

    return table(["node", *(title for _, title in QUANTITIES)], rows())


def devices() -> str:
    rows = ([name, str(d.read), str(d.write), d.source] for name, d in dram_devices().items())
    return table(["device", "read", "write", "source"], rows)


def regions() -> dict[str, str]:
    return {"arithmetic": arithmetic(), "banks": banks(), "errors": errors(), "dram": devices()}


def write_pictures(folder: Path) -> None:
    rows = read_values(FOLDER / "sram_cacti" / "fitted.csv")
    fitted = ("65nm", "45nm", "22nm")
    points = [{**row, "tech": f"{row['tech_nm']}nm"} for row in rows if f"{row['tech_nm']}nm" in fitted]
    for quantity, title, unit in (
        ("read_pj", "energy of a read", "pJ an access"),
        ("area_mm2", "area of a bank", "mm2"),
    ):
        curves = {name: getattr(load_technology(name).sram, quantity).curve() for name in fitted}
        figure = sram_fit(points, curves, quantity, unit, f"SRAM: {title}, fit and CACTI")
        figure.savefig(folder / f"sram_{quantity}.png", dpi=110, metadata={"Software": None})


def main() -> None:
    for name, text in regions().items():
        write_region(PAGE, name, text)
    write_pictures(GALLERY)


if __name__ == "__main__":
    main()
