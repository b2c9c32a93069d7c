"""Energy and area of an architecture's parts: as its file gives them, or as its technology does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from accelsim.base.units import Quantity
from accelsim.hardware import compiled
from accelsim.hardware.model import ArchFile, Memory
from accelsim.hardware.parts import AccessEnergy, AreaConstant, EnergyConstant, TechnologyAccess
from accelsim.hardware.technology import dram_devices, nodes, technology_of


def word_bits(memory: Memory, spec: ArchFile) -> int:
    """Width of what a memory's figures call a word."""
    mac = spec.core.mac
    narrow = mac.weight_bits if memory.holds == ("W",) else None
    return memory.bits or narrow or mac.bits


def accumulate_bits(spec: ArchFile) -> int:
    """Of a partial sum: 32 where narrow operands leave it open."""
    mac = spec.core.mac
    return mac.accumulate_bits or (32 if mac.bits < 16 else mac.bits)


def mac_pj(spec: ArchFile) -> float:
    """Energy of one multiply-accumulate in pJ."""
    mac = spec.core.mac
    if isinstance(mac.energy, EnergyConstant):
        return mac.energy.value.value
    technology = technology_of(spec.technology)
    return technology.mac_pj(mac.bits, mac.weight_bits or mac.bits, accumulate_bits(spec), mac.energy.format)


def access_pj_per_byte(memory: Memory, spec: ArchFile) -> tuple[float, float]:
    """Energy of a byte read and of a byte written, in pJ; a memory of zero bytes costs nothing."""
    word, energy = word_bits(memory, spec), memory.energy
    if not isinstance(energy, TechnologyAccess):
        return energy.read.per_byte(word), energy.write.per_byte(word)
    if energy.device is not None:
        device = dram_devices()[energy.device]
        return device.read.per_byte(word), device.write.per_byte(word)
    n_bytes, width, banks = _sram_shape(memory, spec)
    if n_bytes == 0:
        return 0.0, 0.0
    sram = technology_of(spec.technology).sram_model()
    return sram.read_pj_per_byte(n_bytes, width, banks), sram.write_pj_per_byte(n_bytes, width, banks)


def access_text(memory: Memory) -> str:
    """Read and write energy as a table shows them."""
    energy = memory.energy
    if isinstance(energy, TechnologyAccess):
        return f"from technology ({energy.device or 'SRAM'})"
    return f"{energy.read} / {energy.write}"


def _sram_shape(memory: Memory, spec: ArchFile) -> tuple[float, int, int]:
    """Bytes, bits of an access and banks of a memory."""
    assert memory.size is not None  # checks.faults: an SRAM of the technology has a size
    word, energy = word_bits(memory, spec), memory.energy
    n_bytes = memory.size.per_byte(word)
    if isinstance(energy, TechnologyAccess):
        return n_bytes, energy.width or word, energy.banks
    return n_bytes, word, 1


@dataclass(frozen=True, slots=True)
class Component:
    """A part of the chip that is there `count` times; None where neither file nor technology says."""

    name: str
    count: int
    area_mm2: float | None  # of one
    leakage_mw: float | None  # of one
    source: str | None
    n_per_pe: int = 0  # of those that stand in each PE

    @property
    def total_area_mm2(self) -> float | None:
        return None if self.area_mm2 is None else self.count * self.area_mm2


def components(spec: ArchFile) -> tuple[Component, ...]:
    """MACs, the PEs and the array around them, and the memories of the whole chip, inner first, no DRAM.

    A memory inside a PE is there once a PE, one of a core once a core, a shared one once.
    """
    core, mac = spec.core, spec.core.mac
    n_pe = core.count * core.array.rows * core.array.cols
    found = [replace(_mac(spec, n_pe * mac.per_pe), n_per_pe=mac.per_pe)]
    if core.pe.area is not None:
        area = core.pe.area
        found.append(Component("pe", n_pe, area.value.value, None, area.source, n_per_pe=1))
    if core.array.area is not None:
        area = core.array.area
        found.append(Component("array", core.count, area.value.value, None, area.source))
    for memories, count in ((core.pe.memories, n_pe), (core.memories, core.count), (spec.memories, 1)):
        n_per_pe = 1 if memories is core.pe.memories else 0
        found.extend(
            replace(_memory(memory, spec, count), n_per_pe=n_per_pe)
            for memory in memories
            if memory.name != "dram"
        )
    return tuple(found)


