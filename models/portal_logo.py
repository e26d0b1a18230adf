"""The logo of a portal, as a picture of its own: small, and the same in every backup as the rest of the portal."""

from __future__ import annotations

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Model


class PortalLogo(Model):
    """A picture drawn anew from what somebody chose; the portal itself has its digest."""

    __tablename__ = "portal_logo"

    #: Whose it is.
    portal_id: Mapped[int] = mapped_column(
        ForeignKey("portal.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    #: The picture, a PNG.
    content: Mapped[bytes] = mapped_column(LargeBinary)
