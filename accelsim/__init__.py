"""accelsim: what a neural network costs on an accelerator.

    net = accelsim.load("resnet50")
    result = accelsim.run(net, accelsim.arch("eyeriss"))
    result.layers          # a pandas DataFrame
    result.plot.energy()   # a matplotlib Figure

Importing this loads nothing: a function is looked up in `accelsim.flow` or the folder that it stands
in when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from accelsim.base.version import VERSION

if TYPE_CHECKING:
    from accelsim.checking import check
    from accelsim.evidence.validate import validate
    from accelsim.explore.split import split
    from accelsim.explore.sweeping import sweep
    from accelsim.flow import arch, inspect, load, map_layers, reuse, run, simulate

__version__ = VERSION
__all__ = [
    "__version__",
    "arch",
    "check",
    "inspect",
    "load",
    "map_layers",
    "reuse",
    "run",
    "simulate",
    "split",
    "sweep",
    "validate",
]
_ELSEWHERE = {
    "check": "checking",
    "split": "explore.split",
    "sweep": "explore.sweeping",
    "validate": "evidence.validate",
}
"""Where a function stands that is not in `flow`."""


def __getattr__(name: str) -> Any:
    if name in __all__:
        from importlib import import_module

        return getattr(import_module(f"accelsim.{_ELSEWHERE.get(name, 'flow')}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted((*globals(), *__all__))
