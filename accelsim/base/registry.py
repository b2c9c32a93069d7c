"""A table of named things of one kind (dataflows, readers): the same road for built-ins and plug-ins."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from accelsim.base.errors import InputError, Problem, did_you_mean

T = TypeVar("T")


class Registry(Generic[T]):
    """Names to objects, in the order of registration; an unknown or a taken name is an InputError."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._found: dict[str, T] = {}

    def add(self, name: str, thing: T) -> T:
        if name in self._found:
            raise InputError(Problem(f"{self.kind} {name!r} is registered twice"))
        self._found[name] = thing
        return thing

    def register(self, name: str) -> Callable[[T], T]:
        """Decorator: `@DATAFLOWS.register("ws")`."""
        return lambda thing: self.add(name, thing)

    def get(self, name: str) -> T:
        if name not in self._found:
            raise InputError(
                Problem(
                    f"no {self.kind} {name!r}",
                    expected=f"one of {', '.join(self._found)}",
                    hint=did_you_mean(name, self._found),
                )
            )
        return self._found[name]

    def __contains__(self, name: object) -> bool:
        return name in self._found

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)
