"""Technology files, the SRAM model, and architecture files that ask the technology for energy and area."""

from __future__ import annotations

import importlib.util
import itertools
import math
from pathlib import Path
from types import ModuleType

import pytest

from accelsim.base.errors import InputError, Problem
from accelsim.base.files import list_shipped
from accelsim.checking import check
from accelsim.hardware import load_arch
from accelsim.hardware.compiled import compiled_mm2_at_65nm
from accelsim.hardware.constants import components, total_area_mm2
from accelsim.hardware.sram import Curve
from accelsim.hardware.technology import dram_devices, load_technology, nodes

ROOT = Path(__file__).resolve().parents[2]

ASKING = """\
schema: accelsim.arch/1
name: tiny
clock: 1 GHz
technology: 45nm
core:
  count: 2
  dataflow: [ws]
  array: {rows: 4, cols: 8}
  mac: {bits: 8, energy: {from: technology}, area: {from: technology}}
  pe:
    memories:
      - {name: reg, size: 64 B, energy: {from: technology}, area: {from: technology}}
  memories:
    - name: glb
      size: 64 KiB
      bandwidth: {value: 64 B/cycle, source: by hand}
      energy: {from: technology, width: 128, banks: 2}
      area: {from: technology}
memories:
  - name: dram
    bandwidth: {value: 25.6 GB/s, source: by hand}
    energy: {from: technology, device: ddr4}
activations: dram
"""


