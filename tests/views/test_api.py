"""The REST API: reading, writing, refusing."""

from __future__ import annotations


def test_smoke(desk, staff) -> None:
    assert desk
