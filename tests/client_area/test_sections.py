"""Every section of the client area shows what is the company's, or the person's own, and no more (AC-27, AC-43)."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from backoffice.database import RecordSession
from models.account import Account
from models.attachment import Attachment
from models.base import ENTITIES, Recorded
from models.catalogue import slug
from tests.client_area.conftest import ClientBrowser

#: Written down a second time, by hand: what a referent may look at. The words are keys of ``_SQL``.
REFERENT = {
    "company": "itself",
    **dict.fromkeys(
        (
            *("site", "contact", "contract", "contract_milestone", "account", "account_service", "account_session"),
            *("account_preference", "activation_request", "activation_request_item", "annual_fee", "company_service"),
            *(
                "complaint",
                "license",
                "ticket",
                "support_package",
                "package_movement",
                "time_entry",
                "intervention",
                "entitlement",
            ),
        ),
        "company",
    ),
    "ticket_message": "public",
    **dict.fromkeys(("online_service", "support_package_type", "support_queue", "request_type"), "group"),
    **dict.fromkeys(("consent", "account_deletion_request"), "own"),
    "course": "group",
    **dict.fromkeys(("worker", "training_record", "deadline", "waste_movement"), "company"),
    "client_document": "published",
    "analysis": "under_way",
    "analysis_result": "of_those",
    "certificate": "issued",
    "attachment": "files",
}
#: What belongs to an online service: only accounts with an active one may look at it.
SERVICES = (
    *("worker", "training_record", "deadline", "client_document", "waste_movement"),
    *("analysis", "analysis_result", "certificate"),
)
#: What anybody else with an account may look at.
USER = {
    "account": "person",
    **dict.fromkeys(
        (
            *("account_service", "account_session", "account_preference", "consent", "account_deletion_request"),
            *("complaint", "ticket"),
        ),
        "own",
    ),
    "ticket_message": "own_public",
    "company_service": "company",
    **dict.fromkeys(("online_service", "support_package_type", "support_queue", "request_type"), "group"),
}
USER |= {table: REFERENT[table] for table in (*SERVICES, "course")} | {"attachment": "own_files"}
_FILES = """client_visible AND (ticket_id IN (SELECT id FROM ticket WHERE {ticket})
    OR ticket_message_id IN (SELECT m.id FROM ticket_message m JOIN ticket ON ticket.id = m.ticket_id
        WHERE m.visibility = 'public' AND {ticket})
    OR client_document_id IN (SELECT id FROM client_document WHERE company_id = :company AND state = 'published')
    OR certificate_id IN (SELECT id FROM certificate WHERE company_id = :company AND state IN ('issued', 'replaced'))
    OR waste_movement_id IN (SELECT id FROM waste_movement WHERE company_id = :company){more})"""
_SQL = {
    "published": "company_id = :company AND state = 'published'",
    "under_way": "company_id = :company AND state <> 'registered'",
    "of_those": "company_id = :company AND analysis_id IN (SELECT id FROM analysis WHERE state <> 'registered')",
    "issued": "company_id = :company AND state IN ('issued', 'replaced')",
    "own_files": _FILES.format(ticket="ticket.account_id = :account", more=""),
    "files": _FILES.format(
        ticket="ticket.company_id = :company",
        more=" OR company_id = :company"
        " OR contract_id IN (SELECT id FROM contract WHERE company_id = :company)"
        " OR intervention_id IN (SELECT id FROM intervention WHERE company_id = :company)",
    ),
    "itself": "id = :company",
    "company": "company_id = :company",
    "public": "company_id = :company AND visibility = 'public'",
    "group": "group_id = :group",
    "person": "id = :account",
    "own": "account_id = :account",
    "own_public": "visibility = 'public' AND ticket_id IN (SELECT id FROM ticket WHERE account_id = :account)",
}
WITHOUT_SERVICES = {table: rows for table, rows in REFERENT.items() if table not in SERVICES}
PEOPLE = {"demo.referent": REFERENT, "demo.client": USER, "demo.referent.2": WITHOUT_SERVICES}


def visible(session: RecordSession, someone: Account, entity: type[Recorded], rows: str) -> set[int]:
    table = entity.__table__
    there = " AND deleted_at IS NULL" if "deleted_at" in table.c else ""
    values = {"company": someone.company_id, "group": someone.group_id, "account": someone.id}
    statement = sa.text(f"SELECT id FROM {table.name} WHERE {_SQL[rows]}{there}")  # names of ours
    used = {name: value for name, value in values.items() if f":{name}" in _SQL[rows]}
    return {key for (key,) in session.connection().execute(statement, used)}


def listed(browser: ClientBrowser, entity: type[Recorded]) -> set[int]:
    """Return the keys on all pages of a section."""
    path: str | None = f"/it/{slug(entity)}/?n=200"
    found: set[int] = set()
    while path:
        answer = browser.get(path)
        assert answer.status_code == 200, (path, answer.status)
        found |= {int(key) for key in re.findall(rf'data-url="/it/(?:{slug(entity)}|file)/(\d+)"', answer.text)}
        onward = re.search(r'rel="next"[^>]*href="([^"]+)"|href="([^"]+)"[^>]*rel="next"', answer.text)
        path = (onward[1] or onward[2]).replace("&amp;", "&") if onward else None
    return found


@pytest.mark.databases("postgresql", "sqlite", long=("sqlite",))
@pytest.mark.parametrize(
    "name", ["demo.client", *(pytest.param(f"demo.referent{group}", marks=pytest.mark.long) for group in ("", ".2"))]
)
def test_each_section_shows_what_is_theirs(
    browser_of: Callable[..., ClientBrowser],
    account: Callable[[str], Account],
    session: RecordSession,
    name: str,
    subtests: pytest.Subtests,
) -> None:
    someone, browser = account(name), browser_of(name, portal="SUPPORTO" if name.endswith(".2") else "")
    for table, entity in ENTITIES.items():
        with subtests.test(entity=table):
            rows = PEOPLE[name].get(table)
            if rows is None:
                assert browser.get(f"/it/{slug(entity)}/").status_code in (403, 404)
                continue
            session.rollback()  # its sign-in is a row, too
            expected = visible(session, someone, entity, rows)
            assert listed(browser, entity) == expected
            _check_records(browser, session, entity, expected)


def _check_records(
    browser: ClientBrowser, session: RecordSession, entity: type[Recorded], expected: Iterable[int]
) -> None:
    """One's own row opens; one of the same table that is not is not there."""
    table = entity.__table__
    every = {key for (key,) in session.connection().execute(sa.select(table.c.id))}
    for key in sorted(expected)[:1]:
        assert browser.get(f"/it/{slug(entity)}/{key}").status_code == 200
    for key in sorted(every - set(expected))[:2]:
        assert browser.get(f"/it/{slug(entity)}/{key}").status_code == 404
    for nonsense in ("0", "-1", "x", "9" * 40, "1%00"):
        assert browser.get(f"/it/{slug(entity)}/{nonsense}").status_code in (400, 404)


