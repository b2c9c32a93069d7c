"""What happened when, in columns: the timeline of one core."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Recorder:
    """Slices of a core's units and changes of its buffers, in ticks; columns of equal length."""

    core: int = 0
    track: list[str] = field(default_factory=list)
    name: list[str] = field(default_factory=list)
    start: list[int] = field(default_factory=list)
    end: list[int] = field(default_factory=list)
    busy: list[int] = field(default_factory=list)
    """Ticks of work in the slice: all of it, or less where it stands for many that were skipped."""
    buffer: list[str] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)
    more_bytes: list[int] = field(default_factory=list)

    def add(self, track: str, name: str, start: int, end: int, busy: int | None = None) -> None:
        if end > start:
            self.track.append(track)
            self.name.append(name)
            self.start.append(int(start))
            self.end.append(int(end))
            self.busy.append(int(end - start if busy is None else busy))

    def fill(self, buffer: str, at: int, more_bytes: int) -> None:
        """A buffer holds so many bytes more (or less) from then on."""
        if more_bytes:
            self.buffer.append(buffer)
            self.changed.append(int(at))
            self.more_bytes.append(more_bytes)
