"""An office goes live with five untidy spreadsheets: in, undone, in again, out as a whole and into an empty house."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_babel import force_locale

from backoffice.access import INTERNAL
from backoffice.actors import SYSTEM, Context, Door
from backoffice.database import RecordSession, begin_writing, make_engine, open_session
from backoffice.identity import load_actor
from backoffice.operations import everything as everything_in
from backoffice.records.everything import Everything
from models.company import Company
from models.contract_line import ContractLine
from models.import_batch import ImportBatch
from models.package_movement import PackageMovement
from models.staff import Staff
from models.support_package import SupportPackage
from seed.demo import remove_demo
from tests.clients import DESK, DeskClient
from tests.golive.files import House, MessyFile, messy_files
from tests.golive.walking import Brought, bring_in, form, undo
from tests.imports.test_everything import figures
from tests.servers import Databases

#: What the installation has before: its reference data.
HOUSE = House(
    "SEA Consulenze e Servizi S.r.l.", ("EDUPLAN", "FORMAZIONE-RSPP", "CONSULENZA-SSA"), "AC", "Backoffice Admin"
)


class InProcess:
    """The desk without a network."""

    def __init__(self, client: DeskClient) -> None:
        self.client = client

    def read(self, path: str) -> str:
        answer = self.client.get(path, follow_redirects=True)
        assert answer.status_code == 200, answer.text
        return answer.text

    def send(self, path: str, values: dict[str, Any]) -> str:
        body, kind = form(self.client.csrf_token, values)
        answer = self.client.post(path, data=body, content_type=kind)
        assert answer.status_code == 303, (path, answer.status_code, answer.text)
        return str(answer.location).removeprefix(DESK)


def empty(session: RecordSession) -> None:
    """Leave what a fresh installation has."""
    session.rollback()
    with begin_writing():
        remove_demo(session)
        session.commit()


def check(file: MessyFile, brought: Brought) -> None:
    """Compare what became of a file with what must."""
    assert (file.name, brought.promised, brought.new) == (file.name, file.good, file.good)
    wrong = {row: brought.refused[row] for row, why in file.refused.items() if why not in brought.refused[row]}
    assert wrong == {}, (file.name, {row: (file.refused[row], told) for row, told in wrong.items()})


def sums(session: RecordSession) -> tuple[int, int, int]:
    """Return the yearly fees in cents, the minutes left, and the minutes of the ledger."""
    session.rollback()
    asked = (ContractLine.yearly_fee, SupportPackage.residual_minutes, PackageMovement.minutes)
    fees, left, moved = (session.scalar(sa.select(sa.func.sum(one)), execution_options=INTERNAL) for one in asked)
    return round((fees or 0) * 100), int(left or 0), int(moved or 0)


@pytest.mark.long
@pytest.mark.databases("sqlite", "postgresql", long=("postgresql",))
@pytest.mark.parametrize(
    "companies",
    [
        50,
        pytest.param(5_000, marks=(pytest.mark.long, pytest.mark.timeout(3600))),
    ],
)
def test_an_office_goes_live(
    desk_client: Callable[..., DeskClient], session: RecordSession, companies: int, databases: Databases,
    database_url: str, engine: sa.Engine, desk: Flask, staff: Callable[[str], Staff], tmp_path: Path,
) -> None:  # fmt: skip
    empty(session)
    browser, files = InProcess(desk_client("admin")), messy_files(companies, HOUSE)
    for round_ in ("first", "again"):
        brought = []
        for file in files:
            brought.append(bring_in(browser, file))
            check(file, brought[-1])
        assert sums(session) == (files[3].total, files[5].total, files[5].total)
        if round_ == "first":
            for one in reversed(brought):
                assert "annullata" in undo(browser, one)
            session.rollback()
            alive = sa.select(sa.func.count(Company.id)).where(Company.deleted_at.is_(None))
            assert session.scalar(alive, execution_options=INTERNAL) == 0
            assert sums(session) == (0, 0, 0)
    admin = load_actor(session, staff("admin").id)
    before = figures(session, admin.group_id)
    path = tmp_path / "tutto.zip"
    with desk.app_context(), force_locale("it"), open_session(engine, Context(admin, Door.desk)) as own:
        Everything(own, admin).write_zip(path)
    session.rollback()
    engine.dispose()
    assert zipfile.is_zipfile(path)
    assert into_an_empty_house(databases, database_url, desk, path, admin) == before


def into_an_empty_house(
    databases: Databases, database_url: str, desk: Flask, path: Path, admin: Any
) -> dict[str, dict[str, object]]:
    """Import everything into a fresh installation; return its counts and sums."""
    url = databases.fresh("sqlite" if database_url.startswith("sqlite") else "postgresql")
    other = make_engine(url)
    with open_session(other, Context(SYSTEM, Door.job)) as fresh:
        empty(fresh)
    with desk.app_context(), open_session(other, Context(admin, Door.spreadsheet)) as own:
        with begin_writing():
            batches = everything_in.start(own, path.name, path.read_bytes(), actor=admin)
            for _rows in everything_in.apply_parts(own, batches, actor=admin):
                pass
            own.commit()
        refused = sa.select(ImportBatch.entity, ImportBatch.refused_count).where(ImportBatch.refused_count > 0)
        assert own.execute(refused).all() == []
        found = figures(own, admin.group_id)
    other.dispose()
    return found
