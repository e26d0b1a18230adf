"""How far an installation's first setting up has come, in each corporate group."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Model
from models.values import UtcInstant


class SetupStep(Model):
    """A step of the setting up that somebody has done, or has put aside."""

    __tablename__ = "setup_step"

    #: For which corporate group.
    group_id: Mapped[int] = mapped_column(
        ForeignKey("corporate_group.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    #: Which step: one of ``operations.setting_up.STEPS``.
    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    #: When.
    done_at: Mapped[datetime] = mapped_column(UtcInstant())
    #: The key of the member of staff who said so.
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id", ondelete="SET NULL"), index=True)
