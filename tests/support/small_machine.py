"""A three-level machine in round numbers, so that a test's expected values can be worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

from accelsim.tables.machine import Machine


def small_machine(**changes: Any) -> Machine:
    """reg (in the PE), sram, dram; 4 x 4 PEs; a word is a byte everywhere, a partial sum too.

    pJ a byte, read and write: reg 1 and 2, sram 10 and 20, dram 100 and 200. Bytes a cycle: sram 8 (read) and
    4 (write), dram 2 through one port. Vector engine: 4 lanes at 3 pJ an operation, at sram.
    """
    inf = np.inf
    plain: dict[str, Any] = {
        "name": "small",
        "clock_hz": 1e9,
        "n_cores": 1,
        "n_clusters": 1,
        "level_names": ("reg", "sram", "dram"),
        "capacity_bytes": np.array([3.0, 1024.0, inf]),
        "holds": np.ones((3, 3), np.bool_),
        "word_bits": np.zeros(3, np.int64),
        "read_pj_per_byte": np.array([1.0, 10.0, 100.0]),
        "write_pj_per_byte": np.array([2.0, 20.0, 200.0]),
        "read_bytes_per_cycle": np.array([inf, 8.0, 2.0]),
        "write_bytes_per_cycle": np.array([inf, 4.0, 2.0]),
        "shared_port": np.array([False, False, True]),
        "double_buffered": np.zeros(3, np.bool_),
        "overlap": np.ones((3, 3), np.bool_),
        "padding_stored": np.zeros(3, np.bool_),
        "fetch_box": np.zeros(3, np.bool_),
        "fanout_level": 1,
        "rows": 4,
        "cols": 4,
        "per_pe": 1,
        "fold": "broadcast",
        "multicast": np.array([True, True, False]),
        "reduce": True,
        "diagonal": False,
        "bits": np.array([8, 8, 8]),
        "accumulate_bits": 8,
        "mac_pj": 5.0,
        "hop_pj_per_byte": 0.0,
        "idle_pj_per_cycle": 7.0,
        "vector_lanes": 4,
        "vector_pj_per_op": 3.0,
        "vector_level": 1,
        "dataflows": ("ws", "os", "is", "nlr", "any"),
        "dataflow": "ws",
        "activation_home": 2,
        "activation_reserve_frac": 0.0,
    }
    return Machine(**{**plain, **changes})
