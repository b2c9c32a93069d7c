"""What an architecture file may say (schema accelsim.arch/1): one class for each mapping of the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt, StrictStr
from pydantic_core import core_schema

from accelsim.base.units import KINDS, Quantity, parse

SCHEMA: Final = "accelsim.arch/1"


@dataclass(frozen=True, slots=True)
class Unit:
    """Marks a field as a value with a unit of `kind`: read into a Quantity, a string in the JSON schema."""

    kind: str
    positive: bool = False

    def read(self, text: object) -> Quantity:
        return parse(text, self.kind, positive=self.positive)

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        return {
            "type": ["string", "number"] if self.kind == "fraction" else "string",
            "description": KINDS[self.kind][1],
        }


Size = Annotated[Quantity, Unit("size")]
Frequency = Annotated[Quantity, Unit("frequency", positive=True)]
Rate = Annotated[Quantity, Unit("bandwidth", positive=True)]
Energy = Annotated[Quantity, Unit("energy")]
EnergyPerData = Annotated[Quantity, Unit("energy_per_data")]
Area = Annotated[Quantity, Unit("area")]
Power = Annotated[Quantity, Unit("power")]
Length = Annotated[Quantity, Unit("length", positive=True)]
Time = Annotated[Quantity, Unit("time")]
Share = Annotated[Quantity, Unit("fraction")]

Name = Annotated[StrictStr, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
Text = Annotated[StrictStr, Field(min_length=1)]
Source = Annotated[StrictStr, Field(min_length=3, description="paper, table or assumption that it is from")]
Count = Annotated[StrictInt, Field(ge=1, le=1_000_000)]
Bits = Annotated[StrictInt, Field(ge=1, le=128)]
Operand = Literal["I", "W", "O"]
Dataflow = Literal["ws", "os", "is", "rs", "nlr", "any"]
Fusable = Literal["batch_norm", "activation", "add"]


class Part(BaseModel):
    """Base of all: frozen, and a key that is not known is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Sourced(Part):
    """A constant and where it is from."""

    source: Source


class EnergyConstant(Sourced):
    value: Energy


class HopEnergy(Sourced):
    value: EnergyPerData


class AreaConstant(Sourced):
    value: Area


class PowerConstant(Sourced):
    value: Power


class TimeConstant(Sourced):
    value: Time


class AccessEnergy(Sourced):
    """Energy of a read and of a write, per byte, bit or word."""

    read: EnergyPerData
    write: EnergyPerData


class Bandwidth(Sourced):
    """Of one instance: `value` shared by reads and writes, or `read` and `write` each with a port."""

    value: Rate | None = None
    read: Rate | None = None
    write: Rate | None = None


class Hop(Part):
    """Moving a word from one PE to the next."""

    energy: HopEnergy


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
    area: AreaConstant | None = None


class Mac(Part):
    """One multiplier of a PE with its adder."""

    bits: Bits
    weight_bits: Bits | None = None
    accumulate_bits: Bits | None = None
    per_pe: Count = 1
    energy: EnergyConstant
    area: AreaConstant | None = None


class Memory(Part):
    """One level of the hierarchy; inside a PE all figures are those of one PE."""

    name: Name
    size: Size | None = None
    holds: tuple[Operand, ...] = ("I", "W", "O")
    bits: Bits | None = None
    bandwidth: Bandwidth | None = None
    energy: AccessEnergy
    area: AreaConstant | None = None
    double_buffered: StrictBool = False
    overlap: StrictBool = True
    padding: Literal["none", "stored"] = "none"
    fetch: Literal["touched", "box"] = "touched"


class Pe(Part):
    memories: tuple[Memory, ...] = ()


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


class Channel(Part):
    bandwidth: Bandwidth


class Clusters(Part):
    """Groups of cores, each on a memory channel of its own."""

    count: Count
    cores: Annotated[
        Count | None, Field(description="cores of a cluster; core.count / count where not given")
    ] = None
    channel: Channel


class Links(Part):
    """What joins the cores."""

    bandwidth: Bandwidth
    energy: HopEnergy | None = None


class Host(Part):
    """The computer that the chip is attached to."""

    description: Text | None = None
    cores: Count
    bandwidth: Bandwidth | None = None
    launch: TimeConstant | None = None


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
    links: Links | None = None
    host: Host | None = None
    activations: Annotated[Activations, BeforeValidator(_home)]
    fuses: tuple[Fusable, ...] = ()
    per_dataflow: dict[Dataflow, dict[StrictStr, Any]] = {}
