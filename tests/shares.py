"""Shares of the suite, for runs that repeat it on other Pythons and builds: ZEN_SHARE=2/3 is the second of three.

A share has every test; of a test that has several cases, as many in turn as there are shares.
"""

import collections
import re
import zlib
from collections.abc import Sequence


def parse(text: str) -> tuple[int, int]:
    """The share and how many there are. Raises ValueError."""
    found = re.fullmatch(r"(\d+)/(\d+)", text)
    share, shares = (int(n) for n in found.groups()) if found else (0, 0)
    if not 1 <= share <= shares:
        raise ValueError(f"ZEN_SHARE={text}: the first of n shares is 1/n, the last n/n")
    return share, shares


def belong(cases: Sequence[str], share: int, shares: int) -> list[bool]:
    """Whether each case, whose name is its test's and its parameters in brackets, is in the share."""
    tests = [case.partition("[")[0] for case in cases]
    counts, seen = collections.Counter(tests), collections.Counter[str]()
    found = []
    for test in tests:
        turn = seen[test] + share + zlib.crc32(test.encode())  # so that not all tests' first cases are in one share
        found.append(turn % min(shares, counts[test]) == 0)
        seen[test] += 1
    return found