@pytest.mark.databases("postgresql")
@pytest.mark.parametrize("parent", ["certificate", "client_document", "waste_movement"])
def test_a_file_not_meant_for_the_client_stays_with_us(
    browser_of: Callable[..., ClientBrowser], session: RecordSession, store: Callable[..., None], parent: str
) -> None:
    browser = browser_of("demo.referent")
    meant = f"""SELECT a.id, p.id FROM attachment a JOIN {parent} p ON p.id = a.{parent}_id
        JOIN account ON account.username = 'demo.referent' AND account.company_id = p.company_id
        WHERE a.client_visible AND p.state NOT IN ('uploaded', 'withdrawn', 'draft') LIMIT 1"""
    file_id, parent_id = session.execute(sa.text(meant)).one()  # names of ours
    session.rollback()
    page, link = f"/it/{slug(ENTITIES[parent])}/{parent_id}", f"/it/file/{file_id}"
    assert link in browser.get(page).text
    store(Attachment, file_id, client_visible=False)
    assert link not in browser.get(page).text
    assert browser.get(link).status_code == 404


def test_nobody_gets_in_without_signing_in(browser_of: Callable[..., ClientBrowser]) -> None:
    browser = browser_of()
    for entity in ENTITIES.values():
        for path in ("", "1", "export.csv"):
            answer = browser.get(f"/it/{slug(entity)}/{path}")
            # Links in mails lead to records: who follows one signs in, and is there.
            assert answer.status_code == (302 if entity.__admin__.client_columns else 404)
            assert answer.status_code == 404 or answer.location.startswith("/it/login/?next=")


