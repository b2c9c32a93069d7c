"""The applications as networks of equal layers, from what is published of them.

Published are the number of layers, all weights, multiply-accumulates a weight byte and the batch (Jouppi et
al., ISCA 2017, Table 1). A fully connected layer is square then. A convolution is taken as 3x3 with as many
channels in as out; its map is square, of ops / batch pixels. The weights of an array of 256x256 lie in whole
tiles of 64 KiB ("9 steps of 2 us" for 600x600, section 7), so that channels are padded to multiples of 256.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from math import ceil, sqrt
from pathlib import Path
from typing import Final

from accelsim.flow import load
from accelsim.workload.graph import LayerGraph

KERNEL: Final = 3
"""Of convolutions: an assumption."""
CHAIN: Final = 3
"""Layers one after the other: the one in the middle has its inputs and outputs in the unified buffer."""


@dataclass(frozen=True)
class EqualLayers:
    """An application: `n` layers of `channels` in and out; `side` of the map, 1 where fully connected."""

    n: int
    channels: float
    side: int
    batch: int
    passes: int
    """In which an activation is streamed: two where it has 16 bits."""

    @property
    def taps(self) -> int:
        return 1 if self.side == 1 else KERNEL**2

    @property
    def macs(self) -> float:
        """Of one layer, without padding."""
        return self.channels**2 * self.taps * self.side**2 * self.batch


def layers_of(row: dict[str, str]) -> EqualLayers:
    """What the published sizes make of an application; LSTMs have activations of 16 bits."""
    fc, conv, batch = int(row["fc"]), int(row["conv"]), int(row["batch"])
    weights = float(row["weights_M"]) * 1e6 / (fc + conv)
    wide = 2 if "tanh" in row["nonlinear"] else 1
    if conv <= fc:
        return EqualLayers(fc, sqrt(weights), 1, batch, wide)
    side = max(2, round(sqrt(float(row["ops_per_weight_byte"]) / batch)))
    return EqualLayers(fc + conv, sqrt(weights) / KERNEL, side, batch, wide)


def network(app: EqualLayers, tile: int) -> LayerGraph:
    """Three of the layers in a chain, channels padded to whole tiles of the array."""
    channels, n = ceil(app.channels / tile) * tile, app.batch * app.passes
    if app.side == 1:
        shape, kernel, op = f"{n},{channels}", f"{channels},{channels}", "MatMul"
    else:
        shape, kernel = f"{n},{channels},{app.side},{app.side}", f"{channels},{channels},{KERNEL},{KERNEL}"
        pad = KERNEL // 2
        op = f"Conv <kernel_shape = [{KERNEL}, {KERNEL}], pads = [{pad}, {pad}, {pad}, {pad}]>"
    inputs = [f"float[{shape}] y0", *(f"float[{kernel}] w{i}" for i in range(CHAIN))]
    body = [f"  y{i + 1} = {op} (y{i}, w{i})" for i in range(CHAIN)]
    text = "\n".join(
        [
            '<ir_version: 8, opset_import: ["" : 17], metadata_props: ["accelsim.data_inputs": "y0"]>',
            f"app ({', '.join(inputs)}) => (float[{shape}] y{CHAIN}) {{",
            *body,
            "}",
        ]
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "app.onnx.txt"
        file.write_text(text, encoding="utf-8")
        return load(file)
