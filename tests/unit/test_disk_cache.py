"""The cache of searches: what is stored comes back equal, and nothing else ever does."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.small_machine import small_machine

import accelsim
from accelsim.base import disk_cache
from accelsim.base.disk_cache import DiskCache, cache_folder
from accelsim.mapper import request as request_module
from accelsim.mapper import solve
from accelsim.mapper.found import Found, SearchOptions
from accelsim.mapper.request import UNSEEN, Request, code_digest, room_of_tiles
from accelsim.mapper.solve import Solver, attempt, is_settled
from accelsim.mapper.stored import from_bytes, to_bytes
from accelsim.tables.certificate import Certificate
from accelsim.tables.dims import DIMS
from accelsim.tables.machine import Machine, RunLength
from accelsim.tables.nest import Problem

KEY, OTHER = "ab" + "0" * 62, "ab" + "1" * 62
DRAM = (2, 2, 2)


def problem(**extents: int) -> Problem:
    return Problem(tuple({"K": 3, "C": 4, **extents}.get(d, 1) for d in DIMS), ((1, 1, 0, 1),) * 3, False)


def request(machine: Machine | None = None, layer: str = "one", **options: Any) -> Request:
    return Request(problem(), machine or small_machine(), DRAM, SearchOptions(**options), layer)


def found(best: float = 8.0, lower_bound: float = 8.0, r: Request | None = None) -> Found:
    """A real result, with a certificate made by hand."""
    outcome = attempt(r or request())
    assert isinstance(outcome, Found)
    return replace(outcome, certificate=Certificate("edp", "ws", best, lower_bound, 7, {"by hand": 3}, 0.5))


def same(a: Any, b: Any) -> bool:
    """Equal to the bit and in type, arrays and all."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if hasattr(a, "__dataclass_fields__"):
        return all(same(getattr(a, f.name), getattr(b, f.name)) for f in fields(a))
    return bool(a == b) and repr(a) == repr(b)


# --- results as bytes


def test_what_is_read_back_is_the_same_to_the_bit() -> None:
    point = found().points[0]
    odd = replace(point, value=0.1 + 0.2, cost=replace(point.cost, idle_pj=5e-324))
    several = replace(found(), points=(point, odd))
    assert same(from_bytes(to_bytes(several)), several)


