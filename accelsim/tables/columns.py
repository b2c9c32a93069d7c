"""The columns of every answer: name, type, unit, meaning and formula, in one table that the docs read too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from accelsim.tables.column import Column
from accelsim.tables.columns_split import CELL, CUT, PLAN
from accelsim.tables.columns_sweep import METRICS, NUMBERED
from accelsim.tables.columns_validate import COMPARISON

EVERY = ("run", "simulate", "map", "inspect", "reuse", "split")
WORKING = ("run", "simulate", "map", "inspect", "reuse")
SHAPE = ("run", "simulate", "map", "inspect")

_IDENTITY: Final = (
    Column("layer", "str", "", "Name of the layer in the model file.", commands=EVERY),
    Column("op", "str", "", "Operator type (Conv, Gemm, MaxPool, ...).", commands=EVERY),
    Column(
        "status",
        "str",
        "",
        "`costed`, `data_movement` or `not_costed`; every operator is listed. Of a cell `ok`, `oom` (out of "
        "memory) or `infeasible` (too few cores).",
        commands=EVERY,
    ),
    Column("reason", "str", "", "Why the layer is not costed; null where it is.", commands=WORKING),
    Column(
        "fused", "list", "", "Operators that a pass has folded into this layer, in order.", commands=SHAPE
    ),
)

_WORK: Final = (
    Column(
        "macs",
        "int",
        "MACs",
        "Multiply-accumulates of the algorithm, padding included.",
        "N G K C P Q R S Z V, the product of the loop extents",
        "sum",
        WORKING,
    ),
    Column(
        "vector_ops",
        "int",
        "operations",
        "Scalar operations of elementwise, pooling and normalising layers.",
        total="sum",
        commands=SHAPE,
    ),
    Column(
        "params",
        "int",
        "parameters",
        "Learned weights, biases, batch-norm scale and shift; tied tensors once, no running statistics.",
        total="sum",
        commands=SHAPE,
    ),
    Column(
        "params_bn_folded",
        "int",
        "parameters",
        "Weights plus one bias per scaled channel, as left when batch norm is folded into its producer.",
        total="sum",
        commands=SHAPE,
    ),
)

_CYCLES: Final = (
    Column(
        "latency_cycles",
        "int",
        "cycles",
        "Time of the layer alone; in `simulate`, from its start to its end.",
        "compute_cycles + fill_drain_cycles + stall_cycles",
        "sum",
    ),
    Column("compute_cycles", "int", "cycles", "Steps of the mapping in which the array computes.", "", "sum"),
    Column(
        "fill_drain_cycles",
        "int",
        "cycles",
        "Steps in which a fold enters or leaves the array.",
        "the rule that the dataflow states, per fold",
        "sum",
    ),
    Column(
        "stall_cycles",
        "int",
        "cycles",
        "Waiting for a memory level; in `simulate`, for what `stall_cycles_by_cause` says.",
        "what the slowest transfer beside compute takes longer; all transfers that do not overlap",
        "sum",
    ),
    Column(
        "exposed_cycles",
        "int",
        "cycles",
        "Of the stall of the analytic model, transfers during which nothing is computed (`overlap: false`).",
        "bytes of the operands that do not overlap / bandwidth, level by level",
        "sum",
    ),
    Column(
        "transfer_cycles_by_level",
        "dict",
        "cycles",
        "What each level needs to move its words.",
        "bytes / bandwidth of the level",
        "sum",
    ),
    Column(
        "latency_s",
        "float",
        "s",
        "The same in seconds; of a cell, from a thread's taking a batch until its results are out.",
        "latency_cycles / clock",
        "sum",
        ("run", "simulate", "map", "split"),
    ),
    Column(
        "utilization_frac",
        "float",
        "1",
        "Share of the machine's multipliers that did useful work.",
        "macs / (latency_cycles x MACs per cycle of the machine)",
        "ratio",
    ),
    Column("active_pes", "int", "PEs", "Processing elements that the mapping puts to work at once."),
    Column("bound", "str", "", "What limits the latency: `compute`, or the level that does."),
)

_SIMULATED: Final = (
    Column(
        "stall_cycles_by_cause",
        "dict",
        "cycles",
        "What the array waited for: the memory channel, a port or link on the chip, a barrier, the host, "
        "another layer.",
        "adds up to stall_cycles",
        "sum",
        ("simulate",),
    ),
    Column(
        "analytic_latency_cycles",
        "int",
        "cycles",
        "Latency that the analytic model (`run`) gives the layer alone.",
        "latency_cycles of run",
        "sum",
        ("simulate",),
    ),
    Column(
        "simulated_to_analytic",
        "float",
        "1",
        "How much longer the simulation takes than the analytic model.",
        "latency_cycles / analytic_latency_cycles",
        "ratio",
        ("simulate",),
    ),
    Column(
        "start_cycle",
        "int",
        "cycles",
        "When the layer begins; of parallel branches several run at once.",
        commands=("simulate",),
    ),
    Column("core", "int", "", "The core that the layer runs on.", commands=("simulate",)),
    Column(
        "n_tile_steps",
        "int",
        "steps",
        "Tile steps of the layer: one tile's load, compute and store.",
        "",
        "sum",
        ("simulate",),
    ),
)

_ENERGY: Final = (
    Column(
        "energy_pj",
        "float",
        "pJ",
        "Energy of the layer.",
        "sum over levels and MACs of count x energy per action",
        "sum",
    ),
    Column(
        "energy_pj_by_level",
        "dict",
        "pJ",
        "The same, by level; `mac` is the arithmetic, `hop` the way from PE to PE, `leakage` the idle power, "
        "`clock` that of the clock where the machine gives it.",
        "reads x read energy + writes x write energy",
        "sum",
    ),
    Column(
        "energy_pj_by_operand",
        "dict",
        "pJ",
        "The same, by operand (I, W, O) over all levels, arithmetic left out.",
        "",
        "sum",
    ),
)

_TRAFFIC: Final = (
    Column("dram_read_bytes", "int", "B", "Read from DRAM.", "sum of dram reads x bytes of a word", "sum"),
    Column("dram_write_bytes", "int", "B", "Written to DRAM.", "sum of dram writes x bytes of a word", "sum"),
    Column(
        "accesses",
        "dict",
        "words",
        "`accesses[level][I|W|O]` = {read, write} over all instances; write is fills plus updates.",
        "fetched = T + sum_j (n_j - 1) (prod of n_k outside j) (T - overlap(T, T shifted by v_j))",
        "sum",
    ),
)

_BOUNDS: Final = (
    Column(
        "compute_bound_cycles",
        "int",
        "cycles",
        "The fewest cycles in which the machine's multipliers (or vector engine) can do it.",
        "ceil(macs / MACs per cycle of the machine); of vector work ceil(vector_ops / lanes)",
        "sum",
    ),
    Column(
        "memory_bound_cycles",
        "int",
        "cycles",
        "The fewest cycles in which DRAM can move the compulsory bytes.",
        "ceil(compulsory_dram_bytes / DRAM bytes per cycle)",
        "sum",
    ),
    Column(
        "compulsory_dram_bytes",
        "int",
        "B",
        "Operands that live in DRAM, each touched word once: no mapping moves less.",
        "touched words of I, W and O whose home is dram x bytes of a word",
        "sum",
    ),
    Column(
        "energy_bound_pj",
        "float",
        "pJ",
        "Arithmetic and compulsory DRAM traffic alone: no mapping needs less.",
        "macs x MAC energy (or operations x theirs) + compulsory_dram_bytes x DRAM energy per byte",
        "sum",
    ),
)

_MAPPING: Final = (
    Column("mapping", "str", "", "The mapping that was costed, printed as a loop nest."),
    Column(
        "scalesim",
        "dict",
        "",
        "Columns of SCALE-Sim's own reports by their names (`--compat scalesim`).",
        commands=("run", "simulate"),
    ),
    Column(
        "isca16",
        "dict",
        "",
        "Of the comparison of dataflows (`--compat isca16`): energy per MAC by level in MACs, sizes in "
        "bytes, the mapping's parameters.",
        commands=("run",),
    ),
)

_SEARCH: Final = (
    Column(
        "same_as",
        "str",
        "",
        "The first layer with the same loops, homes and room: searched once for both. Null where it is this.",
        commands=("map",),
    ),
    Column(
        "runs",
        "int",
        "runs",
        "How often the nest runs, one run after the other; `certificate`, `nest` and `points` are of one.",
        commands=("map",),
    ),
    Column("strides", "list", "", "Of the output's rows, columns and depth in the input.", commands=("map",)),
    Column("dilations", "list", "", "Of the filter's rows, columns and depth.", commands=("map",)),
    Column(
        "certificate",
        "dict",
        "",
        "{objective, space, best, lower_bound, gap_frac, proven, complete}; in cycles, pJ or their product.",
        "gap_frac = 1 - lower_bound / best; proven where it is 0; complete: no limit ended the search",
        commands=("map",),
    ),
    Column(
        "nest",
        "list",
        "",
        "The best mapping, a level an object from dram inwards: {level, keeps, loops: [{dim, trips, axis}], "
        "n_instances, tile_words, tile_bytes, home_of, passing_bytes, live_bytes, capacity_bytes, used_frac, "
        "accesses, energy_pj}.",
        "used_frac = (passing_bytes + live_bytes) / capacity_bytes",
        commands=("map",),
    ),
    Column(
        "points",
        "list",
        "",
        "The best mappings (`--top`) or the Pareto front (`--front`): {energy_pj, latency_cycles, "
        "edp_pj_cycles, above_best_frac, is_best, dataflow, nest}.",
        commands=("map",),
    ),
)

_SHAPES: Final = (
    Column(
        "dims", "dict", "", "Loop extents by dimension letter, ones left out.", commands=("inspect", "map")
    ),
    Column("input_shapes", "list", "elements", "Shapes of the activation inputs.", commands=("inspect",)),
    Column("output_shape", "list", "elements", "Shape of the first output.", commands=("inspect",)),
    Column(
        "weight_bytes",
        "int",
        "B",
        "Parameters at the file's width.",
        "params x bits / 8",
        "sum",
        ("inspect",),
    ),
    Column(
        "input_bytes",
        "int",
        "B",
        "Activation inputs, shortcuts of fused additions too.",
        "",
        "sum",
        ("inspect",),
    ),
    Column("output_bytes", "int", "B", "Outputs at the file's width.", "", "sum", ("inspect",)),
    Column(
        "arithmetic_intensity",
        "float",
        "MACs/B",
        "Work per byte where every tensor moves once.",
        "macs / (weight_bytes + input_bytes + output_bytes)",
        "ratio",
        ("inspect",),
    ),
)

_REUSE: Final = (
    Column(
        "no_reuse",
        "int",
        "words",
        "Accesses where every MAC fetches all: input, weight, sum in, sum out.",
        "4 macs",
        "sum",
        ("reuse",),
    ),
    Column(
        "convolutional",
        "int",
        "words",
        "Accesses left where a filter slides over its map.",
        "",
        "sum",
        ("reuse",),
    ),
    Column(
        "image", "int", "words", "Accesses left where all filters share an input map.", "", "sum", ("reuse",)
    ),
    Column("filter", "int", "words", "Accesses left where a batch shares a filter.", "", "sum", ("reuse",)),
    Column(
        "partial_sum",
        "int",
        "words",
        "Accesses left where sums stay near the multiplier.",
        "",
        "sum",
        ("reuse",),
    ),
    Column("all", "int", "words", "Accesses left with every reuse at once.", "", "sum", ("reuse",)),
    Column(
        "achieved",
        "dict",
        "words",
        "Accesses of each level of the architecture, under its mapping.",
        "reads + writes of I, W and O",
        "sum",
        ("reuse",),
    ),
)

COLUMNS: Final[tuple[Column, ...]] = (
    *_IDENTITY,
    *_WORK,
    *_CYCLES,
    *_SIMULATED,
    *_ENERGY,
    *_TRAFFIC,
    *_BOUNDS,
    *_MAPPING,
    *_SEARCH,
    *_SHAPES,
    *_REUSE,
    *CUT,
    *CELL,
    *PLAN,
    *COMPARISON,
)
BY_NAME: Final[dict[str, Column]] = {column.name: column for column in COLUMNS}


def of_command(command: str) -> tuple[Column, ...]:
    """The columns that rows of the command may have, in the order in which they are shown.

    Rows of `sweep` are points: beside these they have a column for each variable of the space.
    """
    if command == "sweep":
        return (*NUMBERED, *METRICS)
    return tuple(column for column in COLUMNS if command in column.commands)


def cell_columns() -> tuple[Column, ...]:
    """The columns of a cell of `split`, in the order in which they are shown."""
    ours = [column.name for column in CELL]
    shown = (*ours[:4], "status", "latency_s", *ours[4:])
    return tuple(BY_NAME[name] for name in shown)


def plan_columns() -> tuple[Column, ...]:
    """The columns of a layer in the plan of `split`, in the order in which they are shown."""
    ours = [column.name for column in PLAN]
    return tuple(BY_NAME[name] for name in ("layer", "op", "mp", "dp", "partition", *ours, "energy_j"))


def units(names: Iterable[str]) -> dict[str, str]:
    """Unit by column, in the order given; columns without one (names, text) are left out.

    Raises KeyError for a column that the table does not list: a column without a meaning is a defect.
    """
    return {name: BY_NAME[name].unit for name in names if BY_NAME[name].unit}


def render_markdown(command: str | None = None) -> str:
    """The table as the documentation shows it, of one command or of all."""
    chosen = COLUMNS if command is None else of_command(command)
    head = ["| column | type | unit | what it is | formula |", "|---|---|---|---|---|"]
    body = (
        f"| `{c.name}` | {c.dtype} | {c.unit} | {_cell(c.description)} | {_cell(c.formula)} |" for c in chosen
    )
    return "\n".join((*head, *body)) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
