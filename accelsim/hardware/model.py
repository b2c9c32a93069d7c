"""What an architecture file may say (schema accelsim.arch/1): one class for each mapping of the file."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, StrictBool, StrictInt, StrictStr

from accelsim.base.units import Quantity
from accelsim.hardware.chip_model import Cards, Clusters, Host, Runtime
from accelsim.hardware.parts import (
    Access,
    AreaConstant,
    Bandwidth,
    Bits,
    ComponentArea,
    Count,
    CycleConstant,
    EnergyConstant,
    Frequency,
    HopEnergy,
    Length,
    MacEnergy,
    Name,
    Part,
    PowerConstant,
    Share,
    Size,
    Source,
    Sourced,
    Text,
)

SCHEMA: Final = "accelsim.arch/1"

Operand = Literal["I", "W", "O"]
Dataflow = Literal["ws", "os", "is", "rs", "nlr", "dc", "any"]
Fusable = Literal["batch_norm", "activation", "add"]


class Hop(Part):
    """Moving a word from one PE to the next."""

    energy: HopEnergy


class Passes(Part):
    """What a row-stationary array does before each pass, at rest: new weights come in, control sets it up."""

    bandwidth: Annotated[
        Bandwidth, Field(description="of the links that bring weights to the PEs, one read for all of them")
    ]
    control: CycleConstant


class Array(Part):
    """The spatial array: rows x cols PEs and the links between them.

    What the file leaves out is an array without skew (`fold: broadcast`) whose links bring one read of an
    input or a weight to many PEs (`multicast: [I, W]`) and add partial sums (`reduce: true`).
    """

    rows: Count
    cols: Count
    fold: Annotated[
        Literal["broadcast", "sequential", "preload", "overlapped"],
        Field(
            description="cycles of a fold, T streamed steps on R rows: broadcast T (no skew, the default); "
            "sequential T and the skew; preload T + R; overlapped max(T, R)"
        ),
    ] = "broadcast"
    multicast: Annotated[
        tuple[Operand, ...],
        Field(description="operands of which one read reaches many PEs; [I, W] where not given"),
    ] = ("I", "W")
    reduce: Annotated[
        StrictBool, Field(description="the links add partial sums on their way; true where not given")
    ] = True
    diagonal: Annotated[
        StrictBool, Field(description="inputs move along diagonals (row-stationary); false where not given")
    ] = False
    hop: Hop | None = None
    passes: Annotated[
        Passes | None,
        Field(description="what a row-stationary pass costs before it starts"),
    ] = None
    area: AreaConstant | None = None


class Mac(Part):
    """One multiplier of a PE with its adder."""

    bits: Bits
    weight_bits: Bits | None = None
    accumulate_bits: Bits | None = None
    per_pe: Count = 1
    energy: MacEnergy
    area: ComponentArea | None = None


class Coding(Sourced):
    """Run-length code of maps between layers: pairs of a run of zeros and the value after it, in words."""

    run_bits: Bits
    value_bits: Bits
    pairs: Count
    word_bits: Annotated[StrictInt, Field(ge=1, le=4096)]


class Memory(Part):
    """One level of the hierarchy; inside a PE all figures are those of one PE."""

    name: Name
    size: Size | None = None
    holds: tuple[Operand, ...] = ("I", "W", "O")
    bits: Bits | None = None
    bandwidth: Bandwidth | None = None
    energy: Access
    area: ComponentArea | None = None
    double_buffered: StrictBool = False
    overlap: Annotated[
        StrictBool | tuple[Operand, ...],
        Field(description="transfers run beside compute: all, none, or those of some operands"),
    ] = True
    coding: Annotated[
        Coding | None, Field(description="code of maps whose zeros are known; of the outermost memory only")
    ] = None
    padding: Literal["none", "stored"] = "none"
    fetch: Literal["touched", "box"] = "touched"


class Gating(Sourced):
    """What rests where an input is zero: `mac`, or memories of the PE that the multiplier accesses."""

    rests: Annotated[tuple[Name, ...], Field(min_length=1)]


class Pe(Part):
    memories: tuple[Memory, ...] = ()
    zero_gating: Gating | None = None
    area: Annotated[
        AreaConstant | None,
        Field(description="of its control, wires and links, beside its multipliers and memories"),
    ] = None


class Vector(Part):
    """The engine (or host) that runs pooling and elementwise work; it reads and writes at `memory`."""

    lanes: Count
    energy: EnergyConstant
    memory: Name


class Core(Part):
    """`count` equal cores, each an array between its memories."""

    count: Count = 1
    dataflow: Annotated[tuple[Dataflow, ...], Field(min_length=1)]
    array: Array
    mac: Mac
    pe: Pe = Pe()
    memories: Annotated[tuple[Memory, ...], Field(max_length=16)] = ()
    vector: Vector | None = None
    leakage: PowerConstant | None = None
    clock_tree: Annotated[
        PowerConstant | None, Field(description="power of the clock's wires and registers while a layer runs")
    ] = None


class Activations(Part):
    """Home of the tensors between layers, and the share of it kept free for tiles of what lives elsewhere."""

    home: Name
    reserve: Share = Quantity(0.0, "fraction", "0%")
    source: Source | None = None


def _home(value: Any) -> Any:
    return {"home": value} if isinstance(value, str) else value


class ArchFile(Part):
    """A chip: cores, what they share, and what the shared things are attached to."""

    schema_: Annotated[Literal["accelsim.arch/1"], Field(alias="schema")]
    name: Name
    description: Annotated[
        StrictStr, Field(description="what the machine is, on a line; may be left out")
    ] = ""
    notes: tuple[Text, ...] = ()
    extends: Text | None = None
    clock: Frequency
    technology: Length
    core: Core
    memories: Annotated[tuple[Memory, ...], Field(min_length=1, max_length=16)]
    clusters: Clusters | None = None
    cards: Cards | None = None
    host: Host | None = None
    runtime: Runtime | None = None
    activations: Annotated[Activations, BeforeValidator(_home)]
    fuses: tuple[Fusable, ...] = ()
    per_dataflow: Annotated[dict[Dataflow, dict[StrictStr, Any]], Field(default_factory=dict)]
