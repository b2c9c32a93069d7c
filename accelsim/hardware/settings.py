"""The keys that one architecture has or could have, for programs that set many of them (sweeps)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import ValidationError

from accelsim.base.errors import InputError, Problem
from accelsim.base.yaml_lines import Mark
from accelsim.hardware.messages import from_validation
from accelsim.hardware.model import ArchFile
from accelsim.hardware.paths import addresses, resolve
from accelsim.hardware.sources import apply_settings, read_merged


@dataclass(frozen=True, slots=True)
class Setting:
    """One key by its full name, whether it takes whole numbers alone, and what the file says there."""

    name: str
    whole: bool
    value: Any


class Settings:
    """The keys of an architecture under each of its dataflows (`per_dataflow:` may give other values)."""

    def __init__(self, name_or_path: str, dataflows: tuple[str, ...] = ()) -> None:
        self.file = name_or_path
        self._data: list[Any] = []
        for dataflow in dataflows or (None,):
            document, _ = read_merged(name_or_path)
            apply_settings(document, (), dataflow)
            self._data.append(document.data)
        self._known = list(addresses(self._data[0]))

    def find(self, text: str, mark: Mark) -> Setting:
        """The key that a path, shortened from the left, means; InputError where there is none or several.

        Its value is that of the file, else the default, and None where dataflows differ in it.
        """
        address = resolve(text, self._known, mark)
        info = (
            next(
                info
                for name, info in address.parent.model_fields.items()
                if address.path[-1] in (name, info.alias)
            )
            if isinstance(address.path[-1], str)
            else None
        )
        values = []
        for data in self._data:
            for part in address.path:
                data = _below(data, part)
            values.append(data)
        value = values[0] if all(other == values[0] for other in values) else None
        if all(other is None for other in values) and info is not None and not info.is_required():
            value = info.default
        return Setting(".".join(address.name), info is not None and _is_whole(info.annotation), value)

    def wrong(self, sets: Sequence[str]) -> list[Problem]:
        """What is wrong with values by themselves: type, unit, range; not how they agree with each other."""
        document, _ = read_merged(self.file)
        try:
            apply_settings(document, sets, None)
        except InputError as error:
            named = {problem.file for problem in error.problems}
            others = [text for text in sets if f"--set {text}" not in named]
            return [*error.problems, *(self.wrong(others) if len(others) < len(sets) else ())]
        try:
            ArchFile.model_validate(document.data)
        except ValidationError as error:
            return from_validation(error, document)
        return []

    def has(self, text: str) -> bool:
        """Whether a path means one key."""
        try:
            resolve(text, self._known, Mark())
        except InputError:
            return False
        return True

    def endings(self) -> list[str]:
        """Every shortened path of every key, for a hint at a misspelt one."""
        names = [address.name for address in self._known]
        return sorted({".".join(name[start:]) for name in names for start in range(len(name))})


def _is_whole(annotation: Any) -> bool:
    """Whether the type of a key is int, or int or nothing."""
    arguments = get_args(annotation)
    if not arguments:
        return annotation is int
    kinds = [argument for argument in arguments if isinstance(argument, type) or get_args(argument)]
    return any(_is_whole(kind) for kind in kinds) and not any(
        kind not in (int, type(None)) and not get_args(kind) for kind in kinds
    )


def _below(data: Any, part: str | int) -> Any:
    if isinstance(data, dict):
        return data.get(part)
    return data[part] if isinstance(data, list) and isinstance(part, int) and part < len(data) else None
