"""What every check is: it yields the problems of one declaration."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from models.base import Recorded


@dataclass(frozen=True)
class Problem:
    """Something wrong with a declaration: a stable id, what it is, and how to mend it."""

    id: str
    text: str
    hint: str


Check = Callable[[type[Recorded]], Iterable[Problem]]
CHECKS: list[Check] = []


def check(function: Check) -> Check:
    """Have the decorated function look at every declaration when the product starts."""
    CHECKS.append(function)
    return function
