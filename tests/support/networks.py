"""Small networks made by hand: chains of convolutions and vector work, with a shortcut where asked for."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from accelsim.tables.dims import DIMS
from accelsim.workload.graph import LayerGraph
from accelsim.workload.layer import Layer, Tensor, Window


def network(
    convolutions: Sequence[tuple[int, int]],
    size: int = 4,
    channels: int = 2,
    relu_after: int | None = None,
    shortcut: bool = False,
) -> LayerGraph:
    """Convolutions of (output channels, square filter) on size x size maps that keep their size.

    `relu_after` puts vector work behind that convolution; `shortcut` adds its input to the last one's output.
    """
    tensors = {"in": Tensor("in", (1, channels, size, size))}
    layers: list[Layer] = []
    last, c = "in", channels
    for at, (k, r) in enumerate(convolutions):
        name = f"conv{at}"
        extents = dict.fromkeys(DIMS, 1) | {"K": k, "C": c, "P": size, "Q": size, "R": r, "S": r}
        window = Window(1, 1, r // 2, size)
        fused = ("in",) if shortcut and at == len(convolutions) - 1 and k == channels else ()
        layers.append(
            Layer(
                name,
                "conv",
                "array",
                (last,),
                (name,),
                tuple(extents.values()),
                (window, window, Window()),
                macs=k * c * size * size * r * r,
                params=k * c * r * r,
                fused_inputs=fused,
            )
        )
        tensors[name] = Tensor(name, (1, k, size, size))
        last, c = name, k
        if at == relu_after:
            layers.append(Layer("relu", "relu", "vector", (last,), ("relu",), vector_ops=k * size * size))
            tensors["relu"] = Tensor("relu", (1, k, size, size))
            last = "relu"
    return LayerGraph("small", tuple(layers), tensors, ("in",), (last,))


@st.composite
def networks(draw: st.DrawFn) -> LayerGraph:
    """Up to three convolutions."""
    convolutions = draw(
        st.lists(st.tuples(st.sampled_from((2, 3, 8)), st.sampled_from((1, 3))), min_size=1, max_size=3)
    )
    relu = draw(st.none() | st.integers(0, len(convolutions) - 1))
    return network(convolutions, draw(st.sampled_from((2, 5))), 2, relu, draw(st.booleans()))
