"""A mapping as Timeloop writes it (map.yaml) and as it shows it (a loop nest)."""

from __future__ import annotations

from accelsim.compat.timeloop.model import Mappings, TimeloopInput


def mapping_yaml(given: TimeloopInput, mapping: Mappings) -> str:
    """The first of B mappings as map.yaml: `timeloop-model input.yaml ERT.yaml map.yaml` runs it.

    Innermost level first; `permutation` names the innermost loop first, without separators where dims are
    letters.
    """
    workload, levels = given.workload, given.architecture.levels
    lines = ["mapping:"]
    for level, store in enumerate(levels):
        kept = [t.name for t, keep in zip(workload.tensors, mapping.keep[level], strict=True) if keep]
        past = [t.name for t, keep in zip(workload.tensors, mapping.keep[level], strict=True) if not keep]
        lines += [
            f"  - target: {store.name}",
            "    type: datatype",
            f"    keep: [{', '.join(kept)}]",
            f"    bypass: [{', '.join(past)}]",
        ]
    for level, store in enumerate(levels):
        order = [int(dim) for dim in mapping.order[level, :, 0]]
        if given.architecture.fanout(level) != (1, 1):
            spread = mapping.space_order[level]
            lines += _directive(
                given, store.name, "spatial", list(spread), mapping.space[level, :, 0].tolist()
            )
            lines.append(f"    split: {mapping.split[level]}")
        lines += _directive(given, store.name, "temporal", order, mapping.time[level, :, 0].tolist())
    return "\n".join(lines) + "\n"


def _directive(given: TimeloopInput, target: str, kind: str, order: list[int], trips: list[int]) -> list[str]:
    dims = given.workload.dims
    between = "" if all(len(dim) == 1 for dim in dims) else ","
    return [
        f"  - target: {target}",
        f"    type: {kind}",
        "    factors: " + ",".join(f"{dim}={n}" for dim, n in zip(dims, trips, strict=True)),
        f"    permutation: {between.join(dims[dim] for dim in order)}",
    ]


def loop_nest(given: TimeloopInput, mapping: Mappings, tiles: list[dict[str, int]]) -> str:
    """The first of B mappings as a loop nest, outermost first; `tiles`: words by tensor of each level."""
    lines: list[str] = []
    depth = 0
    dims = given.workload.dims
    for level in range(len(given.architecture.levels) - 1, -1, -1):
        kept = " ".join(f"{name}:{words}" for name, words in tiles[level].items() if words)
        lines.append(f"{given.architecture.levels[level].name} [{kept}]")
        for dim in reversed([int(dim) for dim in mapping.order[level, :, 0]]):
            if (trips := int(mapping.time[level, dim, 0])) > 1:
                lines.append(f"{'  ' * depth}for {dims[dim]} in [0:{trips})")
                depth += 1
        spread, split = mapping.space_order[level], mapping.split[level]
        for place in range(len(spread) - 1, -1, -1):
            if (trips := int(mapping.space[level, spread[place], 0])) > 1:
                axis = "X" if place < split else "Y"
                lines.append(f"{'  ' * depth}for {dims[spread[place]]} in [0:{trips}) (Spatial-{axis})")
                depth += 1
    lines.append(f"{'  ' * depth}<< Compute >>")
    return "\n".join(lines)
