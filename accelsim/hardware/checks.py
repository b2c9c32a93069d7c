"""What no single key of an architecture file can say: names, homes and counts that have to agree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from accelsim.base.errors import did_you_mean
from accelsim.base.yaml_lines import Key
from accelsim.hardware.constants import asks_technology
from accelsim.hardware.model import ArchFile, Memory
from accelsim.hardware.parts import Bandwidth, TechnologyAccess, TechnologyArea
from accelsim.hardware.technology import dram_devices, nodes

_RESERVED: Final = {"best", "compute", "mac", "hop", "vector", "leakage", "clock", "host", "total"}


@dataclass(frozen=True, slots=True)
class Fault:
    path: Key
    message: str
    expected: str | None = None
    hint: str | None = None


def placed_memories(spec: ArchFile) -> list[tuple[Key, Memory]]:
    """All memories, inner first, with their place in the file."""
    groups: tuple[tuple[Key, tuple[Memory, ...]], ...] = (
        (("core", "pe", "memories"), spec.core.pe.memories),
        (("core", "memories"), spec.core.memories),
        (("memories",), spec.memories),
    )
    return [((*path, index), memory) for path, group in groups for index, memory in enumerate(group)]


def faults(spec: ArchFile) -> Iterator[Fault]:
    """Everything that contradicts itself, in the order of the file."""
    memories = placed_memories(spec)
    n_pe = len(spec.core.pe.memories)
    outside = [memory.name for _, memory in memories[n_pe:]]
    yield from _memory_faults(memories, n_pe)
    yield from _technology_faults(spec, memories)
    for path, words in (
        (("core", "dataflow"), spec.core.dataflow),
        (("core", "array", "multicast"), spec.core.array.multicast),
        *(((*path, "holds"), memory.holds) for path, memory in memories),
        *(
            ((*path, "overlap"), memory.overlap)
            for path, memory in memories
            if isinstance(memory.overlap, tuple)
        ),
    ):
        if len(set(words)) < len(words):
            yield Fault(path, "names something twice")
    vector = spec.core.vector
    if vector is not None and vector.memory not in outside:
        path = ("core", "vector", "memory")
        yield Fault(path, f"no memory {vector.memory!r} outside the array", *_among(vector.memory, outside))
    yield from _zero_faults(spec, memories)
    yield from _activation_faults(spec, memories, outside)
    yield from _cluster_faults(spec)
    yield from _runtime_faults(spec)
    bandwidths = [((*path, "bandwidth"), memory.bandwidth) for path, memory in memories]
    for path, bandwidth in (*bandwidths, *_chip_bandwidths(spec)):
        if bandwidth is not None and not _is_whole(bandwidth):
            given = [name for name in ("value", "read", "write") if getattr(bandwidth, name) is not None]
            said = f"has {' and '.join(given)}" if given else "is empty"
            yield Fault(path, said, "either value, or read and write")
    for dataflow in spec.per_dataflow:
        if dataflow not in spec.core.dataflow:
            yield Fault(("per_dataflow", dataflow), f"core.dataflow does not list {dataflow!r}")


def _memory_faults(memories: list[tuple[Key, Memory]], n_pe: int) -> Iterator[Fault]:
    seen: set[str] = set()
    last = len(memories) - 1
    for index, (path, memory) in enumerate(memories):
        if memory.name in seen:
            yield Fault((*path, "name"), f"a second memory {memory.name!r}", "a name of its own")
        seen.add(memory.name)
        if memory.name in _RESERVED:
            yield Fault((*path, "name"), f"{memory.name!r} means something else in results", "another name")
        if (memory.name == "dram") != (index == last):
            yield Fault(
                (*path, "name"), f"is {memory.name!r}", "dram for the outermost memory, and only for it"
            )
        if memory.size is None and index != last:
            yield Fault(path, "has no size", "size, as in 64 KiB")
        if memory.bandwidth is None and index >= n_pe:
            yield Fault(path, "has no bandwidth", "bandwidth: {value: 64 B/cycle, source: ...}")
    path, outermost = memories[-1]
    if len(set(outermost.holds)) < 3:
        yield Fault(
            (*path, "holds"), "leaves an operand without a home", "I, W and O in the outermost memory"
        )


def _zero_faults(spec: ArchFile, memories: list[tuple[Key, Memory]]) -> Iterator[Fault]:
    """Codes of maps and what rests at a zero."""
    for path, memory in memories:
        code = memory.coding
        if code is None:
            continue
        if memory is not memories[-1][1]:
            yield Fault((*path, "coding"), f"maps in {memory.name} are not coded", "coding of dram only")
        bits = code.pairs * (code.run_bits + code.value_bits)
        if bits > code.word_bits:
            said = f"{code.pairs} pairs take {bits} bits of {code.word_bits}"
            yield Fault((*path, "coding", "pairs"), said, "pairs that fit a word")
        if code.value_bits < spec.core.mac.bits:
            said = f"{code.value_bits} bits for values of {spec.core.mac.bits}"
            yield Fault((*path, "coding", "value_bits"), said, "no less than mac.bits")
    if spec.core.pe.zero_gating is not None:
        known = ["mac", *(memory.name for memory in spec.core.pe.memories)]
        for name in spec.core.pe.zero_gating.rests:
            if name not in known:
                path = ("core", "pe", "zero_gating", "rests")
                yield Fault(path, f"no {name!r} in the PE", *_among(name, known))


def _technology_faults(spec: ArchFile, memories: list[tuple[Key, Memory]]) -> Iterator[Fault]:
    """Constants asked of a technology that has none for them."""
    known = nodes()
    if asks_technology(spec) and f"{spec.technology.value:g}nm" not in known:
        yield Fault(("technology",), f"has no tables for {spec.technology}", f"one of {', '.join(known)}")
    for path, memory in memories:
        if isinstance(memory.area, TechnologyArea) and memory.name == "dram":
            yield Fault((*path, "area"), "can't be asked of the technology: it is off the chip")
        energy = memory.energy
        if not isinstance(energy, TechnologyAccess):
            continue
        devices = sorted(dram_devices())
        where = (*path, "energy")
        if memory.name != "dram" and energy.device is not None:
            yield Fault((*where, "device"), "is of a DRAM, which this memory is not", "width, banks")
        elif memory.name == "dram" and energy.device is None:
            yield Fault(where, "names no DRAM", f"device: one of {', '.join(devices)}")
        elif memory.name == "dram" and energy.device not in devices:
            among = _among(str(energy.device), devices)
            yield Fault((*where, "device"), f"no DRAM {energy.device!r}", *among)


def _cluster_faults(spec: ArchFile) -> Iterator[Fault]:
    if spec.clusters is None:
        return
    clusters, n_cores = spec.clusters, spec.core.count
    if n_cores % clusters.count:
        yield Fault(
            ("clusters",),
            f"{n_cores} cores don't divide into {clusters.count} clusters",
            "core.count a multiple of clusters.count",
            "change core.count or clusters.count",
        )
    elif clusters.cores not in (None, n_cores // clusters.count):
        yield Fault(
            ("clusters",),
            f"{clusters.count} clusters of {clusters.cores} cores",
            f"core.count, {n_cores}, in all",
            "leave clusters.cores out (--set clusters.cores=null): it follows from the other two",
        )


def _chip_bandwidths(spec: ArchFile) -> Iterator[tuple[Key, Bandwidth]]:
    """Of the channels and links that the chip has, with their place in the file."""
    if spec.core.array.passes is not None:
        yield ("core", "array", "passes", "bandwidth"), spec.core.array.passes.bandwidth
    if spec.clusters is not None:
        yield ("clusters", "channel", "bandwidth"), spec.clusters.channel.bandwidth
        if spec.clusters.link is not None:
            yield ("clusters", "link", "bandwidth"), spec.clusters.link.bandwidth
    if spec.cards is not None:
        yield ("cards", "link", "bandwidth"), spec.cards.link.bandwidth
    if spec.host is not None and spec.host.link is not None:
        yield ("host", "link", "bandwidth"), spec.host.link.bandwidth


def _runtime_faults(spec: ArchFile) -> Iterator[Fault]:
    """Costs that mean nothing without something else."""
    runtime, host = spec.runtime, spec.host
    if runtime is None:
        return
    cache = host.cache if host is not None else None
    link = host.link if host is not None else None
    for key, needs in (
        ("convert_miss", {"host.cache": cache, "runtime.in_cache": runtime.in_cache}),
        ("lock", {"host": host, "runtime.lock_from": runtime.lock_from, "runtime.buffer": runtime.buffer}),
        ("copy", {"host.link": link}),
    ):
        given = runtime.copy_ if key == "copy" else getattr(runtime, key)
        missing = [name for name, value in needs.items() if value is None]
        if given is not None and missing:
            yield Fault(("runtime", key), f"has no effect without {' and '.join(missing)}")


def _activation_faults(
    spec: ArchFile, memories: list[tuple[Key, Memory]], outside: list[str]
) -> Iterator[Fault]:
    home = spec.activations.home
    if home not in (*outside, "best"):
        known = [*outside, "best"]
        yield Fault(("activations",), f"no memory {home!r} outside the array", *_among(home, known))
    for _, memory in memories:
        if memory.name == home and not {"I", "O"} <= set(memory.holds):
            yield Fault(("activations",), f"{home} does not hold both I and O", "a memory that does")
    if spec.activations.reserve.value > 0 and spec.activations.source is None:
        yield Fault(
            ("activations",), "has a reserve without a source", 'source: "paper, table or assumption"'
        )


def _is_whole(bandwidth: Bandwidth) -> bool:
    if bandwidth.value is not None:
        return bandwidth.read is None and bandwidth.write is None
    return bandwidth.read is not None and bandwidth.write is not None


def _among(word: str, known: list[str]) -> tuple[str, str | None]:
    return f"one of {', '.join(known)}", did_you_mean(word, known)
