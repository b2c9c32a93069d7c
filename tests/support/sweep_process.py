"""A sweep in a process of its own that says each part that is done, to be killed on the way."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from support.sweep_space import Evaluate, Sample, Space

from accelsim.base.errors import AccelsimError
from accelsim.explore.sweep.run import State, sweep

ROOT = Path(__file__).resolve().parents[2]
CHUNK = 100


def start(directory: Path, **options: Any) -> subprocess.Popen[str]:
    """Options of `run`, as JSON."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    return subprocess.Popen(
        [sys.executable, "-m", "support.sweep_process", str(directory), json.dumps(options)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )


def run(
    directory: str,
    resume: bool = False,
    workers: int = 1,
    sleep_s: float = 0.01,
    evolve: int = 0,
    **more: Any,
) -> None:
    """In the process: a line a part, flushed once the part is done."""

    def tell(state: State) -> None:
        print(state.n_done, flush=True)

    space = Space(sample=Sample("evolve", evolve)) if evolve else Space()
    chunk = 32 if evolve else CHUNK
    evaluator = Evaluate(sleep_s=sleep_s)
    sweep(space, evaluator, directory, workers=workers, resume=resume, chunk=chunk, progress=tell, **more)


def kill_on_the_way(directory: Path, rng: random.Random, n_parts: int, **options: Any) -> int:
    """Kills the process (-9) after a random number of parts and a moment; the points that it said it did."""
    with start(directory, **options) as process:
        assert process.stdout is not None
        said = 0
        for _ in range(rng.randrange(1, n_parts)):
            line = process.stdout.readline()
            said = int(line or said)
        time.sleep(rng.random() * 0.02)
        process.kill()
        rest = process.stdout.read().split("\n")
        return max([said, *(int(line) for line in rest[:-1])])


def files(directory: Path) -> dict[str, bytes]:
    """All that a directory holds, by name."""
    return {
        str(file.relative_to(directory)): file.read_bytes()
        for file in sorted(directory.rglob("*"))
        if file.is_file()
    }


if __name__ == "__main__":
    try:
        run(sys.argv[1], **json.loads(sys.argv[2]))
    except AccelsimError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
