"""Forms as people read them: what is required, what is wrong and where, and what is proposed."""

from __future__ import annotations

import re
from html import unescape

import pytest
import sqlalchemy as sa

from backoffice import clock
from backoffice.database import RecordSession, begin_writing
from models.contract import Contract
from models.contract_line import ContractLine
from models.entitlement import Entitlement
from models.intervention import Intervention
from models.service import Service
from models.staff import Staff
from models.ticket import Ticket, TicketState
from tests.views.programs import as_stored, make_company, make_contract
from tests.visitors import Visitor, form_of


@pytest.fixture
def contract(session: RecordSession) -> Contract:
    return make_contract(session, make_company(session), "C/1")


@pytest.fixture
def services(session: RecordSession) -> list[int]:
    return list(session.scalars(sa.select(Service.id).order_by(Service.id).limit(3)))


def lines(*rows: dict[str, object]) -> dict[str, str]:
    """Return what the lines of a contract send, one after the other."""
    return {f"lines-{i}-{name}": str(value) for i, row in enumerate(rows) for name, value in row.items()}


def told(page: str) -> list[tuple[str, str]]:
    """Return the summary of what is wrong, each with the id of what it leads to."""
    summary = page[page.index("data-problems") :]
    found = re.findall(r'<li><a href="#([^"]+)">([^<]+)</a>', summary[: summary.index("</ul>")])
    return [(unescape(text), anchor) for anchor, text in found]


def refused(admin: Visitor, contract: Contract, *rows: dict[str, object]) -> tuple[list[tuple[str, str]], str]:
    path = f"/contract/{contract.id}/edit"
    answer = admin.submit(path, form_of(admin, path) | lines(*rows))
    assert answer.status_code == 422, answer.text
    return told(answer.text), answer.text


def test_a_wrong_line_says_which_and_which_column(admin: Visitor, contract: Contract, services: list[int]) -> None:
    found, page = refused(
        admin,
        contract,
        {"service": services[0]},
        {"quantity": "5"},
        {"service-text": "goprivacy", "quantity": "x"},
    )
    assert found == [
        ("Riga 2, Servizio: Questo campo è obbligatorio: scegli una voce.", "lines-1-service"),
        ("Riga 3, Servizio: “goprivacy” non è nell’elenco: scegli una voce.", "lines-2-service"),
        ("Riga 3, Quantità: Questo non è un numero intero.", "lines-2-quantity"),
    ]
    assert page.count('class="line-errors"') == 2
    assert 'id="lines-2-quantity-error"' in page


def test_what_the_database_refuses_in_a_line_is_told_beside_it(
    admin: Visitor, contract: Contract, services: list[int], session: RecordSession
) -> None:
    fee = {"service": services[0], "yearly_fee": "100"}
    found, _page = refused(admin, contract, fee, {"service": services[1], "yearly_fee": "-5"})
    assert found == [("Riga 2, Canone annuo: Il canone non può essere negativo.", "lines-1-yearly_fee")]
    found, _page = refused(admin, contract, fee, {"service": services[1]}, {"service": services[0]})
    assert [(text.partition(":")[0], anchor) for text, anchor in found] == [("Riga 3, Servizio", "lines-2-service")]
    session.add(ContractLine(contract_id=contract.id, service_id=services[2]))
    session.commit()
    path = f"/contract/{contract.id}/edit"
    sent = form_of(admin, path) | {"lines-1-service": str(services[1]), "lines-1-yearly_fee": "-1"}
    answer = admin.submit(path, sent)
    assert [anchor for _text, anchor in told(answer.text)] == ["lines-1-yearly_fee"]
    sent["lines-0-yearly_fee"], sent["lines-1-yearly_fee"] = "-1", "1"
    assert [anchor for _text, anchor in told(admin.submit(path, sent).text)] == ["lines-0-yearly_fee"]
    assert len(as_stored(session).get_one(Contract, contract.id).lines) == 1


def test_words_for_a_hidden_row_and_for_none_are_answered_alike(
    admin: Visitor, contract: Contract, session: RecordSession
) -> None:
    make_company(session, "Di altri srl", group=2)
    path = f"/contract/{contract.id}/edit"
    for words in ("Di altri srl", "Di nessuno srl"):
        answer = admin.submit(path, form_of(admin, path) | {"company": "", "company-text": words})
        assert told(answer.text) == [(f"Azienda: “{words}” non è nell’elenco: scegli una voce.", "company")]


