"""Areas of chips: ours is the sum of the listed parts, below a whole chip, in the same order."""

from __future__ import annotations

import numpy as np

from accelsim.evidence.validate import validate


def test_the_parts_are_smaller_than_the_chip_and_compare_as_chips_do() -> None:
    rows = [row for row in validate(["chip_area"]).rows if row["theirs"] is not None]
    assert len(rows) == 12
    share = {row["row"]: row["ours"] / row["theirs"] for row in rows}
    assert all(0.16 <= found <= 0.47 for found in share.values())
    nvdla = [row for row in rows if row["row"].startswith("nvdla")]
    assert all(share[row["row"]] <= 0.27 for row in nvdla)
    for node in ("28 nm", "16 nm"):
        theirs, ours = zip(*((r["theirs"], r["ours"]) for r in nvdla if r["row"].endswith(node)), strict=True)
        assert np.argsort(theirs).tolist() == np.argsort(ours).tolist()
