"""What one process node costs: energy and area of arithmetic, SRAM and DRAM (schema accelsim.technology/1).

The files in `technologies/` ship like architectures; each number has its source, and `derived:` stands in the
source where the number follows from others by a rule that the source states.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Annotated, Any, Final, Literal

from pydantic import Field, StrictInt, ValidationError

from accelsim.base.errors import InputError, Problem, did_you_mean
from accelsim.base.files import find_shipped, list_shipped, read_limited
from accelsim.base.units import Quantity
from accelsim.base.yaml_lines import MAX_BYTES, load_yaml
from accelsim.hardware.compiled import compiled_mm2_at_65nm
from accelsim.hardware.parts import Area, Energy, EnergyPerData, Length, Name, Part, Sourced, Text
from accelsim.hardware.sram import TERMS, Curve, Sram

SCHEMA: Final = "accelsim.technology/1"
SIGNIFICAND_BITS: Final = {"fp32": 24, "fp16": 11, "bf16": 8}
"""Bits of the significand with its hidden one: what a floating-point multiplier multiplies."""

Format = Literal["int", "fp32", "fp16", "bf16"]
Number = Annotated[float, Field(ge=0, strict=True, allow_inf_nan=False)]


class EnergyLaw(Sourced):
    """E = value (bits / at)^exponent."""

    value: Energy
    at: StrictInt
    exponent: Number


class AreaLaw(Sourced):
    """A = value (bits / at)^exponent."""

    value: Area
    at: StrictInt
    exponent: Number


class Unit(Part):
    """An adder or a multiplier."""

    energy: EnergyLaw
    area: AreaLaw


class Arithmetic(Part):
    """Integer units count the bits of a word, floating-point units those of the significand."""

    int_add: Unit
    int_multiply: Unit
    float_add: Unit
    float_multiply: Unit


class Fit(Sourced):
    """Coefficients of sram.TERMS in the unit that the key names, and how far the fit is off its rows."""

    fixed: Number
    per_bit: Number
    per_root_byte: Number
    per_bit_root_byte: Number
    per_byte: Number
    per_mat_byte: Number
    per_bit_between_mats: Number
    mean_error: Number
    max_error: Number
    left_out_error: Number

    def curve(self) -> Curve:
        return Curve(tuple(getattr(self, term) for term in TERMS))


class SramFits(Part):
    read_pj: Fit
    write_pj: Fit
    leakage_mw: Fit
    area_mm2: Fit
    access_ns: Fit


class TechnologyFile(Part):
    """A process node."""

    schema_: Annotated[Literal["accelsim.technology/1"], Field(alias="schema")]
    name: Text
    description: Text
    node: Length
    arithmetic: Arithmetic
    sram: SramFits

    def sram_model(self) -> Sram:
        fits = self.sram
        return Sram(
            fits.read_pj.curve(),
            fits.write_pj.curve(),
            fits.leakage_mw.curve(),
            fits.area_mm2.curve(),
            fits.access_ns.curve(),
        )

    def multiply_pj(self, bits: int, weight_bits: int, form: Format = "int") -> float:
        """Energy of a multiplication in pJ; an array of a x b cells costs what a square of sqrt(a b) does."""
        unit = self.arithmetic.int_multiply if form == "int" else self.arithmetic.float_multiply
        return _law(unit.energy, _side(bits, weight_bits, form))

    def add_pj(self, bits: int, form: Format = "int") -> float:
        """Energy of an addition in pJ."""
        unit = self.arithmetic.int_add if form == "int" else self.arithmetic.float_add
        return _law(unit.energy, _side(bits, bits, form))

    def mac_pj(self, bits: int, weight_bits: int, accumulate_bits: int, form: Format = "int") -> float:
        """Energy of a multiply and add in pJ; floats of 16 bits that accumulate in 32 add as fp32."""
        return self.multiply_pj(bits, weight_bits, form) + self.add_pj(
            accumulate_bits, _sum_form(form, accumulate_bits)
        )

    def mac_mm2(self, bits: int, weight_bits: int, accumulate_bits: int, form: Format = "int") -> float:
        """Area of a multiplier and an adder in mm2, nothing around them."""
        units = self.arithmetic
        multiply, add = (
            (units.int_multiply, units.int_add) if form == "int" else (units.float_multiply, units.float_add)
        )
        sum_side = _side(accumulate_bits, accumulate_bits, _sum_form(form, accumulate_bits))
        return _law(multiply.area, _side(bits, weight_bits, form)) + _law(add.area, sum_side)

    def compiled_mm2(self, n_bytes: float) -> float:
        """Area of macros of a memory compiler, scaled from 65 nm as logic is: by the multipliers' areas."""
        logic = self.arithmetic.int_multiply.area.value.value
        at_65nm = load_technology("65nm").arithmetic.int_multiply.area.value.value
        return compiled_mm2_at_65nm(n_bytes) * logic / at_65nm


