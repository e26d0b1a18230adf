"""Somebody with a role at every door, what they must see there, and the rows that each role must not see."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from python_calamine import CalamineWorkbook
from werkzeug.test import TestResponse
from werkzeug.utils import cached_property

from backoffice import clock
from backoffice.actors import SYSTEM, Context, Door
from backoffice.database import RecordSession, open_session
from models.account import Account
from models.account_deletion import AccountDeletion, DeletionState
from models.account_session import AccountSession
from models.api_key import ApiKey
from models.base import ENTITIES, Recorded
from models.calendar_exception import CalendarException
from models.catalogue import Kind, fields, slug
from models.company import Company
from models.company_consultant import CompanyConsultant
from models.contact import Contact
from models.export_entry import ExportEntry
from models.history_entry import SignInEntry
from models.import_batch import ImportBatch
from models.inbound_mail import Disposition, InboundMail
from models.mailbox import Mailbox
from models.on_call_alert import AlertState, OnCallAlert
from models.on_call_shift import OnCallShift
from models.outbox_mail import OutboxMail
from models.penalty import Penalty
from models.penalty_rule import PenaltyRule, PenaltyTrigger
from models.portal import Portal
from models.portal_host import PortalHost
from models.quick_reply import QuickReply
from models.saved_view import SavedView
from models.service_calendar import ServiceCalendar
from models.sla_policy import SlaKind
from models.staff import Staff
from models.support_queue import SupportQueue
from models.support_team import SupportTeam
from models.ticket import OPEN_STATES, Ticket
from models.ticket_archive import TicketArchive
from models.ticket_follower import TicketFollower
from models.time_entry import TimeEntry
from tests.access.expected import APPEND_ONLY, RIGHTS, ROLES, WRITTEN_BY_VERBS, Right, letters_on, visible_ids
from tests.clients import DESK, DeskClient
from tests.sample import SAMPLE

SWEPT = list(ENTITIES.values())
#: One of each role, and two of the other corporate group.
USERS = [*(f"demo.{role}" for role in ROLES), "demo.sales.2", "demo.operator1.2"]


def new_to(role: str) -> list[type[Recorded]]:
    """Return the entities on which no earlier role has the same right: letters and rows alike are one case."""
    earlier = ROLES[: ROLES.index(role)]
    areas = {area for _role, area in RIGHTS}
    new = {area for area in areas if all(RIGHTS[role, area] != RIGHTS[other, area] for other in earlier)}
    return [entity for entity in SWEPT if entity.__admin__.area in new]


#: One role for each kind of row scope: they sweep every day, all the others when there are minutes.
DAILY = ("consultant", "operator1")


def daily(role: str) -> list[pytest.MarkDecorator]:
    """Return the marks of what a role tries."""
    return [] if role in DAILY else [pytest.mark.long]


def sample(role: str) -> list[type[Recorded]]:
    """Return some of the entities on which no earlier role has the same right."""
    return [entity for entity in new_to(role) if entity in SAMPLE]


#: Who sweeps what: some rights that are new with a role every day; every role on every entity.
SWEEPS = [pytest.param(f"demo.{role}", sample(role), id=role) for role in DAILY]
SWEEPS += [pytest.param(f"demo.{role}", SWEPT, id=f"{role}-all", marks=pytest.mark.long) for role in ROLES]
#: The other kind of database tells rows apart by the same conditions.
FEWER = [pytest.param("demo.consultant", sample("consultant"), id="consultant", marks=pytest.mark.long)]
FEWER += [
    pytest.param(f"demo.{role}", new_to(role), id=f"{role}-all", marks=pytest.mark.long)
    for role in ("operator1", "evaluator", "consultant")
]
#: Larger lists are looked at through a window in their middle, where the rows of the two groups meet.
WINDOW = 80
#: A key that no row has.
NOBODY = 2_000_000_000


def has_forms(entity: type[Recorded]) -> bool:
    """Say whether people write the rows of ``entity`` themselves."""
    return entity.__table__.name not in APPEND_ONLY | WRITTEN_BY_VERBS


class Person:
    """Somebody with a role, at every door at once."""

    def __init__(self, client: DeskClient, staff: Staff, connection: sa.Connection, token: str) -> None:
        self.client, self.staff, self.connection = client, staff, connection
        self.role = staff.username.split(".")[1]
        self.headers = {"Authorization": f"Bearer {token}"}

    def may(self, letter: str, entity: type[Recorded]) -> bool:
        return letter in letters_on(self.role, entity)

    def right(self, entity: type[Recorded]) -> Right:
        return RIGHTS[self.role, entity.__admin__.area]

    def stored(self, statement: str, **values: Any) -> list[Any]:
        """Return the rows of hand-written SQL as they are stored by now."""
        self.connection.rollback()
        return list(self.connection.execute(sa.text(statement), values))

    def visible(self, entity: type[Recorded]) -> set[int]:
        self.connection.rollback()
        return visible_ids(self.connection, entity, self.right(entity), self.staff)

    @cached_property
    def names_hidden(self) -> list[str]:
        """The names of companies that the person must not see, and that no company they see has as well.

        What is gone keeps its name for whoever reads the whole group (``docs/decisions.md``, Pages, number 35).
        """
        right = self.right(Company)
        whole = self.staff.group_id if "R" in right.letters and right.rows == "group" else None
        visible = self.visible(Company)
        rows = self.stored("SELECT id, legal_name, group_id, deleted_at FROM company")
        known = {name for key, name, group, gone in rows if key in visible or (gone is not None and group == whole)}
        return sorted({row.legal_name for row in rows} - known)

    def every(self, entity: type[Recorded]) -> list[int]:
        return [key for (key,) in self.stored(f"SELECT id FROM {entity.__table__.name} ORDER BY id")]

    def hidden(self, entity: type[Recorded]) -> list[int]:
        """Return one row of the own corporate group that is not the person's, and one of the other, as there are."""
        visible = self.visible(entity)
        if not self.may("R", entity):
            return self.every(entity)[:1]
        if "group_id" not in entity.__table__.c:
            return [key for key in self.every(entity) if key not in visible][:1]
        rows = self.stored(f"SELECT id, group_id FROM {entity.__table__.name} ORDER BY id")
        own = [key for key, group in rows if group == self.staff.group_id and key not in visible]
        others = [key for key, group in rows if group != self.staff.group_id]
        assert not visible & set(others)
        return [*own[:1], *others[:1]]

    def api(self, path: str, *, method: str = "GET", version: Any = None, **options: Any) -> TestResponse:
        headers = self.headers if version is None else {**self.headers, "If-Match": f'"{version}"'}
        return self.client.open(f"/api/v1/{path}", method=method, headers=headers, **options)

    def cell(self, entity: type[Recorded], key: int, column: str, value: str, version: Any) -> TestResponse:
        sent = {"pk": key, "column": column, "value": value, "version": version}
        return self.client.submit(f"/grid/{slug(entity)}/ajax/update/", sent)

    def paste(self, entity: type[Recorded], key: int, column: str, value: str, version: Any) -> TestResponse:
        sent = {"rows": [{"pk": key, "version": version, "cells": {column: value}}]}
        headers = {"X-CSRFToken": self.client.csrf_token}
        return self.client.post(f"/grid/{slug(entity)}/ajax/paste/", json=sent, headers=headers)


