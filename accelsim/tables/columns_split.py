"""The columns of `split`: how a layer is cut, what a cell comes to, and a layer of a plan."""

from __future__ import annotations

from typing import Final

from accelsim.tables.column import Column

SPLIT: Final = ("split",)
CUT: Final = (
    Column(
        "partition",
        "str",
        "",
        "Parts of output channels K, output rows P, images N and input channels C: over clusters | over the "
        "cores of each.",
        commands=SPLIT,
    ),
    Column("core_s", "float", "s", "Array steps of the core that has most to do.", commands=SPLIT),
    Column(
        "read_bytes", "float", "B", "Activations that the replica reads from its channels.", commands=SPLIT
    ),
    Column(
        "write_bytes",
        "float",
        "B",
        "Activations that it writes to them, partial sums and their return included.",
        commands=SPLIT,
    ),
    Column(
        "exchange_bytes", "float", "B", "What the busiest cluster takes from other clusters.", commands=SPLIT
    ),
    Column("weight_read_bytes", "float", "B", "Weights that the replica needs in a pass.", commands=SPLIT),
)

CELL: Final = (
    Column("mp", "int", "cores", "Model parallelism: cores of a replica.", commands=SPLIT),
    Column("dp", "int", "replicas", "Data parallelism: replicas of an instance.", commands=SPLIT),
    Column("threads", "int", "threads", "Host threads, each with an instance of its own.", commands=SPLIT),
    Column("batch", "int", "images", "Images of a replica in a pass.", commands=SPLIT),
    Column(
        "throughput_fps",
        "float",
        "1/s",
        "Images a second: of `simulate` one pass after the other, of a cell in steady state.",
        "batch / latency_s; threads x dp x batch / time from a pass of a thread to its next",
        commands=("simulate", "split"),
    ),
    Column("analytic_latency_s", "float", "s", "Latency by the closed form.", commands=SPLIT),
    Column(
        "simulated_latency_s",
        "float",
        "s",
        "Latency by the event simulation; null where the closed form ruled the cell out.",
        commands=SPLIT,
    ),
    Column(
        "decided_by", "str", "", "`simulation` or `analytic`: whose figures the cell has.", commands=SPLIT
    ),
    Column("energy_j", "float", "J", "Energy of the chip for an image.", commands=SPLIT),
    Column(
        "memory_bytes",
        "float",
        "B",
        "Weights and live activations on the card.",
        "shared + per instance + per replica + per image",
        commands=SPLIT,
    ),
    Column(
        "limit",
        "str",
        "",
        "What decides: a station of the host (`host`, `lock`, `copy`, `launch`), on the device `compute`, "
        "`channel`, `exchange`, `barrier` or `issue`; `memory` or `cores` where they are short.",
        commands=SPLIT,
    ),
    Column(
        "strategy",
        "str",
        "",
        "What the cell runs, `uniform`, `hybrid` or `pipeline`; only where `--strategy` asks for more than "
        "one split for all layers.",
        commands=SPLIT,
    ),
    Column(
        "data_set_s",
        "float",
        "s",
        "Time for the images of `--images`: the start of a run, passes while the pipeline fills, in steady "
        "state and while it drains; only where asked for.",
        commands=SPLIT,
    ),
)

PLAN: Final = (
    Column("stage", "int", "", "Stage of the pipeline that the layer is in, from 0.", commands=SPLIT),
    Column("stage_cores", "int", "cores", "Cores of that stage.", commands=SPLIT),
    Column(
        "fused_with",
        "str",
        "",
        "The layer whose outputs are still in the cores when this one begins.",
        commands=SPLIT,
    ),
    Column("layer_s", "float", "s", "Time of the layer for all images of a pass.", commands=SPLIT),
    Column(
        "exchange_s",
        "float",
        "s",
        "Before it: words from other clusters, the barrier and the dispatch where other replicas go on.",
        commands=SPLIT,
    ),
)
"""Of a layer in a plan, beside `layer`, `op`, `mp`, `dp`, `partition` and `energy_j` of an image."""