@pytest.fixture(scope="module")
def script() -> ModuleType:
    path = ROOT / "scripts" / "make_technologies.py"
    spec = importlib.util.spec_from_file_location("make_technologies", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "tiny.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def only(tmp_path: Path, old: str, new: str) -> Problem:
    assert old in ASKING
    with pytest.raises(InputError) as caught:
        load_arch(written(tmp_path, ASKING.replace(old, new)))
    (problem,) = caught.value.problems
    assert problem.line is not None
    return problem


def test_every_node_of_a_shipped_architecture_has_its_tables() -> None:
    from accelsim.base.files import list_shipped

    used = {f"{load_arch(name).spec.technology.value:g}nm" for name in list_shipped("arch_configs")}
    assert used <= set(nodes())


@pytest.mark.parametrize("name", nodes())
def test_sram_never_gets_cheaper_with_size_or_width(name: str) -> None:
    sram = load_technology(name).sram_model()
    sizes, widths = [2**k for k in range(25)], [1, 8, 16, 64, 256, 1024]
    for curve in (sram.read_pj, sram.write_pj, sram.leakage_mw, sram.area_mm2, sram.access_ns):
        for width in widths:
            values = [curve(size, width) for size in sizes]
            assert all(a <= b for a, b in itertools.pairwise(values))
            assert values[0] > 0
        for size in sizes:
            values = [curve(size, width) for width in widths]
            assert all(a <= b for a, b in itertools.pairwise(values))


def test_a_newer_node_is_cheaper_in_all_that_it_does() -> None:
    tables = [load_technology(name) for name in nodes()]  # largest first
    for older, newer in itertools.pairwise(tables):
        assert newer.mac_pj(8, 8, 32) < older.mac_pj(8, 8, 32)
        assert newer.mac_pj(16, 16, 32, "fp16") < older.mac_pj(16, 16, 32, "fp16")
        assert newer.mac_mm2(8, 8, 32) < older.mac_mm2(8, 8, 32)
        for size, width in ((512, 8), (65536, 128), (1 << 20, 256)):
            assert newer.sram_model().read_pj(size, width) < older.sram_model().read_pj(size, width)
            assert newer.sram_model().area_mm2(size, width) < older.sram_model().area_mm2(size, width)


def test_a_multiplication_of_two_widths_is_an_array_of_their_product() -> None:
    table = load_technology("45nm")
    assert table.multiply_pj(4, 16) == pytest.approx(table.multiply_pj(8, 8), rel=1e-12)


def test_the_files_are_what_the_script_makes_of_the_evidence(script: ModuleType) -> None:
    """Arithmetic of all nodes, and the fit of one node's read energy with its error, digit by digit."""
    for node in script.NODES:
        table = load_technology(f"{node}nm")
        for name, unit in script.arithmetic(node).items():
            law = getattr(table.arithmetic, name).energy
            value, at, exponent, source = unit["energy"]
            assert (f"{law.value.value:.4g}", law.at, law.source) == (f"{value:.4g}", at, source)
            assert law.exponent == pytest.approx(exponent, abs=1e-3)
    rows = script.cacti_rows(45)
    curve = script.fit(rows, "read_pj")
    stored = load_technology("45nm").sram.read_pj
    assert stored.curve().coefficients == pytest.approx(curve.coefficients, rel=1e-3, abs=1e-9)
    assert stored.mean_error == pytest.approx(script.errors(curve, rows, "read_pj").mean(), abs=1e-3)


def test_the_fit_finds_the_coefficients_that_made_the_rows(script: ModuleType) -> None:
    truth = Curve((0.5, 0.01, 0.02, 3e-4, 1e-6, 2e-5, 1e-4))
    rows = [
        {"size_bytes": str(n), "width_bits": str(w), "y": str(truth(n, w))}
        for n in (64, 1024, 16384, 262144, 1 << 20, 1 << 24)
        for w in (8, 64, 256)
    ]
    assert script.fit(rows, "y").coefficients == pytest.approx(truth.coefficients, rel=1e-4, abs=1e-8)


def test_stillmaker_and_baas_energy_of_65_nm_is_that_of_their_corrigendum(script: ModuleType) -> None:
    assert script.energy_factor(script.ENERGY_65, 1.3) == pytest.approx(2.604, abs=5e-4)


def test_a_file_may_ask_the_technology_for_energy(tmp_path: Path) -> None:
    machine = load_arch(written(tmp_path, ASKING)).machine()
    table = load_technology("45nm")
    sram = table.sram_model()
    reg, glb, dram = (machine.level(name) for name in ("reg", "glb", "dram"))
    assert machine.mac_pj == table.mac_pj(8, 8, 32)
    assert machine.read_pj_per_byte[reg] == sram.read_pj(64, 8)
    assert machine.read_pj_per_byte[glb] == sram.read_pj(32768, 128) / 16
    assert machine.write_pj_per_byte[glb] == sram.write_pj(32768, 128) / 16
    assert machine.read_pj_per_byte[dram] == dram_devices()["ddr4"].read.value == 162.5


def test_a_larger_buffer_costs_more_an_access(tmp_path: Path) -> None:
    path = written(tmp_path, ASKING)
    sizes = ("16 KiB", "64 KiB", "256 KiB", "1 MiB")
    machines = [load_arch(path, sets=[f"glb.size='{size}'"]).machine() for size in sizes]
    energies = [float(machine.read_pj_per_byte[machine.level("glb")]) for machine in machines]
    assert all(a < b for a, b in itertools.pairwise(energies))


def test_a_setting_may_ask_the_technology_too(tmp_path: Path) -> None:
    arch = load_arch("systolic_32x32", sets=["mac.energy={from: technology}"])
    assert arch.machine().mac_pj == load_technology("45nm").mac_pj(8, 8, arch.machine().accumulate_bits)


def test_a_memory_of_no_bytes_costs_nothing(tmp_path: Path) -> None:
    machine = load_arch(written(tmp_path, ASKING), sets=["reg.size='0 B'"]).machine()
    assert machine.read_pj_per_byte[machine.level("reg")] == 0


def test_the_areas_of_a_chip_add_up(tmp_path: Path) -> None:
    spec = load_arch(written(tmp_path, ASKING)).spec
    parts = {part.name: part for part in components(spec)}
    assert {name: part.count for name, part in parts.items()} == {"mac": 64, "reg": 64, "glb": 2}
    sram = load_technology("45nm").sram_model()
    glb = 2 * sram.area_mm2(32768, 128)
    assert parts["glb"].area_mm2 == pytest.approx(glb)
    assert parts["glb"].leakage_mw == pytest.approx(2 * sram.leakage_mw(32768, 128))
    expected = 64 * load_technology("45nm").mac_mm2(8, 8, 32) + 64 * sram.area_mm2(64, 8) + 2 * glb
    total = total_area_mm2(spec)
    assert total is not None
    assert math.isclose(total, expected)


def test_the_total_area_is_unknown_where_one_part_is() -> None:
    assert total_area_mm2(load_arch("eyeriss", sets=["spad_psum.area=null"]).spec) is None


@pytest.mark.parametrize("name", list_shipped("arch_configs"))
def test_every_shipped_architecture_has_an_area(name: str) -> None:
    parts = components(load_arch(name).spec)
    assert all(part.area_mm2 is not None and part.source for part in parts)
    assert total_area_mm2(load_arch(name).spec) == pytest.approx(sum(p.total_area_mm2 or 0 for p in parts))


def test_a_pe_of_eyeriss_is_the_20000_um2_of_isca16_and_its_storage() -> None:
    parts = {part.name: part.area_mm2 or 0.0 for part in components(load_arch("eyeriss").spec)}
    assert parts["mac"] + parts["pe"] == pytest.approx(20_000e-6, rel=1e-3)


def test_compiled_storage_has_the_published_areas_and_grows_with_its_size() -> None:
    assert compiled_mm2_at_65nm(512) == pytest.approx(512 * 20.87e-6)  # ISCA 2016, author code
    assert compiled_mm2_at_65nm(8192) == pytest.approx(2 * compiled_mm2_at_65nm(4096))
    sizes = [0, 1, 2, 3, 4, 5, 8, 10, 16, 24, 48, 64, 98, 448, 512, 3000, 4096, 5000]
    areas = [compiled_mm2_at_65nm(size) for size in sizes]
    assert areas == sorted(set(areas))


def test_a_node_without_tables_is_refused_with_those_there_are(tmp_path: Path) -> None:
    found = only(tmp_path, "technology: 45nm", "technology: 40nm")
    assert (found.key, found.line) == ("technology", 4)
    assert "45nm" in (found.expected or "")


def test_a_node_without_tables_is_fine_where_nothing_is_asked_of_it() -> None:
    spec = load_arch("systolic_32x32", sets=["technology=40nm"]).spec
    assert spec.technology.value == 40
    assert total_area_mm2(spec) is None  # its areas are asked of the node


def test_a_misspelt_dram_is_mended(tmp_path: Path) -> None:
    assert only(tmp_path, "device: ddr4", "device: ddr44").hint == "did you mean 'ddr4'?"


def test_dram_asked_of_the_technology_names_its_device(tmp_path: Path) -> None:
    found = only(tmp_path, "{from: technology, device: ddr4}", "{from: technology}")
    assert "ddr4" in (found.expected or "")


def test_an_sram_has_no_device(tmp_path: Path) -> None:
    found = only(tmp_path, "width: 128, banks: 2", "device: ddr4")
    assert found.key == "core.memories.glb.energy.device"


def test_a_misspelt_key_beside_from_is_placed_and_mended(tmp_path: Path) -> None:
    found = only(tmp_path, "width: 128", "widht: 128")
    assert (found.key, found.hint) == ("core.memories.glb.energy.widht", "did you mean 'width'?")


def test_energy_comes_from_the_technology_and_nothing_else(tmp_path: Path) -> None:
    found = only(tmp_path, "{from: technology, width", "{from: magic, width")
    assert "technology" in (found.expected or "")


def test_a_technology_file_with_a_slip_says_where(tmp_path: Path) -> None:
    text = (ROOT / "technologies" / "45nm.yaml").read_text(encoding="utf-8")
    path = tmp_path / "mine.yaml"
    path.write_text(text.replace("exponent: ", "exponnent: ", 1), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_technology(str(path))
    assert any("exponnent" in str(problem.key) and problem.line for problem in caught.value.problems)


def test_check_knows_a_technology_and_a_table_of_drams() -> None:

    for name in (*nodes(), "dram"):
        (found,) = check(ROOT / "technologies" / f"{name}.yaml")
        assert (found["kind"], found["ok"]) == ("technology", True)


def test_an_editor_asks_for_from_in_a_file_that_extends_another_too() -> None:
    from accelsim.hardware.schema import json_schema

    definitions = json_schema()["$defs"]
    assert definitions["TechnologyAccess"]["required"] == ["from"]
    assert definitions["ChangeTechnologyAccess"]["required"] == ["from"]