def test_a_difference_in_one_bit_or_type_is_seen_by_this_test() -> None:
    one = found()
    assert not same(one, replace(one, certificate=replace(one.certificate, best=8)))
    assert not same(one, replace(one, certificate=replace(one.certificate, best=np.nextafter(8.0, 9))))


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"3", b'{"is":"Found"}', b'{"is":"Path","of":{}}', b'{"is":"dict","of":{}}',
     b'{"is":"Found","of":{"points":[],"certificate":null}}', b"\xff\xfe", b"[" * 100_000],
)  # fmt: skip
def test_bytes_of_something_else_are_no_result(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        from_bytes(body)


# --- keys


def changed(machine: Machine, name: str) -> Machine:
    value = getattr(machine, name)
    if value is None:
        value = {
            "coding": RunLength(5, 16, 3, 64),
            "moved_bits": np.ones((machine.n_levels, 3)),
            "gated": np.ones(machine.n_levels, np.bool_),
        }[name]
    elif isinstance(value, np.ndarray):
        value = ~value if value.dtype == bool else np.nan_to_num(value, posinf=1e12) + 1
    elif isinstance(value, str):
        value = {"fold": "preload", "dataflow": "os"}.get(name, value + "x")
    elif isinstance(value, tuple):
        value = (*value[:-1], value[-1] + "x")
    else:
        value = not value if isinstance(value, bool) else 1.0 if value == np.inf else value + 1
    return replace(machine, **{name: value})


@pytest.mark.parametrize("name", [f.name for f in fields(Machine)])
def test_every_field_of_the_machine_is_in_the_key_but_those_that_no_search_sees(name: str) -> None:
    plain = request()
    other = replace(plain, machine=changed(plain.machine, name))
    assert (plain.key == other.key) == (name in UNSEEN)


@pytest.mark.parametrize(
    "change",
    [
        {"problem": problem(K=4)},
        {"problem": replace(problem(), weight_has_batch=True)},
        {"problem": replace(problem(), windows=((2, 1, 0, 1),) * 3)},
        {"homes": (1, 2, 2)},
        *({"options": o} for o in (SearchOptions("latency"), SearchOptions(ragged=True))),
        *({"options": o} for o in (SearchOptions(n_best=2), SearchOptions(front=True))),
        {"options": SearchOptions(gap_frac=0.1)},
    ],
)
def test_layer_homes_and_options_are_in_the_key(change: dict[str, Any]) -> None:
    plain = request()
    assert replace(plain, **change).key != plain.key


def test_name_of_the_layer_and_time_limit_are_no_part_of_the_key() -> None:
    assert request(layer="two").key == request(time_limit_s=3.0).key == request().key


def test_arrays_that_differ_in_type_alone_have_other_keys() -> None:
    wide = small_machine()
    narrow = replace(wide, word_bits=wide.word_bits.astype(np.int32))
    assert request(narrow).key != request(wide).key


def test_room_counts_only_where_tiles_pass() -> None:
    """Nothing passes a level beyond all homes, and what is in DRAM was checked for the whole network."""
    left = np.array([3.0, 100.0, 9.0])
    assert room_of_tiles(small_machine(), left, DRAM).tolist() == [3.0, 100.0, np.inf]
    assert room_of_tiles(small_machine(), left, (1, 2, 1)).tolist() == [3.0, 100.0, np.inf]
    assert room_of_tiles(small_machine(), left, (1, 1, 1)).tolist() == [3.0, np.inf, np.inf]


class Blind(Machine):
    """A machine whose fields outside the key can't be looked at."""

    def __getattribute__(self, name: str) -> Any:
        if name in UNSEEN:
            raise AssertionError(f"the search looks at {name}, which is no part of the key")
        return super().__getattribute__(name)


@pytest.mark.parametrize("flow", ["ws", "os", "is", "nlr", "rs", "any"])
def test_no_search_sees_what_the_key_leaves_out(flow: str) -> None:
    at = small_machine(dataflow=flow)
    blind = Blind(**{f.name: getattr(at, f.name) for f in fields(Machine)})
    whole = request(at)
    a, b = attempt(whole), attempt(replace(whole, machine=blind))
    assert isinstance(a, Found)
    assert isinstance(b, Found)
    assert same(a.points, b.points)


def test_any_edit_of_the_code_gives_new_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "accelsim"
    for room in request_module.ROOMS:
        (package / room / "deep").mkdir(parents=True)
        (package / room / "deep" / "code.py").write_text("x = 1\n")
    monkeypatch.setattr(request_module, "__file__", str(package / "mapper" / "request.py"))
    digests = set()

    def digest() -> str:
        return code_digest.__wrapped__()

    digests.add(digest())
    for room in request_module.ROOMS:
        (package / room / "deep" / "code.py").write_text("x = 2\n")
        digests.add(digest())
    (package / "cost" / "deep" / "code.py").rename(package / "cost" / "deep" / "other.py")
    digests.add(digest())
    monkeypatch.setattr(request_module, "VERSION", "99")
    digests.add(digest())
    monkeypatch.setattr(np, "__version__", "99")
    digests.add(digest())
    assert len(digests) == 1 + len(request_module.ROOMS) + 3


# --- which results are stored


@pytest.mark.parametrize(
    ("options", "lower_bound", "stored"),
    [
        ({}, 8.0, True),
        ({}, 0.0, True),  # the search ends by itself: it would find the same again
        ({"time_limit_s": 1.0}, 8.0, True),
        ({"time_limit_s": 1.0}, 7.0, False),
        ({"gap_frac": 0.5}, 8.0, True),
        ({"gap_frac": 0.5}, 7.0, False),
    ],
)
def test_what_was_stopped_early_is_stored_only_where_it_is_proven(
    options: dict[str, float], lower_bound: float, stored: bool
) -> None:
    assert is_settled(request(**options), found(8.0, lower_bound)) == stored


def test_a_front_that_was_stopped_is_not_stored_though_its_best_is_proven() -> None:
    options = request(front=True, time_limit_s=1.0)
    whole = found()
    stopped = replace(whole, certificate=replace(whole.certificate, complete=False))
    assert is_settled(options, whole)
    assert not is_settled(options, stopped)


def test_solver_searches_once_and_then_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = Solver(disk=DiskCache(tmp_path)), Solver(disk=DiskCache(tmp_path))
    requests = [request(), request(layer="two"), request(objective="latency")]
    searched = first.solve(requests)
    monkeypatch.setattr(solve, "attempt", lambda _: pytest.fail("searched again"))
    read = second.solve(requests)
    assert same(searched, read)
    assert (first.n_searched, first.n_from_disk, second.n_searched, second.n_from_disk) == (2, 0, 0, 2)


def test_infeasible_layers_are_not_stored(tmp_path: Path) -> None:
    small = request(small_machine(capacity_bytes=np.array([3.0, 1.0, np.inf])))
    with pytest.raises(solve.NothingLegalError, match="no mapping of one fits"):
        Solver(disk=DiskCache(tmp_path)).solve([small])
    assert DiskCache(tmp_path).usage() == (0, 0)


def ruin(path: Path, how: str) -> None:
    data = path.read_bytes()
    if how == "digit changed":
        at = data.index(b'"best":') + 7
        data = data[:at] + b"9" + data[at + 1 :]
    else:
        data = {"cut": data[:-1], "empty": b"", "foreign": b"PK\x03\x04", "no body": data[:80]}.get(how, data)
    if how == "of another key":
        DiskCache(path.parent.parent).put(OTHER, data.partition(b"\n")[2])
        data = (path.parent.parent / OTHER[:2] / OTHER).read_bytes()
    path.write_bytes(data)


@pytest.mark.parametrize("how", ["cut", "empty", "foreign", "no body", "digit changed", "of another key"])
def test_entries_that_are_not_whole_are_searched_again_and_rewritten(tmp_path: Path, how: str) -> None:
    asked = request()
    (right,) = Solver(disk=DiskCache(tmp_path)).solve([asked])
    path = tmp_path / asked.key[:2] / asked.key
    whole = path.read_bytes()
    ruin(path, how)
    assert path.read_bytes() != whole
    again = Solver(disk=DiskCache(tmp_path))
    (redone,) = again.solve([asked])
    assert (again.n_searched, again.n_from_disk) == (1, 0)
    assert same(redone.points, right.points)
    assert DiskCache(tmp_path).get(asked.key) is not None


def test_an_entry_whose_checksum_holds_but_is_no_result_is_searched_again(tmp_path: Path) -> None:
    asked, disk = request(), DiskCache(tmp_path)
    disk.put(asked.key, b'{"is":"dict","of":{}}')
    solver = Solver(disk=disk)
    solver.solve([asked])
    assert (solver.n_searched, solver.n_from_disk) == (1, 0)


# --- the folder


def test_absent_entries_and_folders_are_absent(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path / "none")
    assert cache.get(KEY) is None
    assert (cache.usage(), cache.clear(), cache.trouble) == ((0, 0), 0, None)
    assert not (tmp_path / "none").exists()


def test_entries_appear_by_rename_and_leave_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replaced: list[tuple[str, str]] = []
    rename = os.replace

    def spy(old: Any, new: Any) -> None:
        assert Path(old).read_bytes().endswith(b"\nbody")  # whole before it has its name
        replaced.append((str(old), str(new)))
        rename(old, new)

    monkeypatch.setattr(os, "replace", spy)
    DiskCache(tmp_path).put(KEY, b"body")
    assert [new for _, new in replaced] == [str(tmp_path / "ab" / KEY)]
    assert [p.name for p in (tmp_path / "ab").iterdir()] == [KEY]


def no_room(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_full_disk_is_noted_once_and_fails_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "replace", no_room)
    cache = DiskCache(tmp_path)
    solver = Solver(disk=cache)
    solver.solve([request(), request(objective="latency")])
    assert solver.n_searched == 2
    assert "No space left on device" in solver.effort()["cache_trouble"]
    assert list((tmp_path).rglob("*.tmp")) == []


def test_a_folder_that_is_a_file_fails_nothing(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("mine")
    cache = DiskCache(tmp_path / "cache")
    cache.put(KEY, b"body")
    assert cache.get(KEY) is None
    assert cache.trouble is not None
    assert (tmp_path / "cache").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_read_and_fails_nothing(tmp_path: Path) -> None:  # pragma: no cover
    DiskCache(tmp_path).put(KEY, b"body")
    for folder in (tmp_path / "ab", tmp_path):
        folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    cache = DiskCache(tmp_path)
    cache.put(OTHER, b"more")
    assert cache.get(KEY) == b"body"
    assert cache.trouble is not None


def test_the_oldest_entries_make_room_and_the_newest_stays(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path, max_bytes=disk_cache.N_SHARDS * 1000)
    keys = [f"ab{i:062x}" for i in range(6)]
    for age, key in enumerate(keys):
        cache.put(key, b"x" * 300)
        os.utime(tmp_path / "ab" / key, (1000 + age, 1000 + age))
    kept = [key for key in keys if cache.get(key) is not None]
    assert kept == keys[-2:]  # 300 B and a head of 82 B each: two in 1,000 B
    assert cache.usage() == (2, 2 * (300 + 82))
    cache.put(KEY, b"x" * 5000)
    assert cache.get(KEY) is not None
    assert cache.usage()[0] == 1


def test_clearing_takes_entries_and_leaves_what_is_not_ours(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path)
    cache.put(KEY, b"body")
    cache.put("cd" + "0" * 62, b"body")
    (tmp_path / "ab" / f"{KEY}.1.ff.tmp").write_bytes(b"left by a process that was killed")
    for mine in ("notes.txt", "ab/notes.txt"):
        (tmp_path / mine).write_text("mine")
    assert cache.clear() == 2
    assert sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*")) == [
        "ab", "ab/notes.txt", "notes.txt"]  # fmt: skip


def test_what_killed_processes_left_goes_after_an_hour(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path)
    cache.put(KEY, b"body")
    old, fresh = (tmp_path / "ab" / f"{KEY}.{i}.ff.tmp" for i in (1, 2))
    for path in (old, fresh):
        path.write_bytes(b"cut")
    os.utime(old, (1000, 1000))
    cache.put(OTHER, b"body")
    assert (old.exists(), fresh.exists()) == (False, True)


WRITER = """
import sys
from pathlib import Path
from accelsim.base.disk_cache import DiskCache
cache = DiskCache(Path(sys.argv[1]), max_bytes=256 * 3000)
for i in range(200):
    key = f"ab{i % 10:062x}"
    cache.put(key, key.encode() * 10)
    body = cache.get(key)
    assert body is None or body == key.encode() * 10
assert cache.trouble is None, cache.trouble
"""


def test_several_processes_may_write_and_trim_one_folder(tmp_path: Path) -> None:
    running = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)]) for _ in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]


