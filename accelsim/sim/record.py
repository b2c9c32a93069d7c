"""What happened when, in columns: the timeline of a simulation."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Recorder:
    """Slices of one core's units, in ticks; several columns of equal length."""

    core: int = 0
    track: list[str] = field(default_factory=list)
    name: list[str] = field(default_factory=list)
    start: list[int] = field(default_factory=list)
    end: list[int] = field(default_factory=list)

    def add(self, track: str, name: str, start: int, end: int) -> None:
        if end > start:
            self.track.append(track)
            self.name.append(name)
            self.start.append(int(start))
            self.end.append(int(end))
