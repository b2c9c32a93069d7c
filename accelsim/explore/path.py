"""The best way through layers with ways to run each: exact, since a layer only looks at the one before.

Nodes have a cost for each way, links one for each pair; costs add. For one objective the shortest path; for a
product of two sums every path that no other beats in both.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from accelsim.tables.chip import Floats, Ints

Path = tuple[int, ...]


def shortest(nodes: Sequence[Floats], links: Sequence[Floats]) -> tuple[float, Path]:
    """Least sum and the way of each node, `nodes` [S] each, `links` [F, S]; the first has one row."""
    total = links[0][0] + nodes[0]
    came: list[Ints] = []
    for node, link in zip(nodes[1:], links[1:], strict=True):
        through = total[:, None] + link
        best = through.argmin(0)
        came.append(best)
        total = through[best, np.arange(len(best))] + node
    at = int(total.argmin())
    path = [at]
    for back in reversed(came):
        path.append(int(back[path[-1]]))
    return float(total[at]), tuple(reversed(path))


def prefixes(nodes: Sequence[Floats], links: Sequence[Floats], ends: Sequence[Floats]) -> Floats:
    """Least sum up to and including each node; `ends` [S] is added where a path ends there."""
    total = links[0][0] + nodes[0]
    found = [float((total + ends[0]).min())]
    for node, link, end in zip(nodes[1:], links[1:], ends[1:], strict=True):
        total = (total[:, None] + link).min(0) + node
        found.append(float((total + end).min()))
    return np.array(found)


def front(
    nodes: Sequence[tuple[Floats, Floats]], links: Sequence[tuple[Floats, Floats]], most: int = 256
) -> tuple[list[Path], bool]:
    """Paths that no other one beats in both sums, and whether they are all.

    Of more than `most` that lead to one way, as many are kept, evenly.
    """
    whole = True
    first = [c[0] + n for c, n in zip(links[0], nodes[0], strict=True)]
    labels: list[tuple[Floats, list[Path]]] = [
        (np.array([[a], [b]]), [(s,)]) for s, (a, b) in enumerate(zip(*first, strict=True))
    ]
    for node, link in zip(nodes[1:], links[1:], strict=True):
        ends: list[tuple[Floats, list[Path]]] = []
        sums = np.concatenate([values for values, _ in labels], 1)  # [2, labels]
        owner = np.concatenate([np.full(values.shape[1], at) for at, (values, _) in enumerate(labels)])
        paths = [path for _, some in labels for path in some]
        for s in range(len(node[0])):
            here = np.stack([sums[c] + link[c][owner, s] + node[c][s] for c in (0, 1)])
            kept = _undominated(here)
            if len(kept) > most:
                whole, kept = False, kept[np.linspace(0, len(kept) - 1, most).astype(int)]
            ends.append((here[:, kept], [(*paths[k], s) for k in kept.tolist()]))
        labels = ends
    sums = np.concatenate([values for values, _ in labels], 1)
    paths = [path for _, some in labels for path in some]
    return [paths[k] for k in _undominated(sums).tolist()], whole


def _undominated(values: Floats) -> Ints:
    """Indices of the columns of [2, n] that are finite and not beaten in both, by the first rising."""
    order = np.lexsort((values[1], values[0]))
    order = order[np.isfinite(values[:, order]).all(0)]
    second = values[1, order]
    best = np.minimum.accumulate(second)
    return np.asarray(order[np.concatenate([[True], second[1:] < best[:-1]])[: len(order)]])
