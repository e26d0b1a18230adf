"""What the product does by itself again and again, and who does it at present."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Model
from models.values import UtcInstant


class WorkTask(Model):
    """One periodic task. Its lease keeps several processes from doing it at the same time."""

    __tablename__ = "work_task"

    #: What the program calls it.
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    #: Names the run that is going on; empty while there is none.
    lease_token: Mapped[str | None] = mapped_column(String(32))
    #: Until when that run keeps others away; afterwards it is taken for dead.
    lease_until: Mapped[datetime | None] = mapped_column(UtcInstant())
    #: The machine and the process that did it last, or is doing it.
    worker: Mapped[str | None] = mapped_column(String(120))
    #: When the run that is going on, or the last one, began.
    started_at: Mapped[datetime | None] = mapped_column(UtcInstant())
    #: When the last run ended.
    last_run_at: Mapped[datetime | None] = mapped_column(UtcInstant())
    #: What came of it, in a line.
    last_result: Mapped[str | None] = mapped_column(String(500))
    #: Whether it failed: what fails again and again is told once.
    last_failed: Mapped[bool] = mapped_column(default=False, server_default="0")
    #: How long it took, in thousandths of a second.
    last_milliseconds: Mapped[int | None] = mapped_column(Integer)
    #: When it is due again.
    next_run_at: Mapped[datetime] = mapped_column(UtcInstant())
    #: When somebody last asked whether it is due: while nobody does, nothing is done.
    seen_at: Mapped[datetime | None] = mapped_column(UtcInstant())
