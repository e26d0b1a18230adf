"""The history of everything: what its list and its entries say to whom."""

from __future__ import annotations

import html
from collections.abc import Callable

import sqlalchemy as sa
from flask import Flask

from backoffice.actors import Action, Actor, ActorKind, Context, Door, Grant, ScopeKind
from backoffice.database import RecordSession, open_session
from backoffice.records import show, subjects
from backoffice.records.filters import filterable
from backoffice.records.timeline import find_changes
from bench.watching import watched
from models.account import Account
from models.company import Company
from models.contact import Contact
from models.history_entry import HistoryEntry
from models.license import License
from tests.clients import DeskClient
from tests.views.programs import as_stored, make_company
from tests.visitors import Visitor, form_of


def entry_of(session: RecordSession, row: object) -> HistoryEntry:
    table, key = row.__table__.name, row.id  # type: ignore[attr-defined]
    statement = sa.select(HistoryEntry).where(HistoryEntry.entity == table, HistoryEntry.record_id == key)
    return session.scalars(statement.order_by(HistoryEntry.id.desc())).first()  # type: ignore[return-value]


def text_of(answer: object) -> str:
    return html.unescape(answer.text.partition("<main")[2])  # type: ignore[attr-defined]


def auditor(group: int, *masked: str) -> Actor:
    grant = Grant(frozenset({Action.read, Action.export}), masked=frozenset(masked))
    return Actor(
        ActorKind.staff, id=1, name="Prova", group_id=group, grants={"history": (grant,), "companies": (grant,)}
    )


def test_the_list_names_records_and_events(admin: Visitor, session: RecordSession) -> None:
    company = make_company(session, "Alpenblick Handels GmbH")
    contact = Contact(company=company, first_name="Ada", last_name="Rossi")
    session.add(contact)
    session.commit()
    page = text_of(admin.get("/history_entry/"))
    assert "Alpenblick Handels GmbH" in page
    assert "Ada Rossi" in page  # lies apart in the history, so it is the present name
    assert "Creazione" in page
    assert "Ultima modifica" not in page


def test_the_list_asks_once_for_each_kind_of_record(desk_client: Callable[..., DeskClient], desk: Flask) -> None:
    with watched(desk.extensions["engine"]) as seen:
        assert desk_client("administrator").get("/history_entry/?n=200").status_code == 200
    assert len(seen) <= 15


def test_an_entry_shows_what_changed_and_leads_to_the_record(admin: Visitor, session: RecordSession) -> None:
    company = make_company(session, "Alpenblick Handels GmbH", city="Ala")
    path = f"/company/{company.id}/edit"
    assert admin.submit(path, {**form_of(admin, path), "city": "Rovereto"}).status_code == 303
    page = text_of(admin.get(f"/history_entry/{entry_of(as_stored(session), company).id}"))
    assert "Azienda Alpenblick Handels GmbH: modifica" in page
    assert "<del>Ala</del>" in page
    assert "<ins>Rovereto</ins>" in page
    assert f'/company/{company.id}">' in page
    assert "Apri la scheda" in page
    assert "tab=history" not in page


def test_an_entry_about_what_one_may_not_read_keeps_its_values(
    person: Callable[[str], Visitor], session: RecordSession
) -> None:
    account = session.scalars(sa.select(Account).where(Account.group_id == 1)).first()
    assert account is not None
    path = f"/history_entry/{entry_of(session, account).id}"
    hidden, open_ = text_of(person("quality").get(path)), text_of(person("security").get(path))
    assert "I valori si mostrano a chi può aprire la scheda." in hidden
    assert account.email not in hidden
    assert account.full_name not in hidden
    assert "Apri la scheda" not in hidden
    assert account.email in open_
    assert f"Account {account.full_name}: creazione" in open_


def test_masks_hold_for_titles_values_and_filters(session: RecordSession, engine: sa.Engine) -> None:
    company = make_company(session, "Alpenblick Handels GmbH", city="Ala")
    key = entry_of(session, company).id
    actor = auditor(company.group_id, "company.legal_name")
    with open_session(engine, Context(actor, Door.desk)) as scoped:
        entry = scoped.get_one(HistoryEntry, key)
        assert entry.record_title is None
        for look in (False, True):
            if look:
                subjects.look_up(scoped, [entry], actor)
                assert entry.subject is not None
            assert show.subject(entry, actor).text == f"Company {company.id}"
            assert "Alpenblick" not in show.label(entry, actor)
        changes = {str(change.label): change.new for change in find_changes(scoped, entry, actor) or ()}
        assert (changes["Legal name"], changes["City"]) == (show.MASK, "Ala")
        assert "record_title" in show.hidden(entry, actor)
    assert "record_title" not in filterable(HistoryEntry, actor)
    assert "record_title" in filterable(HistoryEntry, auditor(company.group_id))


def test_values_of_a_record_out_of_reach_stay_hidden(session: RecordSession, engine: sa.Engine) -> None:
    company = session.scalars(sa.select(Company).where(Company.group_id == 1)).first()
    assert company is not None
    narrow = Grant(frozenset({Action.read}), ScopeKind.unit)
    grants = {"history": (Grant(frozenset({Action.read})),), "companies": (narrow,)}
    actor = Actor(ActorKind.staff, id=1, name="Prova", group_id=1, grants=grants)
    key = entry_of(session, company).id
    with open_session(engine, Context(actor, Door.desk)) as scoped:
        entry = scoped.get_one(HistoryEntry, key)
        subjects.look_up(scoped, [entry], actor)
        assert entry.subject is None
        assert find_changes(scoped, entry, actor) is None


def test_the_product_is_named_in_the_readers_language(admin: Visitor, session: RecordSession) -> None:
    license_ = session.scalars(sa.select(License).where(License.group_id == 1)).first()
    entry = entry_of(session, license_)
    assert entry.actor_name == "Sistema"
    for language, name, other in (("it", "Sistema", "System"), ("en", "System", "Sistema")):
        admin.get(f"/language/{language}")
        for path in (f"/history_entry/{entry.id}", f"/license/{license_.id}?tab=history", "/history_entry/"):  # type: ignore[union-attr]
            page = text_of(admin.get(path))
            assert name in page, path
            assert f">{other}<" not in page, path
