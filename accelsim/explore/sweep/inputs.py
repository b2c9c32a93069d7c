"""The files behind a space, by their sha256: a sweep goes on only with what it was started with."""

from __future__ import annotations

import hashlib

from accelsim.base.files import find_shipped, list_shipped
from accelsim.explore.sweep.space import Space, beside
from accelsim.hardware.sources import read_merged


def inputs_of(space: Space) -> dict[str, str]:
    """The architecture with those that it extends, technologies, networks, and whose rules count.

    InputError where one is missing. All technologies as one: a node's tables refer to another's, and the node
    may vary.
    """
    _, arch = read_merged(beside(space.file, space.arch))
    nodes = hashlib.sha256()
    for name in list_shipped("technologies"):
        nodes.update(find_shipped("technologies", name).read_bytes())
    networks = {name: find_shipped("workloads", space.model_of(name)) for name in space.networks}
    return {
        f"arch {space.arch}": arch,
        "technologies": nodes.hexdigest(),
        **{
            f"network {name}": hashlib.sha256(file.read_bytes()).hexdigest()
            for name, file in networks.items()
        },
        **({"compat": space.compat} if space.compat else {}),
    }
