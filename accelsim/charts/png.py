"""A figure as the bytes of a PNG file, equal for equal figures."""

from __future__ import annotations

import io
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import imsave

__all__ = ["Figure", "png"]


def png(figure: Figure, dpi: int) -> bytes:
    """Without metadata: matplotlib would write its version. Drawn once: `savefig` would draw it twice."""
    figure.set_dpi(dpi)
    canvas: Any = FigureCanvasAgg(figure)  # its methods are not typed
    canvas.draw()
    stream = io.BytesIO()
    unsaid: Any = {"Software": None}
    imsave(stream, canvas.buffer_rgba(), format="png", dpi=dpi, metadata=unsaid)
    return stream.getvalue()
