"""Changes to a layer graph that keep what the network computes; each tells what it did in `notes`."""

from accelsim.workload.passes.fuse import FUSABLE, fuse
from accelsim.workload.passes.noop import NO_OPS, drop_noops

__all__ = ["FUSABLE", "NO_OPS", "drop_noops", "fuse"]
