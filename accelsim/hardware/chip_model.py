"""The chip around its cores, as an architecture file says it: clusters, cards, host and runtime."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictBool

from accelsim.hardware.parts import (
    Bandwidth,
    Count,
    DataPerWordConstant,
    HopEnergy,
    Part,
    RatioConstant,
    ShareConstant,
    SizeConstant,
    Text,
    TimeConstant,
    TimePerWordConstant,
)
from accelsim.tables.chip import Copies


class Channel(Part):
    bandwidth: Bandwidth
    efficiency: Annotated[
        ShareConstant | None,
        Field(description="of its bandwidth that a channel sustains for many cores; all where not given"),
    ] = None


class Link(Part):
    """What joins one cluster, or one card, to the others; figures are those of its own end."""

    bandwidth: Bandwidth
    energy: HopEnergy | None = None


class Clusters(Part):
    """Groups of cores, each on a memory channel of its own."""

    count: Count
    cores: Annotated[
        Count | None, Field(description="cores of a cluster; core.count / count where not given")
    ] = None
    channel: Channel
    link: Annotated[
        Link | None,
        Field(description="to the other clusters; as fast as the channel and free where not given"),
    ] = None


class Cards(Part):
    """Equal cards at one host, each with `core.count` cores and memories of its own."""

    count: Count
    link: Link


class HostLink(Part):
    bandwidth: Bandwidth


class Host(Part):
    """The computer that feeds the cards."""

    description: Text | None = None
    cores: Count
    boost: Annotated[
        RatioConstant | None,
        Field(description="clock of one busy core over that of all busy ones; 1 where not given"),
    ] = None
    cache: Annotated[
        SizeConstant | None,
        Field(description="last-level cache that images in flight share; without limit where not given"),
    ] = None
    link: Annotated[HostLink | None, Field(description="to the cards; free where not given")] = None


class Weights(Part):
    """Copies of the weights in a card's memory, and how many of its readers bring their own."""

    stored: Annotated[Copies, Field(description="once for each card, instance or replica")] = "card"
    read: Annotated[
        Copies,
        Field(
            description="card: each core reads its share and hands it on; instance: its replicas share a "
            "reading; replica (where not given): each reads all"
        ),
    ] = "replica"


class Runtime(Part):
    """What software does around the arithmetic; a pass is one batch of each replica of an instance.

    What is not given takes no time.
    """

    description: Text | None = None
    mode: Annotated[
        Literal["offline", "online"],
        Field(
            description="offline: the host prepares the next pass while the device computes; online: in a "
            "framework, one pass after the other"
        ),
    ] = "offline"
    layout: Annotated[
        Literal["mismatch", "match"],
        Field(description="match: images lie in memory as the card wants them, nothing is converted"),
    ] = "mismatch"
    kernel_efficiency: Annotated[
        ShareConstant | None, Field(description="share of the array's steps that kernels reach; all")
    ] = None
    layer: Annotated[TimeConstant | None, Field(description="issue of a layer")] = None
    barrier: Annotated[
        TimeConstant | None, Field(description="after a layer, for each doubling of a replica's cores")
    ] = None
    replica: Annotated[
        TimeConstant | None, Field(description="dispatch of each further replica of an instance")
    ] = None
    launch: Annotated[TimeConstant | None, Field(description="a pass in the driver's one queue")] = None
    pass_: Annotated[
        TimeConstant | None, Field(alias="pass", description="host work of a pass, whatever its size")
    ] = None
    framework: Annotated[
        TimeConstant | None, Field(description="host work of a pass more in online mode")
    ] = None
    load: Annotated[
        TimePerWordConstant | None, Field(description="reading an input word, and writing what comes of it")
    ] = None
    convert: Annotated[
        TimePerWordConstant | None, Field(description="layout and type of an input word in the host's cache")
    ] = None
    convert_miss: Annotated[
        TimePerWordConstant | None, Field(description="what a word beyond the cache costs more")
    ] = None
    in_cache: Annotated[
        DataPerWordConstant | None, Field(description="an input word, source and copy, in the host's cache")
    ] = None
    buffer: Annotated[
        DataPerWordConstant | None, Field(description="an input word in the buffer of a pass")
    ] = None
    lock: Annotated[
        TimeConstant | None,
        Field(description="allocation of a pass under one lock, where threads exceed host cores by far"),
    ] = None
    lock_from: Annotated[
        SizeConstant | None, Field(description="smaller buffers take no lock; none do where not given")
    ] = None
    copy_: Annotated[
        DataPerWordConstant | None, Field(alias="copy", description="an input word on the host's link")
    ] = None
    whole_clusters: Annotated[
        StrictBool, Field(description="replicas of more than one core occupy whole clusters")
    ] = False
    weights: Weights = Weights()
    start: Annotated[TimeConstant | None, Field(description="of a run, once: the network to the card")] = None
