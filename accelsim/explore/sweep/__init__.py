"""Design-space exploration: what varies and what is asked, and the points that follow."""

from accelsim.explore.sweep.points import Points
from accelsim.explore.sweep.read import read_space
from accelsim.explore.sweep.space import Space

__all__ = ["Points", "Space", "read_space"]
