"""Words of inputs at every node of a lattice, counted only where nodes differ."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

import accelsim
from accelsim.mapper.general.inputs import InputWords, Position, gain_of
from accelsim.mapper.general.space import Space
from accelsim.tables.dims import I
from accelsim.tables.nest import Problem

STRIDED = Problem((1, 2, 4, 6, 6, 5, 3, 2, 1, 1), ((2, 1, 1, 12), (1, 2, 0, 8), (1, 1, 0, 1)))
FLAT = Problem((2, 1, 8, 6, 4, 1, 1, 1, 1, 1), ((1, 1, 0, 4), (1, 1, 0, 1), (1, 1, 0, 1)))


@pytest.mark.parametrize("problem", [STRIDED, FLAT])
@pytest.mark.parametrize("ragged", [False, True])
def test_nodes_that_count_the_same_are_counted_once(problem: Problem, ragged: bool) -> None:
    machine = accelsim.arch("eyeriss").machine()
    space = Space(problem, machine, (4, 4, 4), ragged)
    lattice = space.lattice
    nodes = np.arange(lattice.n_nodes)
    for edge in ((True, False, False), (False, False, False), (True, True, True)):
        inputs = InputWords(space, *edge)
        for moving, whole in product((None, *range(3)), (False, True)):
            dims = inputs._window_dims if moving is None else space.classes[moving]
            block = lattice.cover if whole else None
            first = I if moving is None else moving
            gain = gain_of(space, first, nodes, block, True, False) if block is not None else None
            every, _ = inputs.words(Position(nodes, nodes, block), dims, gain)
            assert np.array_equal(
                inputs._at_nodes(moving, dims, whole), np.broadcast_to(every, nodes.shape)
            ), (edge, moving, whole)
            assert len(np.unique(inputs._alike(whole))) < lattice.n_nodes
