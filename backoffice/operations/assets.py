"""The register of assets: what the program adds to a new one."""

from __future__ import annotations

import secrets

from sqlalchemy.orm import Session

from backoffice.actors import Actor
from backoffice.operations.plain import before_create
from models.asset import Asset


def make_token() -> str:
    """Return what a QR code leads to: 22 letters and digits that nobody guesses (CC-17)."""
    return secrets.token_urlsafe(16)


@before_create(Asset)
def _complete(_session: Session, asset: Asset, *, actor: Actor) -> None:
    asset.qr_token = make_token()
