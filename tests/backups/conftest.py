"""Databases to restore into, apart from the one that is backed up."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from tests.servers import Databases


@pytest.fixture
def elsewhere(databases: Databases) -> Callable[[str], sa.URL]:
    """A function that returns the address of an empty database of a kind."""
    own = Databases(databases.folder, f"{databases.worker}_elsewhere", databases._build)
    return own.empty
