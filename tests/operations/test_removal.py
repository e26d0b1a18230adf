"""What may be deleted: drafts and what nothing refers to; what happened stays, and its history with it."""

from __future__ import annotations

import pytest
from flask import Flask

from backoffice.actors import SYSTEM
from backoffice.database import RecordSession
from backoffice.errors import InvalidRecord, KeptForGood, KeptInThisState, StillReferred
from backoffice.operations.plain import delete_record, update_record
from backoffice.records.timeline import find_entries
from models.account import AccountState
from models.base import ENTITIES
from models.contract import Contract, ContractState
from models.customer_order import OrderState
from models.license import License
from models.ticket import TicketState
from models.ticket_message import TicketMessage, Visibility
from tests.operations.world import World
from tests.views.programs import as_stored
from tests.visitors import Visitor


def test_what_happened_is_never_deleted(session: RecordSession) -> None:
    world = World(session)
    ticket = world.ticket(TicketState.assigned)
    message = world.add(TicketMessage(ticket=ticket, visibility=Visibility.public, body="Buongiorno"))
    for record in (ticket, message, world.account(AccountState.deleted)):
        with pytest.raises(KeptForGood):
            delete_record(session, record, version=record.version, actor=SYSTEM)


@pytest.mark.parametrize("state", [s for s in ContractState if s is not ContractState.draft])
def test_only_drafts_of_contracts_are_deleted(session: RecordSession, state: ContractState) -> None:
    contract = World(session).contract(state)
    (line,) = contract.lines
    with pytest.raises(KeptInThisState):
        delete_record(session, contract, version=contract.version, actor=SYSTEM)
    with pytest.raises(KeptInThisState):
        delete_record(session, line, version=line.version, actor=SYSTEM)
    values = {"lines": [{"id": line.id, "delete": True}]}
    with pytest.raises(InvalidRecord):
        update_record(session, contract, values, version=contract.version, actor=SYSTEM)


def test_what_refers_to_lines_keeps_the_whole(session: RecordSession) -> None:
    world = World(session)
    order = world.order(generated=1)
    (line,) = order.lines
    world.add(License(code="A", order_line=line, contact=world.contact))
    with pytest.raises(StillReferred) as refusal:
        delete_record(session, order, version=order.version, actor=SYSTEM)
    assert [(item.entity, item.count) for item in refusal.value.values["found"]] == [(License, 1)]
    values = {"lines": [{"id": line.id, "delete": True}]}
    with pytest.raises(InvalidRecord) as refused:
        update_record(session, order, values, version=order.version, actor=SYSTEM)
    assert list(refused.value.problems) == ["lines.0"]
    assert order.state is OrderState.draft


def test_the_history_of_a_whole_keeps_its_removed_lines(session: RecordSession, desk: Flask) -> None:
    contract = World(session).contract()
    (line,) = contract.lines
    lines = {"lines": [{"id": line.id, "delete": True}]}
    with desk.test_request_context():
        before = len(find_entries(session, contract, SYSTEM))
        update_record(session, contract, lines, version=contract.version, actor=SYSTEM)
        entries = find_entries(session, contract, SYSTEM)
    # The line went, and the whole has changed.
    assert (len(entries), {entry.event for entry in entries[: len(entries) - before]}) == (before + 1, {"deleted"})


def test_the_page_says_beforehand_what_keeps_a_record(admin: Visitor, session: RecordSession) -> None:
    page = admin.get("/company/1/delete").text
    assert "non si può eliminare" in page
    assert 'href="/backoffice/contact/?f=company%3Ain%3A1"' in page
    assert 'type="submit"' not in page.partition("<main")[2]
    active = session.query(Contract).filter_by(state=ContractState.active, group_id=1).first()
    assert active is not None
    assert f"/contract/{active.id}/delete" not in admin.get(f"/contract/{active.id}").text
    assert "non si può eliminare" in admin.get(f"/contract/{active.id}/delete").text
    assert admin.submit(f"/contract/{active.id}/delete", {"version": str(active.version)}).status_code == 409
    assert as_stored(session).get(Contract, active.id) is not None


def test_a_verb_that_must_wait_says_so_beforehand(admin: Visitor, session: RecordSession) -> None:
    contract = session.query(Contract).filter_by(state=ContractState.signed, group_id=1).first()
    assert contract is not None
    for verb, words in (("activate", "Non prima del"), ("suspend", "non è possibile")):
        page = admin.get(f"/contract/{contract.id}/do/{verb}").text.partition("<main")[2]
        assert words in page
        assert 'type="submit"' not in page


def test_rules_about_states_are_declared_for_their_states(session: RecordSession) -> None:
    kept = {name for name, entity in ENTITIES.items() if entity.__admin__.deletion is not None}
    drafts = {"contract", "contract_line", "customer_order", "order_line", "activation_request", "onboarding"}
    drafts |= {"activation_request_item", "company_service", "account_service", "annual_fee", "contract_handover"}
    drafts |= {"analysis", "analysis_result", "certificate", "waste_movement", "terms_version"}
    assert kept == {
        "ticket",
        "ticket_message",
        "account",
        "account_session",
        "consent",
        "intervention",
        "account_deletion_request",
        "ticket_clock",
        "inbound_mail",
        "ticket_archive",
        "penalty",
        "on_call_alert",
        "api_key",
        "change_request",
        "complaint",
        "ticket_follower",
        *drafts,
    }
