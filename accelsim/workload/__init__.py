"""What is computed: layers, the graph of them, readers of model files, passes over graphs."""

from accelsim.workload.graph import LayerGraph
from accelsim.workload.layer import Kind, Layer, Tensor, Window
from accelsim.workload.passes import drop_noops, fuse
from accelsim.workload.readers import read

__all__ = ["Kind", "Layer", "LayerGraph", "Tensor", "Window", "drop_noops", "fuse", "read"]
