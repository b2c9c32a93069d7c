"""Steady state: a deterministic simulation whose explicit state comes back repeats itself from there on."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

Account = tuple[int, ...]
"""Running totals: the passes done, the ticks gone, and what else a simulation counts."""
MAX_ROUNDS: Final = 8
"""Rounds in which a state must come back; else all but their first quarter stand for the steady state."""


def minus(a: Account, b: Account) -> Account:
    return tuple(x - y for x, y in zip(a, b, strict=True))


class Period:
    """Looks at a simulation once a round, until its state is one that was there before."""

    def __init__(self, max_rounds: int = MAX_ROUNDS) -> None:
        self.seen: dict[Hashable, Account] = {}
        self.accounts: list[Account] = []
        self.max_rounds = max_rounds
        self.steady: Account | None = None  # what one period adds to the account
        self.exact = False  # the state came back

    def look(self, state: Hashable, account: Account) -> bool:
        """Whether the steady state is known now."""
        if self.steady is not None:
            return True
        before = self.seen.get(state)
        if before is not None:
            self.steady, self.exact = minus(account, before), True
        elif len(self.accounts) >= self.max_rounds:
            self.steady = minus(account, self.accounts[self.max_rounds // 4])
        else:
            self.seen[state] = account
            self.accounts.append(account)
        return self.steady is not None

    def periods_until(self, n_passes: int, account: Account) -> int:
        """Whole periods to leave out before so many passes are done; 0 where the state never came back."""
        if not self.exact or self.steady is None or not self.steady[0]:
            return 0
        return max(0, (n_passes - account[0]) // self.steady[0])
