"""The tables of the product as the rivals are told of them: the same columns on lists and in forms, the same relations.

Read by the rivals' own interpreter, which has nothing of the product's.
"""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Date, DateTime, ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

#: Where the data lies; the rivals' own tables (users, sessions) lie in a schema of their own.
URL = os.environ.get("BENCH_URL", "")
#: Whether the toolkits are set up as somebody does who has met their slowness, and not only as they come.
TUNED = os.environ.get("BENCH_TUNED") == "1"
NAME = "bench"
PASSWORD = "quattro-gatti-verdi-27"
SECRET = "not-a-secret-but-long-enough-to-sign-with"
#: As the product's list has them.
LIST = ["number", "subject", "company", "state", "priority", "assignee", "due_at"]
FORM = [
    "number", "subject", "description", "company", "contact", "contract", "state", "priority", "channel", "queue",
    "team", "request_type", "service", "assignee", "due_at",
]  # fmt: skip


def declare(base: Any) -> SimpleNamespace:
    """Return the classes of the tables, mapped on ``base``."""

    class Named(base):
        __abstract__ = True
        id: Mapped[int] = mapped_column(Integer, primary_key=True)
        name: Mapped[str] = mapped_column(String(120))

        def __str__(self) -> str:
            return self.name

    class Queue(Named):
        __tablename__ = "support_queue"

    class Team(Named):
        __tablename__ = "support_team"

    class RequestType(Named):
        __tablename__ = "request_type"

    class Service(Named):
        __tablename__ = "service"

    class Staff(base):
        __tablename__ = "ab_user"
        __table_args__ = {"schema": "public"}  # the toolkit has a table of that name too
        id: Mapped[int] = mapped_column(Integer, primary_key=True)
        first_name: Mapped[str] = mapped_column(String(64))
        last_name: Mapped[str] = mapped_column(String(64))

        def __str__(self) -> str:
            return f"{self.first_name} {self.last_name}"

    class Company(base):
        __tablename__ = "company"
        id: Mapped[int] = mapped_column(Integer, primary_key=True)
        legal_name: Mapped[str] = mapped_column(String(200))
        vat_number: Mapped[str | None] = mapped_column(String(20))
        state: Mapped[str] = mapped_column(String(20))
        city: Mapped[str | None] = mapped_column(String(100))
        province: Mapped[str | None] = mapped_column(String(10))
        phone: Mapped[str | None] = mapped_column(String(20))
        tickets: Mapped[list[Ticket]] = relationship(back_populates="company")

        def __str__(self) -> str:
            return self.legal_name

    class Contact(base):
        __tablename__ = "contact"
        id: Mapped[int] = mapped_column(Integer, primary_key=True)
        company_id: Mapped[int] = mapped_column(ForeignKey("company.id"))
        first_name: Mapped[str] = mapped_column(String(100))
        last_name: Mapped[str] = mapped_column(String(100))
        email: Mapped[str | None] = mapped_column(String(254))
        company: Mapped[Company] = relationship()

        def __str__(self) -> str:
            return f"{self.last_name} {self.first_name}"

    class Contract(base):
        __tablename__ = "contract"
        id: Mapped[int] = mapped_column(Integer, primary_key=True)
        company_id: Mapped[int] = mapped_column(ForeignKey("company.id"))
        number: Mapped[str] = mapped_column(String(40))
        state: Mapped[str] = mapped_column(String(20))
        starts_on: Mapped[Any | None] = mapped_column(Date)
        ends_on: Mapped[Any | None] = mapped_column(Date)
        company: Mapped[Company] = relationship()

        def __str__(self) -> str:
            return self.number

    class Ticket(base):
        __tablename__ = "ticket"
        id: Mapped[int] = mapped_column(Integer, primary_key=True)
        number: Mapped[str] = mapped_column(String(40))
        subject: Mapped[str] = mapped_column(String(200))
        description: Mapped[str] = mapped_column(Text)
        state: Mapped[str] = mapped_column(String(30))
        priority: Mapped[str] = mapped_column(String(20))
        channel: Mapped[str] = mapped_column(String(20))
        due_at: Mapped[Any | None] = mapped_column(DateTime(timezone=True))
        created_at: Mapped[Any] = mapped_column(DateTime(timezone=True))
        company_id: Mapped[int | None] = mapped_column(ForeignKey("company.id"))
        contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"))
        contract_id: Mapped[int | None] = mapped_column(ForeignKey("contract.id"))
        queue_id: Mapped[int] = mapped_column(ForeignKey("support_queue.id"))
        team_id: Mapped[int | None] = mapped_column(ForeignKey("support_team.id"))
        request_type_id: Mapped[int | None] = mapped_column(ForeignKey("request_type.id"))
        service_id: Mapped[int | None] = mapped_column(ForeignKey("service.id"))
        assignee_id: Mapped[int | None] = mapped_column(ForeignKey("public.ab_user.id"))
        company: Mapped[Company | None] = relationship(back_populates="tickets")
        contact: Mapped[Contact | None] = relationship()
        contract: Mapped[Contract | None] = relationship()
        queue: Mapped[Queue] = relationship()
        team: Mapped[Team | None] = relationship()
        request_type: Mapped[RequestType | None] = relationship()
        service: Mapped[Service | None] = relationship()
        assignee: Mapped[Staff | None] = relationship()

        def __str__(self) -> str:
            return self.number

    # All of them: a mapped class that nobody holds is gone before another can refer to it.
    classes = (Queue, Team, RequestType, Service, Staff, Company, Contact, Contract, Ticket)
    return SimpleNamespace(**{one.__name__: one for one in classes})
