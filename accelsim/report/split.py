"""What `split` shows: the grid, the best and those behind it, what limits them, what has no room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from accelsim.report.blocks import Block, Head, Lines, Table
from accelsim.report.parts import Row, more, note_lines
from accelsim.report.split_plan import plan_blocks
from accelsim.results.format import count, percent, si
from accelsim.results.grid import FIGURES, figure, loss
from accelsim.results.show import summary, title

if TYPE_CHECKING:
    from accelsim.results.result import Result

N_SHOWN: Final = 10
WORDS: Final = {"oom": "no memory", "infeasible": "-"}


def split_blocks(result: Result) -> list[Block]:
    """The report of `split`."""
    grid: Sequence[Row] = result.more["grid"]
    best: Row = result.more["best"]
    objective = str(best["objective"])
    ranked = sorted((cell for cell in grid if cell["status"] == "ok"), key=lambda cell: loss(cell, objective))
    options = result.inputs["options"]
    blocks: list[Block] = [_heading(result)]
    if len(options["mp"]) * len(options["dp"]) > 1:
        said = "best over threads and batch" if _varies(options, "threads", "batch") else ""
        blocks.append(_square(ranked, grid, ("mp", "dp"), objective, said))
    if _varies(options, "threads", "batch"):
        here = [cell for cell in grid if (cell["mp"], cell["dp"]) == (best["mp"], best["dp"])]
        of_best = [cell for cell in ranked if (cell["mp"], cell["dp"]) == (best["mp"], best["dp"])]
        blocks.append(
            _square(of_best, here, ("batch", "threads"), objective, f"at mp {best['mp']}, dp {best['dp']}")
        )
    blocks.append(_best(ranked, objective, options["images"]))
    blocks += plan_blocks(result)
    if best.get("strategy", "uniform") == "uniform":
        blocks.append(_partitions(result.rows, int(best["mp"])))
    blocks += _memory(grid, result.inputs["arch"])
    blocks.append(_models(result.totals))
    blocks += note_lines(result.notes)
    blocks.append(more("--json for every number, -o DIR for result.json, grid.csv and a heat map"))
    return blocks


def _heading(result: Result) -> Lines:
    options, arch = result.inputs["options"], result.inputs["arch"]
    place = f"{count(arch['cores'], 'core')} in {count(arch['clusters'], 'cluster')}"
    said = [place, f"objective {options['objective']}"]
    said += [f"strategy {options['strategy']}"] if options["strategy"] != "uniform" else []
    said += ["splits that use all cores"] if options["full"] else []
    return Lines((f"{title(result.inputs)}  ({', '.join(said)})", summary(result.totals)), style="bold")


def _varies(options: Row, *names: str) -> bool:
    return any(len(options[name]) > 1 for name in names)


def _square(
    ranked: Sequence[Row], grid: Sequence[Row], axes: tuple[str, str], objective: str, said: str
) -> Table:
    """Each place's best cell, with what limits it."""
    down, across = (sorted({cell[axis] for cell in grid}) for axis in axes)
    known: dict[Any, Row] = {}
    for cell in (*ranked, *sorted(grid, key=lambda cell: cell["status"] != "oom")):
        known.setdefault((cell[axes[0]], cell[axes[1]]), cell)
    name = FIGURES[objective][0]
    rows = tuple(
        (f"{axes[0]} {one}", *(_place(known.get((one, other)), objective) for other in across))
        for one in down
    )
    heads = (Head("", "left"), *(Head(f"{axes[1]} {other}") for other in across))
    return Table(f"{name[:1].upper()}{name[1:]} and its limit{', ' + said if said else ''}", heads, rows)


def _place(cell: Row | None, objective: str) -> str:
    if cell is None:
        return ""
    if cell["status"] != "ok":
        return WORDS[cell["status"]]
    return f"{'' if cell['decided_by'] == 'simulation' else '~'}{figure(cell, objective)} {cell['limit']}"


def _best(ranked: Sequence[Row], objective: str, images: int | None) -> Table:
    """The best cells, and how far each is behind the first."""
    heads = (
        *(Head(name) for name in ("mp", "dp", "threads", "batch", "images/s", "latency")),
        Head("J/image", least_width=100),
        Head("memory", least_width=90),
        Head("limit", "left"),
        Head("decided by", "left", 110),
        *([Head(f"{images:,} images")] if images else []),
        Head("behind %"),
    )
    first = loss(ranked[0], objective)
    rows = tuple(
        (
            *(str(cell[name]) for name in ("mp", "dp", "threads", "batch")),
            si(cell["throughput_fps"], digits=4),
            si(cell["latency_s"], "s"),
            si(cell["energy_j"], "J"),
            si(cell["memory_bytes"], "B"),
            str(cell["limit"]),
            str(cell["decided_by"]),
            *([si(cell["data_set_s"], "s")] if images else []),
            percent(_behind(loss(cell, objective), first, objective)),
        )
        for cell in ranked[:N_SHOWN]
    )
    return Table(f"The best by {objective}", heads, rows)


def _behind(here: float, first: float, objective: str) -> float:
    """Of throughput how much less, of the others how much more."""
    if objective == "throughput":
        return 1 - first / here
    return here / first - 1 if first else 0.0


def _partitions(rows: Sequence[Row], mp: int) -> Lines:
    """How many layers are cut in which way."""
    if mp == 1:
        return Lines(("each replica runs on one core: no layer is cut",))
    counts: dict[str, int] = {}
    for row in rows:
        counts[row["partition"]] = counts.get(row["partition"], 0) + 1
    said = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    listed = "; ".join(f"{cut} ({n})" for cut, n in said[:8]) + ("; ..." if len(said) > 8 else "")
    return Lines((f"layers cut over {mp} cores: {listed}",))


def _memory(grid: Sequence[Row], arch: Row) -> list[Block]:
    over = [cell for cell in grid if cell["status"] == "oom"]
    if not over:
        return []
    over.sort(key=lambda cell: float(cell["memory_bytes"]))
    limit = arch["memory_bytes"]
    said = [f"{count(len(over), 'cell')} without room in {si(limit, 'B')}, from the least to the most:"]
    for cell in (over[0], over[-1]) if len(over) > 1 else over:
        where = ", ".join(f"{name} {cell[name]}" for name in ("mp", "dp", "threads", "batch"))
        said.append(f"  {where}: {cell['memory_bytes']:,.0f} B of {limit:,.0f} B")
    return [Lines(tuple(said))]


def _models(totals: Row) -> Lines:
    if not totals["n_simulated"]:
        return Lines(("no cell was simulated: the closed form alone decided",))
    median, largest = (percent(totals[f"analytic_error_{name}_frac"]) for name in ("median", "max"))
    n, n_ok = totals["n_simulated"], totals["n_ok"]
    left = " (~: closed form, too slow to be among the best)" if n < n_ok else ""
    return Lines(
        (
            f"{n:,} of {count(n_ok, 'cell')} simulated{left}",
            f"the closed form is off by {median} % in the median, {largest} % at most",
        )
    )
