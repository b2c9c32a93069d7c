"""What the mappings of an architecture file are made of: values with a unit, constants with a source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr
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


class Bandwidth(Sourced):
    """Of one instance: `value` shared by reads and writes, or `read` and `write` each with a port."""

    value: Rate | None = None
    read: Rate | None = None
    write: Rate | None = None
