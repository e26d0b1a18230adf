"""Many at once: no change is lost, no key given twice, and whoever comes second is told so, with both versions."""

from __future__ import annotations

import re
import secrets
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier, Semaphore
from typing import Any

import pytest
import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role

from backoffice import clock
from backoffice.actors import SYSTEM, Context, Door
from backoffice.database import RecordSession, begin_writing, open_session
from backoffice.errors import Conflict, InvalidRecord, StillReferred
from backoffice.identity import load_actor
from backoffice.operations.plain import delete_record, update_record
from models.catalogue import slug
from models.company import Company
from models.contact import Contact
from models.contract import Contract
from models.customer_order import CustomerOrder, OrderState
from models.history_entry import HistoryEntry, HistoryPersonal
from models.order_line import OrderLine
from models.role_right import RightScope, RoleRight
from models.staff import Staff
from models.support_package import SupportPackage
from models.support_team import SupportTeam
from tests.operations.world import World
from tests.views.programs import as_stored, make_company, make_contract
from tests.visitors import Visitor, form_of, stored_row
from views.generated.grid import grid_entities

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


def count_by_api(somebody: Visitor, key: int) -> int:
    path = f"company/{key}"
    read = somebody.api("GET", path)
    values, tag = {"city": str(int(read.json["city"]) + 1)}, read.headers["ETag"]
    answer = somebody.api("PATCH", path, json=values, headers={"If-Match": tag})
    if answer.status_code == 409:  # both are told: what there is by now, and under which tag
        assert (answer.json["submitted"], answer.json["current"]["version"] > read.json["version"]) == (values, True)
        assert answer.headers["ETag"] == f'"{answer.json["current"]["version"]}"'
    return answer.status_code


def count_by_cell(somebody: Visitor, key: int) -> int:
    read = somebody.api("GET", f"company/{key}").json
    return somebody.cell("company", key, "city", str(int(read["city"]) + 1), read["version"]).status_code


def count_by_form(somebody: Visitor, key: int) -> int:
    sent = form_of(somebody, f"/company/{key}/edit")
    # Nobody else's: a form whose every value is stored already counts as sent twice, which is no conflict.
    values = {"city": str(int(sent["city"]) + 1), "notes": secrets.token_hex()}
    return somebody.submit(f"/company/{key}/edit", {**sent, **values}).status_code


#: SQLite lets them in one after the other: more would only wait longer.
WRITERS = {"postgresql": 50, "sqlite": 12}
#: So many are answered at a time, as by the server; the others wait before it, not for a connection.
THREADS = 16


@pytest.mark.timeout(900)
def test_writers_at_all_doors_lose_no_update(
    person: Callable[[str], Visitor], session: RecordSession, engine: sa.Engine
) -> None:
    """Everybody counts up what they read in three records: what is stored is the number of those told "saved"."""
    keys = [make_company(session, f"Conteggio {number} srl", city="0").id for number in range(3)]
    crowd = [person(("administrator", "sales", "secretariat")[n % 3]) for n in range(WRITERS[engine.dialect.name])]
    doors = (count_by_api, count_by_api, count_by_cell, count_by_form)
    served = Semaphore(THREADS)
    session.rollback()

    def write(number: int) -> list[tuple[int, int]]:
        turns = [(keys[(number + turn) % len(keys)], doors[(number + turn) % len(doors)]) for turn in range(3)]
        found = []
        for key, count in turns:
            with served:
                found.append((key, count(crowd[number], key)))
        return found

    answers = Counter(answer for found in together(write, len(crowd)) for answer in found)
    # Saved, told of the conflict, or asked to come again because the database had no time.
    assert {status for _key, status in answers} <= {200, 303, 409, 503}, answers
    assert sum(count for (_key, status), count in answers.items() if status == 409) > 0, answers
    for key in keys:
        saved = answers[key, 200] + answers[key, 303]
        stored = as_stored(session).get_one(Company, key)
        assert 0 < saved == int(stored.city or "") == stored.version - 1, answers
        mine = sa.and_(HistoryEntry.entity == "company", HistoryEntry.record_id == key, HistoryEntry.event == "updated")
        entries = session.scalars(sa.select(HistoryEntry.id).where(mine))
        steps = [session.get_one(HistoryPersonal, entry).changes["city"] for entry in entries]
        # Each began with what the one before had left.
        assert sorted(int(old) for old, _new in steps) == list(range(saved))
        assert all(int(new) == int(old) + 1 for old, new in steps)


def test_of_many_who_save_one_form_one_wins(person: Callable[[str], Visitor], session: RecordSession) -> None:
    company = make_company(session, "Contesa srl")
    people = [
        person(role) for role in ("administrator", "sales", "secretariat", "administrator", "sales", "secretariat")
    ]
    sent = form_of(people[0], f"/company/{company.id}/edit")

    def save(number: int) -> int:
        values = {**sent, "city": f"Città {number}", "csrf_token": people[number].client.csrf_token}
        return people[number].submit(f"/company/{company.id}/edit", values).status_code

    assert sorted(together(save, len(people))) == [303, 409, 409, 409, 409, 409]
    assert as_stored(session).get_one(Company, company.id).version == 2


