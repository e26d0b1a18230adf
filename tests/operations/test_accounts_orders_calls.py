"""What accounts, orders and calls ask for before they move on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from backoffice.actors import SYSTEM, Actor, Context, Door
from backoffice.database import RecordSession, begin_writing, open_session
from backoffice.errors import InvalidRecord
from backoffice.operations.accounts import CompanyNoClient, make_username
from backoffice.operations.callbacks import UrgencyMissing
from backoffice.operations.orders import (
    CompanyIncomplete,
    ExpiryMissing,
    LicensesGenerated,
    LicensesMissing,
    NothingOrdered,
    ReferentMissing,
)
from backoffice.operations.plain import create_record
from backoffice.operations.pseudonyms import make_pseudonym
from backoffice.operations.verbs import perform
from models.account import Account, AccountState
from models.call import Call, CallOutcome, CallState
from models.company import CompanyState
from models.customer_order import CustomerOrder, OrderState
from tests.operations.world import World


@contextmanager
def at_the_desk(session: RecordSession, world: World, *areas: str) -> Iterator[tuple[RecordSession, Actor]]:
    """Commit the world and give a session in which staff of its group work, with rights in ``areas``."""
    session.commit()
    staff = world.staff("companies", "contacts", *areas)
    assert isinstance(session.bind, sa.Engine)
    with begin_writing(), open_session(session.bind, Context(staff, Door.desk)) as desk:
        yield desk, staff


def test_user_names_are_made_from_the_address_and_never_twice(session: RecordSession) -> None:
    world = World(session)
    world.account(username="ada.verdi7")
    assert make_username(session, "Ada.Verdì7@prova.example") == "ada.verdi72"
    assert make_username(session, "%_@prova.example").startswith("utente")
    values = {"full_name": "Ada Verdi", "email": "ada.verdi7@prova.example", "contact": world.contact.id}
    with at_the_desk(session, world, "accounts") as (desk, staff):
        account = create_record(desk, Account, values, actor=staff)
        assert isinstance(account, Account)
        assert (account.username, account.company_id) == ("ada.verdi72", world.company.id)
        assert account.state is AccountState.provisioned


def test_validation_names_a_company_and_signs(session: RecordSession) -> None:
    world, other = World(session), World(session)
    account = world.account(AccountState.pending_validation)
    account.company = None
    with pytest.raises(InvalidRecord) as refused:
        perform(session, account, "validate", {}, actor=SYSTEM)
    assert set(refused.value.problems) == {"company"}
    values = {"company": world.company, "contact": other.contact}
    with pytest.raises(InvalidRecord) as refused:
        perform(session, account, "validate", values, actor=SYSTEM)
    assert set(refused.value.problems) == {"contact"}
    world.company.state = CompanyState.prospect
    with pytest.raises(CompanyNoClient):
        perform(session, account, "validate", {"company": world.company}, actor=SYSTEM)
    world.company.state = CompanyState.client
    perform(session, account, "validate", {"company": world.company}, actor=SYSTEM)
    assert account.validated_at is not None


def test_a_deleted_account_names_nobody(session: RecordSession) -> None:
    account = World(session).account(AccountState.active)
    perform(session, account, "request_deletion", actor=SYSTEM)
    make_pseudonym(session, account)
    perform(session, account, "delete", actor=SYSTEM)
    assert {account.username, account.full_name} == {f"deleted-{account.id}"}
    assert "prova" not in account.email


def test_a_cancelled_deletion_returns_to_where_it_was(session: RecordSession) -> None:
    account = World(session).account(AccountState.suspended)
    perform(session, account, "request_deletion", actor=SYSTEM)
    perform(session, account, "cancel_deletion", actor=SYSTEM)
    assert account.state is AccountState.suspended


def confirm(session: RecordSession, order: CustomerOrder) -> None:
    perform(session, order, "confirm", actor=SYSTEM)


def test_an_order_is_confirmed_only_when_complete(session: RecordSession) -> None:
    world = World(session)
    order = world.order()
    (line,) = order.lines
    order.referent = None
    with pytest.raises(ReferentMissing):
        confirm(session, order)
    order.referent, line.license_expires_on = world.contact, None
    with pytest.raises(ExpiryMissing):
        confirm(session, order)
    line.license_months, world.company.state, world.company.phone = 12, CompanyState.prospect, None
    with pytest.raises(CompanyIncomplete):
        confirm(session, order)
    world.company.state = CompanyState.client
    confirm(session, order)
    assert order.state is OrderState.confirmed


def test_an_empty_order_is_not_confirmed(session: RecordSession) -> None:
    order = World(session).order()
    order.lines = []
    with pytest.raises(NothingOrdered):
        confirm(session, order)


def test_an_order_is_completed_when_licensed_and_cancelled_only_before(session: RecordSession) -> None:
    order = World(session).order(OrderState.confirmed)
    with pytest.raises(LicensesMissing):
        perform(session, order, "complete", actor=SYSTEM)
    perform(session, order, "generate_licenses", actor=SYSTEM)
    with pytest.raises(LicensesGenerated):
        perform(session, order, "cancel", actor=SYSTEM)
    perform(session, order, "complete", actor=SYSTEM)
    assert order.state is OrderState.completed


def test_a_voicemail_is_to_be_called_back(session: RecordSession) -> None:
    world = World(session)
    values = {"channel": "voicemail", "description": "Richiamare", "contact": world.contact.id}
    with at_the_desk(session, world, "calls") as (desk, staff):
        call = create_record(desk, Call, values, actor=staff)
        assert isinstance(call, Call)
        assert (call.state, call.company_id) == (CallState.callback_due, world.company.id)
        assert (call.group_id, call.outcome) == (world.group.id, CallOutcome.voicemail)


def test_some_types_of_request_need_an_urgency(session: RecordSession) -> None:
    world = World(session)
    world.type.needs_urgency = True
    call = world.call()
    with pytest.raises(UrgencyMissing):
        perform(session, call, "classify", {"request_type": world.type}, actor=SYSTEM)
    perform(session, call, "classify", {"request_type": world.type, "urgency": "emergency"}, actor=SYSTEM)
    assert call.state is CallState.classified
