"""People who have the ticket workspace open: each asks every few seconds whether anything has changed."""

from __future__ import annotations

import http.client
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from bench.installation import ask

#: Seconds between two questions of an open page: as in ``views/static/js/ticket.js``.
EVERY = 10.0


@dataclass
class Polls:
    """How long polls took, in milliseconds, and how many were answered otherwise than as quiet."""

    milliseconds: list[float] = field(default_factory=list)
    refused: int = 0

    def add(self, other: Polls) -> None:
        """Count those of another phase as well."""
        self.milliseconds += other.milliseconds
        self.refused += other.refused


def keep_asking(pipe: Any, port: int, cookie: str, path: str, pollers: int) -> None:
    """Ask with so many pages, evenly spread over the interval, until something comes through ``pipe``.

    Says once that all are at it, and at the end how long their questions took.
    """
    found, enough = Polls(), threading.Event()
    begun = threading.Semaphore(0)

    def sit(number: int) -> None:
        following = time.monotonic() + EVERY * number / pollers
        while not enough.wait(max(0.0, following - time.monotonic())):
            began = time.perf_counter()
            try:
                quiet = ask(port, path, cookie).status == 204
            except (OSError, http.client.HTTPException):
                quiet = False
            found.milliseconds.append((time.perf_counter() - began) * 1000)
            found.refused += not quiet
            following += EVERY
            begun.release()

    threads = [threading.Thread(target=sit, args=(number,), daemon=True) for number in range(pollers)]
    for thread in threads:
        thread.start()
    for _page in range(pollers):
        begun.acquire(timeout=2 * EVERY)
    found.milliseconds.clear()
    found.refused = 0
    pipe.send("begun")
    pipe.recv()
    enough.set()
    for thread in threads:
        thread.join(EVERY)
    pipe.send((found.milliseconds, found.refused))
