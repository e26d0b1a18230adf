"""What the tests of API and pages share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from models.staff import Staff
from tests.views.programs import Program


@pytest.fixture
def program(application: Any, desk: Flask, staff: Callable[[str], Staff]) -> Callable[..., Program]:
    """A function that returns a program acting for a role; without one, a program without a token."""

    def act_for(role: str | None = "administrator") -> Program:
        return Program(application, desk, staff(role) if role else None)

    return act_for
