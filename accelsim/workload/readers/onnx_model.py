"""The nodes of an onnx graph as plain data, in an order in which they can run, with what is wrong told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import onnx

from accelsim.base.errors import InputError, Problem

OLDEST_OPSET: Final = 7
MAX_RANK: Final = 64
"""Axes beyond any tensor's rank crash onnx's inference of LayerNormalization (seen with onnx 1.23)."""
STANDARD_DOMAINS: Final = ("", "ai.onnx")
_POSITIVE: Final = frozenset((
    "strides", "dilations", "kernel_shape", "group", "blocksize", "num_outputs", "num_heads",
    "hidden_size", "q_num_heads", "kv_num_heads", "num_groups",
))  # fmt: skip
"""Attributes by which shapes are divided: onnx's inference trusts them."""


@dataclass(frozen=True, slots=True)
class Node:
    """One node, its attributes decoded; `key` names it in messages."""

    name: str
    op: str
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attrs: dict[str, Any]
    captured: tuple[str, ...] = ()  # tensors of the outer graph that its subgraphs read
    proto: Any = field(default=None, compare=False, repr=False)

    @property
    def key(self) -> str:
        return f"node {self.name!r} ({self.op})"

    @property
    def standard(self) -> bool:
        return self.domain in STANDARD_DOMAINS

    def ints(self, name: str, default: Iterable[int]) -> tuple[int, ...]:
        return tuple(int(v) for v in self.attrs.get(name, default))


def problem(
    path: str, key: str, message: str, expected: str | None = None, hint: str | None = None
) -> Problem:
    return Problem(message, file=path, key=key, expected=expected, hint=hint)


def checked_opset(model: Any, path: str) -> int:
    """The opset of the standard operators; InputError where it is absent or older than 7."""
    versions = {entry.domain: int(entry.version) for entry in model.opset_import}
    version = next((versions[d] for d in STANDARD_DOMAINS if d in versions), None)
    if version is None:
        found = "names no opset of the standard operators"
    elif version < OLDEST_OPSET:
        found = f"has opset {version}"
    elif version > onnx.defs.onnx_opset_version():
        newest = onnx.defs.onnx_opset_version()
        raise InputError(
            problem(path, "opset_import", f"has opset {version}", f"at most {newest}", "install a newer onnx")
        )
    else:
        return version
    hint = "onnx.version_converter.convert_version(model, 13) mends it"
    raise InputError(problem(path, "opset_import", found, f"{OLDEST_OPSET} or newer", hint))


def inlined(model: Any, path: str) -> Any:
    """The model with its own functions inlined, so that only operators are left."""
    if not model.functions:
        return model
    import onnx.inliner

    try:
        return onnx.inliner.inline_local_functions(model)
    except Exception as error:
        raise InputError(
            problem(path, "functions", f"can't be inlined: {str(error).splitlines()[0]}")
        ) from None


def nodes_of(model: Any, path: str, opset: int) -> list[Node]:
    """The nodes in topological order (the file's own where that is one); all errors of structure at once."""
    graph = model.graph
    _refuse_bytes(model, path)
    nodes = _named(graph.node)
    known = {i.name for i in graph.input} | {i.name for i in graph.initializer}
    known |= {i.values.name for i in graph.sparse_initializer}
    problems: list[Problem] = []
    producer: dict[str, Node] = {}
    declared: dict[str, dict[str, Any]] = {}
    for node in nodes:
        problems.extend(_type_problems(node, path, opset, declared))
        problems.extend(_attribute_problems(node, path))
        for output in filter(None, node.outputs):
            if output in producer or output in known:
                first = producer[output].key if output in producer else "an input or initialiser"
                problems.append(
                    problem(path, node.key, f"tensor {output!r} is defined twice, first by {first}",
                            "a name of its own for every tensor")
                )  # fmt: skip
            else:
                producer[output] = node
    for node in nodes:
        for name in (*node.inputs, *node.captured):
            if name and name not in known and name not in producer:
                problems.append(
                    problem(path, node.key, f"tensor {name!r} is not defined by any node or input")
                )
    for value in graph.output:
        if value.name not in known and value.name not in producer:
            problems.append(problem(path, f"output {value.name!r}", "is not defined by any node or input"))
    if problems:
        raise InputError(problems)
    return _sorted(nodes, producer, path)


def _refuse_bytes(model: Any, path: str) -> None:
    """InputError where a name is no UTF-8: protobuf hands such names out as bytes."""
    graph = model.graph
    names = [
        graph.name,
        *(v.name for v in (*graph.input, *graph.output, *graph.initializer, *graph.value_info)),
    ]
    for node in graph.node:
        names += (node.name, node.op_type, node.domain, *node.input, *node.output)
        names += (a.name for a in node.attribute)
    names += (text for p in model.metadata_props for text in (p.key, p.value))
    names += (d.dim_param for v in graph.input for d in v.type.tensor_type.shape.dim)
    if not all(isinstance(name, str) for name in names):
        hint = "a damaged file?"
        raise InputError(problem(path, "graph", "a name in it is no text", "names in UTF-8", hint))


