"""A core that runs one program at a time: its tile steps as events in SimPy.

An event is the end of a tile step's compute: what it used drains, the buffers that it frees load their next
tiles, and the next step starts when its tiles are there. Transfers are reservations on ports, so that a step
takes one or two events. The array's time is told apart: compute, fill and drain, and stalls by their cause.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from simpy import Environment
from simpy.events import Timeout

from accelsim.sim.buffers import BoundKind, Buffer, bind, buffers_of
from accelsim.sim.ports import CAUSES, PORT, Moves, Port, settled, transfer
from accelsim.sim.program import Program
from accelsim.sim.record import Recorder
from accelsim.sim.steady import Steady


class Core:
    """The array and the ports of one core; `private` are those that rest while its array fills or drains."""

    def __init__(
        self,
        env: Environment,
        ports: tuple[Port, ...],
        channels: tuple[int, ...],
        recorder: Recorder | None = None,
        skip: bool = True,
        cycle: int = 1,
        others: Sequence[Core] = (),
    ) -> None:
        self.env, self.ports, self.recorder, self.skip = env, ports, recorder, skip
        self.cycle = cycle  # ticks of a cycle: a program ends with a whole one
        self.others = others  # all cores that share a channel, this one too
        self.private = tuple(port for i, port in enumerate(ports) if i not in channels)
        self.n_events = self.n_runs = self.n_steps = self.n_skipped = 0

    def run(
        self,
        program: Program,
        done: Callable[[Run], None],
        name: str = "",
        preloaded: int | None = None,
        loaded: Callable[[], None] | None = None,
    ) -> Run:
        """Starts a program now; `done` is called at its end, `loaded` when all its loads are asked for.

        `name` is what a timeline calls it: equal layers share a program. `preloaded` says when its first
        tile of weights is there, if it was loaded before.
        """
        self.n_runs += 1
        return Run(self, program, done, name, preloaded, loaded)

    @property
    def n_foreign(self) -> int:
        """Events and starts of other cores so far."""
        return sum(core.n_events + core.n_runs for core in self.others if core is not self)

    def repeat(self, run: Run, times: int) -> None:
        """Counts more runs like one that began and ended with all at rest; time goes on elsewhere."""
        for port, busy in zip(self.ports, run.busy, strict=True):
            port.busy += times * busy
            port.free += times * (run.end - run.start)
        self.n_skipped += times * (run.program.n_steps)

    def load_first(self, program: Program) -> int | None:
        """Loads a program's first tile of weights now: when it is there; None where none is loaded ahead."""
        if program.weights is None:
            return None
        kind = program.kinds[program.steps[0]]
        moves = kind.loads[kind.begins.index(program.weights)]
        if kind.apart and program.stages[program.weights].gates:
            return None
        end, _ = transfer(tuple((self.ports[number], ticks) for number, ticks in moves), int(self.env.now))
        return end


