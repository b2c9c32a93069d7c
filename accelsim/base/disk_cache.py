"""Results kept on disk from run to run, under keys that say all that they depend on.

An entry is a file with the checksum of its key and body in the first line. What does not agree with it (cut
short, changed, of something else) is no entry. Files appear whole by a rename: processes may share a folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from accelsim.base.write import TEMPORARY, write_whole

MAX_BYTES: Final = 256 * 2**20
N_SHARDS: Final = 256
"""Folders by the first byte of the key: each is bounded by itself, so that a write looks at few files."""
VARIABLE: Final = "ACCELSIM_CACHE"
OFF: Final = "off"

_MAGIC: Final = b"accelsim-cache/1 "
_HEX: Final = frozenset("0123456789abcdef")
_ABANDONED_S: Final = 3600.0
_File = tuple[float, int, str, str]
"""When it was changed (s), bytes, name, path."""


def cache_folder() -> Path | None:
    """$ACCELSIM_CACHE, else `accelsim` in the user's cache folder; None where it says `off`."""
    named = os.environ.get(VARIABLE)
    if named:
        return None if named == OFF else Path(named)
    users = os.environ.get("XDG_CACHE_HOME", "")
    try:
        return (Path(users) if os.path.isabs(users) else Path.home() / ".cache") / "accelsim"
    except RuntimeError:  # a user without a home
        return None


class DiskCache:
    """Bodies of bytes by hexadecimal keys. Never raises: what can't be read is absent, what can't be written
    is said in `trouble`."""

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES) -> None:
        self.folder = folder
        self.trouble: str | None = None
        """Why nothing more is stored, where a write failed."""
        self._shard_bytes = max_bytes // N_SHARDS

    def get(self, key: str) -> bytes | None:
        """The body of an entry, None where there is none that is whole."""
        try:
            data = self._path(key).read_bytes()
        except OSError:
            return None
        head, newline, body = data.partition(b"\n")
        return body if newline and head == _head(key, body) else None

    def put(self, key: str, body: bytes) -> None:
        """Stores an entry whole or not at all; after the first failure nothing is tried any more."""
        if self.trouble is not None:
            return
        path = self._path(key)
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.parent.mkdir(exist_ok=True)
            write_whole(path, _head(key, body) + b"\n" + body)
            self._trim(path.parent)
        except OSError as error:
            self.trouble = f"results are not cached in {self.folder}: {error.strerror or error}"

    def usage(self) -> tuple[int, int]:
        """Number of entries, and their bytes."""
        sizes = [size for _, size, name, _ in self._files() if not name.endswith(TEMPORARY)]
        return len(sizes), sum(sizes)

    def clear(self) -> int:
        """Removes all entries, and nothing that is not one; how many there were. OSError where it can't."""
        n_entries = 0
        for _, _, name, path in self._files():
            with contextlib.suppress(FileNotFoundError):  # another process was quicker
                os.unlink(path)
                n_entries += not name.endswith(TEMPORARY)
        for shard in self._shards():
            with contextlib.suppress(OSError):  # another process has stored something since
                shard.rmdir()
        return n_entries

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / key

    def _shards(self) -> list[Path]:
        try:
            found = sorted(path for path in self.folder.iterdir() if len(path.name) == 2)
        except OSError:
            return []
        return [path for path in found if set(path.name) <= _HEX and path.is_dir()]

    def _files(self) -> Iterator[_File]:
        for shard in self._shards():
            yield from _entries(shard)

    def _trim(self, shard: Path) -> None:
        """The oldest entries go where a shard is full, the newest never; and what killed processes left."""
        total, now = 0, time.time()
        for changed_s, size, name, path in sorted(_entries(shard), reverse=True):
            if name.endswith(TEMPORARY):
                surplus = now - changed_s > _ABANDONED_S
            else:
                surplus = total > 0 and total + size > self._shard_bytes
                total += size
            if surplus:
                with contextlib.suppress(FileNotFoundError):  # another process was quicker
                    os.unlink(path)


def _entries(shard: Path) -> list[_File]:
    """Files that are entries, or were to become some: their names begin with that of the shard."""
    files = []
    with contextlib.suppress(OSError), os.scandir(shard) as found:
        for entry in found:
            if not _is_key(entry.name.partition(".")[0], shard.name):
                continue
            with contextlib.suppress(FileNotFoundError):  # gone since
                facts = entry.stat()
                files.append((facts.st_mtime, facts.st_size, entry.name, entry.path))
    return files


def _is_key(name: str, shard: str) -> bool:
    return len(name) == 64 and name.startswith(shard) and set(name) <= _HEX


def _head(key: str, body: bytes) -> bytes:
    return _MAGIC + hashlib.sha256(key.encode() + b"\n" + body).hexdigest().encode()
