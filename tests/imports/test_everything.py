"""Everything that somebody may see as one file, and back into an empty installation."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_babel import force_locale
from werkzeug.test import TestResponse

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.actors import SYSTEM, Actor, Context, Door
from backoffice.database import RecordSession, begin_writing, open_session
from backoffice.identity import load_actor
from backoffice.jobs import import_task, run_if_due
from backoffice.mail.rendering import Wording
from backoffice.operations import everything as everything_in
from backoffice.operations import import_results
from backoffice.operations.overrides import change_mail, change_setting, change_text
from backoffice.records.everything import Everything, carried, in_order
from backoffice.setting_keys import IMPORT_ROWS
from backoffice.settings import SETTINGS
from backoffice.spreadsheets.archive import read_tables
from backoffice.spreadsheets.reading import read_table
from backoffice.spreadsheets.tables import Table
from backoffice.texts import TEXTS
from models.catalogue import Kind
from models.company import Company, CompanyState
from models.contact import Contact
from models.contract import Contract
from models.export_entry import ExportEntry
from models.history_entry import HistoryEntry
from models.import_batch import ImportBatch, ImportOutcome
from models.job import Job, JobState
from models.mail_template import MailTemplate
from models.outbox_mail import MailLanguage
from models.portal import Portal
from models.setting import Setting
from models.staff import Staff
from models.text_block import TextBlock
from models.work_task import WorkTask
from seed.demo import remove_demo
from tests.clients import DESK, DeskClient


def test_all_that_one_may_see_is_in_it(desk: Flask, records: RecordSession, actor: Actor, tmp_path: Path) -> None:
    everything = Everything(records, actor)
    with desk.app_context(), force_locale("it"):
        everything.write_zip(tmp_path / "all.zip")
    held = {part.entity: part.rows for part in everything.parts}
    assert set(held) == set(in_order())
    for entity in (Company, Contact, Contract):
        assert held[entity] == records.scalar(sa.select(sa.func.count(entity.id)))
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        tables = {name: read_table(archive.read(name)) for name in archive.namelist()}
    assert {len(table.rows) for table in tables.values()} == set(held.values())


@pytest.mark.parametrize(("role", "iban"), [("administrator", True), ("management", False)])
def test_the_page_sends_it_and_keeps_a_line_for_each_kind(
    desk_client: Callable[..., DeskClient], session: RecordSession, role: str, iban: bool
) -> None:
    client = desk_client(role)
    assert "/everything/export.zip" in client.get("/everything/").text
    with client.get("/everything/export.zip") as file:
        assert file.status_code == 200
        content = file.data
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        table = read_table(archive.read("Aziende.csv"))
    assert ("IBAN" in table.headings) is iban
    session.rollback()
    kept = session.scalars(sa.select(ExportEntry).where(ExportEntry.entity == "company")).one()
    assert (kept.row_count, kept.is_complete, kept.format) == (len(table.rows), True, "zip")


def test_without_the_right_to_export_there_is_nothing(desk_client: Callable[..., DeskClient]) -> None:
    for path in ("/everything/", "/everything/export.zip"):
        assert desk_client("consultant").get(path).status_code == 403
        assert desk_client().get(path).status_code == 302
    assert "/everything/" not in desk_client("consultant").get("/").text
    assert desk_client("administrator").get("/everything/export.pdf").status_code == 404


#: What is added up; of everything else is counted how many rows have a value.
SUMMED = frozenset({Kind.money, Kind.minutes, Kind.integer, Kind.decimal})


def figures(session: RecordSession, group_id: int | None) -> dict[str, dict[str, object]]:
    """Return for each entity how many rows the group has, and the sums and the spread of what they hold."""
    found = {}
    for entity in in_order():
        table = entity.__table__
        wheres = [table.c.group_id == group_id] if "group_id" in table.c else []
        wheres += [table.c.deleted_at.is_(None)] if "deleted_at" in table.c else []
        for field in carried(entity):
            if field.kind is Kind.relation and field.required and "deleted_at" in field.target.__table__.c:
                other = field.target.__table__
                alive = sa.select(other.c.id).where(other.c.deleted_at.is_(None))
                wheres.append(table.c[field.column].in_(alive))
        told: dict[str, object] = {"rows": _ask(session, sa.select(sa.func.count(table.c.id)).where(*wheres))}
        for field in carried(entity):
            column = table.c[field.column]
            measure = sa.func.sum(column) if field.kind in SUMMED else sa.func.count(column)
            told[field.name] = _ask(session, sa.select(measure).where(*wheres))
            if field.kind in (Kind.choice, Kind.boolean):
                spread = sa.select(column, sa.func.count()).where(*wheres).group_by(column)
                told[field.name] = sorted(_ask(session, spread))
        found[table.name] = told
    return found


def _ask(session: RecordSession, statement: Any) -> list[tuple[str, ...]]:
    return [tuple(map(str, row)) for row in session.execute(statement, execution_options=INTERNAL)]


def choose(session: RecordSession, admin: Actor) -> None:
    """Let the corporate group have a figure, a text and a mail of its own."""
    own = next(key for key in SETTINGS.values() if key.per_group and isinstance(key.default, int))
    portal = session.scalars(sa.select(Portal).where(Portal.group_id == admin.group_id).limit(1)).one()
    text = next(iter(TEXTS.values()))
    with begin_writing():
        change_setting(session, own, str(own.default + 1), version=0, actor=admin)
        change_text(session, text, MailLanguage.it, portal, "Benvenuti da noi", version=0, actor=admin)
        wording = Wording(subject="Benvenuto", body="Buongiorno {{ name }}")
        change_mail(session, "staff_password", MailLanguage.it, None, wording, version=0, actor=admin)
        session.commit()


@pytest.mark.long
def test_what_went_out_comes_back_into_an_empty_installation(
    desk: Flask, engine: sa.Engine, session: RecordSession, staff: Callable[[str], Staff], tmp_path: Path
) -> None:
    admin = load_actor(session, staff("admin").id)
    path = tmp_path / "all.zip"
    choose(session, admin)
    before = figures(session, admin.group_id)
    assert all(before[name]["rows"] != [("0",)] for name in ("setting", "text_block", "mail_template"))
    with desk.app_context(), force_locale("it"), open_session(engine, Context(admin, Door.desk)) as own:
        everything = Everything(own, admin)
        everything.write_zip(path)
        everything.write_xlsx(tmp_path / "all.xlsx")
    sheets, files = read_tables((tmp_path / "all.xlsx").read_bytes()), read_tables(path.read_bytes())
    assert _outline(sheets) == _outline(files)
    session.rollback()
    with begin_writing():
        remove_demo(session)
        for table in (Setting.__table__, TextBlock.__table__, MailTemplate.__table__):
            session.execute(sa.delete(table).where(table.c.group_id == admin.group_id), execution_options=INTERNAL)
        session.commit()
    with desk.app_context(), begin_writing(), open_session(engine, Context(admin, Door.spreadsheet)) as own:
        batches = everything_in.start(own, path.name, path.read_bytes(), actor=admin)
        for _rows in everything_in.apply_parts(own, batches, actor=admin):
            pass
        assert _refused(own, batches) == {}
        own.commit()
    after = figures(session, admin.group_id)
    assert {name: [pair for pair in after[name].items() if pair not in before[name].items()] for name in after} == {
        name: [] for name in after
    }


def _outline(tables: list[tuple[str, Table]]) -> list[tuple[str, list[str], list[str]]]:
    """Return names, headings and codes: of the rest a workbook knows what is a day or a number, and a CSV does not."""
    return [(name, table.headings, [cells[0] for _number, cells in table.rows]) for name, table in tables]


def _refused(session: RecordSession, batches: Sequence[ImportBatch]) -> dict[str, list[object]]:
    found: dict[str, list[object]] = {}
    for batch in batches:
        for row in import_results.find_rows(session, batch, ImportOutcome.refused, limit=3):
            found.setdefault(f"{batch.entity} {batch.refused_count} of {batch.row_count}", []).append(row.findings)
    return found


@pytest.mark.long
def test_only_into_an_empty_group_by_whoever_looks_after_the_installation(
    desk_client: Callable[..., DeskClient], session: RecordSession
) -> None:
    """The page: what it refuses, and a small file all the way with a trial that leaves nothing."""
    admin = desk_client("admin")
    assert 'type="file"' not in admin.get("/everything/").text, "there are companies"
    assert desk_client("administrator").get("/everything/1").status_code == 403, "of one group only"
    rows = "Codice esterno;Ragione sociale;Stato;Creazione\r\ncompany:7;Prova srl;Ex cliente;31/12/2020 10:00:00\r\n"
    people = "Codice esterno;Azienda;Nome;Cognome\r\ncontact:9;company:7;Ada;Rossi\r\ncontact:10;company:8;Ida;Bo\r\n"
    good = _archive({"Aziende.csv": rows, "Contatti.csv": people})
    assert _upload(admin, good).status_code == 409
    session.rollback()
    with begin_writing():
        remove_demo(session)
        session.commit()
    assert 'type="file"' in admin.get("/everything/").text
    for content in (b"x", _archive({"Altro.csv": rows}), _archive({"Aziende.csv": "Codice esterno;Boh\r\n1;2\r\n"})):
        page = _upload(admin, content)
        assert (page.status_code, 'role="alert"' in page.text) == (422, True)
    parts = str(_upload(admin, good).location).removeprefix(DESK)
    assert admin.submit(f"{parts}/trial").status_code == 303
    assert admin.get(parts).text.count("company:8") == 1
    assert admin.submit(f"{parts}/trial").status_code == 303, "as often as one likes"
    session.rollback()
    assert session.scalars(sa.select(Company)).all() == []
    number = session.scalars(sa.select(ImportBatch.id).where(ImportBatch.entity == "company")).one()
    session.rollback()
    for page in ("columns", "apply"):
        assert admin.submit(f"/company/import/{number}/{page}").status_code == 404, "not past what guards the whole"
    assert admin.submit(f"{parts}/apply").status_code == 303
    session.rollback()
    company = session.scalars(sa.select(Company)).one()
    assert (company.state, company.created_at.year) == (CompanyState.former, 2020)
    assert [contact.last_name for contact in session.scalars(sa.select(Contact))] == ["Rossi"]
    told = sa.select(HistoryEntry).where(HistoryEntry.entity == "company", HistoryEntry.record_id == company.id)
    entry = session.scalars(told.order_by(HistoryEntry.id.desc())).first()
    assert entry is not None
    assert (entry.event, entry.door) == ("imported", "spreadsheet")
    assert "company:8" in admin.get(parts).text
    assert admin.submit(f"{parts}/apply").status_code == 409


def test_a_long_file_is_done_beside_the_page(
    desk_client: Callable[..., DeskClient], session: RecordSession, engine: sa.Engine
) -> None:
    admin = desk_client("admin")
    with begin_writing():
        remove_demo(session)
        change_setting(session, IMPORT_ROWS, "100", version=0, actor=SYSTEM)
        now = clock.now()
        session.add(WorkTask(name="imports", seen_at=now, next_run_at=now))
        session.commit()
    rows = "".join(f"company:{n};Ditta {n} srl;Cliente\r\n" for n in range(1, 151))
    people = "contact:9;company:7;Ada;Rossi\r\ncontact:10;company:999;Ida;Bo\r\n"
    files = {
        "Aziende.csv": f"Codice esterno;Ragione sociale;Stato\r\n{rows}",
        "Contatti.csv": f"Codice esterno;Azienda;Nome;Cognome\r\n{people}",
    }
    parts = str(_upload(admin, _archive(files)).location).removeprefix(DESK)
    for _twice in range(2):
        assert admin.submit(f"{parts}/trial").status_code == 303
    waiting = admin.get(parts).text
    assert "Il file attende il suo turno." in waiting
    assert "/apply" not in waiting
    assert run_if_due(engine, import_task())
    session.rollback()
    assert session.scalars(sa.select(Company)).all() == []
    job = session.scalars(sa.select(Job)).one()  # asked for twice, it is done once
    assert job.state is JobState.done, job.problem
    assert job.result == "151 nuove, 0 da modificare, 0 già uguali, 1 respinte"
    session.rollback()
    tried = admin.get(parts).text
    assert "company:999" in tried
    assert admin.submit(f"{parts}/apply").status_code == 303
    assert run_if_due(engine, import_task())
    session.rollback()
    assert session.scalar(sa.select(sa.func.count(Company.id))) == 150
    assert [contact.last_name for contact in session.scalars(sa.select(Contact))] == ["Rossi"]
    assert admin.submit(f"{parts}/apply").status_code == 409


def _upload(client: DeskClient, content: bytes) -> TestResponse:
    return client.submit("/everything/", {"file": (io.BytesIO(content), "tutto.zip")})


def _archive(files: dict[str, str]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return file.getvalue()
