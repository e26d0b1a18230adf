"""A program that talks to the API with a token, and rows for it to talk about."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask_jwt_extended import create_access_token
from werkzeug.test import Client, TestResponse

from backoffice.database import RecordSession
from models.company import Company
from models.contract import Contract
from models.corporate_group import CorporateGroup
from models.group_company import GroupCompany
from models.staff import Staff
from tests.clients import DESK

API = f"{DESK}/api/v1"
PROBLEM = "application/problem+json"
#: What no answer may ever show.
LEAKS = ("SELECT ", "INSERT ", "UPDATE ", "sqlite3", "psycopg", "Traceback", "sqlalchemy")


class Program(Client):
    """Requests to the API on behalf of ``staff``; paths count from the API's own root."""

    def __init__(self, application: Any, desk: Flask, staff: Staff | None) -> None:
        super().__init__(application)
        self.headers: dict[str, str] = {}
        if staff is not None:
            with desk.app_context():
                self.headers = {"Authorization": f"Bearer {create_access_token(identity=staff.get_id(), fresh=True)}"}

    def open(self, *args: Any, version: int | None = None, **kwargs: Any) -> TestResponse:
        """Request a path of the API; ``version`` goes into If-Match."""
        headers = {**self.headers, **(kwargs.pop("headers", None) or {})}
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        if args and isinstance(args[0], str):
            args = (API + args[0], *args[1:])
        answer = super().open(*args, headers=headers, **kwargs)
        assert not [word for word in LEAKS if word in answer.text]
        return answer


def group_id(session: RecordSession, number: int = 1) -> int:
    """Return the key of the first or second corporate group."""
    return session.scalars(sa.select(CorporateGroup.id).order_by(CorporateGroup.id)).all()[number - 1]


def make_company(session: RecordSession, name: str = "Prova srl", *, group: int = 1, **values: Any) -> Company:
    """Store a company of a corporate group."""
    company = Company(legal_name=name, group_id=group_id(session, group), **values)
    session.add(company)
    session.commit()
    return company


def make_contract(session: RecordSession, company: Company, number: str = "C/1", **values: Any) -> Contract:
    """Store a draft contract of a company."""
    signing = sa.select(GroupCompany).where(GroupCompany.group_id == company.group_id).order_by(GroupCompany.id)
    contract = Contract(
        company=company,
        group_company=session.scalars(signing.limit(1)).one(),
        number=number,
        **{"starts_on": date(2026, 1, 1), **values},
    )
    session.add(contract)
    session.commit()
    return contract


def as_stored(session: RecordSession) -> RecordSession:
    """Return the session looking at what is stored by now, not at what was when it last began to read."""
    session.rollback()
    session.expire_all()
    return session