@pytest.mark.databases("postgresql")
def test_no_page_shows_what_clients_are_not_told(
    browser_of: Callable[..., ClientBrowser], account: Callable[[str], Account], session: RecordSession
) -> None:
    someone, browser = account("demo.referent"), browser_of("demo.referent")
    others = session.scalars(
        sa.text("SELECT legal_name FROM company WHERE id <> :own AND length(legal_name) > 8").bindparams(
            own=someone.company_id
        )
    ).all()
    note = session.execute(
        sa.text("SELECT body FROM ticket_message WHERE company_id = :own AND visibility = 'internal'").bindparams(
            own=someone.company_id
        )
    ).scalar()
    for table in REFERENT:
        page = browser.get(f"/it/{slug(ENTITIES[table])}/?n=200").text
        assert not [name for name in others if name in page], table
        assert note is None or note not in page
        # A column that is not for clients cannot be asked for, filtered or sorted by.
        for query in ("c=updated_at", "f=version:is:1", "s=updated_at", "f=is_demo:is:1"):
            assert browser.get(f"/it/{slug(ENTITIES[table])}/?{query}").status_code == 400, (table, query)


@pytest.mark.databases("postgresql")
def test_a_filter_added_by_the_form_narrows_the_list_and_its_file(browser_of: Callable[..., ClientBrowser]) -> None:
    browser = browser_of("demo.referent")
    form = {"f_field": "state", "f_op": "in", "f_value": "delivered", "q": "1"}
    added = browser.get("/it/waste_movement/", query_string=form)
    assert (added.status_code, "f=state%3Ain%3Adelivered" in added.location) == (302, True)
    page = browser.get(added.location).text
    wanted = re.findall(r'href="([^"]+/export\.csv[^"]*)"', page)
    assert wanted
    for address in map(html.unescape, wanted):
        lines = browser.get(address).get_data().decode("utf-8-sig").strip().splitlines()
        assert len(lines) > 1
        assert all("Consegnato" in line for line in lines[1:]), address
    every = browser.get("/it/waste_movement/export.csv?all=1").get_data().decode("utf-8-sig").strip().splitlines()
    assert len(every) > len(lines)


@pytest.mark.databases("postgresql")
def test_quantities_of_two_units_are_not_added_up(browser_of: Callable[..., ClientBrowser]) -> None:
    browser = browser_of("demo.referent")
    offered = browser.get("/it/waste_movement/figures").text
    assert 'value="destination_kg"' in offered
    assert 'value="quantity"' not in offered


@pytest.mark.databases("postgresql")
def test_what_an_account_may_not_is_not_laid_to_a_role(browser_of: Callable[..., ClientBrowser]) -> None:
    answer = browser_of("demo.client").get("/it/ask/service/")
    assert answer.status_code == 403
    assert "ruolo" not in answer.text


@pytest.mark.databases("postgresql", "sqlite", long=("sqlite",))
def test_a_file_holds_the_rows_of_the_list(
    browser_of: Callable[..., ClientBrowser], account: Callable[[str], Account], session: RecordSession
) -> None:
    someone, browser = account("demo.referent"), browser_of("demo.referent")
    counted = sa.text("SELECT count(*) FROM ticket WHERE company_id = :own")
    count = session.scalar(counted.bindparams(own=someone.company_id))
    answer: TestResponse = browser.get("/it/ticket/export.csv?all=1")
    lines = answer.get_data().decode("utf-8-sig").strip().splitlines()
    assert answer.status_code == 200
    assert count
    assert len(lines) >= count + 1
    assert lines[0].startswith("Numero;Oggetto;Stato;")
    with browser.get("/it/contract/export.xlsx") as workbook:
        assert workbook.get_data()[:2] == b"PK"
    assert browser_of("demo.client").get("/it/contract/export.csv").status_code == 403
    own = someone.id
    session.rollback()
    logged: Any = session.execute(
        sa.text("SELECT actor_id, actor_name, row_count FROM export_entry WHERE entity = 'ticket'")
    ).one()
    assert (logged.actor_id, logged.actor_name, logged.row_count) == (None, f"Account {own}", count)
