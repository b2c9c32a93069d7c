"""The chip around the cores lowered into tables.chip: units gone, bytes and seconds left."""

from __future__ import annotations

import math
from typing import Protocol

from accelsim.base.units import Quantity
from accelsim.hardware import chip_model
from accelsim.hardware.lower import idle_mw, rates
from accelsim.hardware.model import ArchFile
from accelsim.hardware.parts import Bandwidth
from accelsim.tables.chip import Chip, Host, Runtime


class _Constant(Protocol):
    @property
    def value(self) -> Quantity: ...


def lower_chip(spec: ArchFile) -> Chip:
    """The Chip of `spec`: without clusters all cores share the outermost memory as one channel; what the file
    does not say of links, host and runtime costs no time.

    Channels sustain their efficiency's share of their bandwidth, and together no more than the memory has.
    """
    clusters, cards = spec.clusters, spec.cards
    n_clusters = clusters.count if clusters is not None else 1
    memory = spec.memories[-1]
    word = memory.bits or spec.core.mac.bits
    channel = _bytes_per_s(memory.bandwidth, spec, word) / n_clusters
    link = None
    if clusters is not None:
        link = clusters.link
        channel = min(channel, _bytes_per_s(clusters.channel.bandwidth, spec, spec.core.mac.bits))
        channel *= _value(clusters.channel.efficiency, 1.0)
    n_cards = cards.count if cards is not None else 1
    return Chip(
        name=spec.name,
        n_cores=n_cards * spec.core.count,
        cores_per_cluster=spec.core.count // n_clusters,
        clock_hz=spec.clock.value,
        memory_bytes=memory.size.per_byte(word) if memory.size is not None else math.inf,
        channel_bytes_per_s=channel,
        link_bytes_per_s=_link_rate(link, spec, channel),
        link_pj_per_byte=_link_energy(link, spec),
        n_cards=n_cards,
        cores_per_card=spec.core.count,
        card_link_bytes_per_s=_link_rate(cards.link if cards is not None else None, spec, math.inf),
        card_link_pj_per_byte=_link_energy(cards.link if cards is not None else None, spec),
        host=_host(spec),
        runtime=_runtime(spec),
        core_leakage_w=idle_mw(spec.core) * 1e-3,
    )


def _host(spec: ArchFile) -> Host:
    host = spec.host
    if host is None:
        return Host(n_cores=1, boost=1.0, cache_bytes=math.inf, link_bytes_per_s=math.inf)
    link = host.link.bandwidth if host.link is not None else None
    return Host(
        n_cores=host.cores,
        boost=host.boost.value if host.boost is not None else 1.0,
        cache_bytes=host.cache.value.per_byte(spec.core.mac.bits) if host.cache is not None else math.inf,
        link_bytes_per_s=_bytes_per_s(link, spec, spec.core.mac.bits),
    )


def _runtime(spec: ArchFile) -> Runtime:
    runtime = spec.runtime or chip_model.Runtime()
    online, converts = runtime.mode == "online", runtime.layout == "mismatch"
    mac = spec.core.mac
    threshold = runtime.lock_from.value.per_byte(mac.bits) if runtime.lock_from is not None else math.inf
    return Runtime(
        kernel_efficiency=_value(runtime.kernel_efficiency, 1.0),
        layer_s=_value(runtime.layer),
        barrier_s=_value(runtime.barrier),
        replica_s=_value(runtime.replica),
        launch_s=_value(runtime.launch),
        pass_s=_value(runtime.pass_) + (_value(runtime.framework) if online else 0.0),
        load_s_per_word=_value(runtime.load),
        convert_s_per_word=_value(runtime.convert) if converts else 0.0,
        convert_miss_s_per_word=_value(runtime.convert_miss) if converts else 0.0,
        host_bytes_per_word=_value(runtime.in_cache),
        buffer_bytes_per_word=_value(runtime.buffer),
        lock_s=_value(runtime.lock),
        lock_from_bytes=threshold,
        copy_bytes_per_word=_value(runtime.copy_),
        whole_clusters=runtime.whole_clusters,
        weights_stored=runtime.weights.stored,
        weights_read=runtime.weights.read,
        weight_bytes=(mac.weight_bits or mac.bits) / 8,
        asynchronous=not online,
        start_s=_value(runtime.start),
    )


def _value(constant: _Constant | None, absent: float = 0.0) -> float:
    return constant.value.value if constant is not None else absent


def _bytes_per_s(bandwidth: Bandwidth | None, spec: ArchFile, word_bits: int) -> float:
    """Bytes a second of the slower of both directions, inf where none is given."""
    return min(rates(bandwidth, spec.clock.value, word_bits)) * spec.clock.value


def _link_rate(link: chip_model.Link | None, spec: ArchFile, absent: float) -> float:
    return _bytes_per_s(link.bandwidth, spec, spec.core.mac.bits) if link is not None else absent


def _link_energy(link: chip_model.Link | None, spec: ArchFile) -> float:
    energy = link.energy if link is not None else None
    return energy.value.per_byte(spec.core.mac.bits) if energy is not None else 0.0