# --- where it is


@pytest.mark.parametrize(
    ("variables", "folder"),
    [
        ({"ACCELSIM_CACHE": "off"}, None),
        ({"ACCELSIM_CACHE": "/c"}, Path("/c")),
        ({"ACCELSIM_CACHE": "", "XDG_CACHE_HOME": "/x"}, Path("/x/accelsim")),
        ({"XDG_CACHE_HOME": "relative", "HOME": "/h"}, Path("/h/.cache/accelsim")),
        ({"HOME": "/h"}, Path("/h/.cache/accelsim")),
    ],
)
def test_folder_follows_the_environment(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], folder: Path | None
) -> None:
    for name in ("ACCELSIM_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert cache_folder() == folder


def test_the_tests_run_without_the_users_cache() -> None:
    assert cache_folder() is None


# --- through the front door


@pytest.fixture
def cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[str, dict[str, Any]]]:
    monkeypatch.setenv("ACCELSIM_CACHE", str(tmp_path / "cache"))

    def run(**options: Any) -> tuple[str, dict[str, Any]]:
        answer = json.loads(
            accelsim.run(accelsim.load("lenet"), accelsim.arch("eyeriss"), **options).to_json()
        )
        return json.dumps({k: v for k, v in answer.items() if k != "run"}), answer["run"]

    return run


def test_results_from_the_cache_are_the_same_bytes(
    cached: Callable[..., tuple[str, dict[str, Any]]], tmp_path: Path
) -> None:
    fresh, searched = cached()
    warm, read = cached()
    without, off = cached(cache=False)
    assert fresh == warm == without
    counts = [(info["n_searches"], info["n_from_cache"]) for info in (searched, read, off)]
    n = searched["n_searches"]
    assert n > 0
    assert counts == [(n, 0), (0, n), (n, 0)]
    assert len(list((tmp_path / "cache").rglob("*/*/*"))) == n


def test_off_means_that_no_folder_is_made(
    cached: Callable[..., tuple[str, dict[str, Any]]], tmp_path: Path
) -> None:
    cached(cache=False)
    assert not (tmp_path / "cache").exists()
