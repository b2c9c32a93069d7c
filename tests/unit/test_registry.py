"""The table of named things."""

import pytest

from accelsim.base.errors import InputError
from accelsim.base.registry import Registry


def test_a_thing_is_found_by_its_name_and_a_slip_is_mended() -> None:
    table: Registry[type] = Registry("dataflow")

    @table.register("weight_stationary")
    class Stationary:
        pass

    assert table.get("weight_stationary") is Stationary
    assert list(table) == ["weight_stationary"]
    with pytest.raises(InputError, match="did you mean 'weight_stationary'"):
        table.get("weight_stationery")


def test_a_taken_name_is_refused() -> None:
    table: Registry[int] = Registry("number")
    table.add("one", 1)
    with pytest.raises(InputError, match="registered twice"):
        table.add("one", 2)
