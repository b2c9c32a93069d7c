"""What all readers share: the batch that is asked for, and how a graph shows itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from accelsim.base.errors import InputError
from accelsim.base.files import find_shipped
from accelsim.workload.readers import MAX_BATCH, read

LENET = find_shipped("workloads", "lenet")


@pytest.mark.parametrize(
    ("batch", "said"),
    [
        ("3", "batch '3' is no whole number"),
        (3.0, "batch 3.0 is no whole number"),
        (True, "batch True is no whole number"),
        (0, "batch 0 is not positive"),
        (MAX_BATCH + 1, "batch 2147483649 is too large"),
        (10**20, "is too large"),
    ],
)
def test_what_is_no_batch_is_refused_with_the_range(batch: Any, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        read(LENET, batch)
    assert caught.value.problems[0].expected == "1 to 2,147,483,648"


def test_a_batch_may_be_any_kind_of_whole_number() -> None:
    assert read(LENET, np.int64(3)) == read(LENET, 3)  # type: ignore[arg-type]


def test_a_graph_shows_itself_on_a_line_and_in_a_notebook_as_a_table() -> None:
    """LeNet of Caffe: 2,293,000 MACs and 431,080 parameters, as its prototxt gives by hand."""
    graph = read(LENET)
    assert repr(graph) == ("<accelsim network lenet: 9 layers, 2,293,000 MACs, 431,080 parameters, batch 1>")
    page = graph._repr_html_()
    assert page.count("<tr>") == 1 + 9
    assert "<td>conv1</td><td>conv</td><td>1x20x24x24</td><td>288,000</td><td>520</td>" in page
