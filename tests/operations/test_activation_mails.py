"""Who is written what around an activation request, and what a stranger is never told (chapter 5, N-02 to N-09b)."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from backoffice.actors import SYSTEM
from backoffice.database import RecordSession
from backoffice.operations.activation_checks import (
    ForAdministrators,
    NotForPeople,
    NotOverridable,
    OwnRequest,
)
from backoffice.operations.activation_evidence import evidence_of
from backoffice.operations.activation_letters import RequesterUnknown
from backoffice.operations.activation_steps import EvidenceMissing
from backoffice.operations.overrides import change_setting
from backoffice.operations.plain import create_record
from backoffice.operations.verbs import perform
from backoffice.outbox import letter_of
from backoffice.permissions import ADMINISTRATOR
from backoffice.setting_keys import ACTIVATION_ADDRESS, REFERENT_ADDRESS, SEPARATE_DUTIES
from models.activation_check import ActivationCheck, CheckKind, CheckState
from models.activation_request import ActivationRequest
from models.activation_request import RequestState as S
from models.activation_request_item import ItemState
from models.attachment import Attachment
from models.business_unit import BusinessUnit
from models.company import SizeClass
from models.company_service import CompanyService, GrantState
from models.contract import ContractState
from models.contract_line import ContractLine
from models.license import License
from models.onboarding import OnboardingState
from models.outbox_mail import MailLanguage, OutboxMail
from models.portal import Portal
from models.service import ServiceState
from models.staff import Staff
from tests.operations.test_activation import desk, only, somebody
from tests.operations.world import World, day


def mails(session: RecordSession, about: object | None = None, template: str | None = None) -> list[OutboxMail]:
    """Return what is queued, perhaps about one record or by one template, in order."""
    statement = sa.select(OutboxMail).order_by(OutboxMail.id)
    if about is not None:
        statement = statement.where(
            OutboxMail.cause_entity == about.__table__.name,  # type: ignore[attr-defined]
            OutboxMail.cause_id == about.id,  # type: ignore[attr-defined]
        )
    if template is not None:
        statement = statement.where(OutboxMail.template == template)
    return list(session.scalars(statement))


def hired(session: RecordSession, world: World, username: str) -> Staff:
    """Return a member of staff who works for the group of the world."""
    person = session.scalars(sa.select(Staff).where(Staff.username == username)).one()
    person.group_id = world.group.id
    session.flush()
    return person


def text(session: RecordSession, mail: OutboxMail) -> str:
    return letter_of(session, mail).text


def test_who_asks_is_confirmed_and_who_looks_after_the_client_is_told(session: RecordSession) -> None:
    world = World(session)
    manager = hired(session, world, "demo.secretariat")
    world.company.account_manager, service = manager, world.covered()
    asked = {
        "company": world.company.id,
        "requester_name": "Ada Rossi",
        "email": "ada@prova.example",
        "language": "en",
        "items": [{"online_service": service.id}],
    }
    with desk(session, somebody(session, world)) as here:
        create_record(here, ActivationRequest, asked, actor=here.info["context"].actor)
        here.commit()
    session.expire_all()
    received, announced = mails(session)
    assert (received.recipient, received.subject, received.language) == (
        "ada@prova.example", "Request RA-1 received", MailLanguage.en,
    )  # fmt: skip
    assert service.code in text(session, received)
    assert received.reply_to == manager.email
    assert (announced.recipient, announced.template) == (manager.email, "activation_to_evaluate")
    assert "Comune di Prova" in announced.subject


def test_one_s_own_request_notifies_nobody_and_strangers_go_to_the_pool(session: RecordSession) -> None:
    world = World(session)
    hired(session, world, "demo.sales")
    sales = somebody(session, world)
    asked = {
        "company_name": "Officina",
        "requester_name": "Nino",
        "email": "nino@prova.example",
        "items": [{"online_service": world.covered().id}],
    }
    with desk(session, sales) as here:
        create_record(here, ActivationRequest, asked | {"assignee": sales.id}, actor=sales)
        create_record(here, ActivationRequest, asked, actor=sales)
        here.commit()
    assert [mail.template for mail in mails(session)] == ["activation_received"] * 2
    session.rollback()
    with desk(session, somebody(session, world)) as here:
        change_setting(here, ACTIVATION_ADDRESS, "sportello@prova.example", version=0, actor=sales)
        create_record(here, ActivationRequest, asked, actor=sales)
        here.commit()
    assert mails(session)[-1].recipient == "sportello@prova.example"


def test_the_unit_is_told_what_it_decides_on(session: RecordSession) -> None:
    world = World(session)
    unit = world.add(BusinessUnit(name="Rifiuti di prova", group_company=world.house))
    evaluator = session.scalars(sa.select(Staff).where(Staff.username == "demo.evaluator")).one()
    evaluator.business_unit = unit
    theirs, others = world.covered(business_unit=unit), world.covered()
    request = world.request(S.received, theirs, others)
    perform(session, request, "take", {"company": world.company}, actor=SYSTEM)
    (mail,) = mails(session, request)
    assert (theirs.code in text(session, mail), others.code in text(session, mail)) == (True, False)
    assert (mail.recipient, mail.template) == (evaluator.email, "activation_unit_to_evaluate")
    assert "Dimensione del cliente non indicata." in text(session, mail)
    assert "registrazioni non contate" in text(session, mail)


def test_one_mail_says_the_outcome_of_every_service(session: RecordSession) -> None:
    world = World(session)
    free, paid, none = world.covered(), world.covered(), world.covered()
    request = world.request(S.in_evaluation, free, paid, none)
    perform(session, request.items[0], "approve_free", actor=SYSTEM)
    perform(session, request.items[1], "approve_paid", {"yearly_fee": "1.480", "agreement": "Offerta 7"}, actor=SYSTEM)
    refusal = {"reject_reason": "no_records", "note": "Riprovi a gennaio."}
    perform(session, request.items[2], "reject", refusal, actor=SYSTEM)
    perform(session, request, "decide", actor=SYSTEM)
    assert mails(session, request) == []
    perform(session, request, "fulfil", actor=SYSTEM)
    perform(session, request, "answer", {"answer_text": request.answer_text + "\n\nA presto"}, actor=SYSTEM)
    (mail,) = mails(session, request)
    said = text(session, mail)
    year = request.fulfilled_at.year  # type: ignore[union-attr]
    assert f"{free.code}, {free.name}: attivato gratuitamente." in said
    assert f"€ 1.480,00 oltre IVA ed è valido dal 01/01/{year} al 31/12/{year}" in said
    assert "non una licenza" in said
    assert "Non ci sono ancora registrazioni dell'azienda nel sistema. Riprovi a gennaio." in said
    assert "A presto" in said
    assert (mail.recipient, request.state) == ("ada@prova.example", S.answered)


def test_left_empty_the_answer_is_written_by_the_product(session: RecordSession) -> None:
    request = World(session).request(S.in_evaluation)
    request.language = MailLanguage.en
    perform(session, request, "withdraw", actor=SYSTEM)
    perform(session, request, "answer", {"answer_text": ""}, actor=SYSTEM)
    (mail,) = mails(session, request)
    assert "the request has been withdrawn" in text(session, mail)


def answer_to(session: RecordSession, world: World, **who: object) -> str:
    """Refuse a request of somebody for a service nobody covers; return the answer, its number left out."""
    request = world.request(S.in_evaluation, world.online_service(code="UNO", name="Uno"))
    for name, value in who.items():
        setattr(request, name, value)
    session.flush()
    perform(
        session, only(request), "reject", {"reject_reason": "no_contract", "note": "Scaduto a maggio."}, actor=SYSTEM
    )
    perform(session, request, "decide", actor=SYSTEM)
    perform(session, request, "fulfil", actor=SYSTEM)
    perform(session, request, "answer", actor=SYSTEM)
    (mail,) = mails(session, request)
    letter = letter_of(session, mail)
    return f"{letter.subject}\n{letter.text}\n{letter.html}".replace(request.number, "RA")


def test_a_stranger_who_types_a_client_s_number_reads_what_a_stranger_reads(session: RecordSession) -> None:
    stranger = {"email": "nino@altrove.example", "requester_name": "Nino Verdi"}
    of_client = answer_to(session, World(session), **stranger, vat_number="00743110157")
    of_nobody = answer_to(session, World(session), **stranger, company=None, company_name="Officina Verdi")
    # Each world is a group of its own, and signs with its own name.
    neutral = [said.split("Gruppo Prova")[0] for said in (of_client, of_nobody)]
    assert neutral[0] == neutral[1]
    assert "Scaduto a maggio" not in of_client
    assert "Comune di Prova" not in of_client
    known = answer_to(session, World(session))
    assert "Non risulta un contratto attivo per il servizio. Scaduto a maggio." in known


def test_staff_who_verify_the_requester_may_tell_them(session: RecordSession) -> None:
    world = World(session)
    request = world.request(S.in_evaluation)
    request.email = "nino@altrove.example"
    perform(session, only(request), "approve_free", actor=SYSTEM)
    with pytest.raises(RequesterUnknown):
        perform(session, request, "decide", actor=SYSTEM)
    perform(session, request, "verify", {"verified_how": "Richiamato al numero noto"}, actor=SYSTEM)
    request.company, chosen = world.client(), world.company
    session.flush()
    with pytest.raises(RequesterUnknown):  # they were verified for another one
        perform(session, request, "decide", actor=SYSTEM)
    request.company = chosen
    session.flush()
    perform(session, request, "decide", actor=SYSTEM)
    assert request.state is S.decided


def proposed(session: RecordSession, world: World) -> ActivationRequest:
    request = world.request(S.in_evaluation)
    perform(session, only(request), "approve_paid", {"yearly_fee": "480"}, actor=SYSTEM)
    perform(session, request, "decide", actor=SYSTEM)
    return request


def test_the_proposal_is_mailed_and_stored_word_for_word(session: RecordSession) -> None:
    world = World(session)
    request = proposed(session, world)
    (mail,) = mails(session, request)
    assert request.state is S.awaiting_acceptance
    assert request.proposal is not None
    assert "€ 480,00 oltre IVA, valido dal 01/01/" in request.proposal
    assert request.proposal in text(session, mail)
    granted = sa.select(CompanyService).where(CompanyService.company_id == world.company.id)
    assert session.scalars(granted).all() == []


def test_staff_record_an_acceptance_with_evidence(session: RecordSession) -> None:
    world = World(session)
    with_words, with_file = proposed(session, world), proposed(session, world)
    sales = somebody(session, world)
    with desk(session, sales) as here:
        found = here.get_one(ActivationRequest, with_words.id)
        with pytest.raises(EvidenceMissing):
            perform(here, found, "accept", {"accepted_by": "Ada Rossi"}, actor=sales)
        said = {"accepted_by": "Ada Rossi", "acceptance_evidence": "Mail del 3 maggio"}
        perform(here, found, "accept", said, actor=sales)
        assert (found.accepted_by, found.state, found.accepted_at is not None) == ("Ada Rossi", S.decided, True)
    world.add(
        Attachment(
            group_id=world.group.id, activation_request=with_file, name="mail.eml", media_type="message/rfc822",
            size_bytes=3, sha256="0" * 64,
        )
    )  # fmt: skip
    with desk(session, sales) as here:
        perform(here, here.get_one(ActivationRequest, with_file.id), "accept", {"accepted_by": "Ada"}, actor=sales)


def test_missing_data_block_unless_an_administrator_says_why(session: RecordSession) -> None:
    world = World(session)
    service = world.covered(requires_records=True, records_overridable=True)
    request = world.request(S.received, service)
    for check in session.scalars(sa.select(ActivationCheck).where(ActivationCheck.request_id == request.id)):
        session.delete(check)
    session.add(CompanyService(company=world.company, online_service=service, records_count=0))
    perform(session, request, "take", {"company": world.company}, actor=SYSTEM)
    sales = somebody(session, world)
    with desk(session, sales) as here:
        of_records = sa.select(ActivationCheck).where(
            ActivationCheck.request_id == request.id, ActivationCheck.kind == CheckKind.records
        )
        check = here.scalars(of_records).one()
        assert check.state is CheckState.failed
        with pytest.raises(NotForPeople):
            perform(here, check, "pass", {"detail": "Arrivano"}, actor=sales)
        with pytest.raises(ForAdministrators):
            perform(here, check, "override", {"detail": "Cliente nuovo"}, actor=sales)
        admin = replace(sales, roles=(ADMINISTRATOR,))
        of_client = sa.select(ActivationCheck).where(
            ActivationCheck.request_id == request.id, ActivationCheck.kind == CheckKind.client
        )
        here.scalars(of_client).one().state = CheckState.failed
        with pytest.raises(NotOverridable):
            perform(here, here.scalars(of_client).one(), "override", {"detail": "Quasi"}, actor=admin)
        here.scalars(of_client).one().state = CheckState.passed
        perform(here, check, "override", {"detail": "Cliente nuovo"}, actor=admin)
        assert (check.state, check.detail, check.checked_by_id) == (CheckState.overridden, "Cliente nuovo", admin.id)
        perform(here, only(check.request), "approve_free", actor=sales)


def test_the_settings_may_let_people_decide_what_they_entered(session: RecordSession) -> None:
    world = World(session)
    request = world.request(S.in_evaluation)
    sales = somebody(session, world)
    request.created_by_id = sales.id
    with desk(session, sales) as here:
        item = only(here.get_one(ActivationRequest, request.id))
        with pytest.raises(OwnRequest):
            perform(here, item, "approve_free", actor=sales)
        change_setting(here, SEPARATE_DUTIES, "", version=0, actor=sales)
        perform(here, item, "approve_free", actor=sales)
        assert (item.state, item.is_own_decision) == (ItemState.approved_free, True)


@pytest.mark.parametrize(
    ("verb", "template"),
    [("suspend", "access_suspended"), ("freeze", "access_frozen"), ("remove", "access_removed")],
)
def test_the_referent_is_told_what_becomes_of_access(session: RecordSession, verb: str, template: str) -> None:
    world = World(session)
    world.contact.is_main_referent, world.contact.language = True, MailLanguage.en
    grant = world.company_service(GrantState.active)
    perform(session, grant, verb, {"frozen_from": day(0)} if verb != "remove" else {}, actor=SYSTEM)
    (mail,) = mails(session, grant)
    assert (mail.recipient, mail.template, mail.language) == ("ada@prova.example", template, MailLanguage.en)
    assert f"{day(0):%d/%m/%Y}" in text(session, mail)


def test_the_referent_is_told_when_access_comes_back(session: RecordSession) -> None:
    world = World(session)
    world.contact.is_main_referent = True
    grant = world.company_service(GrantState.suspended)
    perform(session, grant, "resume", actor=SYSTEM)
    assert [mail.template for mail in mails(session, grant)] == ["access_restored"]


def test_a_client_without_referent_is_told_nothing(session: RecordSession) -> None:
    grant = World(session).company_service(GrantState.active)
    perform(session, grant, "suspend", {"frozen_from": day(0)}, actor=SYSTEM)
    assert mails(session, grant) == []


def test_from_missing_data_to_licenses_each_step_is_told(session: RecordSession) -> None:
    world = World(session)
    manager = session.scalars(sa.select(Staff).where(Staff.username == "demo.sales")).one()
    onboarding = world.onboarding(OnboardingState.data_incomplete)
    onboarding.order.account_manager, onboarding.missing = manager, "Referente, Telefono"
    onboarding.received_address = onboarding.address_match = None
    session.flush()
    perform(session, onboarding, "ask", actor=SYSTEM)
    perform(session, onboarding, "take_data", actor=SYSTEM)
    perform(session, onboarding, "contact", {"channel": "email"}, actor=SYSTEM)
    perform(session, onboarding, "send_registration", actor=SYSTEM)
    perform(session, onboarding, "confirm", actor=SYSTEM)
    with desk(session, somebody(session, world)) as here:
        actor = here.info["context"].actor
        change_setting(here, REFERENT_ADDRESS, "assistenza@prova.example", version=0, actor=actor)
        here.commit()
    session.info.pop("settings", None)
    session.refresh(onboarding)
    perform(session, onboarding, "receive_address", {"received_address": "ada@prova.example"}, actor=SYSTEM)
    told = [(mail.template, mail.recipient) for mail in mails(session, onboarding)]
    assert told == [
        ("order_data_missing", manager.email),
        ("referent_invited", "ada@prova.example"),
        ("referent_to_confirm", "ada@prova.example"),
        ("referent_address", "assistenza@prova.example"),
    ]
    perform(session, onboarding, "generate", actor=SYSTEM)
    perform(session, onboarding, "send", actor=SYSTEM)
    (mail,) = mails(session, template="licenses")
    said = text(session, mail)
    of_order = [record.code for record in session.scalars(sa.select(License)) if record.company == world.company]
    assert len(of_order) == 3
    assert all(code in said for code in of_order)


def test_a_license_sent_alone_leaves_alone(session: RecordSession) -> None:
    record = World(session).license()
    perform(session, record, "send", actor=SYSTEM)
    (mail,) = mails(session, record)
    assert (mail.recipient, record.sent_to) == ("ada@prova.example", "ada@prova.example")
    assert record.code in text(session, mail)


def test_contacting_by_telephone_writes_nothing(session: RecordSession) -> None:
    onboarding = World(session).onboarding(OnboardingState.data_complete)
    perform(session, onboarding, "contact", {"channel": "phone"}, actor=SYSTEM)
    assert mails(session, onboarding) == []


def test_the_checks_name_the_records_they_looked_at(session: RecordSession) -> None:
    world = World(session)
    service, other = world.covered(large_clients_only=True), world.online_service()
    world.company.size_class = SizeClass.small
    request = world.request(S.in_evaluation, service, other)
    over = world.contract(ContractState.expired)
    world.add(ContractLine(contract=over, service=world.service(ServiceState.offered, online_service=service)))
    grant = world.add(CompanyService(company=world.company, online_service=service, records_count=214))
    first, second = (evidence_of(session, request)[item.id] for item in request.items)
    in_force, ended = first[CheckKind.contract]
    assert (in_force.is_good, ended.is_good, ended.title) == (True, False, over.number)
    assert [(one.record_id, one.count) for one in first[CheckKind.records]] == [(grant.id, 214)]
    assert [(one.title, one.is_good) for one in first[CheckKind.size]] == [("Comune di Prova", False)]
    assert (second[CheckKind.contract], second[CheckKind.records], second[CheckKind.size]) == ([], [], [])
    request.company = None
    session.flush()
    assert evidence_of(session, request) == {}


def test_where_nobody_is_to_answer_the_reply_goes_to_the_portal(session: RecordSession) -> None:
    world = World(session)
    addresses = {"sender": "clienti@prova.example", "reply_to": "risposte@prova.example"}
    session.add(Portal(code="nuovo", name="Nuovo", group_company=world.house, **addresses))
    sales = somebody(session, world)
    asked = {
        "company_name": "Officina",
        "requester_name": "Nino",
        "email": "nino@prova.example",
        "items": [{"online_service": world.covered().id}],
    }
    with desk(session, sales) as here:
        create_record(here, ActivationRequest, asked, actor=sales)
        here.commit()
    [received] = [mail for mail in mails(session) if mail.template == "activation_received"]
    assert (received.sender, received.reply_to) == tuple(addresses.values())
