"""The files behind a space, by their sha256: a sweep goes on only with what it was started with."""

from __future__ import annotations

import hashlib

from accelsim.base.files import find_shipped
from accelsim.explore.sweep.space import Space, beside
from accelsim.hardware.sources import read_merged


def inputs_of(space: Space) -> dict[str, str]:
    """The architecture with those that it extends, each network, and whose rules count (`--compat`).

    InputError where one is missing.
    """
    _, arch = read_merged(beside(space.file, space.arch))
    networks = {name: find_shipped("workloads", space.model_of(name)) for name in space.networks}
    return {
        f"arch {space.arch}": arch,
        **{
            f"network {name}": hashlib.sha256(file.read_bytes()).hexdigest()
            for name, file in networks.items()
        },
        **({"compat": space.compat} if space.compat else {}),
    }