@pytest.mark.parametrize("path", ["/contract/new", "/contact/new", "/company/new", "/staff/new", "/ticket/new"])
def test_what_is_required_is_marked_and_nothing_else(admin: Visitor, path: str) -> None:
    page = admin.get(path).text
    assert "(facoltativo)" not in page
    assert 'class="required">(obbligatorio)' in page
    assert "Solo i campi con “(obbligatorio)”" in page


def test_a_field_may_have_a_row_to_itself(admin: Visitor) -> None:
    page = admin.get("/contact/new").text
    assert re.findall(r'class="field span-\d own-row">\s*<label class="form-label" for="(\w+)"', page) == ["company"]


def test_roles_are_ticks_with_their_sentence(admin: Visitor, session: RecordSession) -> None:
    page = admin.get("/staff/new").text
    assert "<select multiple" not in page
    ticks = re.findall(r'name="roles" value="(\d+)"[^>]*><span>([^<]+)<small class="muted">([^<]+)', page)
    wanted = ["Commerciale", "Segue clienti, contratti e ordini."]
    sales = next(key for key, *words in ticks if words == wanted)
    person = {"first_name": "Ada", "last_name": "Neri", "email": "ada@prova.example", "username": "ada", "active": "y"}
    answer = admin.submit("/staff/new", person | {"roles": sales})
    assert answer.status_code == 303
    ada = as_stored(session).scalars(sa.select(Staff).where(Staff.username == "ada")).one()
    assert [role.name for role in ada.roles] == ["sales"]
    shown = admin.get(f"/staff/{ada.id}").text
    assert f'security/password/{ada.id}/link">Invia un collegamento per impostare la password</a>' in shown, (
        "the first step of a new user"
    )
    assert "Non c’è ancora una password" in unescape(shown)
    assert f'value="{sales}" checked' in admin.get(f"/staff/{ada.id}/edit").text
    assert "Commerciale" in admin.get("/staff/?q=ada").text
    path = f"/staff/{ada.id}/edit"
    assert admin.submit(path, form_of(admin, path) | {"first_name": "Adele"}).status_code == 303
    assert "ancora una password" not in admin.get(f"/staff/{ada.id}").text, "nor of a changed one"


def test_a_verb_proposes_today_and_a_new_record_does_not(admin: Visitor, contract: Contract) -> None:
    page = admin.get(f"/contract/{contract.id}/do/sign").text
    (field,) = re.findall(r'<input[^>]*id="signed_on"[^>]*>', page)
    assert f'value="{clock.today():%d/%m/%Y}"' in field
    (field,) = re.findall(r'<input[^>]*id="signed_on"[^>]*>', admin.get("/contract/new").text)
    assert 'value=""' in field


def test_assigning_again_is_no_step_on(admin: Visitor, session: RecordSession) -> None:
    wanted = sa.select(Ticket).where(Ticket.state == TicketState.assigned, Ticket.company_id.is_not(None)).limit(1)
    ticket = session.scalars(wanted).one()
    page = admin.get(f"/ticket/{ticket.id}").text
    primary = re.findall(r'class="btn btn-primary" href="[^"]+/do/(\w+)"', page)
    assert primary == ["take_charge"]
    asked = unescape(admin.get(f"/ticket/{ticket.id}/do/assign").text)
    assert "Lo stato resta “Assegnato”." in asked
    assert "Lo stato passa" not in asked


def test_adding_from_a_relation_names_what_is_added(admin: Visitor) -> None:
    page = unescape(admin.get("/contract/new").text)
    assert "Aggiungi azienda (si apre un’altra finestra)" in page


def test_what_only_the_record_as_a_whole_shows_to_be_wrong_keeps_the_form(
    admin: Visitor, session: RecordSession
) -> None:
    """OS-02: no intervention is left, so that a reason is missing; what was typed is not lost."""
    used = sa.select(Intervention).where(Intervention.entitlement_id.is_not(None)).limit(1)
    done = session.scalars(used).one()
    ticket_id, entitlement_id = done.ticket_id, done.entitlement_id
    session.rollback()
    with begin_writing():
        spent = {"max_count": 1, "valid_from": clock.today(), "valid_to": None, "site_id": None}
        session.execute(
            sa.update(Entitlement.__table__).values(spent).where(Entitlement.__table__.c.id == entitlement_id)
        )
        session.commit()
    typed = {"ticket": str(ticket_id), "mode": "on_site", "requested_by": "Ing. Bianchi", "entitlement": entitlement_id}
    answer = admin.submit("/intervention/new", form_of(admin, "/intervention/new") | typed)
    assert answer.status_code == 409
    assert 'value="Ing. Bianchi"' in answer.text
    assert "Quelli concordati (1) sono stati usati" in unescape(answer.text)
