"""A sweep killed at 20 random moments, and resumed after each: is anything lost, done twice, or different?

Each round is a fresh directory: a process of its own sweeps 12,288 systolic machines x LeNet, is killed (-9)
at a moment drawn from the time that a whole run works, and is resumed to the end. Then one directory is
killed and resumed 20 times in a row. What was said to be done must be kept, nothing of it may be evaluated
again, and all files must be those of an uninterrupted run. Ends with 1 where they are not.

    python benchmarks/bench_sweep_kill.py [--workers 2] [--kills 20] [--seed 1]
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sweep_cases import LENET

CHUNK = 128


def child(space_file: str, directory: str, workers: int) -> None:
    """Sweeps, and says the number of points done after each part."""
    from accelsim.explore.sweep.evaluate import evaluator_of
    from accelsim.explore.sweep.read import read_space
    from accelsim.explore.sweep.run import State, sweep

    def say(state: State) -> None:
        print(state.n_done, flush=True)

    space = read_space(space_file)
    evaluator = evaluator_of(space)
    found = sweep(
        space, evaluator, directory, workers=workers, resume=True, chunk=CHUNK, format=None, progress=say
    )
    print(found.n_evaluated, flush=True)


def start(space_file: Path, directory: Path, workers: int) -> subprocess.Popen[str]:
    words = ["--child", str(space_file), "--directory", str(directory), "--workers", str(workers)]
    return subprocess.Popen([sys.executable, __file__, *words], stdout=subprocess.PIPE, text=True)


def files(directory: Path) -> dict[str, bytes]:
    found = (file for file in directory.rglob("*") if file.is_file())
    return {str(file.relative_to(directory)): file.read_bytes() for file in found}


def n_kept(directory: Path) -> int:
    from accelsim.explore.sweep.store import read_manifest

    if not (directory / "manifest.json").exists():
        return 0
    return sum(record.n_raw for record in read_manifest(directory)["parts"])


def kill(space_file: Path, directory: Path, workers: int, after_s: float) -> int:
    """Starts or resumes a sweep and kills it a time after it has begun; the points that it said were done."""
    with start(space_file, directory, workers) as process:
        assert process.stdout is not None
        begun = process.stdout.readline()
        time.sleep(after_s)
        process.kill()
        lines = process.stdout.read().split("\n")[:-1]
    return int(lines[-1] if lines else begun)


def main() -> None:
    """Prints one line a kill."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--child")
    parser.add_argument("--directory")
    options = parser.parse_args()
    if options.child:
        child(options.child, options.directory, options.workers)
        return
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        bad = rounds(Path(folder), options.workers, options.kills, rng)
    print("all equal, nothing lost, nothing twice" if not bad else f"{bad} of the rounds went wrong")
    sys.exit(bool(bad))


def rounds(place: Path, workers: int, kills: int, rng: random.Random) -> int:
    """The number of rounds that went wrong."""
    space_file = place / "space.yaml"
    space_file.write_text(LENET)
    begin = time.monotonic()
    with start(space_file, place / "whole", workers) as process:
        assert process.stdout is not None
        first = process.stdout.readline()  # the directory is open: before it there is nothing to kill
        ready_s = time.monotonic() - begin
        *_, total = [first, *process.stdout.read().split()]
    whole_s = time.monotonic() - begin
    wanted = files(place / "whole")
    print(f"uninterrupted: {total} points, {len(wanted)} files, {whole_s:.1f} s ({ready_s:.1f} s to start)")
    bad = 0
    for at in range(kills):
        directory = place / f"killed{at}"
        after_s = rng.uniform(0.0, whole_s - ready_s)
        bad += one_round(space_file, directory, workers, [after_s], int(total), wanted)
    many = [rng.uniform(0.0, (whole_s - ready_s) / 4) for _ in range(kills)]
    print(f"one directory, {kills} times in a row:")
    return bad + one_round(space_file, place / "often", workers, many, int(total), wanted)


def one_round(
    space_file: Path,
    directory: Path,
    workers: int,
    after_s: list[float],
    total: int,
    wanted: dict[str, bytes],
) -> bool:
    """Whether it went wrong."""
    lost = False
    kept = 0
    for seconds in after_s:
        before = kept
        said = kill(space_file, directory, workers, seconds)
        kept = n_kept(directory)
        lost |= kept < max(said, before)
        print(f"killed after {seconds:5.2f} s: said {said:6d} points done, {kept:6d} kept", end="")
        print("" if seconds == after_s[-1] else "\n", end="")
    with start(space_file, directory, workers) as process:
        assert process.stdout is not None
        evaluated = int(process.stdout.read().split()[-1])
    twice = evaluated != total - kept
    same = files(directory) == wanted
    print(f"; resumed {evaluated:6d}: {'same bytes' if same else 'OTHER BYTES'}", end="")
    print(f"{', LOST' if lost else ''}{', TWICE' if twice else ''}", flush=True)
    return lost or twice or not same


if __name__ == "__main__":
    main()
