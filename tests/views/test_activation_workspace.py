"""The activation workspace: who comes in, what they see of a request, and that only its own parts are reached."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from backoffice.database import RecordSession, begin_writing
from models.activation_check import ActivationCheck, CheckKind, CheckState
from models.activation_request import ActivationRequest
from models.activation_request import RequestState as S
from models.business_unit import BusinessUnit
from models.outbox_mail import OutboxMail
from models.staff import Staff
from tests.operations.world import World, day
from tests.visitors import Visitor

pytestmark = pytest.mark.databases("sqlite")
Person = Callable[[str], Visitor]


@pytest.fixture
def world(session: RecordSession, staff: Callable[[str], Staff]) -> World:
    """A client of the group that the demonstration users work for."""
    group_id = staff("administrator").group_id
    session.rollback()
    with begin_writing():
        found = World(session, group_id=group_id)
        session.commit()
    return found


def of_group(session: RecordSession, world: World, state: S = S.in_evaluation, *services: object) -> ActivationRequest:
    session.rollback()
    with begin_writing():
        made = world.request(state, *services)  # type: ignore[arg-type]
        session.commit()
    return made


@pytest.mark.parametrize(
    ("role", "status"), [("sales", 200), ("evaluator", 200), ("consultant", 403), ("quality", 403)]
)
def test_who_works_on_requests_comes_in(person: Person, role: str, status: int) -> None:
    visitor = person(role)
    assert visitor.get("/activation/").status_code == status
    assert ("/backoffice/activation/" in visitor.get("/").text) is (status == 200)


def test_strangers_sign_in_first(desk_client: Callable[..., object]) -> None:
    answer = desk_client().get("/activation/")  # type: ignore[attr-defined]
    assert answer.status_code == 302
    assert "/login/" in answer.location


def test_the_queue_shows_late_ones_first_and_mine(
    session: RecordSession, world: World, person: Person, staff: Callable[[str], Staff]
) -> None:
    late, later = of_group(session, world), of_group(session, world)
    with begin_writing():
        late.answer_by, later.answer_by, later.assignee_id = day(-40), day(-1), staff("sales").id
        late.company_name, later.company_name = "Prima Assoluta", "Seconda Assoluta"
        session.commit()
    visitor = person("sales")
    text = visitor.get("/activation/").text
    assert 0 < text.index("Prima Assoluta") < text.index("Seconda Assoluta")
    mine = visitor.get("/activation/?mine=1").text
    assert "Prima Assoluta" not in mine
    assert "Seconda Assoluta" in mine
    empty = visitor.get("/activation/?show=waiting&mine=1").text
    assert "Seconda Assoluta" not in empty


def test_an_evaluator_sees_the_services_of_their_unit(
    session: RecordSession, world: World, person: Person, staff: Callable[[str], Staff]
) -> None:
    unit_id = staff("evaluator").business_unit_id
    unit = session.get_one(BusinessUnit, unit_id)
    with begin_writing():
        theirs, others = world.covered(business_unit=unit), world.covered()
        session.commit()
    request = of_group(session, world, S.bu_evaluation, theirs, others)
    with begin_writing():
        request.business_unit_id = unit_id
        session.commit()
    text = person("evaluator").get(f"/activation/{request.id}").text
    assert theirs.code in text
    assert others.name not in text
    session.rollback()
    alone = of_group(session, world, S.in_evaluation, others)
    assert person("evaluator").get(f"/activation/{alone.id}").status_code == 404


def test_parts_of_another_request_are_not_reached(session: RecordSession, world: World, person: Person) -> None:
    one, other = of_group(session, world), of_group(session, world)
    (item,) = other.items
    path = f"/activation/{one.id}/item/{item.id}/approve_free"
    visitor = person("administrator")
    assert visitor.get(path).status_code == 404
    assert visitor.submit(path, {"version": item.version}).status_code == 404
    assert visitor.get(f"/activation/{one.id}/company/{one.company_id}/withdraw").status_code == 404
    assert visitor.get(f"/activation/{one.id}/request/{one.id}/close").status_code == 403


def test_a_decision_is_taken_at_once_and_an_older_one_refused(
    session: RecordSession, world: World, person: Person
) -> None:
    request = of_group(session, world)
    (item,) = request.items
    path, visitor = f"/activation/{request.id}/item/{item.id}/approve_free", person("administrator")
    seen = item.version
    answer = visitor.submit(path + "?show=evaluate", {"version": seen})
    assert (answer.status_code, answer.location) == (303, f"/backoffice/activation/{request.id}?show=evaluate")
    assert visitor.submit(f"/activation/{request.id}/item/{item.id}/reconsider", {"version": seen}).status_code == 409


def test_why_a_service_cannot_be_activated_stands_beside_it(
    session: RecordSession, world: World, person: Person
) -> None:
    request = of_group(session, world)
    with begin_writing():
        of_contract = sa.select(ActivationCheck).where(
            ActivationCheck.request_id == request.id, ActivationCheck.kind == CheckKind.contract
        )
        session.scalars(of_contract).one().state = CheckState.failed
        session.commit()
    text = person("administrator").get(f"/activation/{request.id}").text
    assert "Non si può attivare. Condizioni non soddisfatte:" in text
    assert "/approve_free" not in text
    assert "/reject" in text


def test_a_refused_form_keeps_what_was_typed(session: RecordSession, world: World, person: Person) -> None:
    request = of_group(session, world)
    path, visitor = f"/activation/{request.id}/request/{request.id}/refuse", person("administrator")
    answer = visitor.submit(path, {"version": request.version, "refusal": ""})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text


def test_the_mails_of_a_record_are_read_by_who_works_on_it(
    session: RecordSession, world: World, person: Person
) -> None:
    request, visitor = of_group(session, world), person("administrator")
    form = {"version": request.version, "question": "Per quali sedi?"}
    asked = visitor.submit(f"/activation/{request.id}/request/{request.id}/ask", form)
    assert asked.status_code == 303
    session.rollback()
    (mail,) = session.scalars(sa.select(OutboxMail).where(OutboxMail.cause_id == request.id)).all()
    page = f"/activation_request/{request.id}?tab=mail"
    subject = f"Richiesta {request.number}: ci serve"
    assert mail.subject.startswith(subject)
    assert subject in visitor.get(page).text
    sales = person("sales").get(page)
    assert subject in sales.text
    assert "/outbox_mail/" not in sales.text
    assert person("management").get(page).status_code == 404


@pytest.mark.databases("postgresql", "sqlite")
@pytest.mark.parametrize("key", [999_999_999, 2**31, 10**30])
def test_numbers_that_no_request_has_are_not_found(person: Person, key: int) -> None:
    assert person("administrator").get(f"/activation/{key}").status_code == 404