class Run:
    """One program on one core, from its first load to its last store; times in ticks."""

    def __init__(
        self,
        core: Core,
        program: Program,
        done: Callable[[Run], None],
        name: str = "",
        preloaded: int | None = None,
        loaded: Callable[[], None] | None = None,
    ) -> None:
        self.core, self.program, self.done = core, program, done
        self.name = name or program.name
        self.env, self.record = core.env, core.recorder
        self.kinds: tuple[BoundKind, ...] = tuple(bind(kind, core.ports) for kind in program.kinds)
        self.steps: list[int] = program.steps.tolist()
        self.start = self.now
        self.buffers: list[Buffer] = buffers_of(program, core.ports, self.start + program.lead)
        self.compute = self.wait = 0
        self.fill = program.lead + program.tail
        self.stalls = dict.fromkeys(CAUSES, 0)
        self.last = program.n_steps  # the step that only stores
        self.number = self.steps[0]
        self.kind = self.kinds[self.number]
        self.begins = [[self.buffers[s] for s in kind.begins] for kind in self.kinds]
        self.at = 0  # the step that comes next
        self.idle = self.start + program.lead  # since when the array has had nothing to do
        self.trail = self.last_store = self.idle  # when what drains beside, and all that drains, is out
        self.trail_cause = self.store_cause = PORT
        self.blocked = self.gate_open = False
        self.end = self.start
        self.busy = tuple(port.busy for port in core.ports)  # until now; at the end, of this run
        self.loaded = loaded
        self.steady = Steady(program) if core.skip else None
        if preloaded is not None and program.weights is not None:
            first = self.buffers[program.weights]
            first.ends[0], first.issued = preloaded, 1
            if self.record is not None:
                self.record.fill(first.name, max(preloaded, self.start), first.tile_bytes)
        for port in core.private:
            port.rest(self.idle)
        self._after(program.lead, self._begin)

    @property
    def now(self) -> int:
        return int(self.env.now)

    def _after(self, delay: int, call: Callable[..., None], *given: Any) -> None:
        """Calls back after so many ticks: at once where there is nothing to wait for."""
        if delay <= 0:
            call(*given)
            return

        def event(_: Any) -> None:
            self.core.n_events += 1
            call(*given)

        Timeout(self.env, delay).callbacks.append(event)

    def _begin(self) -> None:
        early = [buffer for buffer in self.buffers if buffer.issued]  # loaded before the layer began
        for buffer in self.buffers:
            if buffer in early and buffer.feeds:
                self._after(buffer.ends[0] - self.now, self._arrived, buffer, 0)
            self._load(buffer)
        self._tell_loaded()
        self._advance()

    # --- a step after the other

    def _finished(self, _: Any) -> None:
        self.core.n_events += 1
        self.at += 1
        self._advance()

    def _advance(self) -> None:
        """The step before has ended: its tiles drain, their slots load, the next step gets ready."""
        number, now = self.steps[self.at], self.env.now
        self.number = number
        self.kind = kind = self.kinds[number]
        for s, moves in kind.begins_drains:
            buffer = self.buffers[s]
            if buffer.begun > buffer.ended:
                slot, out, port = buffer.ended % buffer.slots, now, None
                if moves:
                    out, port = self._store(moves)
                buffer.free[slot], buffer.before[slot] = out, port.cause if port else PORT
                buffer.ended += 1
                if self.record is not None:
                    self.record.fill(buffer.name, out, -buffer.tile_bytes)
            self._load(buffer)
        if kind.trailing:
            self.trail, port = self._store(kind.trailing)
            self.trail_cause = port.cause if port else PORT
        if self.steady is not None and self.steady.marks[self.at]:
            shift = self.steady.skip(self)
            if shift:
                self._after(shift, self._get_ready)
                return
        self._get_ready()

    def _get_ready(self) -> None:
        self.gate_open = False
        if self.kind.apart:
            self._rest()
        elif self.at == self.last:
            self._close()
        elif self.kind.begins:
            self._wait()
        else:
            self._go()

    def _rest(self) -> None:
        """Moves apart start when everything else is at rest."""
        end, port = settled(self.core.private, self.env.now)
        if end > self.env.now:
            self._stall(end, port.cause if port else PORT)
            self._after(end - self.env.now, self._rest)
            return
        kind = self.kind
        for moves in kind.apart:
            end, port = self._move(moves, "load", end)
            self._stall(end, port.cause if port else PORT)
        for each in self.core.private:
            each.rest(end, paid=True)
        for each, ticks in kind.owed:
            each.owe(ticks)
        self._after(end - self.env.now, self._rested)

    def _rested(self) -> None:
        self.gate_open = True
        for s in self.kind.begins:
            self._load(self.buffers[s])
        if self.at == self.last:
            self._close()
        else:
            self._wait()

    def _wait(self) -> None:
        """The step starts when all its tiles are there."""
        ready, last = self.env.now, None
        for buffer in self.begins[self.number]:
            if buffer.issued <= buffer.begun:
                self.blocked = True
                return
            end = buffer.ends[buffer.begun % buffer.slots]
            if end > ready:
                ready, last = end, buffer
        if last is None:
            if self.env.now > self.idle:
                self._stall(self.env.now, PORT)
            self._go()
            return
        slot = last.begun % last.slots
        if last.asked[slot] > self.idle:
            self._stall(last.asked[slot], last.before[slot])
        self._stall(ready, last.blame[slot])
        self._after(ready - self.env.now, self._go)

    def _go(self) -> None:
        """Compute, beside the words that stream in and out."""
        now, kind = self.env.now, self.kind
        for buffer in self.begins[self.number]:
            buffer.begun += 1
        if kind.fill:
            for each in self.core.private:
                each.pause(now, kind.fill)
            self.fill += kind.fill
        body = end = now + kind.fill + kind.wait + kind.compute
        self.compute += kind.compute
        self.wait += kind.wait
        self.core.n_steps += 1
        cause = PORT
        if kind.streams:
            end, port = (
                transfer(kind.streams, now) if self.record is None else self._move(kind.streams, "stream")
            )
            cause = port.cause if port else PORT
        if self.trail > end:
            end, cause = self.trail, self.trail_cause
        if self.record is not None:
            self.record.add("array", self.name, now, body)
        self.idle = body
        if end > body:
            self._stall(end, cause)
        else:
            end = body
        event = Timeout(self.env, end - now)
        event.callbacks.append(self._finished)

    def _close(self) -> None:
        """The last stores, then the array drains."""
        kind = self.kind
        if kind.streams:
            self._store(kind.streams)
        end, port = settled(self.core.private, self.env.now)
        cause = port.cause if port else PORT
        if self.last_store > end:  # another core's transfers stand before it on the channel
            end, cause = self.last_store, self.store_cause
        end += self.program.pad
        end += -(end - self.start) % self.core.cycle
        self._stall(end, cause)
        self.end = end + self.program.tail
        for port in self.core.private:
            port.rest(self.end, paid=True)
        self.busy = tuple(port.busy - old for port, old in zip(self.core.ports, self.busy, strict=True))
        self._after(self.end - self.env.now, self._close_now)

    def _close_now(self) -> None:
        for buffer in self.buffers if self.record is not None else ():
            assert self.record is not None
            self.record.fill(buffer.name, self.end, -(buffer.issued - buffer.ended) * buffer.tile_bytes)
        self.done(self)

    # --- loads

    def _load(self, buffer: Buffer) -> None:
        """Asks for the next tiles of a buffer, as far as it has free slots and its parent has them."""
        now, slots = self.env.now, buffer.slots
        while buffer.issued < buffer.ended + slots:
            tile = buffer.issued
            if (
                tile == buffer.n_tiles
                or buffer.pending
                or (buffer.bound and not self._may_load(buffer, tile))
            ):
                return
            slot, moves = tile % slots, buffer.loads[tile]
            end = buffer.free[slot]
            if end < now:
                end = now
            if not moves:
                buffer.blame[slot] = buffer.before[slot]
            elif end > now:
                buffer.pending = True
                self._after(end - now, self._retry, buffer)
                return
            else:
                end, port = transfer(moves, now) if self.record is None else self._move(moves, buffer.name)
                buffer.blame[slot] = port.cause if port else PORT
            if tile and buffer.feeds:
                end = max(end, buffer.ends[(tile - 1) % slots])  # tiles arrive in order
            buffer.ends[slot], buffer.asked[slot] = end, now
            buffer.issued = tile + 1
            if self.record is not None:
                self.record.fill(buffer.name, end, buffer.tile_bytes)
            if buffer.feeds:
                self._after(end - now, self._arrived, buffer, tile)
            if tile == buffer.last - 1:
                self._tell_loaded()
            if self.blocked:
                self.blocked = False
                self._wait()

    def _may_load(self, buffer: Buffer, tile: int) -> bool:
        """Whether the parent has the tile, and what moves apart with it has moved."""
        if buffer.parent is not None and buffer.needs[tile] > buffer.parent.done:
            return False
        return not buffer.gated[tile] or (self.gate_open and buffer.first[tile] == self.at)

    def _tell_loaded(self) -> None:
        """All loads are asked for: what comes next may use the channel."""
        if self.loaded is not None and all(x.issued >= x.last for x in self.buffers):
            call, self.loaded = self.loaded, None
            call()

    def _retry(self, buffer: Buffer) -> None:
        buffer.pending = False
        self._load(buffer)

    def _arrived(self, buffer: Buffer, tile: int) -> None:
        buffer.done = max(buffer.done, tile)
        for child in buffer.feeds:
            slot = child.issued % child.slots
            child.before[slot] = buffer.blame[tile % buffer.slots]
            self._load(child)

    # --- accounts

    def _move(self, moves: Moves, what: str, start: int | None = None) -> tuple[int, Port | None]:
        end, last = transfer(moves, self.env.now if start is None else start)
        if self.record is not None:
            for port, ticks in moves:
                self.record.add(port.name, what, port.free - ticks, port.free)
        return end, last

    def _store(self, moves: Moves) -> tuple[int, Port | None]:
        out, port = transfer(moves, self.env.now) if self.record is None else self._move(moves, "store")
        if out > self.last_store:
            self.last_store, self.store_cause = out, port.cause if port else PORT
        return out, port

    def _stall(self, until: int, cause: str) -> None:
        """The array has nothing to do until then."""
        if until > self.idle:
            self.stalls[cause] += until - self.idle
            self.idle = until
