"""What a record's page says first, how its lists are called, and how one finds one's way around it."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from backoffice.actors import Action, Actor, ActorKind, Context, Door, Grant, ScopeKind
from backoffice.database import RecordSession, open_session
from backoffice.records import show
from backoffice.records.lookup import hint
from models.company import Company
from models.contract import Contract, ContractState
from models.contract_line import ContractLine, LineState
from models.history_entry import HistoryEntry
from models.license import License
from models.service import Service, ServiceState
from models.staff import Staff
from models.ticket import Ticket
from tests.clients import DeskClient
from tests.visitors import Visitor, form_of
from views.generated import details


def main_of(page: str) -> str:
    """Return what stands on a page between navigation and end, without markup that only scripts read."""
    return html.unescape(page.partition("<main")[2].partition("</main")[0])


def crumbs(page: str) -> list[str]:
    trail = page.partition('class="crumbs"')[2].partition("</ol>")[0]
    return [html.unescape(re.sub("<[^>]*>", "", item)).strip() for item in re.findall(r"<li[^>]*>(.*?)</li>", trail)]


def reader(session: RecordSession, *masked: str, scope: ScopeKind = ScopeKind.group) -> Actor:
    """Return somebody who may read contracts, tickets and services, with some fields masked."""
    grant = Grant(frozenset({Action.read}), scope, frozenset(masked))
    group = session.scalars(sa.select(Contract.group_id)).first()
    grants = dict.fromkeys(("contracts", "tickets", "companies"), (grant,)) | {
        "services": (Grant(grant.actions, masked=frozenset(masked)),)
    }
    return Actor(ActorKind.staff, id=1, name="Prova", group_id=group, grants=grants)


def test_a_ticket_is_recognised_by_subject_and_company(admin: Visitor, session: RecordSession, desk: Flask) -> None:
    ticket = session.scalars(sa.select(Ticket).where(Ticket.group_id == 1, Ticket.company_id.is_not(None))).first()
    assert ticket is not None
    assert ticket.company is not None
    head = main_of(admin.get(f"/ticket/{ticket.id}").text).partition('class="tabs-nav"')[0]
    assert ticket.subject in head
    assert f'/company/{ticket.company_id}">{ticket.company}' in head
    with desk.test_request_context():
        said = details.subtitle(ticket, reader(session, "ticket.subject"))
        assert [item["cell"].text for item in said] == [str(ticket.company)]


def test_a_license_says_company_and_service(admin: Visitor, session: RecordSession) -> None:
    license_ = session.scalars(sa.select(License).where(License.group_id == 1)).first()
    assert license_ is not None
    page = main_of(admin.get(f"/license/{license_.id}").text)
    head = page.partition('class="tabs-nav"')[0]
    assert str(license_.company) in head
    assert str(license_.order_line.service) in head
    assert re.findall(r'class="tab"[^>]*>([^<]+?) *<', page) == ["Dettagli", "Storia", "Rinnovata da", "Sostituita da"]


def test_the_lists_of_a_company_come_in_their_order_with_their_numbers(admin: Visitor, session: RecordSession) -> None:
    company = session.scalars(sa.select(Company).where(Company.group_id == 1, Company.state == "client")).first()
    assert company is not None
    page = main_of(admin.get(f"/company/{company.id}?tab=site.company").text)
    tabs = page.partition('class="tabs-nav"')[2].partition("</nav>")[0]
    first, more = tabs.partition('class="menu more-tabs"')[::2]
    assert re.findall(r'class="tab"[^>]*>([^<]+?) *<', first)[:4] == ["Dettagli", "Storia", "Contatti", "Contratti"]
    assert re.findall(r"<summary[^>]*>([^<]+)", more) == ["Sedi"]  # the chosen one stands in the place of "More"
    assert "Consulenti <" in more
    contracts = session.scalar(sa.select(sa.func.count(Contract.id)).where(Contract.company_id == company.id))
    assert f'Contratti <span class="n">{contracts}</span>' in first


def test_numbers_on_tabs_stay_within_the_scope(
    desk_client: Callable[..., DeskClient], session: RecordSession, engine: sa.Engine, staff: Callable[[str], Staff]
) -> None:
    person = staff("evaluator")
    unit = person.business_unit_id
    statement = sa.select(Contract).where(Contract.business_unit_id != unit, Contract.group_id == person.group_id)
    contracts = session.scalars(statement.join(Company).where(Company.business_unit_id == unit)).all()
    assert contracts
    for contract in contracts[:3]:
        company = contract.company
        mine = session.scalars(sa.select(Contract).where(Contract.company_id == company.id)).all()
        seen = sum(row.business_unit_id == unit for row in mine)
        page = desk_client("evaluator").get(f"/company/{company.id}").text
        assert f'Contratti <span class="n">{seen}</span>' in page
        assert seen < len(mine)


def test_a_draft_contract_shows_its_lines_without_state_and_with_a_total(
    admin: Visitor, session: RecordSession
) -> None:
    statement = sa.select(Contract).join(ContractLine).where(Contract.state == ContractState.draft)
    statement = statement.where(Contract.group_id == 1).group_by(Contract.id).having(sa.func.count() > 1)
    draft = session.scalars(statement.where(ContractLine.yearly_fee.is_not(None))).first()
    assert draft is not None
    page = main_of(admin.get(f"/contract/{draft.id}").text)
    assert page.index("Righe di contratto") < page.index(">Durata<") < page.index("Su questa scheda")
    assert "In vigore" not in page
    total = sum(line.yearly_fee or 0 for line in draft.lines)
    assert f"€ {int(total):,}".replace(",", ".") + ",00" in page.partition("<tfoot>")[2].replace("\xa0", " ")


def test_withdrawn_lines_count_no_more(admin: Visitor, session: RecordSession) -> None:
    line = session.scalars(
        sa.select(ContractLine).where(ContractLine.state == LineState.withdrawn, ContractLine.group_id == 1)
    ).first()
    assert line is not None
    page = main_of(admin.get(f"/contract/{line.contract_id}").text)
    assert "Totale senza le righe cessate" in page


def test_numbers_and_codes_stand_first_and_empty_fields_together(admin: Visitor, session: RecordSession) -> None:
    ticket = session.scalars(sa.select(Ticket).where(Ticket.group_id == 1, Ticket.place_code.is_(None))).first()
    assert ticket is not None
    page = main_of(admin.get(f"/ticket/{ticket.id}").text)
    assert page.index(">Numero<") < page.index(">Coda<")
    assert re.search(r"Vuoti: [^<]*Codice del luogo", page)
    assert "In breve" not in page
    assert "In breve" in admin.get(f"/ticket/{ticket.id}?tab=history").text
    assert ">Id<" not in page


def test_a_name_made_of_masked_or_hidden_parts_is_not_told(session: RecordSession, engine: sa.Engine) -> None:
    with open_session(engine, Context(reader(session), Door.desk)) as scoped:
        line = scoped.scalars(sa.select(ContractLine)).first()
        assert line is not None
        assert show.label(line, reader(session)) == str(line)
        assert show.label(line, reader(session, "contract.number")) == f"Contract line {line.id}"
        assert show.label(line, reader(session, "contract.notes")) == str(line)
        line.__dict__["service"] = None  # as for somebody who may not read the service
        assert show.label(line, reader(session)) == f"Contract line {line.id}"


def test_a_service_is_called_by_its_name_and_says_when_it_is_not_offered_yet(session: RecordSession) -> None:
    actor = reader(session)
    for service in session.scalars(sa.select(Service)):
        assert str(service) == service.name
        told = hint(service, actor)
        assert (service.code in told) == (service.code not in service.name)
        assert ("In preparation" in told) == (service.state is ServiceState.proposed)
    coded = next(row for row in session.scalars(sa.select(Service)) if row.code not in row.name)
    assert coded.code not in hint(coded, reader(session, "service.code"))


@pytest.mark.parametrize(("step", "word"), [("edit", "Modifica"), ("delete", "Elimina")])
def test_the_breadcrumb_leads_through_the_record(admin: Visitor, session: RecordSession, step: str, word: str) -> None:
    company = session.scalars(sa.select(Company).where(Company.group_id == 1)).first()
    assert company is not None
    page = admin.get(f"/company/{company.id}/{step}").text
    assert crumbs(page) == ["Clienti", "Aziende", company.legal_name, word]
    assert f'/company/{company.id}">' in page.partition('class="crumbs"')[2].partition("</ol>")[0]


def test_the_breadcrumb_of_a_verb_and_of_the_roles(admin: Visitor, session: RecordSession) -> None:
    company = session.scalars(sa.select(Company).where(Company.group_id == 1, Company.state == "client")).first()
    assert company is not None
    trail = crumbs(admin.get(f"/company/{company.id}/do/become_former").text)
    assert trail[:3] == ["Clienti", "Aziende", company.legal_name]
    assert len(trail) == 4
    assert crumbs(admin.get("/roles/").text) == ["Sistema", "Ruoli"]


def test_daily_lists_come_first_in_the_menu(admin: Visitor) -> None:
    menu = admin.get("/").text.partition('id="menu"')[2].partition("</nav>")[0]
    names = re.findall(r'class="side-link"[^>]* title="([^"]+)"', menu)
    assert names[1:5] == ["Assistenza", "E-mail da smistare", "Rispondi a una chiamata", "Ticket"]
    assert names.index("Aziende") < names.index("Contatti") < names.index("Sedi")
    assert {"Unità", "Gruppi aziendali"} <= set(names)


def test_a_missing_record_leads_back_to_its_list(admin: Visitor) -> None:
    page = main_of(admin.get("/company/999999").text)
    assert re.search(r'/company/">.*Torna all’elenco: Aziende', page)


def test_a_refusal_names_who_could_allow_it(person: Callable[[str], Visitor], staff: Callable[[str], Staff]) -> None:
    page = main_of(person("contact_centre").get("/role_right/").text)
    assert str(staff("administrator")) in page
    assert str(staff("sales")) not in page


def test_a_ledger_has_no_history_of_its_own(admin: Visitor, session: RecordSession) -> None:
    entry = session.scalars(sa.select(HistoryEntry).where(HistoryEntry.group_id == 1)).first()
    assert entry is not None
    assert admin.get(f"/history_entry/{entry.id}").status_code == 200
    assert admin.get(f"/history_entry/{entry.id}?tab=history").status_code == 404


def test_a_conflict_says_who_and_what_only_oneself_changed(
    admin: Visitor, person: Callable[[str], Visitor], staff: Callable[[str], Staff], session: RecordSession
) -> None:
    company = session.scalars(sa.select(Company).where(Company.group_id == 1)).first()
    assert company is not None
    path = f"/company/{company.id}/edit"
    sent = form_of(admin, path)
    assert person("sales").submit(path, {**sent, "city": "Rovereto"}).status_code == 303
    late = html.unescape(admin.submit(path, {**sent, "city": "Ala", "notes": "Da tenere"}).text)
    assert re.search(rf"{staff('sales')} ha salvato questa scheda, oggi alle \d\d:\d\d", late)
    rows = dict(re.findall(r'<tr([^>]*)><th scope="row"><span class="strong"><a href="#[^"]*">([^<]*)', late)[::-1])
    marked = {label: row for row, label in rows.items()}
    assert "is-clash" in marked["Comune"]
    assert marked["Note interne"] == ""
    assert late.index("Comune</a>") < late.index("Note interne</a>")