def window(person: Person, entity: type[Recorded]) -> tuple[str, set[int]]:
    """Return the filter that leaves the middle of a long list, nothing for a short one, and the keys it must show."""
    visible = person.visible(entity)
    if len(visible) <= WINDOW:
        return "", visible
    every = person.every(entity)
    middle = max(0, len(every) // 2 - WINDOW // 2)
    covered = every[middle : middle + WINDOW]
    return f"&f=id:between:{covered[0]}..{covered[-1]}", visible & set(covered)


def listed(person: Person, entity: type[Recorded], query: str = "") -> set[int]:
    """Return the keys on all pages of a desk list."""
    return _turned(person, f"/{slug(entity)}/?n=200{query}", rf'data-url="{DESK}/{slug(entity)}/(\d+)"')


def gridded(person: Person, entity: type[Recorded], query: str = "") -> set[int]:
    """Return the keys on all pages of a grid."""
    return _turned(person, f"/grid/{slug(entity)}/?n=200{query}", r'data-pk="(\d+)"')


def _turned(person: Person, path: str | None, pattern: str) -> set[int]:
    found: set[int] = set()
    while path:
        answer = person.client.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        found |= {int(key) for key in re.findall(pattern, answer.text)}
        keep_names_hidden(person, answer.text, path)
        following = re.search(r'href="([^"]+)" rel="next"', answer.text)
        path = html.unescape(following[1]).removeprefix(DESK) if following else None
    return found


def answered(person: Person, entity: type[Recorded], query: str = "") -> set[int]:
    """Return the keys on all pages of the API."""
    found: set[int] = set()
    path: str | None = f"{slug(entity)}/?n=100{query}"
    while path:
        answer = person.api(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text[:300])
        found |= {row["id"] for row in answer.json["result"]}
        keep_names_hidden(person, answer.get_data().decode("unicode-escape"), path)
        path = (answer.json["next"] or "").removeprefix(f"{DESK}/api/v1/") or None
    return found


def exported_as_csv(person: Person, entity: type[Recorded], query: str = "") -> set[int]:
    text = person.client.get(f"/{slug(entity)}/export.csv?{_all_columns(entity)}{query}").get_data(as_text=True)
    keep_names_hidden(person, text, "csv")
    return _keys_in(person, entity, csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=";"))


