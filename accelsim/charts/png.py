"""A figure as the bytes of a PNG file, equal for equal figures."""

from __future__ import annotations

import io

from matplotlib.figure import Figure

__all__ = ["Figure", "png"]


def png(figure: Figure, dpi: int) -> bytes:
    """Without metadata: matplotlib would write its version."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=dpi, metadata={"Software": None})
    return stream.getvalue()
