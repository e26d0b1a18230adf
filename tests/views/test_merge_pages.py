"""Duplicates are listed with the reason, compared side by side, merged, and taken apart again."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.actors import SYSTEM
from backoffice.database import RecordSession
from backoffice.records.duplicates import find_duplicates, name_words
from models.company import Company
from models.contact import Contact
from models.history_entry import HistoryEntry
from models.record_merge import RecordMerge
from models.staff import Staff
from tests.operations.world import World
from tests.views.test_record_pages import reader
from tests.visitors import Visitor


def sent_by(page: str) -> dict[str, str]:
    """Return what the page that compares two records would send, as it stands."""
    form = html.unescape(page.partition('class="confirm')[2].partition("</form>")[0])
    found = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and value and ('type="radio"' not in tag or " checked" in tag):
            found[name[1]] = value[1]
    return found


@pytest.fixture
def world(session: RecordSession, staff: Callable[[str], Staff]) -> World:
    """Two companies of the administrator's group that are one, and what there is of the second."""
    world = World(session, group_id=staff("administrator").group_id)
    world.company.legal_name, world.company.vat_number = "Vetreria Zanfretta S.r.l.", "01234567897"
    world.company.email = "info@zanfretta.example"
    world.ticket(contact=world.contact)
    session.flush()
    return world


@pytest.fixture
def twin(world: World) -> Company:
    twin = world.client(legal_name="VETRERIA ZANFRETA SRL", tax_code="01234567897", city="Rovereto")
    world.session.commit()
    return twin


def test_names_are_compared_without_what_people_write_differently() -> None:
    assert name_words("Rossi Costruzioni S.r.l.") == name_words("COSTRUZIONI ROSSI SRL") == ["costruzioni", "rossi"]
    assert name_words("L’Artigiàno d'Oro s. p. a.") == ["artigiano", "oro"]
    assert name_words("A.S.L. Milano 1") == ["1", "asl", "milano"]
    assert name_words("S.p.A.") == ["spa"]


def test_pairs_say_why_and_never_cross_a_corporate_group(session: RecordSession, world: World, twin: Company) -> None:
    elsewhere = World(session).client(legal_name="Vetreria Zanfretta", vat_number="01234567897")
    found = {(p.first, p.second): p for p in find_duplicates(session, Company, SYSTEM)}
    pair = found[min(world.company.id, twin.id), max(world.company.id, twin.id)]
    assert [field.name for field in pair.same] == ["vat_number"]
    assert 88 <= pair.likeness < 100
    assert not [pair for pair in found if elsewhere.id in pair]


def test_other_numbers_and_other_words_are_other_companies(session: RecordSession, world: World) -> None:
    first = world.client(legal_name="Comune di Castelzanfretto", tax_code="00123456789").id
    other = [
        world.client(legal_name="Comune di Castelzanfretti", tax_code="00234567890").id,
        world.client(legal_name="Comune di Castelnuovo").id,
    ]
    same = world.client(legal_name="CASTELZANFRETTO, Comune di", tax_code="00345678901").id
    found = {pair.second for pair in find_duplicates(session, Company, SYSTEM) if pair.first == first}
    assert found == {same}
    assert not found & {*other}


def test_namesakes_are_the_same_only_within_one_company(session: RecordSession, world: World) -> None:
    names = {"first_name": "Zeno", "last_name": "Zanfretta"}
    first = world.add(Contact(company=world.company, **names))
    again = world.add(Contact(company=world.company, first_name="Zanfretta", last_name="Zeno"))
    world.add(Contact(company=world.client(), **names))
    pairs = [(p.first, p.second) for p in find_duplicates(session, Contact, SYSTEM) if first.id in (p.first, p.second)]
    assert pairs == [(first.id, again.id)]


def test_what_a_role_sees_as_a_mask_tells_no_pair(session: RecordSession, world: World) -> None:
    world.client(legal_name="Altra", certified_email="info@zanfretta.example")
    pairs = find_duplicates(session, Company, reader(session, "company.email", "company.legal_name"))
    assert not [pair for pair in pairs if world.company.id in (pair.first, pair.second)]


@pytest.mark.timeout(120)
def test_thousands_of_names_take_a_moment(session: RecordSession, world: World) -> None:
    """No pair is compared with every other one: that would take an hour."""
    table = Company.__table__
    kept = dict(
        session.execute(sa.select(table).where(table.c.id == world.company.id), execution_options=INTERNAL)
        .mappings()
        .one()
    )
    kept |= {"id": None, "vat_number": None, "tax_code": None}
    rows = [{**kept, "id": 100_000 + n, "legal_name": f"Impresa {n * 7919:x} di {n * 104729:x}"} for n in range(5_000)]
    session.execute(sa.insert(table), rows, execution_options=INTERNAL)
    pairs = find_duplicates(session, Company, SYSTEM)
    assert world.company.id not in {key for pair in pairs for key in (pair.first, pair.second)}


