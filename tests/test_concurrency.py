"""Many at once: no change is lost, no key given twice, and whoever comes second is told so, with both versions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice.actors import SYSTEM, Context, Door
from backoffice.database import RecordSession, begin_writing, open_session
from backoffice.errors import Conflict
from backoffice.operations.plain import update_record
from models.company import Company
from models.contract import Contract
from models.history_entry import HistoryEntry
from models.support_team import SupportTeam
from tests.test_bad_input import Desk, admin, form_of, person  # noqa: F401
from tests.views.programs import as_stored, make_company, make_contract

#: People working at once, and what each of them does.
PEOPLE, SAVES = 20, 5


def together(work: Callable[[int], Any], people: int = PEOPLE) -> list[Any]:
    """Have so many people do the same work at the same moment; return what came of it."""
    start = Barrier(people)

    def begin(number: int) -> Any:
        start.wait(timeout=60)
        return work(number)

    with ThreadPoolExecutor(people) as threads:
        return list(threads.map(begin, range(people)))


def test_no_change_is_lost(session: RecordSession, engine: sa.Engine) -> None:
    """Everybody counts a number up, from the version they read: each success is in it, each other try was refused."""
    company = make_company(session, "Conteggio srl", notes="0")

    def count_up(_person: int) -> int:
        saved = 0
        for _try in range(SAVES):
            with begin_writing(False), open_session(engine, Context(SYSTEM, Door.job)) as reading:
                read = reading.get_one(Company, company.id)
            with begin_writing(), open_session(engine, Context(SYSTEM, Door.job)) as own:
                record = own.get_one(Company, company.id)
                values = {"notes": str(int(read.notes or "0") + 1)}
                try:
                    update_record(own, record, values, version=read.version, actor=SYSTEM)
                    own.commit()
                    saved += 1
                except Conflict:
                    own.rollback()
        return saved

    saved = sum(together(count_up))
    stored = as_stored(session).get_one(Company, company.id)
    assert saved > 0
    assert (int(stored.notes or ""), stored.version) == (saved, saved + 1)
    changes = sa.select(sa.func.count(HistoryEntry.id)).where(
        HistoryEntry.entity == "company", HistoryEntry.record_id == company.id, HistoryEntry.event == "updated"
    )
    assert session.scalar(changes) == saved


def test_of_many_who_save_one_form_one_wins(person: Callable[[str], Desk], session: RecordSession) -> None:  # noqa: F811
    company = make_company(session, "Contesa srl")
    people = [person(role) for role in ("administrator", "sales", "secretariat", "administrator", "sales", "secretariat")]
    sent = form_of(people[0], f"/company/{company.id}/edit")

    def save(number: int) -> int:
        values = {**sent, "city": f"Città {number}", "csrf_token": people[number].client.csrf_token}
        return people[number].submit(f"/company/{company.id}/edit", values).status_code

    assert sorted(together(save, len(people))) == [303, 409, 409, 409, 409, 409]
    assert as_stored(session).get_one(Company, company.id).version == 2


VAT = "00743110157"


def test_of_two_who_take_the_same_key_one_gets_it(person: Callable[[str], Desk], session: RecordSession) -> None:  # noqa: F811
    people = [person(role) for role in ("administrator", "sales", "secretariat", "administrator")]

    def take(number: int) -> int:
        values = {"legal_name": f"Nuova {number}", "vat_number": VAT, "country": "IT"}
        if number % 2:
            return people[number].api("POST", "company/", json=values).status_code
        return people[number].submit("/company/new", values).status_code

    answers = sorted(together(take, len(people)))
    assert answers in ([201, 422, 422, 422], [303, 422, 422, 422])
    held = sa.select(sa.func.count(Company.id)).where(Company.vat_number == VAT)
    assert as_stored(session).scalar(held) == 1


def test_whoever_saves_second_sees_both_versions(admin: Desk, session: RecordSession) -> None:  # noqa: F811
    company = make_company(session, "Doppia srl", city="Ala")
    path = f"/company/{company.id}/edit"
    first, second = form_of(admin, path), form_of(admin, path)
    assert admin.submit(path, {**first, "city": "Rovereto"}).status_code == 303
    late = admin.submit(path, {**second, "city": "Trento", "notes": "Da tenere"})
    assert late.status_code == 409
    for text in ("data-conflict", "Rovereto", "Trento", "Da tenere", 'name="version" value="2"'):
        assert text in late.text, text
    cell = admin.cell("company", company.id, "city", "Arco", "1")
    assert (cell.status_code, cell.json["current"]["text"], cell.json["submitted"]) == (409, "Rovereto", "Arco")
    put = admin.api("PUT", f"company/{company.id}", json={"city": "Arco"}, headers={"If-Match": '"1"'})
    assert (put.status_code, put.json["current"]["city"], put.json["submitted"]) == (409, "Rovereto", {"city": "Arco"})
    assert put.headers["ETag"] == '"2"'
    assert admin.api("PUT", f"company/{company.id}", json={"city": "Arco"}).status_code == 428
    assert admin.api("DELETE", f"company/{company.id}").status_code == 428
    assert admin.api("DELETE", f"company/{company.id}", headers={"If-Match": '"1"'}).status_code == 409
    assert admin.submit(f"/company/{company.id}/delete", {"version": "1"}).status_code == 409
    assert as_stored(session).get_one(Company, company.id).city == "Rovereto"
    assert admin.submit(path, {**second, "city": "Trento", "version": "2"}).status_code == 303


def test_a_conflict_about_lines_is_shown_too(admin: Desk, session: RecordSession) -> None:  # noqa: F811
    team = session.scalars(sa.select(SupportTeam).where(SupportTeam.group_id == 1).order_by(SupportTeam.id)).first()
    assert team is not None
    path = f"/support_team/{team.id}/edit"
    members = session.execute(sa.text("SELECT id FROM ab_user WHERE group_id = 1 ORDER BY id DESC")).scalars().all()
    first = form_of(admin, path)
    added = {"members-9-staff": str(members[0]), "members-9-id": ""}
    assert admin.submit(path, {**first, **added}).status_code == 303
    late = admin.submit(path, {**first, "members-9-staff": str(members[1]), "members-9-id": ""})
    assert (late.status_code, "data-conflict" in late.text, "lines-members" in late.text) == (409, True, True)
    assert admin.submit(path, first).status_code == 409


def test_a_form_sent_twice_is_saved_once(admin: Desk, session: RecordSession) -> None:  # noqa: F811
    company = make_company(session, "Doppio clic srl")
    sent = form_of(admin, f"/company/{company.id}/edit") | {"city": "Ala"}
    assert [admin.submit(f"/company/{company.id}/edit", sent).status_code for _click in range(2)] == [303, 303]
    assert as_stored(session).get_one(Company, company.id).version == 2


def test_a_verb_on_an_older_version_is_refused(admin: Desk, session: RecordSession) -> None:  # noqa: F811
    contract = make_contract(session, make_company(session))
    contract.notes = "Cambiato"
    session.commit()
    for answer in (
        admin.submit(f"/contract/{contract.id}/do/sign", {"version": "1", "signed_on": "01/02/2026"}),
        admin.api("POST", f"contract/{contract.id}/do/sign", json={"signed_on": "2026-02-01"}, headers={"If-Match": '"1"'}),
    ):
        assert answer.status_code == 409
    assert admin.api("POST", f"contract/{contract.id}/do/sign", json={}).status_code == 428
    assert as_stored(session).get_one(Contract, contract.id).state.value == "draft"
