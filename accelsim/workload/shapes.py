"""The columns of `inspect`: what a layer is, apart from any machine."""

from __future__ import annotations

from typing import Any

from accelsim.tables.dims import DIMS
from accelsim.workload.graph import LayerGraph
from accelsim.workload.layer import Layer

STATUS = {"array": "costed", "vector": "costed", "movement": "data_movement", "not_costed": "not_costed"}
WEIGHT_BITS = 32
"""Width of a parameter where nothing else is known: that of the models' float32 weights."""


def shape_columns(layer: Layer, graph: LayerGraph) -> dict[str, Any]:
    """Shapes, parameters, work and bytes of one layer at the file's own width."""
    inputs = [graph.tensors[name] for name in (*layer.inputs, *layer.fused_inputs)]
    outputs = [graph.tensors[name] for name in layer.outputs]
    weight_bits = inputs[0].bits if inputs and layer.kind == "array" else WEIGHT_BITS
    weight_bytes = layer.params * weight_bits // 8
    input_bytes = sum(t.n_words * t.bits // 8 for t in inputs)
    output_bytes = sum(t.n_words * t.bits // 8 for t in outputs)
    moved = weight_bytes + input_bytes + output_bytes
    return {
        "layer": layer.name,
        "op": layer.op,
        "status": STATUS[layer.kind],
        "reason": layer.reason or None,
        "fused": list(layer.fused),
        "macs": layer.macs,
        "vector_ops": layer.vector_ops,
        "params": layer.params,
        "params_bn_folded": layer.params_bn_folded,
        "dims": {d: n for d, n in zip(DIMS, layer.dims, strict=True) if n > 1}
        if layer.kind == "array"
        else None,
        "input_shapes": [list(t.shape) for t in inputs],
        "output_shape": list(outputs[0].shape) if outputs else None,
        "weight_bytes": weight_bytes,
        "input_bytes": input_bytes,
        "output_bytes": output_bytes,
        "arithmetic_intensity": layer.macs / moved if moved and layer.macs else None,
    }