def test_from_the_list_of_duplicates_to_one_record_and_back(
    admin: Visitor, session: RecordSession, world: World, twin: Company
) -> None:
    assert "/company/duplicates" in admin.get("/company/").text
    page = html.unescape(admin.get("/company/duplicates").text)
    assert "partita IVA uguale" in page
    address = f"/company/merge?keep={world.company.id}&drop={twin.id}"
    shown = admin.get(address)
    text = html.unescape(shown.text)
    assert "VETRERIA ZANFRETA SRL" in text
    assert "Nulla fa riferimento" in text
    the_other_way = html.unescape(admin.get(f"/company/merge?keep={twin.id}&drop={world.company.id}").text)
    assert "1 contatto" in the_other_way
    assert "1 ticket" in the_other_way
    sent = sent_by(shown.text)
    # What is empty on the one that stays is proposed from the other.
    assert (sent["take.legal_name"], sent["take.tax_code"]) == ("keep", "drop")
    sent["take.city"] = "drop"
    answer = admin.submit(address, sent)
    assert answer.status_code == 303, html.unescape(answer.text)
    session.rollback()
    session.expire_all()
    assert (world.company.city, world.company.tax_code) == ("Rovereto", "01234567897")
    merge = session.scalars(sa.select(RecordMerge)).one()
    page = html.unescape(admin.get(f"/company/{world.company.id}").text)
    undo = f"/company/merges/{merge.id}/undo"
    assert undo in page
    assert undo in admin.get("/company/duplicates").text
    assert admin.get(f"/company/{twin.id}").location == f"/backoffice/company/{world.company.id}"
    assert "Zanfreta" in html.unescape(admin.get(f"/company/{world.company.id}?tab=history").text).title()
    assert admin.submit(undo, sent_by(admin.get(undo).text)).status_code == 303
    session.rollback()
    session.expire_all()
    assert (world.company.city, world.company.tax_code, twin.deleted_at) == ("Trento", None, None)
    assert admin.submit(undo, {}).status_code == 409
    assert admin.get(f"/company/{twin.id}").status_code == 200


def test_an_old_link_leads_to_what_the_record_became_part_of_for_those_who_may_see_it(
    admin: Visitor, session: RecordSession, world: World, twin: Company, person: Callable[[str], Visitor]
) -> None:
    last = world.client(legal_name="Vetreria Zanfretta di Rovereto")
    session.commit()
    for keep, drop in ((world.company, twin), (last, world.company)):
        address = f"/company/merge?keep={keep.id}&drop={drop.id}"
        assert admin.submit(address, sent_by(admin.get(address).text)).status_code == 303
    answer = admin.get(f"/company/{twin.id}")
    assert (answer.status_code, answer.location) == (302, f"/backoffice/company/{last.id}")
    assert "confluito in questa scheda" in html.unescape(admin.get(f"/company/{last.id}").text)
    assert person("consultant").get(f"/company/{twin.id}").status_code == 404
    session.rollback()
    last = session.get_one(Company, last.id)
    last.deleted_at = clock.now()
    session.commit()
    assert admin.get(f"/company/{twin.id}").status_code == 404


def test_a_record_finds_its_other_half_by_a_search(admin: Visitor, world: World, twin: Company) -> None:
    page = admin.get(f"/company/{world.company.id}/merge").text
    assert f"keep={world.company.id}&amp;drop={twin.id}" in page
    assert f"drop={twin.id}" in admin.get(f"/company/{world.company.id}/merge?q=zanfreta").text
    assert f"drop={twin.id}" not in admin.get(f"/company/{world.company.id}/merge?q=nessuno").text
    assert f"/company/{world.company.id}/merge" in admin.get(f"/company/{world.company.id}").text


def test_somebody_who_saved_meanwhile_is_not_overwritten(
    admin: Visitor, session: RecordSession, world: World, twin: Company
) -> None:
    address = f"/company/merge?keep={world.company.id}&drop={twin.id}"
    sent = sent_by(admin.get(address).text)
    twin.city = "Arco"
    session.commit()
    answer = admin.submit(address, sent)
    assert answer.status_code == 409
    assert "Arco" in answer.text
    assert admin.submit(address, sent_by(answer.text)).status_code == 303


def test_contacts_of_two_companies_lead_to_their_companies(
    admin: Visitor, session: RecordSession, world: World
) -> None:
    other = world.add(Contact(company=world.client(), first_name="Ada", last_name="Rossi", email="ada@prova.example"))
    session.commit()
    page = html.unescape(admin.get(f"/contact/merge?keep={world.contact.id}&drop={other.id}").text)
    assert f"/company/merge?keep={world.company.id}&drop={other.company_id}" in page
    answer = admin.submit(
        f"/contact/merge?keep={world.contact.id}&drop={other.id}", {"keep_version": 1, "drop_version": 1}
    )
    assert answer.status_code == 409


@pytest.mark.parametrize("role", ["sales", "management", "consultant"])
def test_only_who_may_delete_sees_any_of_it(
    role: str, person: Callable[[str], Visitor], session: RecordSession, world: World, twin: Company
) -> None:
    visitor = person(role)
    assert "/company/duplicates" not in visitor.get("/company/").text
    address = f"/company/merge?keep={world.company.id}&drop={twin.id}"
    assert visitor.get("/company/duplicates").status_code == 403
    assert visitor.get(address).status_code == 403
    assert visitor.submit(address, {"keep_version": 1, "drop_version": 1}).status_code == 403
    assert visitor.get("/company/merges/1/undo").status_code == 403
    session.rollback()
    assert twin.deleted_at is None
    assert not session.scalars(sa.select(HistoryEntry).where(HistoryEntry.event == "merged")).all()


def test_nonsense_is_answered_with_sense(admin: Visitor, world: World, twin: Company) -> None:
    world.session.commit()
    for query in ("", "?keep=x&drop=1", f"?keep={world.company.id}&drop=999999"):
        assert admin.get(f"/company/merge{query}").status_code == 404
    assert admin.get(f"/company/merge?keep={twin.id}&drop={twin.id}").status_code == 409
    assert admin.submit(f"/company/merge?keep={twin.id}&drop={world.company.id}", {}).status_code == 400
    assert admin.get("/company/merges/x/undo").status_code == 404
