"""`accelsim run ... --compat scalesim` on SCALE-Sim's own files, and on ours."""

from __future__ import annotations

import json
from pathlib import Path

from .conftest import Here, accelsim

RUN = Path(__file__).resolve().parents[1] / "golden" / "scalesim" / "conv_user"