VAT = "00743110157"


def test_of_two_who_take_the_same_key_one_gets_it(person: Callable[[str], Visitor], session: RecordSession) -> None:
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


def test_whoever_saves_second_sees_both_versions(admin: Visitor, session: RecordSession) -> None:
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


def test_a_conflict_about_lines_is_shown_too(admin: Visitor, session: RecordSession) -> None:
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


def test_a_form_sent_twice_is_saved_once(admin: Visitor, session: RecordSession) -> None:
    company = make_company(session, "Doppio clic srl")
    sent = form_of(admin, f"/company/{company.id}/edit") | {"city": "Ala"}
    assert [admin.submit(f"/company/{company.id}/edit", sent).status_code for _click in range(2)] == [303, 303]
    assert as_stored(session).get_one(Company, company.id).version == 2


def test_a_verb_on_an_older_version_is_refused(admin: Visitor, session: RecordSession) -> None:
    contract = make_contract(session, make_company(session))
    contract.notes = "Cambiato"
    session.commit()
    for answer in (
        admin.submit(f"/contract/{contract.id}/do/sign", {"version": "1", "signed_on": "01/02/2026"}),
        admin.api(
            "POST", f"contract/{contract.id}/do/sign", json={"signed_on": "2026-02-01"}, headers={"If-Match": '"1"'}
        ),
    ):
        assert answer.status_code == 409
    assert admin.api("POST", f"contract/{contract.id}/do/sign", json={}).status_code == 428
    assert as_stored(session).get_one(Contract, contract.id).state.value == "draft"


def test_of_two_verbs_at_once_one_wins(admin: Visitor, session: RecordSession) -> None:
    """Also where neither changes what the other reads: an order is not cancelled and licensed in one moment."""
    world = World(session, group_id=1)
    verbs = ("cancel", "generate_licenses")
    for _attempt in range(4):
        order = world.order(OrderState.confirmed)
        session.commit()

        def ask(number: int, key: int = order.id, version: int = order.version) -> int:
            headers = {"If-Match": f'"{version}"'}
            return admin.api("POST", f"customer_order/{key}/do/{verbs[number]}", json={}, headers=headers).status_code

        assert sorted(together(ask, 2)) == [200, 409]
        stored = as_stored(session).get_one(CustomerOrder, order.id)
        generated = session.scalar(sa.select(sa.func.sum(OrderLine.generated)).where(OrderLine.order_id == order.id))
        assert (stored.state is OrderState.cancelled) == (generated == 0)


def test_a_verb_sent_twice_counts_once_and_is_written_down(admin: Visitor, session: RecordSession) -> None:
    package = World(session, group_id=1).package()
    session.commit()
    path = f"/support_package/{package.id}/do"
    assert admin.submit(f"{path}/activate", {"version": "1"}).status_code == 303
    sent = {"version": "2", "minutes": "0:10"}
    assert [admin.submit(f"{path}/charge", sent).status_code for _click in range(2)] == [303, 409]
    assert as_stored(session).get_one(SupportPackage, package.id).residual_minutes == 590
    mine = sa.and_(HistoryEntry.entity == "support_package", HistoryEntry.record_id == package.id)
    entry = session.scalars(sa.select(HistoryEntry).where(mine).order_by(HistoryEntry.id.desc())).first()
    assert entry is not None
    assert (entry.event, entry.changes["residual_minutes"]) == ("support_package.charge", [600, 590])


@pytest.mark.long
@pytest.mark.databases("sqlite", "postgresql")
def test_deleting_what_is_referred_to_names_what_refers(admin: Visitor, session: RecordSession) -> None:
    """Every kind of row goes, or stays because something refers to it, which is named."""
    told = 0
    for entity in grid_entities():
        row = stored_row(session, entity)
        if row is None or entity is Staff:
            continue
        path = f"/{slug(entity)}/{row.id}"
        answer = admin.submit(f"{path}/delete", {"version": str(row.version)})
        assert answer.status_code in (303, 403, 409), path
        if answer.status_code == 409:
            told += 1
            api = admin.api("DELETE", f"{slug(entity)}/{row.id}", headers={"If-Match": f'"{row.version}"'})
            assert api.status_code == 409, path
            named = 'class="referrers"' in answer.text
            assert api.json["code"] in ({"StillReferred"} if named else {"KeptForGood", "KeptInThisState"}), path
            assert admin.get(path).status_code == 200
    assert told > 10


