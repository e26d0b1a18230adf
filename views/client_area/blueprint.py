"""The pages of the client area that are no sections, each under its language."""

from __future__ import annotations

from flask import Blueprint

area = Blueprint("clients", __name__, url_prefix="/<lang>")