def _type_problems(
    node: Node, path: str, opset: int, declared: dict[str, dict[str, Any]]
) -> Iterable[Problem]:
    """Attributes that are absent or of another type than the operator's definition says."""
    if not node.standard or not onnx.defs.has(node.op, opset, ""):
        return
    if node.op not in declared:
        declared[node.op] = dict(onnx.defs.get_schema(node.op, opset, "").attributes)
    known = declared[node.op]
    for attribute in node.proto.attribute:
        if attribute.name in known and attribute.type != known[attribute.name].type.value:
            yield problem(
                path, node.key, f"attribute {attribute.name} has another type than {node.op} defines"
            )
    for name, definition in known.items():
        if definition.required and name not in node.attrs:
            yield problem(path, node.key, f"attribute {name} is absent", "it, as the operator requires it")


def _named(protos: Iterable[Any]) -> list[Node]:
    """Nodes with names of their own: the file's, else operator and first output; repeats are numbered."""
    taken: set[str] = set()
    nodes = []
    for proto in protos:
        outputs = tuple(proto.output)
        first = next((o for o in outputs if o), "")
        name = stem = proto.name or first or proto.op_type
        count = 1
        while name in taken:
            count += 1
            name = f"{stem}#{count}"
        taken.add(name)
        attrs = {a.name: _decoded(a) for a in proto.attribute}
        captured = tuple(dict.fromkeys(n for a in proto.attribute for n in _captured(a)))
        nodes.append(
            Node(name, proto.op_type, proto.domain, tuple(proto.input), outputs, attrs, captured, proto)
        )
    return nodes


def _decoded(attribute: Any) -> Any:
    kinds = onnx.AttributeProto
    kind = attribute.type
    if kind == kinds.INT:
        return attribute.i
    if kind == kinds.INTS:
        return list(attribute.ints)
    if kind == kinds.STRING:
        return attribute.s.decode("utf-8", errors="replace")
    if kind == kinds.FLOAT:
        return attribute.f
    if kind == kinds.FLOATS:
        return list(attribute.floats)
    if kind == kinds.STRINGS:
        return [s.decode("utf-8", errors="replace") for s in attribute.strings]
    if kind == kinds.TENSOR:
        return attribute.t
    return attribute  # graphs, sparse tensors, types


def _captured(attribute: Any) -> Iterable[str]:
    """Names that a subgraph reads from outside: its inputs' and nodes' own names taken away."""
    kinds = onnx.AttributeProto
    graphs = [attribute.g] if attribute.type == kinds.GRAPH else list(attribute.graphs)
    for graph in graphs:
        own = {v.name for v in graph.input} | {v.name for v in graph.initializer}
        own |= {name for node in graph.node for name in node.output}
        read = [name for node in graph.node for name in node.input]
        read += [name for node in graph.node for a in node.attribute for name in _captured(a)]
        read += [v.name for v in graph.output]
        yield from (name for name in read if name and name not in own)


def _attribute_problems(node: Node, path: str) -> Iterable[Problem]:
    for name, value in node.attrs.items():
        values = value if isinstance(value, list) else [value]
        if not all(isinstance(v, int) for v in values):
            continue
        if name in _POSITIVE and any(v <= 0 for v in values):
            yield problem(path, node.key, f"{name} is {value}", "positive values")
        elif name in ("axis", "axes", "perm") and any(abs(v) > MAX_RANK for v in values):
            yield problem(path, node.key, f"{name} is {value}", f"an axis of the tensor (at most {MAX_RANK})")
        elif name == "pads" and node.op != "Pad" and any(v < 0 for v in values):
            yield problem(path, node.key, f"pads are {value}", "no negative values")


def _sorted(nodes: list[Node], producer: dict[str, Node], path: str) -> list[Node]:
    """Kahn's algorithm, keeping the file's order where it can; what is left over stands on a cycle."""
    order = {node.name: i for i, node in enumerate(nodes)}
    needs = [
        {order[producer[name].name] for name in (*node.inputs, *node.captured) if name in producer}
        for node in nodes
    ]
    if all(not wanted or max(wanted) < i for i, wanted in enumerate(needs)):
        return nodes
    import heapq

    users: list[list[int]] = [[] for _ in nodes]
    for i, wanted in enumerate(needs):
        for j in wanted:
            users[j].append(i)
    waiting = [len(wanted) for wanted in needs]
    ready = [i for i, count in enumerate(waiting) if not count]
    done: list[int] = []
    while ready:
        i = heapq.heappop(ready)
        done.append(i)
        for j in users[i]:
            waiting[j] -= 1
            if not waiting[j]:
                heapq.heappush(ready, j)
    if len(done) < len(nodes):
        cycle = _one_cycle(needs, set(range(len(nodes))) - set(done))
        names = " -> ".join(repr(nodes[i].name) for i in (*cycle, cycle[0])[:8])
        raise InputError(
            problem(
                path,
                nodes[cycle[0]].key,
                f"the graph has a cycle: {names}",
                "a graph that can run in some order",
            )
        )
    return [nodes[i] for i in done]


def _one_cycle(needs: list[set[int]], left: set[int]) -> list[int]:
    """Walk backwards over unmet needs until a node repeats; in the direction of the data."""
    walk = [min(left)]
    while True:
        step = min(needs[walk[-1]] & left)
        if step in walk:
            return walk[walk.index(step) :][::-1]
        walk.append(step)
