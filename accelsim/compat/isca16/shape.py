"""A layer as the closed forms see it: square maps, square filters, groups of their own.

The paper's fully-connected layers are convolutions whose filter is as large as the map. A product of matrices
is one of 1x1 maps, its rows a batch; where its columns are a flattened map of the layer before, it gets that
map's sides back, for the forms tell taps from channels.
"""

from __future__ import annotations

from dataclasses import dataclass

from accelsim.base.errors import Problem
from accelsim.mapping.lower import lower
from accelsim.tables.dims import C, G, K, N, P, Q, R, S, V, Z
from accelsim.workload.graph import LayerGraph
from accelsim.workload.layer import Layer


@dataclass(frozen=True, slots=True)
class Shape:
    """Letters of the paper: N images, G groups of C channels and M filters, side H, R x R taps, stride U."""

    N: int
    G: int
    C: int
    M: int
    H: int  # padding included
    R: int
    U: int

    @property
    def E(self) -> int:  # noqa: N802 - the paper's letter, as the fields are
        """Side of the output."""
        return (self.H + self.U - self.R) // self.U

    @property
    def a(self) -> float:
        return self.E / self.H

    @property
    def inputs(self) -> int:
        return self.G * self.N * self.C * self.H**2

    @property
    def weights(self) -> int:
        return self.G * self.M * self.C * self.R**2

    @property
    def outputs(self) -> int:
        return self.G * self.N * self.M * self.E**2

    @property
    def macs(self) -> int:
        return self.outputs * self.C * self.R**2


def shape_of(layer: Layer, graph: LayerGraph | None = None) -> Shape | Problem:
    """The letters of an array layer, or why the comparison has no form for it."""
    x, rows, columns = layer.dims, layer.windows[0], layer.windows[1]
    product = x[Q] == x[R] == x[S] == 1
    found = None
    if x[Z] > 1 or x[V] > 1:
        found = "a convolution in three dimensions"
    elif lower(layer).n_macs * layer.repeat != layer.macs:
        found = "a transposed convolution"
    elif x[R] != x[S]:
        found = f"a filter of {x[R]}x{x[S]}"
    elif x[P] != x[Q] and not product:
        found = f"an output of {x[P]}x{x[Q]}"
    elif rows.stride != columns.stride and x[P] > 1 and x[Q] > 1:
        found = f"strides of {rows.stride} and {columns.stride}"
    elif x[R] > 1 and (rows.dilation, columns.dilation) != (1, 1):
        found = f"a dilation of {rows.dilation} and {columns.dilation}"
    if found is not None:
        return Problem(
            f"layer {layer.name} is {found}",
            file=layer.source or None,
            expected="square maps and filters, one stride, no dilation under --compat isca16",
            hint="leave --compat isca16 out, or take a network of square convolutions",
        )
    if product and x[P] != x[Q]:  # rows of a product are a batch; an own second operand each, groups
        images, groups = (x[P], x[N] * x[G]) if layer.weight_is_activation else (x[N] * x[P], x[G])
        return Shape(images, groups, x[C], x[K], 1, 1, 1)
    if layer.weight_is_activation:
        return Shape(1, x[N] * x[G], x[C], x[K], 1, 1, 1)
    side = _flattened_side(layer, graph) if product and x[P] == 1 else 1
    if side > 1:
        return Shape(x[N], x[G], x[C] // side**2, x[K], side, side, 1)
    # the input that is read: what a stride leaves over at the edge is no part of H = U (E - 1) + R
    return Shape(x[N], x[G], x[C], x[K], rows.stride * (x[P] - 1) + x[R], x[R], rows.stride)


def _flattened_side(layer: Layer, graph: LayerGraph | None) -> int:
    """Side of the square map whose flattened words are the columns of a product; 1 where there is none."""
    if graph is None or not layer.inputs:
        return 1
    shape = graph.tensors[layer.inputs[0]].shape
    square = len(shape) == 4 and shape[2] == shape[3]
    return shape[2] if square and shape[1] * shape[2] * shape[3] == layer.dims[C] else 1
