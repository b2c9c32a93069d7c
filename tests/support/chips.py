"""Small chips and works of networks for tests: neutral ones by hand, and random ones."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import Any

import numpy as np
from hypothesis import strategies as st

from accelsim.tables.chip import Chip, Host, ReplicaWork, Runtime

NEUTRAL = Runtime(
    kernel_efficiency=1.0,
    layer_s=0.0,
    barrier_s=0.0,
    replica_s=0.0,
    launch_s=0.0,
    pass_s=0.0,
    load_s_per_word=0.0,
    convert_s_per_word=0.0,
    convert_miss_s_per_word=0.0,
    host_bytes_per_word=1.0,
    buffer_bytes_per_word=1.0,
    lock_s=0.0,
    lock_from_bytes=inf,
    copy_bytes_per_word=0.0,
    whole_clusters=False,
    weights_stored="card",
    weights_read="replica",
    weight_bytes=1.0,
    asynchronous=True,
    start_s=0.0,
)
HOST = Host(n_cores=2, boost=1.0, cache_bytes=inf, link_bytes_per_s=inf)


def chip(n_cores: int = 8, cores_per_cluster: int = 4, host: Host = HOST, **given: Any) -> Chip:
    """A chip whose software and host take no time: `given` are fields of Chip, or else of Runtime."""
    of_runtime = {key: given.pop(key) for key in list(given) if key in Runtime.__dataclass_fields__}
    fields: dict[str, Any] = {
        "memory_bytes": 1e9,
        "channel_bytes_per_s": 1e9,
        "link_bytes_per_s": 1e9,
        "link_pj_per_byte": 0.0,
        "n_cards": 1,
        "cores_per_card": n_cores,
        "card_link_bytes_per_s": inf,
        "card_link_pj_per_byte": 0.0,
        "clock_hz": 1e9,
    }
    return Chip(
        name="test",
        n_cores=n_cores,
        cores_per_cluster=cores_per_cluster,
        host=host,
        runtime=replace(NEUTRAL, **of_runtime),
        **fields | given,
    )


def work(
    mp: int,
    compute_s: list[float],
    in_bytes: list[float],
    out_bytes: list[float],
    exchange_bytes: list[float] | None = None,
    weight_bytes: list[float] | None = None,
    input_words: float = 1.0,
) -> ReplicaWork:
    """A network of a few layers, each given by what it computes and moves for an image."""
    n = len(compute_s)
    zero = [0.0] * n
    weights = weight_bytes or zero
    return ReplicaWork(
        mp=mp,
        layers=tuple(f"layer{i}" for i in range(n)),
        partition=("whole",) * n,
        compute_s=np.array(compute_s),
        in_bytes=np.array(in_bytes),
        out_bytes=np.array(out_bytes),
        exchange_bytes=np.array(exchange_bytes or zero),
        weight_bytes=np.array(weights),
        energy_j=np.zeros(n),
        weight_energy_j=np.zeros(n),
        live_bytes=0.0,
        n_weights=float(sum(weights)),
        input_words=input_words,
    )


def times(most: float) -> st.SearchStrategy[float]:
    """Seconds: none at all, or up to so many; on a grid, so that equal ones are common."""
    return st.integers(0, 20).map(lambda n: n * most / 20)


@st.composite
def chips(draw: st.DrawFn) -> Chip:
    """Chips of one to four clusters with software of every kind."""
    per_cluster, n_clusters = draw(st.sampled_from((1, 2, 4))), draw(st.integers(1, 4))
    host = Host(
        n_cores=draw(st.integers(1, 4)),
        boost=draw(st.sampled_from((1.0, 1.3))),
        cache_bytes=draw(st.sampled_from((0.0, 20.0, inf))),
        link_bytes_per_s=draw(st.sampled_from((1e6, inf))),
    )
    return chip(
        per_cluster * n_clusters,
        per_cluster,
        host,
        channel_bytes_per_s=draw(st.sampled_from((1e6, 3e6, 1e7, inf))),
        link_bytes_per_s=draw(st.sampled_from((1e6, 1e7, inf))),
        kernel_efficiency=draw(st.sampled_from((0.3, 1.0))),
        layer_s=draw(times(1e-5)),
        barrier_s=draw(times(1e-5)),
        replica_s=draw(times(1e-4)),
        launch_s=draw(times(1e-4)),
        pass_s=draw(times(1e-3)),
        convert_s_per_word=draw(times(1e-5)),
        convert_miss_s_per_word=draw(times(1e-5)),
        lock_s=draw(times(1e-3)),
        lock_from_bytes=draw(st.sampled_from((0.0, 40.0, inf))),
        copy_bytes_per_word=draw(st.sampled_from((0.0, 2.0))),
        whole_clusters=draw(st.booleans()),
        weights_read=draw(st.sampled_from(("card", "instance", "replica"))),
        asynchronous=draw(st.booleans()),
    )


@st.composite
def works(draw: st.DrawFn, mp: int) -> ReplicaWork:
    """Networks of up to four layers whose compute and traffic take about as long."""
    n = draw(st.integers(1, 4))

    def column(most: float) -> list[float]:
        return draw(st.lists(times(most), min_size=n, max_size=n))

    in_bytes = column(100)
    exchanged = [share * x * (mp > 1) for share, x in zip(column(1), in_bytes, strict=True)]
    some = [1e-5 + x for x in column(1e-4)]
    return work(mp, some, in_bytes, column(100), exchanged, column(100), input_words=4.0)


@st.composite
def situations(draw: st.DrawFn) -> tuple[Chip, ReplicaWork, tuple[int, int, int, int]]:
    """A chip, the work of a replica, and a cell (mp, dp, threads, batch) that has cores enough."""
    made = draw(chips())
    mp = draw(st.integers(1, made.n_cores))
    dp = draw(st.integers(1, made.n_cores // mp))
    return made, draw(works(mp)), (mp, dp, draw(st.integers(1, 9)), draw(st.integers(1, 3)))