def with_size(memory: Memory, n_bytes: float) -> Memory:
    """The memory with another size; what its technology gives for it follows."""
    return memory.model_copy(update={"size": Quantity(n_bytes, "data", f"{n_bytes:,.0f} B")})


def total_area_mm2(spec: ArchFile) -> float | None:
    """Sum over `components`, None where one of them has no area."""
    areas = [component.total_area_mm2 for component in components(spec)]
    known = [area for area in areas if area is not None]
    return sum(known) if len(known) == len(areas) else None


def _mac(spec: ArchFile, count: int) -> Component:
    mac = spec.core.mac
    if mac.area is None or isinstance(mac.area, AreaConstant):
        return Component("mac", count, *_given(mac.area))
    if not _has_tables(spec):
        return Component("mac", count, None, None, None)
    technology = technology_of(spec.technology)
    form = mac.area.format or ("int" if isinstance(mac.energy, EnergyConstant) else mac.energy.format)
    area = technology.mac_mm2(mac.bits, mac.weight_bits or mac.bits, accumulate_bits(spec), form)
    source = technology.arithmetic.int_multiply if form == "int" else technology.arithmetic.float_multiply
    return Component("mac", count, area, None, source.area.source)


def _memory(memory: Memory, spec: ArchFile, count: int) -> Component:
    if memory.area is None or isinstance(memory.area, AreaConstant):
        return Component(memory.name, count, *_given(memory.area))
    if memory.size is None or not _has_tables(spec):
        return Component(memory.name, count, None, None, None)
    technology, (n_bytes, width, banks) = technology_of(spec.technology), _sram_shape(memory, spec)
    if n_bytes == 0:
        return Component(memory.name, count, 0.0, 0.0, "no bytes")
    if memory.area.cells == "compiled":
        return Component(memory.name, count, technology.compiled_mm2(n_bytes), None, compiled.SOURCE)
    sram = technology.sram_model()
    return Component(
        memory.name,
        count,
        sram.total_area_mm2(n_bytes, width, banks),
        sram.total_leakage_mw(n_bytes, width, banks),
        technology.sram.area_mm2.source,
    )


def _given(area: AreaConstant | None) -> tuple[float | None, None, str | None]:
    return (None, None, None) if area is None else (area.value.value, None, area.source)


def asks_technology(spec: ArchFile) -> bool:
    """Whether any energy of the file is that of its process node (a DRAM's is of no node).

    An area that is asked of a node without tables is unknown; without an energy nothing can be told.
    """
    parts = [spec.core.mac.energy, *(memory.energy for memory in _memories(spec))]
    return any(hasattr(part, "from_") and getattr(part, "device", None) is None for part in parts)


def given_energies(
    spec: ArchFile,
) -> Iterator[tuple[str, EnergyConstant | AccessEnergy, dict[str, object]]]:
    """Parts whose energy the file gives: name, that energy, and keys with values that it would follow as the
    technology's. DRAM's would follow none, and what has no size can't be the technology's.
    """
    node: dict[str, object] = {"technology": spec.technology.value}
    mac = spec.core.mac
    if isinstance(mac.energy, EnergyConstant):
        bits = {f"mac.{name}": getattr(mac, name) for name in ("bits", "weight_bits", "accumulate_bits")}
        yield "mac", mac.energy, node | bits
    for memory in _memories(spec):
        if isinstance(memory.energy, AccessEnergy) and memory.size is not None and memory.name != "dram":
            size = memory.size.per_byte(word_bits(memory, spec))
            yield memory.name, memory.energy, node | {f"{memory.name}.size": size}


def _memories(spec: ArchFile) -> tuple[Memory, ...]:
    return (*spec.core.pe.memories, *spec.core.memories, *spec.memories)


def _has_tables(spec: ArchFile) -> bool:
    return f"{spec.technology.value:g}nm" in nodes()
