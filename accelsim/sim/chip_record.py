"""What happened when on the chip, in columns, for a timeline of one cell."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class ChipRecord:
    """Intervals in ticks: columns of equal length."""

    track: list[str] = field(default_factory=list)  # thread or replica
    what: list[str] = field(default_factory=list)  # station, or cause of a replica's time
    name: list[str] = field(default_factory=list)  # layer or pass
    start: list[int] = field(default_factory=list)
    end: list[int] = field(default_factory=list)

    def add(self, track: str, what: str, name: str, start: int, end: int) -> None:
        if end > start:
            self.track.append(track)
            self.what.append(what)
            self.name.append(name)
            self.start.append(start)
            self.end.append(end)

    def __len__(self) -> int:
        return len(self.start)
