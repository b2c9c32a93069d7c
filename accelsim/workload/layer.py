"""A layer: one operator of a model file, with the loop nest that it stands for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from accelsim.tables.dims import DIMS, N_DIMS

Kind = Literal["array", "vector", "movement", "not_costed"]
"""array: multiply-accumulate loops; vector: elementwise, pooling, normalisation; movement: words that only
change place; not_costed: listed with its reason."""


@dataclass(frozen=True, slots=True)
class Window:
    """How one input axis is walked: input index = output index x stride + filter index x dilation - pad.

    `size` is the stored extent of the input axis, padding excluded; words outside 0..size-1 are padding.
    """

    stride: int = 1
    dilation: int = 1
    pad: int = 0
    size: int = 1


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor of the graph: its shape (batch included) and the bits of an element as the file has them."""

    name: str
    shape: tuple[int, ...]
    bits: int = 32

    @property
    def n_words(self) -> int:
        words = 1
        for extent in self.shape:
            words *= extent
        return words


ONES: tuple[int, ...] = (1,) * N_DIMS


@dataclass(frozen=True, slots=True)
class Layer:
    """One operator; `dims` are its loop extents in the order of `tables.dims.DIMS`.

    `macs` are the algorithm's multiply-accumulates (all `repeat` runs); a machine may execute more, where the
    loops of `dims` are padded (transposed convolution). `inputs` and `outputs` name activation tensors only:
    weights are counted in `params`. Only kind "array" uses `dims`, `windows` and `macs`; only kind "vector"
    uses `vector_ops`, the scalar operations of the whole layer.
    """

    name: str
    op: str
    kind: Kind
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    dims: tuple[int, ...] = ONES
    windows: tuple[Window, Window, Window] = (Window(), Window(), Window())  # rows, columns, depth
    macs: int = 0
    params: int = 0
    params_bn_folded: int = 0
    weight_words: int | None = None
    """Parameters that vector work or movement reads, where it is not all of them: a slice of a table."""
    vector_ops: int = 0
    weight_is_activation: bool = False
    """A product of two activations: W is `inputs[1]`, counts no parameters and has the batch dimension."""
    repeat: int = 1
    """Runs one after the other that can't share a pass (the steps of a recurrent layer)."""
    channels: int = 0
    """Channels that a normalisation scales; what folding it into its producer needs."""
    fused: tuple[str, ...] = ()
    """Names of the operators that a pass has folded into this one, in order."""
    fused_inputs: tuple[str, ...] = ()
    """Tensors that a fused operator reads beside (the shortcut of a fused addition)."""
    source: str = ""
    """Where it stands: file and node, for messages."""
    reason: str = ""
    """Why it is not costed."""

    def extent(self, dim: str) -> int:
        return self.dims[DIMS.index(dim)]
