"""Credentials go to the main referent as a rule, to others for a reason; a company has one main referent (AC-06,
AC-07)."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from backoffice.actors import SYSTEM
from backoffice.database import RecordSession
from backoffice.errors import DomainError, InvalidRecord
from backoffice.operations.client_links import NoAccountToWriteTo, mint_account_link
from backoffice.operations.credentials import ContactMissing, NoMailOfContact, ReasonMissing
from backoffice.operations.plain import create_record, update_record
from backoffice.operations.verbs import perform
from models.account import Account, AccountState
from models.contact import Contact
from models.contact_role import ContactRole, ContactRoleKind
from models.history_entry import HistoryEntry
from models.outbox_mail import OutboxMail
from tests.operations.world import World

pytestmark = pytest.mark.databases("postgresql", "sqlite", long=("sqlite",))

REFERENT, HOLDER = {"credentials_to": "referent"}, {"credentials_to": "holder"}


def newcomer(world: World) -> Account:
    account: Account = world.account(AccountState.invited)
    account.contact, account.email = None, "nuova@prova.example"
    world.session.flush()
    return account


def send(
    session: RecordSession, account: Account, values: dict[str, Any], verb: str = "send_credentials"
) -> OutboxMail:
    perform(session, account, verb, values, actor=SYSTEM)
    mails = sa.select(OutboxMail).where(OutboxMail.template == "account_credentials").order_by(OutboxMail.id.desc())
    return session.scalars(mails).first()  # type: ignore[return-value]


def test_as_a_rule_the_main_referent_gets_them(session: RecordSession) -> None:
    world = World(session)
    account = newcomer(world)
    world.contact.is_main_referent = True
    session.flush()
    mail = send(session, account, REFERENT)
    assert mail.recipient == world.contact.email
    assert (mail.arguments["name"], mail.arguments["person"]) == (str(world.contact), account.full_name)
    assert (account.credentials_contact, account.credentials_sent_at is not None) == (world.contact, True)
    assert mint_account_link(session, mail).startswith("/it/link/")
    told = sa.select(HistoryEntry).where(HistoryEntry.event == "account.send_credentials")
    assert session.scalars(told).one().changes["credentials_contact"] == [None, world.contact.id]


def test_the_first_time_they_are_the_invitation(session: RecordSession) -> None:
    account = World(session).account(AccountState.provisioned)
    mail = send(session, account, HOLDER | {"credentials_reason": "Nuovo."}, verb="invite")
    assert (account.state, mail.recipient) == (AccountState.invited, account.email)
    assert mint_account_link(session, mail).startswith("/it/link/")


def test_else_a_usual_referent_and_else_the_person(session: RecordSession) -> None:
    world = World(session)
    account = newcomer(world)
    assert send(session, account, REFERENT).recipient == account.email
    assert send(session, account, HOLDER).recipient == account.email  # the same person: no reason is asked
    session.add(ContactRole(contact=world.contact, role=ContactRoleKind.usual_referent))
    session.flush()
    assert send(session, account, REFERENT).recipient == world.contact.email
    chief = Contact(company=world.company, first_name="Ugo", last_name="Neri", email="ugo@prova.example")
    session.add_all((chief, ContactRole(contact=chief, role=ContactRoleKind.main_referent)))
    session.flush()
    assert send(session, account, REFERENT).recipient == chief.email  # by the role, as by the mark


@pytest.mark.parametrize(
    ("values", "refusal", "field"),
    [
        (HOLDER, ReasonMissing, "credentials_reason"),
        ({"credentials_to": "contact"}, ContactMissing, "credentials_contact"),
        ({"credentials_to": "contact", "credentials_contact": "ugo"}, ReasonMissing, "credentials_reason"),
        ({"credentials_to": "contact", "credentials_contact": "mute"}, NoMailOfContact, "credentials_contact"),
    ],
)
def test_others_need_a_reason_and_an_address(
    session: RecordSession, values: dict[str, Any], refusal: type[DomainError], field: str
) -> None:
    world = World(session)
    account = newcomer(world)
    world.contact.is_main_referent = True
    people = {name: Contact(company=world.company, first_name=name, last_name="Neri") for name in ("ugo", "mute")}
    people["ugo"].email = "ugo@prova.example"
    session.add_all(people.values())
    session.flush()
    given = {key: people.get(value, value) for key, value in values.items()}
    with pytest.raises(refusal) as refused:
        send(session, account, given)
    assert refused.value.field == field
    assert session.scalars(sa.select(OutboxMail).where(OutboxMail.template == "account_credentials")).all() == []


def test_an_override_is_kept_with_its_reason_until_the_next_time(session: RecordSession) -> None:
    world = World(session)
    account = newcomer(world)
    world.contact.is_main_referent = True
    session.flush()
    mail = send(session, account, HOLDER | {"credentials_reason": "Il referente è in ferie."})
    assert mail.recipient == account.email
    assert account.credentials_reason == "Il referente è in ferie."
    assert send(session, account, REFERENT).recipient == world.contact.email
    assert account.credentials_reason is None


def test_a_link_is_made_only_for_an_address_that_still_is_the_recipient_s(session: RecordSession) -> None:
    world = World(session)
    account = newcomer(world)
    world.contact.is_main_referent = True
    session.flush()
    mail = send(session, account, REFERENT)
    world.contact.email = "altra@prova.example"
    session.flush()
    with pytest.raises(NoAccountToWriteTo):
        mint_account_link(session, mail)


def test_a_contact_of_another_company_gets_none(session: RecordSession) -> None:
    world = World(session)
    account = newcomer(world)
    stranger = Contact(company=world.client(), first_name="Eva", last_name="Blu", email="eva@altrove.example")
    session.add(stranger)
    session.flush()
    values = {
        "credentials_to": "contact",
        "credentials_contact": stranger,
        "credentials_reason": "x",
    }
    with pytest.raises(InvalidRecord) as refused:
        send(session, account, values)
    assert set(refused.value.problems) == {"credentials_contact"}


def test_the_next_main_referent_takes_the_mark_over(session: RecordSession) -> None:
    world = World(session)
    world.contact.is_main_referent = True
    session.flush()
    version = world.contact.version
    values = {"company": world.company, "first_name": "Ugo", "last_name": "Neri", "is_main_referent": True}
    second = create_record(session, Contact, values, actor=SYSTEM)
    assert (world.contact.is_main_referent, second.is_main_referent) == (False, True)  # type: ignore[attr-defined]
    assert world.contact.version == version + 1
    update_record(session, world.contact, {"is_main_referent": True}, version=None, actor=SYSTEM)
    assert (world.contact.is_main_referent, second.is_main_referent) == (True, False)  # type: ignore[attr-defined]
    told = sa.select(HistoryEntry).where(HistoryEntry.entity == "contact", HistoryEntry.event == "moved")
    assert [entry.record_id for entry in session.scalars(told.order_by(HistoryEntry.id))] == [
        world.contact.id,
        second.id,  # type: ignore[attr-defined]
    ]
    # The one of another company is not touched.
    elsewhere = create_record(session, Contact, values | {"company": world.client()}, actor=SYSTEM)
    assert (world.contact.is_main_referent, elsewhere.is_main_referent) == (True, True)  # type: ignore[attr-defined]
