"""What the mappings of an architecture file are made of: values with a unit, constants with a source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, StrictInt, StrictStr, Tag
from pydantic_core import core_schema

from accelsim.base.units import KINDS, Quantity, parse


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
PositiveShare = Annotated[Quantity, Unit("fraction", positive=True)]
TimePerWord = Annotated[Quantity, Unit("time_per_word")]
DataPerWord = Annotated[Quantity, Unit("data_per_word")]

Name = Annotated[StrictStr, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
Text = Annotated[StrictStr, Field(min_length=1)]
Source = Annotated[StrictStr, Field(min_length=3, description="paper, table or assumption that it is from")]
Count = Annotated[StrictInt, Field(ge=1, le=1_000_000)]
Bits = Annotated[StrictInt, Field(ge=1, le=128)]
Width = Annotated[StrictInt, Field(ge=1, le=4096)]


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


class CycleConstant(Sourced):
    cycles: Annotated[StrictInt, Field(ge=0, le=1_000_000)]


class AreaConstant(Sourced):
    value: Area


class PowerConstant(Sourced):
    value: Power


class TimeConstant(Sourced):
    value: Time


class SizeConstant(Sourced):
    value: Size


class ShareConstant(Sourced):
    value: PositiveShare


class RatioConstant(Sourced):
    value: Annotated[float, Field(ge=1, le=100, strict=True, allow_inf_nan=False)]


class TimePerWordConstant(Sourced):
    value: TimePerWord


class DataPerWordConstant(Sourced):
    value: DataPerWord


class AccessEnergy(Sourced):
    """Energy of a read and of a write, per byte, bit or word."""

    read: EnergyPerData
    write: EnergyPerData


class TechnologyAccess(Part):
    """Energy of a read and of a write that the technology's SRAM model gives for the memory's size, or that
    its table gives for a DRAM device."""

    from_: Annotated[Literal["technology"], Field(alias="from")]
    width: Annotated[
        Width | None, Field(description="bits of an access; the bits of a word where not given")
    ] = None
    banks: Annotated[Count, Field(description="equal banks that share the size, one at work")] = 1
    device: Annotated[Name | None, Field(description="of a DRAM: ddr4, hbm2, ...")] = None


class TechnologyMac(Part):
    """Energy that the technology's table of arithmetic gives for the multiplier's bits."""

    from_: Annotated[Literal["technology"], Field(alias="from")]
    format: Literal["int", "fp32", "fp16", "bf16"] = "int"


class TechnologyArea(Part):
    """Area that the technology gives: of an SRAM of the memory's size, of a multiplier and adder."""

    from_: Annotated[Literal["technology"], Field(alias="from")]
    cells: Annotated[
        Literal["sram", "compiled"],
        Field(description="of a memory: CACTI's bank, or macros of a compiler as small storage is made of"),
    ] = "sram"
    format: Annotated[
        Literal["int", "fp32", "fp16", "bf16"] | None,
        Field(description="of a multiplier; that of its energy where not given"),
    ] = None


GIVEN: Final = "{given}"
FROM_TECHNOLOGY: Final = "{technology}"
"""Tags of the two ways to give a constant; error messages leave them out of a key's path."""


def _way(value: Any) -> str:
    return FROM_TECHNOLOGY if isinstance(value, dict) and "from" in value else GIVEN


Access = Annotated[
    Annotated[AccessEnergy, Tag(GIVEN)] | Annotated[TechnologyAccess, Tag(FROM_TECHNOLOGY)],
    Discriminator(_way),
]
MacEnergy = Annotated[
    Annotated[EnergyConstant, Tag(GIVEN)] | Annotated[TechnologyMac, Tag(FROM_TECHNOLOGY)],
    Discriminator(_way),
]
ComponentArea = Annotated[
    Annotated[AreaConstant, Tag(GIVEN)] | Annotated[TechnologyArea, Tag(FROM_TECHNOLOGY)],
    Discriminator(_way),
]


class Bandwidth(Sourced):
    """Of one instance: `value` shared by reads and writes, or `read` and `write` each with a port."""

    value: Rate | None = None
    read: Rate | None = None
    write: Rate | None = None