def exported_as_xlsx(person: Person, entity: type[Recorded], query: str = "") -> set[int]:
    answer = person.client.get(f"/{slug(entity)}/export.xlsx?{_all_columns(entity)}{query}")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(answer.get_data())).get_sheet_by_index(0).to_python()
    answer.close()
    keep_names_hidden(person, repr(rows), "xlsx")
    return _keys_in(person, entity, rows)


def _all_columns(entity: type[Recorded]) -> str:
    names = (name for name, field in fields(entity).items() if field.kind is not Kind.children and not field.secret)
    return f"c={','.join(dict.fromkeys((_name_of_key(entity), *names)))}"


def _name_of_key(entity: type[Recorded]) -> str:
    """Return the column that names a row: its number, which users alone do not show."""
    return "id" if "id" in fields(entity) else "username"


def _keys_in(person: Person, entity: type[Recorded], rows: Iterable[list[Any]]) -> set[int]:
    _headings, *others = rows
    keys = {str(name): key for name, key in person.stored(f"SELECT {_name_of_key(entity)}, id FROM {entity.__table__}")}
    return {keys[str(row[0]).removesuffix(".0")] for row in others}


def keep_names_hidden(person: Person, text: str, place: str) -> None:
    """Assert that a text names no company that the person must not see."""
    shown = html.unescape(text)
    told = [name for name in person.names_hidden if name in shown]
    assert not told, (person.staff.username, place, told)


def make_rows_of_every_kind(engine: sa.Engine) -> None:
    """Store what the demonstration set has not: a row of each entity for each group, and deleted ones."""
    now = clock.now()
    stamps = {"created_at": now, "updated_at": now}
    with engine.begin() as connection:
        people = connection.execute(sa.select(Staff.id, Staff.group_id)).all()
        connection.execute(sa.insert(ImportBatch.__table__), [_batch(key, group, stamps) for key, group in people])
        views = [{"group_id": group, "created_by_id": key, "name": f"Vista {key}", **stamps} for key, group in people]
        connection.execute(sa.insert(SavedView.__table__).values(entity="company"), views)
        for group in {group for _key, group in people} | {None}:
            signed = {"event": "signed_in", "username": "x", "group_id": group, "address": "127.0.0.1", "door": "desk"}
            taken = {"actor_name": "x", "group_id": group, "entity": "company", "format": "csv", "columns": "id"}
            counted = {"conditions": "", "row_count": 1, "is_complete": True}
            if group:
                connection.execute(sa.insert(OutboxMail.__table__).values({**_mail(group), "due_at": now, **stamps}))
            connection.execute(sa.insert(SignInEntry.__table__).values({"at": now, **signed}))
            connection.execute(sa.insert(ExportEntry.__table__).values({"at": now, **taken, **counted}))
        day = {"day": now.date(), "closed": True, **stamps}
        calendar = connection.scalar(sa.select(sa.func.min(ServiceCalendar.id)))
        connection.execute(sa.insert(CalendarException.__table__).values({"calendar_id": calendar, **day}))
    with open_session(engine, Context(SYSTEM, Door.job)) as session:
        for group in {group for _key, group in people}:
            company = session.scalars(sa.select(Company).where(Company.group_id == group).order_by(Company.id)).first()
            contact = Contact(company=company, first_name="Via", last_name="Cancellata", deleted_at=now)
            session.add_all([contact, Company(legal_name=f"Cancellata {group} srl", group_id=group, deleted_at=now)])
            of_client = sa.select(Account).where(Account.group_id == group, Account.company_id.is_not(None))
            account = session.scalars(of_client).first()
            portal = session.scalars(sa.select(Portal).where(Portal.group_id == group)).first()
            signed_in = AccountSession(account=account, digest=f"{group}", seen_at=now, address="127.0.0.1")
            host = PortalHost(portal=portal, host=f"gruppo{group}.example")
            session.add_all([signed_in, host])
            session.add(AccountDeletion(account=account, due_on=now.date(), state=DeletionState.cancelled))
            session.add_all(_of_support(session, group, now))
        for key, group in people:
            ends = {"begins": "bok_prova", "expires_on": now.date()}
            session.add(_time_of(session, key, group))
            session.add(ApiKey(staff_id=key, group_id=group, name=f"Prova {key}", digest=f"{key}", **ends))
        session.commit()