def test_a_row_that_another_user_has_just_deleted(admin: Visitor, session: RecordSession) -> None:
    company, gone = make_company(session, "Resta srl"), make_company(session, "Va via srl")
    contact = Contact(company=company, first_name="Ada", last_name="Rossi")
    session.add(contact)
    session.commit()
    sent = form_of(admin, f"/contact/{contact.id}/edit")
    assert admin.submit(f"/company/{gone.id}/delete", {"version": "1"}).status_code == 303
    admin.get("/company/")  # says once that it is deleted
    pointing = {**sent, "company": str(gone.id), "company-text": ""}
    answers = [admin.submit(f"/contact/{contact.id}/edit", pointing), admin.submit("/contact/new", pointing)]
    answers += [
        admin.api("PUT", f"contact/{contact.id}", json={"company": gone.id}, headers={"If-Match": '"1"'}),
        admin.api("POST", "contact/", json={"company": gone.id, "first_name": "Ada", "last_name": "Rossi"}),
    ]
    assert [answer.status_code for answer in answers] == [422] * 4
    assert "Va via" not in "".join(answer.text for answer in answers)
    assert admin.submit(f"/contact/{contact.id}/delete", {"version": "1"}).status_code == 303
    late = [admin.submit(f"/contact/{contact.id}/edit", sent), admin.get(f"/contact/{contact.id}")]
    late += [
        admin.cell("contact", contact.id, "job_title", "x", "1"),
        admin.submit(f"/contact/{contact.id}/delete", {"version": "1"}),
    ]
    late += [admin.api("PUT", f"contact/{contact.id}", json={"job_title": "x"}, headers={"If-Match": '"1"'})]
    assert [answer.status_code for answer in late] == [404] * 5


def until_somebody_waits(engine: sa.Engine) -> None:
    """Return once another connection waits for a lock."""
    waiting = "SELECT count(*), pg_sleep(0.01) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    with engine.connect() as connection:
        assert any(connection.exec_driver_sql(waiting).scalar_one() for _ in range(1000))


@pytest.mark.databases("postgresql")
def test_nobody_refers_to_what_is_being_deleted(
    session: RecordSession, engine: sa.Engine, staff: Callable[[str], Staff]
) -> None:
    """Whoever comes first wins: the contact finds the company gone, or the deletion counts the new contact."""
    actor = load_actor(session, staff("administrator").id)
    company = make_company(session, "Contesa srl")

    def begin_deleting(own: RecordSession) -> None:
        delete_record(own, own.get_one(Company, company.id), version=1, actor=actor)

    def begin_adding(own: RecordSession) -> None:
        own.add(Contact(company_id=company.id, first_name="Ada", last_name="Rossi"))
        own.flush()

    for first, second, refusal in (
        (begin_adding, begin_deleting, StillReferred),
        (begin_deleting, begin_adding, InvalidRecord),
    ):
        with ThreadPoolExecutor(1) as threads, ExitStack() as stack:
            one, two = (stack.enter_context(open_session(engine, Context(actor, Door.desk))) for _ in range(2))
            two.get_one(Company, company.id)  # it is there, as far as anybody can see
            first(one)
            late = threads.submit(second, two)
            until_somebody_waits(engine)
            one.commit()
            assert isinstance(late.exception(timeout=30), refusal)
        session.execute(sa.delete(Contact).where(Contact.company_id == company.id))
        session.commit()


OTHER = "01114601006"


def test_a_key_that_another_row_holds(
    person: Callable[[str], Visitor], session: RecordSession, staff: Callable[[str], Staff]
) -> None:
    """Seen or hidden makes no difference to the answer; another group's does not count, and a deleted row's is free."""
    me = staff("sales").id
    mine, hidden = (
        make_company(session, "Mia srl", account_manager_id=me),
        make_company(session, "Nascosta srl", vat_number=VAT),
    )
    make_company(session, "Altrui srl", group=2, vat_number=OTHER)
    sales = person("sales")
    sent = form_of(sales, f"/company/{mine.id}/edit")

    def refusals(number: str) -> list[str]:
        answers = [
            sales.submit(f"/company/{mine.id}/edit", {**sent, "vat_number": number}),
            sales.submit("/company/new", {**sent, "vat_number": number}),
            sales.cell("company", mine.id, "vat_number", number, "1"),
            sales.api("PUT", f"company/{mine.id}", json={"vat_number": number}, headers={"If-Match": '"1"'}),
            sales.api("POST", "company/", json={"legal_name": "x", "vat_number": number, "account_manager": me}),
        ]
        assert [answer.status_code for answer in answers] == [422] * 5
        assert "Nascosta" not in "".join(answer.text for answer in answers)
        return [re.sub(r"csrf_token\"[^>]*", "", answer.text) for answer in answers]

    open_ones = refusals(VAT)
    show_own_companies_only(session)
    assert sales.get(f"/company/{hidden.id}").status_code == 404
    assert refusals(VAT) == open_ones
    assert sales.submit(f"/company/{mine.id}/edit", {**sent, "vat_number": OTHER}).status_code == 303
    session.execute(sa.update(Company).where(Company.id == hidden.id).values(deleted_at=clock.now()))
    session.commit()
    fresh = {"legal_name": "x", "vat_number": VAT, "account_manager": me}
    assert sales.api("POST", "company/", json=fresh).status_code == 201


def show_own_companies_only(session: RecordSession) -> None:
    """Narrow what sales may see to the companies entrusted to each."""
    area = sa.and_(
        RoleRight.area == "companies",
        RoleRight.role_id == sa.select(Role.id).where(Role.name == "sales").scalar_subquery(),
    )
    session.execute(sa.update(RoleRight).where(area).values(scope=RightScope.own))
    session.commit()
