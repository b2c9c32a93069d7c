"""accelsim: what a neural network costs on an accelerator.

    net = accelsim.load("resnet50")
    result = accelsim.run(net, accelsim.arch("eyeriss"))
    result.layers          # a pandas DataFrame
    result.plot.energy()   # a matplotlib Figure

Importing this loads nothing heavy; each function imports what it needs.
"""

from __future__ import annotations

from accelsim.flow import arch, check, inspect, load, reuse, run

__version__ = "0.1.0"
__all__ = ["__version__", "arch", "check", "inspect", "load", "reuse", "run"]
