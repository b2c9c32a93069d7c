"""Arguments and options that several commands share, spelt and explained the same in each."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Objective(StrEnum):
    """What the mapper makes as small as it can."""

    latency = "latency"
    energy = "energy"
    edp = "edp"


class Compat(StrEnum):
    """Whose rules and report formats are reproduced."""

    scalesim = "scalesim"
    isca16 = "isca16"


class MapCompat(StrEnum):
    """Whose input files `map` reads and counts as they count."""

    timeloop = "timeloop"


Model = Annotated[
    str, typer.Argument(metavar="MODEL", help="A shipped network (see `accelsim list`) or a model file.")
]
Arch = Annotated[str, typer.Option("--arch", "-a", help="A shipped architecture or a YAML file.")]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Overrides a key of the architecture; may be repeated."),
]
Batch = Annotated[
    int | None,
    typer.Option("--batch", "-b", min=1, help="Images a pass; the file's own where not given."),
]
Dataflow = Annotated[
    str | None,
    typer.Option(
        "--dataflow", help="One that the architecture can run, or `any`: its first where not given."
    ),
]
Goal = Annotated[Objective, typer.Option("--objective", help="What the mapper minimises, layer by layer.")]
MappingFile = Annotated[
    Path | None,
    typer.Option("--mapping", metavar="FILE", help="Evaluate the mappings of this YAML file as they are."),
]
ZerosFile = Annotated[
    Path | None,
    typer.Option(
        "--zeros", metavar="FILE", help="Zero fractions of maps (CSV), for machines that code or skip them."
    ),
]
Ragged = Annotated[
    bool, typer.Option("--ragged", help="Also tiles that do not divide the extents: a larger space.")
]
TimeLimit = Annotated[
    float | None,
    typer.Option(
        "--time-limit", metavar="SECONDS", help="Stop the search of a layer then, with what is found."
    ),
]
Gap = Annotated[
    float,
    typer.Option(
        "--gap", metavar="FRAC", help="Stop where nothing can be better by more than this share of the best."
    ),
]
Jobs = Annotated[
    int,
    typer.Option("--jobs", "-j", metavar="N", help="Search in N processes; 0: one for each core."),
]
Cache = Annotated[
    bool,
    typer.Option("--cache/--no-cache", help="Take searches done before from disk; see `accelsim cache`."),
]
Strict = Annotated[
    bool, typer.Option("--strict", help="Fail (exit code 4) where an operator can't be costed.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="DIR", help="Write result.json, layers.csv and pictures there."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
