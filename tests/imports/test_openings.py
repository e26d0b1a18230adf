"""Going live: contracts in force, tickets at work and hours left come in with their state, and only so."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa

from backoffice.access import INTERNAL
from backoffice.actors import Action, Actor, Grant
from backoffice.database import RecordSession
from backoffice.errors import InvalidRecord
from backoffice.operations import import_undo, plain
from backoffice.operations.import_mapping import targets_for
from backoffice.operations.verbs import perform
from backoffice.permissions import shipped_grants
from models.company import Company, CompanyState
from models.contract import Contract, ContractState
from models.group_company import GroupCompany
from models.import_batch import ImportBatch, ImportMode
from models.package_movement import MovementKind, PackageMovement
from models.staff import Staff
from models.support_package import PackageState, SupportPackage
from models.support_queue import SupportQueue
from models.ticket import Ticket, TicketState
from tests.imports.register import csv_bytes
from tests.imports.test_imports import counts, history, sentences
from tests.operations.world import day

Upload = Callable[..., ImportBatch]

CONTRACT = {
    "n": "number", "ditta": "company", "gruppo": "group_company", "stato": "state", "firma": "signed_on",
    "inizio": "starts_on", "fine": "ends_on", "recesso": "withdrawal_on",
}  # fmt: skip
TICKET = {
    "n": "number", "coda": "queue", "oggetto": "subject", "testo": "description", "stato": "state",
    "chi": "assignee", "aperto": "created_at",
}  # fmt: skip
PACKAGE = {
    "n": "number", "ditta": "company", "ore": "purchased_minutes", "residuo": "residual_minutes", "dal": "valid_from",
    "al": "valid_to", "stato": "state",
}  # fmt: skip


def it(value: date) -> str:
    return f"{value:%d/%m/%Y}"


@pytest.fixture
def prospect(records: RecordSession, actor: Actor) -> Company:
    """A company that is no client yet."""
    values = {"legal_name": "Nuova Prova Società Agricola", "vat_number": "99000010019"}
    company = plain.create_record(records, Company, values, actor=actor)
    records.commit()
    assert isinstance(company, Company)
    return company


def contract(records: RecordSession, **changes: str) -> dict[str, str]:
    group = records.scalars(sa.select(GroupCompany).limit(1)).one()
    row = dict.fromkeys(CONTRACT, "") | {"ditta": "99000010019", "gruppo": group.legal_name}
    return row | {"stato": "active", "firma": it(day(-40)), "inizio": it(day(-30)), "fine": it(day(300))} | changes


def bring(upload: Upload, entity: type, mapping: dict[str, str], *rows: dict[str, str]) -> ImportBatch:
    return upload(entity, csv_bytes(*rows), mapping=mapping, mode=ImportMode.create, matched_by="number")


def test_contracts_come_in_force_and_make_clients(records: RecordSession, upload: Upload, prospect: Company) -> None:
    rows = [
        contract(records, n="1"),
        contract(records, n="2", stato="expired", inizio=it(day(-400)), fine=it(day(-1))),
        contract(records, n="3", stato="", firma=""),
        contract(records, n="4", firma=""),
        contract(records, n="5", inizio=it(day(3))),
        contract(records, n="6", fine=it(day(-3))),
        contract(records, n="7", stato="restarted"),
        contract(records, n="8", recesso=it(day(-3))),
        contract(records, n="9", stato="withdrawn"),
        contract(records, n="10", ditta="nuova prova societa' AGRICOLA", stato="suspended"),
    ]
    batch = bring(upload, Contract, CONTRACT, *rows)
    why = sentences(records, batch)
    assert (counts(batch), sorted(why)) == ((4, 0, 0, 0, 6), [5, 6, 7, 8, 9, 10]), why
    assert [why[row].partition(":")[0] for row in sorted(why)] == [
        "firma",
        "inizio",
        "fine",
        "stato",
        "recesso",
        "recesso",
    ]
    made = {one.number: one for one in records.scalars(sa.select(Contract).where(Contract.company_id == prospect.id))}
    assert {number: one.state for number, one in made.items()} == {
        "1": ContractState.active, "2": ContractState.expired, "3": ContractState.draft, "10": ContractState.suspended,
    }  # fmt: skip
    assert [history(records, made[number])[0].event for number in ("1", "3")] == ["imported", "created"]
    records.refresh(prospect)
    assert (prospect.state, prospect.client_since) == (CompanyState.client, day(-30))


def test_undone_the_company_is_what_it_was_and_can_be_undone_too(
    records: RecordSession, upload: Upload, actor: Actor
) -> None:
    companies = upload(
        Company,
        csv_bytes({"nome": "Prova srl", "iva": "99000010019"}),
        mapping={"nome": "legal_name", "iva": "vat_number"},
        matched_by="vat_number",
    )
    batch = bring(upload, Contract, CONTRACT, contract(records, n="1"), contract(records, n="2"))
    company = records.scalars(sa.select(Company).where(Company.vat_number == "99000010019")).one()
    assert company.state is CompanyState.client
    assert import_undo.find_obstacles(records, companies)
    import_undo.undo_import(records, batch, actor=actor)
    records.commit()
    assert (company.state, company.client_since) == (CompanyState.prospect, None)
    assert import_undo.find_obstacles(records, companies) == []
    import_undo.undo_import(records, companies, actor=actor)
    assert records.scalars(sa.select(Company).where(Company.vat_number == "99000010019")).all() == []


def test_what_somebody_did_to_the_company_since_stays(
    records: RecordSession, upload: Upload, actor: Actor, prospect: Company
) -> None:
    batch = bring(upload, Contract, CONTRACT, contract(records, n="1"))
    plain.update_record(records, prospect, {"notes": "Sentiti al telefono"}, version=None, actor=actor)
    records.commit()
    import_undo.undo_import(records, batch, actor=actor)
    assert prospect.state is CompanyState.client


def test_tickets_come_with_number_and_age_and_the_queue_counts_on(
    records: RecordSession, upload: Upload, actor: Actor
) -> None:
    queue = records.scalars(
        sa.select(SupportQueue).where(SupportQueue.active, ~SupportQueue.requires_package).limit(1)
    ).one()
    ahead = queue.last_number + 70
    someone = records.scalars(sa.select(Staff).where(Staff.username == "demo.operator1")).one()
    who = f"{someone.last_name} {someone.first_name}".upper()
    row = dict.fromkeys(TICKET, "") | {"coda": queue.code, "oggetto": "Non parte", "testo": "Non parte più"}
    rows = [
        row | {"n": f"{queue.code}-{ahead}", "stato": "in_progress", "chi": who, "aperto": "03/02/2026 10:15"},
        row | {"n": "V/881", "stato": "assigned"},
        row | {"n": "V/882", "stato": "in_progress"},
        row | {"n": "V/883", "stato": "archived"},
        row | {"n": "V/884", "aperto": it(day(2))},
        row | {"n": "V/885", "chi": "Nessuno Mai"},
    ]
    batch = bring(upload, Ticket, TICKET, *rows)
    why = sentences(records, batch)
    assert (counts(batch), sorted(why)) == ((2, 0, 0, 0, 4), [4, 5, 6, 7]), why
    ticket = records.scalars(sa.select(Ticket).where(Ticket.number == f"{queue.code}-{ahead}")).one()
    assert (ticket.state, ticket.assignee) == (TicketState.in_progress, someone)
    assert ticket.created_at == datetime(2026, 2, 3, 9, 15, tzinfo=UTC)
    values = {"queue": queue, "subject": "Nuovo", "description": "Nuovo"}
    assert plain.create_record(records, Ticket, values, actor=actor).number == f"{queue.code}-{ahead + 1}"
    # The same file once more writes nothing, and no file changes the state of a ticket that is there.
    records.commit()
    again = upload(Ticket, csv_bytes(rows[0] | {"stato": "assigned"}), mapping=TICKET, matched_by="number")
    assert (counts(again), again.noted_count) == ((0, 0, 1, 0, 0), 1)
    assert ticket.state is TicketState.in_progress


def test_hours_left_begin_the_ledger(records: RecordSession, upload: Upload, actor: Actor, prospect: Company) -> None:
    row = dict.fromkeys(PACKAGE, "") | {"ditta": "99000010019", "ore": "40:00", "dal": it(day(-100))}
    rows = [
        row | {"n": "P1", "residuo": "12:30"},
        row | {"n": "P2", "residuo": "0:00"},
        row | {"n": "P3", "residuo": "3:00", "al": it(day(-2))},
        row | {"n": "P4"},
        row | {"n": "P5", "residuo": "41:00"},
        row | {"n": "P6", "residuo": "0:00", "stato": "active"},
        row | {"n": "P7", "residuo": "4:00", "dal": ""},
        row | {"n": "P8", "residuo": "4:00", "stato": "requested"},
        row | {"n": "P9", "residuo": "-4:00"},
    ]
    batch = bring(upload, SupportPackage, PACKAGE, *rows)
    why = sentences(records, batch)
    assert (counts(batch), sorted(why)) == ((4, 0, 0, 0, 5), [6, 7, 8, 9, 10]), why
    made = {
        p.number: p for p in records.scalars(sa.select(SupportPackage).where(SupportPackage.company_id == prospect.id))
    }
    assert {number: (p.state, p.residual_minutes) for number, p in made.items()} == {
        "P1": (PackageState.active, 750), "P2": (PackageState.exhausted, 0),
        "P3": (PackageState.expired, 180), "P4": (PackageState.requested, 0),
    }  # fmt: skip
    assert ledger(records, prospect) == [(MovementKind.opening, 750), (MovementKind.opening, 180)]
    import_undo.undo_import(records, batch, actor=actor)
    records.commit()
    assert ledger(records, prospect) == []
    bring(upload, SupportPackage, PACKAGE, *rows)
    package = records.scalars(sa.select(SupportPackage).where(SupportPackage.number == "P1")).one()
    perform(records, package, "charge", {"minutes": "0:30"}, actor=actor)
    assert ledger(records, prospect) == [
        (MovementKind.opening, 750),
        (MovementKind.opening, 180),
        (MovementKind.charge, -30),
    ]
    records.commit()
    batch = records.scalars(sa.select(ImportBatch).order_by(ImportBatch.id.desc()).limit(1)).one()
    assert [one.number for one in import_undo.find_obstacles(records, batch)] == [2]


def ledger(records: RecordSession, company: Company) -> list[tuple[str, int]]:
    statement = sa.select(PackageMovement.kind, PackageMovement.minutes).where(PackageMovement.company_id == company.id)
    return [tuple(row) for row in records.execute(statement.order_by(PackageMovement.id), execution_options=INTERNAL)]


def test_nobody_else_says_what_state_a_record_has(records: RecordSession, actor: Actor, upload: Upload) -> None:
    assert {"state", "withdrawal_on"} <= targets_for(Contract, actor).keys()
    seller = dataclasses.replace(actor, grants={k: (v,) for k, v in shipped_grants("sales").items()})
    assert not {"state", "withdrawal_on"} & targets_for(Contract, seller).keys()
    rights = actor.grants["imports"][0]
    without = dataclasses.replace(rights, actions=rights.actions - {Action.transition})
    narrow = dataclasses.replace(actor, grants={**actor.grants, "imports": (without,)})
    assert isinstance(without, Grant)
    assert "number" not in targets_for(Ticket, narrow)
    with pytest.raises(InvalidRecord):
        plain.create_record(records, Contract, {"state": "active"}, actor=actor)
