"""An account deleted: what stands in the way, the days of grace, and a person who is nowhere any more (chapter 4.9)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice import clock
from backoffice.actors import SYSTEM
from backoffice.database import RecordSession, begin_writing
from backoffice.delivery import send_due
from backoffice.errors import DomainError
from backoffice.mail.sending import MailServer
from backoffice.operations.account_deletions import advance_deletions, claims_on
from backoffice.operations.attachments import left_over, sweep
from backoffice.operations.pseudonyms import make_pseudonym
from backoffice.operations.verbs import perform
from backoffice.outbox import queue_mail
from models.account import Account, AccountState
from models.account_deletion import AccountDeletion
from models.account_deletion import DeletionState as S
from models.activation_request import ActivationRequest
from models.activation_request_item import ActivationRequestItem, ItemState
from models.annual_fee import AnnualFee, FeeState
from models.attachment import Attachment
from models.base import ENTITIES, Category, Model
from models.catalogue import FREE_TEXT, Kind, fields
from models.company import Company
from models.company_service import CompanyService
from models.contact import Contact
from models.import_batch import ImportBatch
from models.import_row import ImportRow
from models.job import Job, JobState
from models.outbox_mail import MailLanguage, OutboxMail
from models.portal import Portal
from models.ticket import Ticket, TicketState
from models.ticket_message import TicketMessage
from tests.client_area.conftest import ClientBrowser
from tests.clients import DeskClient
from tests.mail.conftest import ROOTS
from tests.mail.smtp import Inbox, smtp_server
from tests.seeded import PASSWORD

pytestmark = pytest.mark.databases("postgresql", "sqlite", long=("sqlite",))
Browsers = Callable[..., ClientBrowser]
Find = Callable[[str], Account]
PANEL = "/it/privacy/"
#: Somebody nobody else is called like, has an address or a number like; in texts the number stands as people write it.
FIRST, LAST = "Zaccaria", "Quondamatteo"
NAME, MAIL, PHONE, WRITTEN = f"{FIRST} {LAST}", "z.quondamatteo@unico.example", "+393491122334", "349 112.2334"
TRACES = (LAST.lower(), "3491122334", "112.2334", "unico.example")


@pytest.fixture
def inbox() -> Inbox:
    """What the mail server takes."""
    return Inbox()


@pytest.fixture
def server(inbox: Inbox) -> Iterator[MailServer]:
    """A running mail server."""
    with smtp_server(inbox) as running:
        yield running


@pytest.fixture
def person(session: RecordSession, account: Find) -> Account:
    """The demonstration client as somebody real, who is a contact of the company and has a ticket."""
    someone = account("demo.client")
    contact = session.scalars(sa.select(Contact).where(Contact.company_id == someone.company_id)).first()
    ticket = session.scalars(sa.select(Ticket).where(Ticket.company_id == someone.company_id)).first()
    assert contact is not None
    assert ticket is not None
    values: tuple[tuple[Any, int, dict[str, Any]], ...] = (
        (Account, someone.id, {"full_name": NAME, "email": MAIL, "username": "zaccaria.q", "contact_id": contact.id}),
        (Contact, contact.id, {"first_name": FIRST, "last_name": LAST, "email": MAIL, "phone": PHONE}),
        (Ticket, ticket.id, {"account_id": someone.id, "state": TicketState.assigned}),
    )
    session.rollback()
    with begin_writing():
        for entity, key, columns in values:
            session.execute(sa.update(entity.__table__).where(entity.__table__.c.id == key).values(**columns))
        session.execute(sa.update(Company).values(is_demo=False))
        session.commit()
    return account("zaccaria.q")


@pytest.fixture
def later(session: RecordSession) -> Callable[[int], None]:
    """A function that does what the calendar brings some days from now."""

    def advance(days: int) -> None:
        session.rollback()
        moved = 1
        while moved:
            with begin_writing():
                moved = advance_deletions(session, clock.today() + timedelta(days=days))
                session.commit()

    return advance


def asked_by(session: RecordSession, person: Account) -> AccountDeletion:
    session.rollback()
    session.expire_all()
    newest = sa.select(AccountDeletion).where(AccountDeletion.account_id == person.id).order_by(-AccountDeletion.id)
    return session.scalars(newest).first()  # type: ignore[return-value]


def close_tickets(session: RecordSession, person: Account, store: Callable[..., None]) -> None:
    for key in session.scalars(sa.select(Ticket.id).where(Ticket.account_id == person.id)).all():
        store(Ticket, key, state=TicketState.closed_final, closed_at=clock.now())


def test_it_takes_the_password_waits_for_tickets_and_can_be_taken_back(
    browser_of: Browsers,
    account: Find,
    person: Account,
    session: RecordSession,
    store: Callable[..., None],
    later: Callable[[int], None],
) -> None:
    browser = browser_of("zaccaria.q")
    assert browser.form(PANEL, {"delete": "1", "password": "non-la-so-davvero"}).status_code == 422
    assert asked_by(session, person) is None
    assert browser.form(PANEL, {"delete": "1", "password": PASSWORD}).status_code == 303
    asked = asked_by(session, person)
    assert (asked.state, asked.open_tickets, asked.is_on_hold) == (S.blocked, 1, False)
    assert asked.due_on > clock.today() + timedelta(days=27)
    page = browser.get(PANEL).text
    assert "1 dei tuoi ticket è ancora aperto" in page
    # The panel is all that is left; a second wish is none.
    assert browser.get("/it/ticket/").status_code == 403
    assert browser.post(PANEL, data={"delete": "1", "password": PASSWORD}).status_code == 400  # there is no such form
    later(30)
    assert asked_by(session, person).state is S.blocked
    close_tickets(session, person, store)
    later(0)
    planned = asked_by(session, person)
    assert (planned.state, planned.execute_on) == (S.scheduled, clock.today() + timedelta(days=7))
    assert browser.form(PANEL, {"keep": "1"}).status_code == 303
    assert asked_by(session, person).state is S.cancelled
    assert account("zaccaria.q").state is AccountState.active
    later(30)
    assert account("zaccaria.q").full_name == NAME
    assert browser.get("/it/ticket/").status_code == 200


def test_a_legal_hold_stops_it_until_it_is_lifted(
    browser_of: Browsers,
    person: Account,
    session: RecordSession,
    store: Callable[..., None],
    later: Callable[[int], None],
    account: Find,
) -> None:
    close_tickets(session, person, store)
    assert browser_of("zaccaria.q").form(PANEL, {"delete": "1", "password": PASSWORD}).status_code == 303
    # It comes up during the days of grace.
    store(Account, person.id, legal_hold="Causa 12/2026")
    later(10)
    assert (asked_by(session, person).state, asked_by(session, person).is_on_hold) == (S.blocked, True)
    with pytest.raises(DomainError):
        perform(session, asked_by(session, person), "look_again", actor=SYSTEM)
    store(Account, person.id, legal_hold=None)
    later(0)
    later(8)
    assert asked_by(session, person).state is S.executed
    assert account(f"deleted-{person.id}").state is AccountState.deleted


def test_a_refusal_gives_the_account_back_and_tells_why(
    browser_of: Browsers,
    person: Account,
    session: RecordSession,
    engine: sa.Engine,
    inbox: Inbox,
    server: MailServer,
    account: Find,
    store: Callable[..., None],
) -> None:
    first = session.scalars(sa.select(Portal).where(Portal.group_id == person.group_id).order_by(Portal.id)).first()
    assert first is not None
    store(Portal, first.id, sender="area@prova.example")
    assert browser_of("zaccaria.q").form(PANEL, {"delete": "1", "password": PASSWORD}).status_code == 303
    asked = asked_by(session, person)
    with begin_writing():
        perform(session, asked, "refuse", {"reason": "Non viene da lei."}, actor=SYSTEM)
        session.commit()
    assert account("zaccaria.q").state is AccountState.active
    send_due(engine, server, ROOTS)
    told = [(letter["To"], letter.get_body(("plain",)).get_content()) for letter in inbox.taken]
    assert all("area@prova.example" in letter["From"] for letter in inbox.taken)
    assert [to for to, _text in told] == [MAIL, MAIL]
    assert f"{asked.due_on:%d/%m/%Y}" in told[0][1]
    assert "Non viene da lei." in told[1][1]


def plant(session: RecordSession, person: Account) -> None:
    """Write who the person is into one row of every kind that their company has, wherever text may stand."""
    for entity in ENTITIES.values():
        admin = entity.__admin__
        if not admin.scope.company or admin.append_only or entity in (Account, Contact):
            continue
        key = session.scalar(sa.select(sa.func.min(entity.id)).where(entity.company_scope() == person.company_id))
        for field in fields(entity).values() if key is not None else ():
            values = {field.name: sign} if (sign := _sign(field)) else {}
            if values and not field.secret and (field.personal or field.kind in FREE_TEXT):
                with begin_writing(), session.begin_nested() as savepoint:
                    try:
                        session.execute(sa.update(entity.__table__).where(entity.__table__.c.id == key).values(values))
                    except sa.exc.DBAPIError:
                        savepoint.rollback()


def _sign(field: Any) -> str | None:
    if field.kind is Kind.email:
        return MAIL
    if field.kind is Kind.phone:
        return PHONE
    if field.kind not in FREE_TEXT or field.value_type is not None:
        return None
    room = field.max_length or 1000
    return f"per {NAME}, {LAST} {FIRST}: {WRITTEN}, <{MAIL.upper()}>" if room > 90 else NAME if room > 25 else None


def test_nothing_of_the_person_is_left_but_what_is_named(
    browser_of: Browsers,
    person: Account,
    session: RecordSession,
    store: Callable[..., None],
    later: Callable[[int], None],
    engine: sa.Engine,
    inbox: Inbox,
    server: MailServer,
    application: Any,
) -> None:
    files = application.app.extensions["files"]
    workbook = f"Nome;{NAME};{MAIL}".encode()
    with begin_writing():
        plant(session, person)
        ticket = session.scalars(sa.select(Ticket).where(Ticket.account_id == person.id)).one()
        # Through the product, so that history and search index know it.
        ticket.subject, ticket.description = f"Chiamare {NAME}", f"{NAME} risponde al {WRITTEN} o a {MAIL}"
        session.add(TicketMessage(ticket=ticket, account=person, body=f"Sono {LAST}, {FIRST}; {MAIL}"))
        name = f"contratto {NAME}.pdf"
        session.add(
            Attachment(
                name=name,
                ticket=ticket,
                group_id=ticket.group_id,
                sha256="0" * 64,
                media_type="text/plain",
                size_bytes=1,
            )
        )
        session.flush()
        key = hashlib.sha256(workbook).hexdigest()
        made = {"file_name": f"{NAME}.xlsx", "file_sha256": key, "file_until": clock.now() + timedelta(days=7)}
        session.add(
            Job(kind="export_list", subject=NAME, lane="export", state=JobState.done, group_id=person.group_id, **made)
        )
        batch = ImportBatch(
            entity="contact",
            file_name="x.csv",
            form="csv",
            file_bytes=1,
            headings=["Nome"],
            row_count=1,
            group_id=person.group_id,
        )
        session.add(batch)
        session.flush()
        cells = [FIRST, LAST, MAIL, WRITTEN]
        session.add(ImportRow(batch_id=batch.id, number=2, cells=cells, record_id=person.contact_id))
        session.commit()
    files.put(key, workbook)
    # Sign-ins, wrong and right, a link by mail, a session; then the wish.
    browser_of().sign_in(MAIL, "sbagliata-davvero-27")
    browser_of().form("/it/forgotten/", {"username": MAIL})
    send_due(engine, server, ROOTS)
    close_tickets(session, person, store)
    assert _found(session) >= {"account", "contact", "ticket", "ticket_message", "attachment", "outbox_mail", "job"}
    assert _found(session) >= {"history_personal", "import_row"}
    assert browser_of("zaccaria.q").form(PANEL, {"delete": "1", "password": PASSWORD}).status_code == 303
    later(8)
    assert asked_by(session, person).state is S.executed
    assert asked_by(session, person).kept_tickets == 1
    send_due(engine, server, ROOTS)
    last = inbox.taken[-1]
    assert last["To"] == MAIL
    assert "1 ticket, sotto lo pseudonimo" in last.get_body(("plain",)).get_content()
    # What a client keeps in its own name is said to stay, and ledgers of packages say what was done, not who.
    kept = {table for table, entity in ENTITIES.items() if entity.__admin__.category is Category.client_data}
    assert _found(session) - kept - {"package_movement"} == set()
    with begin_writing():
        gone = sweep(session, files, left_over(session, files, clock.now() + timedelta(days=2)))
        session.commit()
    assert gone >= 1
    assert not any(LAST.encode() in (files.get(kept.key) or b"") for kept in files.kept())
    # The ticket is there, and says so under the pseudonym.
    ticket = session.get_one(Ticket, ticket.id)
    assert ticket.subject == f"Chiamare deleted-{person.id}"
    assert ticket.account_id == person.id
    # Nobody signs in with it.
    answer = browser_of().sign_in(MAIL)
    assert answer.status_code == 401


def _found(session: RecordSession) -> set[str]:
    """Return every table in which, searched byte by byte, the person is found."""
    session.rollback()
    session.expire_all()
    found = set()
    for table in Model.metadata.tables.values():
        for row in session.execute(sa.select(table)):
            text = repr(tuple(row)).lower()
            if any(trace in text for trace in TRACES):
                found.add(table.name)
    return found


def test_a_request_with_an_unpaid_contribution_is_kept_until_it_is_paid(
    browser_of: Browsers,
    person: Account,
    session: RecordSession,
    store: Callable[..., None],
    later: Callable[[int], None],
    desk_client: Callable[..., DeskClient],
) -> None:
    close_tickets(session, person, store)
    theirs = sa.select(CompanyService).where(CompanyService.company_id == person.company_id)
    grant = session.scalars(theirs.order_by(CompanyService.id)).first()
    assert grant is not None
    with begin_writing():
        request = ActivationRequest(
            company_id=person.company_id,
            requester_name=NAME,
            email=MAIL,
            accepted_by=NAME,
            group_id=person.group_id,
            number="AR-9999",
            company_name="Ditta",
        )
        session.add(request)
        session.flush()
        session.add(
            ActivationRequestItem(
                request=request,
                online_service_id=grant.online_service_id,
                state=ItemState.approved_paid,
                yearly_fee=100,
            )
        )
        fee = AnnualFee(company_service=grant, year=2039, amount=100, agreement="AR-9999")
        session.add(fee)
        session.commit()
    assert [one.id for one in claims_on(session, person)] == [request.id]
    assert browser_of("zaccaria.q").form(PANEL, {"delete": "1", "password": PASSWORD}).status_code == 303
    later(8)
    asked = asked_by(session, person)
    assert (asked.state, asked.kept_claims) == (S.executed, 1)
    assert (session.get_one(ActivationRequest, request.id).accepted_by, _found(session)) == (
        NAME,
        {"activation_request", "outbox_mail", *(_found(session) & {"history_personal"})},
    )
    # Until then administrators alone see it.
    for role, status in (("administrator", 200), ("sales", 404), ("secretariat", 404), ("management", 404)):
        assert desk_client(role).get(f"/activation_request/{request.id}").status_code == status, role
    for key in session.scalars(sa.select(AnnualFee.id).where(AnnualFee.company_service_id == grant.id)).all():
        store(AnnualFee, key, state=FeeState.paid, paid_on=clock.today())
    assert claims_on(session, session.get_one(Account, person.id)) == []
    later(9)
    assert asked_by(session, person).kept_claims == 0
    assert session.get_one(ActivationRequest, request.id).accepted_by is None
    assert desk_client("sales").get(f"/activation_request/{request.id}").status_code == 200
    unsent = {row.recipient for row in session.scalars(sa.select(OutboxMail))} & {MAIL}
    assert _found(session) == ({"outbox_mail"} if unsent else set())


def test_a_user_name_that_is_a_word_like_any_other_goes_from_the_mails_about_the_account(
    session: RecordSession, person: Account, store: Callable[..., None]
) -> None:
    store(Account, person.id, username="carlo")
    account = session.get_one(Account, person.id)
    with begin_writing():
        told = {"name": "Ada Rossi", "username": "carlo", "minutes": 30}
        queue_mail(session, "account_password", told, to=account.email, about=account, language=MailLanguage.it)
        session.execute(sa.update(OutboxMail).values(sent_text="Il nome utente è carlo. Carlottina no."))
        make_pseudonym(session, account)
        session.commit()
    mail = session.scalars(sa.select(OutboxMail).where(OutboxMail.template == "account_password")).one()
    pseudonym = f"deleted-{person.id}"
    assert (mail.arguments["username"], mail.sent_text) == (pseudonym, f"Il nome utente è {pseudonym}. Carlottina no.")