def _side(bits: int, other_bits: int, form: Format) -> float:
    """Bits of a square multiplier of equal cells: of the words, or of a float's significand."""
    return float(SIGNIFICAND_BITS.get(form, math.sqrt(bits * other_bits)))


def _sum_form(form: Format, accumulate_bits: int) -> Format:
    return "fp32" if form != "int" and accumulate_bits >= 32 else form


def _law(law: EnergyLaw | AreaLaw, bits: float) -> float:
    return float(law.value.value * (bits / law.at) ** law.exponent)


class DramDevice(Sourced):
    """Energy of a byte to or from a DRAM, its interface included."""

    read: EnergyPerData
    write: EnergyPerData


class DramFile(Part):
    """DRAM devices: made in processes of their own, so they go with no logic node."""

    schema_: Annotated[Literal["accelsim.dram/1"], Field(alias="schema")]
    name: Text
    description: Text
    devices: dict[Name, DramDevice]


DRAM_FILE: Final = "dram"


def _read(name_or_path: str, model: type[Part]) -> Any:
    path = find_shipped("technologies", name_or_path)
    document = load_yaml(read_limited(path, MAX_BYTES, "a technology in YAML"), str(path))
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        problems = []
        for detail in error.errors(include_url=False):
            mark = document.at(tuple(detail["loc"]), key=detail["type"] == "extra_forbidden")
            key = ".".join(str(part) for part in detail["loc"])
            problems.append(Problem(detail["msg"], mark.file, mark.line, mark.column, key))
        raise InputError(problems) from None


@cache
def load_technology(name_or_path: str) -> TechnologyFile:
    """A shipped technology by its name (`45nm`) or a file; InputError with all that is wrong with it."""
    found: TechnologyFile = _read(name_or_path, TechnologyFile)
    return found


def load_dram(name_or_path: str) -> DramFile:
    """A file of DRAM devices; InputError with all that is wrong with it."""
    found: DramFile = _read(name_or_path, DramFile)
    return found


@cache
def dram_devices() -> dict[str, DramDevice]:
    """The devices of `technologies/dram.yaml` by name."""
    return dict(load_dram(DRAM_FILE).devices)


@cache
def nodes() -> tuple[str, ...]:
    """The names of the process nodes that ship, largest first."""
    names = [name for name in list_shipped("technologies") if name != DRAM_FILE]
    return tuple(sorted(names, key=lambda name: -int(name.removesuffix("nm"))))


def technology_of(node: Quantity) -> TechnologyFile:
    """The shipped technology of a feature size; InputError with the nearest where there is none."""
    name = f"{node.value:g}nm"
    if name not in nodes():
        raise InputError(
            Problem(
                f"no tables for {node}",
                key="technology",
                expected=f"one of {', '.join(nodes())}",
                hint=did_you_mean(name, nodes()),
            )
        )
    return load_technology(name)