def _of_support(session: RecordSession, group: int, now: datetime) -> list[Recorded]:
    """Return what comes about around the tickets of a group: nobody is alerted or written to for it."""

    def first(entity: type[Any], *where: Any) -> Any:
        return session.scalars(sa.select(entity).where(entity.group_id == group, *where).order_by(entity.id)).first()

    ticket = first(Ticket, Ticket.contract_id.is_not(None))
    team, queue, person = first(SupportTeam), first(SupportQueue), first(Staff)
    server = {"host": "imap.example", "port": 993, "username": f"posta{group}", "active": False}
    mailbox = Mailbox(code=f"G{group}", queue=queue, address=f"aiuto@gruppo{group}.example", **server)
    rule = PenaltyRule(
        contract=ticket.contract, reference="art. 1", trigger=PenaltyTrigger.promise, promise=SlaKind.close, days=1
    )
    letter = {"digest": "0" * 64, "received_at": now, "subject": "Prova", "body": "Buongiorno"}
    alert = {"times": 1, "next_at": now, "state": AlertState.acknowledged, "answered_at": now, "webhook_at": now}
    return [
        mailbox,
        InboundMail(mailbox=mailbox, company=ticket.company, ticket=ticket, state=Disposition.joined, **letter),
        InboundMail(mailbox=mailbox, state=Disposition.to_sort, **(letter | {"digest": "1" * 64})),
        OnCallShift(team=team, person=person, starts_at=now - timedelta(days=9), ends_at=now - timedelta(days=8)),
        OnCallAlert(ticket=ticket, person=person, **alert),
        rule,
        Penalty(rule=rule, ticket=ticket, due_on=now.date(), days_late=1, computation="1 giorno"),
        TicketFollower(ticket=ticket, staff=person),
        QuickReply(name="Ricevuto", group_id=group, queue=queue, body="La ringraziamo."),
        TicketArchive(ticket=ticket, sha256="0" * 64, size_bytes=1),
    ]


def _time_of(session: RecordSession, staff_id: int, group: int) -> TimeEntry:
    """Return working time of somebody that may still change: on a ticket that is open, theirs if they have one."""
    open_ones = sa.select(Ticket).where(Ticket.group_id == group, Ticket.state.in_(OPEN_STATES))
    theirs = sa.or_(Ticket.assignee_id == staff_id, Ticket.company_id.in_(_clients_of(staff_id)))
    ticket = session.scalars(open_ones.order_by(theirs.desc().nulls_last(), Ticket.id)).first()
    today = {"day": clock.today(), "minutes": 10, "billable": False}
    return TimeEntry(ticket=ticket, category="ordinary", person_id=staff_id, **today)


def _clients_of(staff_id: int) -> sa.Select[tuple[int]]:
    return sa.select(CompanyConsultant.company_id).where(CompanyConsultant.staff_id == staff_id)


def _batch(staff_id: int, group_id: int, stamps: dict[str, datetime]) -> dict[str, Any]:
    file = {"entity": "company", "file_name": f"{staff_id}.csv", "form": "CSV", "file_bytes": 1, "row_count": 0}
    columns = {"headings": ["a"], "mapping": {}, "mode": "create", "state": "uploaded"}
    return {"group_id": group_id, "created_by_id": staff_id, **file, **columns, **stamps}


def _mail(group_id: int) -> dict[str, Any]:
    letter = {"template": "staff_password", "arguments": {"name": "Ada", "username": "ada", "hours": 24}}
    about = {"subject": "Scegli la password", "language": "it", "cause_entity": "ab_user", "cause_id": 1}
    sent = {"recipient": f"ada@gruppo{group_id}.example", "message_id": f"<{group_id}@prova.example>"}
    return {"group_id": group_id, "state": "waiting", **letter, **about, **sent}
