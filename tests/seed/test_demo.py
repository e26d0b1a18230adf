"""The demonstration set: complete, consistent, recognisable, and gone when removed."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_babel import Babel
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.actors import SYSTEM, Context, Door
from backoffice.database import open_session
from backoffice.operations.contract_dates import advance_contracts
from backoffice.operations.deadlines import advance_deadlines, plan_missing_updates
from backoffice.operations.freezing import frozen_since
from backoffice.operations.licenses import expire_licenses
from backoffice.operations.packages import advance_packages
from backoffice.operations.tickets import close_tickets_for_good
from models.account import Account
from models.analysis import Analysis
from models.base import ENTITIES, Model
from models.call import Call
from models.certificate import Certificate
from models.client_document import ClientDocument
from models.company import Company
from models.company_service import CompanyService
from models.contact import Contact
from models.contract import Contract
from models.corporate_group import CorporateGroup
from models.deadline import Deadline
from models.history_entry import HistoryEntry
from models.license import License, LicenseState
from models.package_movement import PackageMovement
from models.service import Service
from models.staff import Staff
from models.support_package import SupportPackage
from models.ticket import Ticket, TicketState
from models.training_record import TrainingRecord
from models.values import ValueType
from models.waste_movement import WasteMovement
from seed.demo import load_demo, remove_demo
from seed.demo_removal import DemoStillUsed, demo_entities

EVERYTHING = {"include_deleted": True}


def demo_rows(session: Session, entity: Any) -> list[Any]:
    statement = sa.select(entity).where(entity.is_demo).order_by(entity.id)
    return list(session.scalars(statement, execution_options=EVERYTHING))


def group_ids(session: Session) -> list[int]:
    return list(session.scalars(sa.select(CorporateGroup.id).order_by(CorporateGroup.id)))


@pytest.mark.parametrize("entity", [Company, Contract, Service, Account, License, Ticket, Call, SupportPackage])
def test_every_state_occurs_twice_in_each_group(session: Session, entity: Any) -> None:
    found = Counter((row.group_id, row.state) for row in demo_rows(session, entity))
    states = type(demo_rows(session, entity)[0].state)
    missing = [(group, state) for group in group_ids(session) for state in states if found[group, state] < 2]
    assert not missing


@pytest.mark.parametrize("entity", [Deadline, ClientDocument, Analysis, Certificate, WasteMovement])
def test_client_data_are_there_in_every_state_of_clients_who_have_the_service(session: Session, entity: Any) -> None:
    rows = demo_rows(session, entity)
    found = Counter(row.state for row in rows)
    assert not [state for state in type(rows[0].state) if found[state] < 2]
    grant = CompanyService.__table__
    having = set(session.scalars(sa.select(grant.c.company_id), execution_options=INTERNAL))
    assert {row.company_id for row in rows} <= having


def test_nothing_is_dated_after_the_data_stand_still(session: Session) -> None:
    for entity in (TrainingRecord, ClientDocument, Analysis, WasteMovement):
        freeze: Any = entity.__admin__.freeze
        rows = demo_rows(session, entity)
        since = frozen_since(session, freeze.service, {row.company_id for row in rows})
        for row in rows:
            day = getattr(row, freeze.day)
            day = day.astimezone(clock.ROME).date() if isinstance(day, datetime) else day
            assert row.company_id not in since or day < since[row.company_id], row


def test_there_is_enough_of_everything(session: Session) -> None:
    assert len(demo_rows(session, Company)) == 200
    for entity in demo_entities():
        if entity.__table__.name in ("contact", "site", "contract_line", "ticket_message", "contact_role"):
            assert len(demo_rows(session, entity)) > 200
    contacts = demo_rows(session, Contact)
    assert sum(contact.deleted_at is not None for contact in contacts) == 4
    assert len({contact.company_id for contact in contacts if contact.is_main_referent}) == 200


def test_companies_are_of_all_kinds(session: Session) -> None:
    companies = demo_rows(session, Company)
    bodies = [row for row in companies if row.classification]
    assert len([row for row in bodies if not row.vat_number and row.tax_code.isdigit() and len(row.sdi_code) == 6]) >= 8
    assert len([row for row in companies if row.vat_number and len(row.tax_code or "") == 16]) == 16
    # Omocodia: a letter where the last figure of the birthplace would be.
    assert len([row for row in companies if len(row.tax_code or "") == 16 and row.tax_code[14].isalpha()]) >= 2
    assert len([row for row in companies if row.country != "IT"]) == 6
    assert all(row.sdi_code for row in companies if row.country == "IT")
    assert len([row for row in companies if row.iban]) > 20
    # "Comune di Valfiorita" lies in Valfiorita.
    assert all(row.legal_name.endswith(row.city) for row in bodies)
    for row in companies:
        for code in filter(None, (row.vat_number, row.tax_code)):
            assert not code.isdigit() or int(code[:7]) >= 9_900_001


def test_every_value_is_one_that_people_could_have_typed(session: Session) -> None:
    """The set is written past the forms, so it must prove that they would have accepted it."""
    application = Flask("typing")
    Babel(application, default_locale="it", default_timezone="Europe/Rome")
    with application.app_context():
        for entity in demo_entities():
            typed = [column for column in entity.__table__.columns if isinstance(column.type, ValueType)]
            for row in demo_rows(session, entity):
                for column in typed:
                    value = getattr(row, column.key)
                    if value is not None:
                        assert _same(column.type.parse(column.type.edit(value)), value), (entity, column, value)


def _same(parsed: Any, value: Any) -> bool:
    # Instants are typed to the minute.
    return bool(parsed == value or (hasattr(value, "second") and abs((parsed - value).total_seconds()) < 60))


def test_addresses_end_in_example(session: Session) -> None:
    for entity in demo_entities():
        for column in entity.__table__.columns:
            if type(column.type).__name__ == "Email" or column.name == "email":
                for row in demo_rows(session, entity):
                    address = getattr(row, column.key)
                    assert address is None or address.endswith(".example"), (entity, address)


def test_no_row_refers_to_the_other_group(session: Session) -> None:
    for entity in demo_entities():
        for key in entity.__table__.foreign_keys:
            target = key.column.table
            if (
                "group_id" not in entity.__table__.c
                or "group_id" not in target.c
                or key.parent.name.endswith("ed_by_id")
            ):
                continue
            other = target.alias()
            statement = (
                sa.select(sa.func.count())
                .select_from(entity.__table__.join(other, key.parent == other.c.id))
                .where(entity.__table__.c.is_demo, entity.__table__.c.group_id != other.c.group_id)
            )
            assert session.scalar(statement, execution_options=INTERNAL) == 0, key


def test_people_and_contracts_belong_to_the_company_of_the_row(session: Session) -> None:
    for ticket in demo_rows(session, Ticket):
        for related in (ticket.contact, ticket.contract, ticket.account):
            assert related is None or related.company_id == ticket.company_id
    for call in demo_rows(session, Call):
        for related in (call.contact, call.ticket):
            assert related is None or related.company_id == call.company_id
    for row in demo_rows(session, License):
        assert row.contact.company_id == row.company_id


def test_packages_hold_what_their_movements_say(session: Session) -> None:
    sums = dict(
        session.execute(
            sa.select(PackageMovement.package_id, sa.func.sum(PackageMovement.minutes)).group_by(
                PackageMovement.package_id
            )
        ).all()
    )
    for package in demo_rows(session, SupportPackage):
        assert package.residual_minutes == sums.get(package.id, 0)
        assert package.residual_minutes >= 0
        if package.state == "active":
            assert package.residual_minutes > 0
            assert package.valid_from <= clock.today() <= package.valid_to
        if package.state == "exhausted":
            assert package.residual_minutes == 0


def test_licenses_never_exceed_what_was_ordered(session: Session) -> None:
    counts = Counter(row.order_line_id for row in demo_rows(session, License))
    for line in demo_rows(session, ENTITIES["order_line"]):
        assert line.generated == counts[line.id] <= line.quantity
    for row in demo_rows(session, License):
        assert row.first_used_at is None or row.first_used_at.date() <= row.expires_on
        times = [row.created_at, row.sent_at, row.first_used_at]
        assert (row.expires_on < clock.today()) == (row.state is LicenseState.expired)
        assert [at for at in times if at] == sorted(at for at in times if at)


def test_times_of_tickets_come_in_their_order(session: Session) -> None:
    ended = {TicketState.closed_final, TicketState.archived, TicketState.rejected}
    numbers: set[tuple[int, str]] = set()
    for ticket in demo_rows(session, Ticket):
        times = [ticket.created_at, ticket.taken_at, ticket.first_closed_at, ticket.closed_at]
        assert [at for at in times if at] == sorted(at for at in times if at)
        assert max(at for at in times if at) <= clock.now()
        assert (ticket.closed_at is not None) == (ticket.state in ended)
        assert int(ticket.number.rpartition("-")[2]) <= ticket.queue.last_number
        numbers.add((ticket.group_id, ticket.number))
    assert len(numbers) == len(demo_rows(session, Ticket))


def test_nothing_is_overdue_for_a_job(session: Session) -> None:
    """States fit their dates, so the first night changes nothing."""
    today, now = clock.today(), clock.now()
    assert advance_contracts(session, today, actor=SYSTEM) == 0
    assert advance_packages(session, today, actor=SYSTEM) == 0
    assert expire_licenses(session, today, actor=SYSTEM) == 0
    assert close_tickets_for_good(session, now, actor=SYSTEM) == 0
    assert plan_missing_updates(session, actor=SYSTEM) == 0
    assert advance_deadlines(session, today, actor=SYSTEM) == 0


def test_dates_lie_in_past_and_future(session: Session) -> None:
    ends = [row.ends_on for row in demo_rows(session, Contract) if row.ends_on]
    assert min(ends) < clock.today() < max(ends)
    dues = [row.due_at for row in demo_rows(session, Ticket)]
    assert min(dues) < clock.now() < max(dues)


def test_every_row_has_its_history(session: Session) -> None:
    created = sa.select(HistoryEntry.entity, HistoryEntry.record_id).where(
        HistoryEntry.event == "created", HistoryEntry.door == Door.cli.value
    )
    known = Counter(session.execute(created))
    for entity in demo_entities():
        for row in demo_rows(session, entity):
            assert known[entity.__table__.name, row.id] == 1


def test_records_are_entrusted_to_the_demonstration_staff(session: Session) -> None:
    managers = {row.account_manager.username for row in demo_rows(session, Company) if row.account_manager}
    assert managers == {"demo.sales", "demo.sales.2"}
    assert {row.operator.username for row in demo_rows(session, Call)} == {
        "demo.contact_centre",
        "demo.contact_centre.2",
    }
    assert len({row.assignee.username for row in demo_rows(session, Ticket) if row.assignee}) >= 6


def test_loading_again_adds_nothing(session: Session) -> None:
    assert load_demo(session) == 0


def _count(session: Session, table: sa.Table, *criteria: Any) -> int:
    statement = sa.select(sa.func.count()).select_from(table).where(*criteria)
    return session.scalar(statement, execution_options=INTERNAL) or 0


@pytest.mark.long
def test_removal_takes_exactly_the_demonstration_rows(session: Session) -> None:
    tables = [table for table in Model.metadata.tables.values() if "is_demo" in table.c]
    real = {table.name: _count(session, table, ~table.c.is_demo) for table in tables}
    marked = sum(_count(session, table, table.c.is_demo) for table in tables)
    entries = _count(session, HistoryEntry.__table__)
    names = sorted(session.scalars(sa.select(Company.legal_name).where(Company.is_demo)))

    assert remove_demo(session) == marked
    assert {table.name: _count(session, table) for table in tables} == real
    # The history stays, and says that they went.
    assert _count(session, HistoryEntry.__table__) == entries + marked

    # And the same set comes again.
    assert load_demo(session) > 4000
    assert sorted(session.scalars(sa.select(Company.legal_name).where(Company.is_demo))) == names


def test_removal_is_refused_while_real_rows_refer_to_demonstration_rows(session: Session) -> None:
    company = session.scalars(sa.select(Company).where(Company.is_demo).limit(1)).one()
    session.add(Contact(company=company, first_name="Vera", last_name="Persona"))
    session.flush()
    before = len(demo_rows(session, Company))
    with pytest.raises(DemoStillUsed) as refusal:
        remove_demo(session)
    assert "Vera Persona" in refusal.value.values["referrers"]
    assert len(demo_rows(session, Company)) == before


def test_real_rows_of_demonstration_users_lose_only_their_author(session: Session, engine: sa.Engine) -> None:
    staff = session.scalars(sa.select(Staff).where(Staff.username == "demo.sales")).one()
    company = Company(legal_name="Vera S.r.l.", group_id=staff.group_id, created_by_id=staff.id)
    session.add(company)
    session.commit()
    remove_demo(session)
    session.commit()
    with open_session(engine, Context(SYSTEM, Door.cli)) as fresh:
        kept = fresh.scalars(sa.select(Company)).one()
        assert (kept.legal_name, kept.created_by_id) == ("Vera S.r.l.", None)
