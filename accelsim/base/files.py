"""Where shipped architectures, technologies, networks and spaces lie, and the reading of files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, Literal

from accelsim.base.errors import InputError, Problem, did_you_mean

Kind = Literal["arch_configs", "technologies", "workloads", "spaces"]

SUFFIX: Final[dict[Kind, str]] = {
    "arch_configs": ".yaml",
    "technologies": ".yaml",
    "workloads": ".onnx.txt",
    "spaces": ".yaml",
}
NOUN: Final[dict[Kind, str]] = {
    "arch_configs": "architecture",
    "technologies": "technology",
    "workloads": "network",
    "spaces": "space",
}
_PACKAGE: Final = Path(__file__).resolve().parent.parent


def shipped_folder(kind: Kind) -> Path:
    """The checkout's folder where there is one (a wheel's copy would be stale there), else the wheel's."""
    checkout = _PACKAGE.parent
    if (checkout / kind).is_dir() and (checkout / "pyproject.toml").is_file():
        return checkout / kind
    return _PACKAGE / "_shipped" / kind


def list_shipped(kind: Kind) -> tuple[str, ...]:
    """The names of what ships, sorted."""
    suffix = SUFFIX[kind]
    folder = shipped_folder(kind)
    names = (entry.name for entry in folder.iterdir()) if folder.is_dir() else ()
    return tuple(sorted(name.removesuffix(suffix) for name in names if name.endswith(suffix)))


def find_shipped(kind: Kind, name: str) -> Path:
    """The file of a shipped name, or the path itself where `name` looks like one (a separator or a suffix).

    InputError where there is neither, with the nearest shipped name.
    """
    noun, suffix = NOUN[kind], SUFFIX[kind]
    path = Path(name)
    looks_like_path = bool(path.suffix) or os.sep in name or "/" in name
    if looks_like_path and _exists(path):
        return path
    shipped = list_shipped(kind)
    stem = name.removesuffix(suffix)
    if stem in shipped:
        return shipped_folder(kind) / f"{stem}{suffix}"
    if _exists(path):
        return path
    near = did_you_mean(path.name.split(".")[0] or name, shipped)
    if looks_like_path:
        raise InputError(Problem("no such file", file=name, hint=near))
    raise InputError(
        Problem(
            f"no {noun} {name!r} ships with accelsim and no file has that name",
            expected=f"a path, or one of those that `accelsim list` shows ({len(shipped)})",
            hint=near,
        )
    )


def read_limited(path: Path, max_bytes: int, what: str) -> bytes:
    """The bytes of a file; InputError where it is missing, a folder, unreadable, empty or too large."""
    try:
        if path.is_dir():
            raise InputError(Problem("is a folder", file=str(path), expected=what))
        with path.open("rb") as stream:
            data = stream.read(max_bytes + 1)
            n_bytes = os.fstat(stream.fileno()).st_size if len(data) > max_bytes else len(data)
    except FileNotFoundError:
        raise InputError(Problem("no such file", file=str(path))) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(Problem(f"can't be read: {reason}", file=str(path), expected=what)) from None
    if len(data) > max_bytes:
        size = f"{max(n_bytes, len(data)):,} B"
        raise InputError(Problem(f"is {size}", file=str(path), expected=f"{what} of at most {max_bytes:,} B"))
    if not data.strip():
        raise InputError(Problem("is empty", file=str(path), expected=what))
    return data


def _exists(path: Path) -> bool:
    try:
        return path.exists() and path != Path()  # Path("") is the working directory
    except (OSError, ValueError):  # a name too long or with a NUL byte
        return False
