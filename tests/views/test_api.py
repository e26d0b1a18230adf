"""The REST API: what it reads, writes and refuses, and that it is one API for every entity."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from openapi_schema_validator import OAS30Validator
from openapi_spec_validator import OpenAPIV30SpecValidator
from playwright.sync_api import Page, expect

from backoffice.actors import Door
from backoffice.database import RecordSession
from backoffice.records.show import MASK
from models.base import ENTITIES
from models.catalogue import slug
from models.company import Company
from models.contract import Contract
from models.contract_line import ContractLine
from models.history_entry import HistoryEntry
from models.service import Service
from models.staff import Staff
from tests.clients import DeskClient
from tests.views.programs import API, PROBLEM, Program, as_stored, make_company, make_contract

OURS, THEIRS = "00743110157", "07643520567"


def test_a_record_is_created_read_changed_and_deleted(program: Callable[..., Program], session: RecordSession) -> None:
    api = program("administrator")
    created = api.post("/company/", json={"legal_name": "Rossi & Figli srl", "vat_number": OURS, "lab_habitual": True})
    assert created.status_code == 201, created.text
    assert created.headers["Location"] == f"{API}/company/{created.json['id']}"
    path = f"/company/{created.json['id']}"
    read = api.get(path)
    assert (read.headers["ETag"], read.json["vat_number"], read.json["lab_habitual"]) == ('"1"', OURS, True)
    changed = api.patch(path, json={"city": "Trento", "client_since": "2026-03-01"}, version=1)
    assert (changed.status_code, changed.json["city"], changed.headers["ETag"]) == (200, "Trento", '"2"')
    assert changed.json["legal_name"] == "Rossi & Figli srl", "what is left out stays"
    assert api.delete(path, version=2).status_code == 204
    assert api.get(path).status_code == 404
    mine = sa.select(HistoryEntry).where(HistoryEntry.entity == "company", HistoryEntry.record_id == created.json["id"])
    entries = [(entry.event, entry.door) for entry in as_stored(session).scalars(mine.order_by(HistoryEntry.id))]
    assert entries == [(event, Door.api.value) for event in ("created", "updated", "deleted")]


def test_writing_needs_the_version_that_was_read(program: Callable[..., Program], session: RecordSession) -> None:
    api, company = program(), make_company(session)
    path = f"/company/{company.id}"
    for method in ("put", "patch", "delete"):
        assert getattr(api, method)(path, json={}).status_code == 428
    assert api.put(path, json={"city": "A"}, headers={"If-Match": "*"}).status_code == 400
    assert api.put(path, json={"city": "Ala"}, version=1).status_code == 200
    late = api.put(path, json={"city": "Rovereto"}, version=1)
    assert (late.status_code, late.mimetype) == (409, PROBLEM)
    assert (late.json["current"]["city"], late.json["submitted"]) == ("Ala", {"city": "Rovereto"})
    assert late.headers["ETag"] == '"2"'


def test_lines_are_written_with_their_parent(program: Callable[..., Program], session: RecordSession) -> None:
    api, contract = program(), make_contract(session, make_company(session))
    services = session.scalars(sa.select(Service.id).order_by(Service.id).limit(2)).all()
    path = f"/contract/{contract.id}"
    lines: list[dict[str, Any]] = [{"service": key, "quantity": 2, "yearly_fee": "1.50"} for key in services]
    added = api.put(path, json={"lines": lines}, version=1)
    assert added.status_code == 200, added.text
    assert [line["service"]["id"] for line in added.json["lines"]] == services
    assert [line["yearly_fee"] for line in added.json["lines"]] == ["1.50", "1.50"]
    version, (first, second) = added.json["version"], added.json["lines"]
    wrong = api.put(path, json={"lines": [{"id": first["id"], "quantity": "x"}, {"id": 999_999}]}, version=version)
    assert (wrong.status_code, set(wrong.json["errors"])) == (422, {"lines.0.quantity"})
    kept = api.put(path, json={"lines": [{"id": first["id"]}, {"id": second["id"], "delete": True}]}, version=version)
    assert [line["id"] for line in kept.json["lines"]] == [first["id"]]
    stored = sa.select(ContractLine.id).where(ContractLine.contract_id == contract.id)
    assert as_stored(session).scalars(stored).all() == [first["id"]]


def test_a_point_never_separates_thousands(program: Callable[..., Program], session: RecordSession) -> None:
    api, contract = program(), make_contract(session, make_company(session))
    (service,) = session.scalars(sa.select(Service.id).limit(1))
    lines = [{"service": service, "yearly_fee": "1.234"}]
    answer = api.put(f"/contract/{contract.id}", json={"lines": lines}, version=1)
    assert answer.status_code == 422, "three decimals of a cent, not one thousand euro"


def test_what_only_verbs_change_is_refused(program: Callable[..., Program], session: RecordSession) -> None:
    api, contract = program(), make_contract(session, make_company(session))
    answer = api.patch(f"/contract/{contract.id}", json={"state": "active"}, version=1)
    assert (answer.status_code, set(answer.json["errors"])) == (422, {"state"})


def test_a_verb_moves_a_record(program: Callable[..., Program], session: RecordSession) -> None:
    api, contract = program(), make_contract(session, make_company(session), starts_on=date(2026, 1, 1))
    verbs = {verb["name"]: verb for verb in api.get("/contract/_info").json["verbs"]}
    name, verb = next((name, verb) for name, verb in verbs.items() if "draft" in verb["from"] and verb["to"])
    path = f"/contract/{contract.id}/do/{name}"
    inputs = {field: "2026-01-01" for field in verb["inputs"] if field not in verb["optional"]}
    assert api.post(path, json=inputs).status_code == 428
    moved = api.post(path, json=inputs, version=1)
    assert (moved.status_code, moved.json["state"]) == (200, verb["to"]), moved.text
    assert api.post(path, json=inputs, version=moved.json["version"]).status_code == 409
    assert api.post(f"/contract/{contract.id}/do/fly", version=2).status_code == 404


def test_rows_of_another_group_are_not_there(program: Callable[..., Program], session: RecordSession) -> None:
    theirs = make_company(session, "Altrui srl", group=2, vat_number=THEIRS)
    ours = make_company(session, "Nostra srl")
    api = program("sales")
    assert api.get(f"/company/{theirs.id}").status_code == 404
    assert api.patch(f"/company/{theirs.id}", json={"city": "X"}, version=1).status_code == 404
    assert theirs.id not in {row["id"] for row in api.get("/company/?q=altrui").json["result"]}
    contact = {"first_name": "Anna", "last_name": "Bianchi"}
    pointed = api.post("/contact/", json={**contact, "company": theirs.id})
    unknown = api.post("/contact/", json={**contact, "company": 999_999})
    assert pointed.status_code == unknown.status_code == 422
    assert pointed.json == unknown.json, "hidden and absent look alike"
    assert api.post("/contact/", json={**contact, "company": ours.id}).status_code == 201


def test_a_mask_hides_reads_filters_and_writes(program: Callable[..., Program], session: RecordSession) -> None:
    company = make_company(session, iban="IT60X0542811101000000123456", tax_code=OURS)
    api = program("management")
    shown = api.get(f"/company/{company.id}")
    assert (shown.json["iban"], shown.json["tax_code"]) == (MASK, MASK)
    assert {"iban", "tax_code"} <= set(shown.json["masked"])
    assert company.iban not in shown.text
    info = {field["name"]: field for field in api.get("/company/_info").json["fields"]}
    assert info["iban"]["masked"]
    assert "filters" not in info["tax_code"]
    assert not info["iban"]["writable"]


def test_a_cookie_counts_for_nothing(
    desk_client: Callable[..., DeskClient], program: Callable[..., Program], session: RecordSession
) -> None:
    browser = desk_client("administrator")
    assert browser.get("/company/").status_code == 200, "signed in at the desk"
    assert browser.get("/api/v1/company/").status_code == 401
    headers = {"X-CSRFToken": browser.csrf_token}
    forged = browser.post("/api/v1/company/", json={"legal_name": "Forged"}, headers=headers)
    assert forged.status_code == 401
    assert session.scalar(sa.select(sa.func.count()).where(Company.legal_name == "Forged")) == 0


def test_the_token_decides_where_a_cookie_is_sent_too(
    desk_client: Callable[..., DeskClient], program: Callable[..., Program]
) -> None:
    browser, quality = desk_client("administrator"), program("quality")
    answer = browser.post("/api/v1/company/", json={"legal_name": "Forged"}, headers=quality.headers)
    assert answer.status_code == 403


def test_a_token_ends_with_its_session_epoch(
    program: Callable[..., Program], session: RecordSession, staff: Callable[[str], Staff]
) -> None:
    api = program("sales")
    assert api.get("/company/").status_code == 200
    staff("sales").session_epoch += 1
    session.commit()
    assert api.get("/company/").status_code == 401


def test_whoever_must_choose_a_password_does_that_first(
    program: Callable[..., Program], session: RecordSession, staff: Callable[[str], Staff]
) -> None:
    api = program("sales")
    staff("sales").must_change_password = True
    session.commit()
    answer = api.get("/company/")
    assert (answer.status_code, answer.mimetype, answer.json["code"]) == (403, PROBLEM, "PasswordExpired")


def test_pages_follow_without_gap_or_repetition(program: Callable[..., Program], session: RecordSession) -> None:
    names = {f"Pagina {number:02}" for number in range(7)}
    for name in names:
        make_company(session, name)
    api, path, seen = program(), "/company/?q=pagina&n=3&s=-legal_name", []
    while path:
        page = api.get(path).json
        assert page["count"] == 7
        seen += [row["legal_name"] for row in page["result"]]
        path = (page["next"] or "").removeprefix(API)
    assert seen == sorted(names, reverse=True)


def test_a_page_takes_few_statements(program: Callable[..., Program], desk: Flask, session: RecordSession) -> None:
    company = make_company(session)
    for number in range(30):
        make_contract(session, company, f"N{number}")
    api, statements = program(), []
    sa.event.listen(desk.extensions["engine"], "before_cursor_execute", lambda *a: statements.append(a[2]))
    assert len(api.get("/contract/?n=100").json["result"]) >= 30
    assert len(statements) <= 15


@pytest.mark.long
def test_every_entity_answers_as_its_description_says(program: Callable[..., Program], desk: Flask) -> None:
    api = program("administrator")
    description = api.get("/_openapi").json
    OpenAPIV30SpecValidator(description).validate()
    for entity in ENTITIES.values():
        answer = api.get(f"/{slug(entity)}/?n=2")
        assert answer.status_code in (200, 403), f"{entity.__name__}: {answer.text}"
        assert api.get(f"/{slug(entity)}/_info").status_code == answer.status_code
        schema = {"$ref": f"#/components/schemas/{entity.__name__}", "components": description["components"]}
        validator = OAS30Validator(schema)
        for row in answer.json.get("result", ()):
            whole = api.get(f"/{slug(entity)}/{row['id']}").json
            problems = [f"{list(e.path)}: {e.message}" for e in validator.iter_errors(whole)]
            assert not problems, f"{entity.__name__}: {problems}"


def test_each_verb_is_described_with_what_it_asks_for(program: Callable[..., Program]) -> None:
    api = program()
    description, info = api.get("/_openapi").json, api.get("/contract/_info").json
    for verb in info["verbs"]:
        described = description["paths"][f"/api/v1/contract/{{pk}}/do/{verb['name']}"]["post"]
        name = described["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        schema = description["components"]["schemas"][name]
        assert list(schema.get("properties", {})) == sorted(verb["inputs"])
        assert schema.get("required", []) == sorted(set(verb["inputs"]) - set(verb["optional"]))
    assert not [path for path in description["paths"] if path.endswith("/do/expire")], "the product's own"


def test_reading_and_writing_agree(program: Callable[..., Program], session: RecordSession) -> None:
    """What an answer shows of a writable field can be sent back as it is."""
    api, contract = program(), make_contract(session, make_company(session))
    info = {field["name"] for field in api.get("/contract/_info").json["fields"] if field["writable"]}
    read = api.get(f"/contract/{contract.id}").json
    sent = {name: value for name, value in read.items() if name in info and name != "lines"}
    answer = api.put(f"/contract/{contract.id}", json=json.loads(json.dumps(sent)), version=1)
    assert answer.status_code == 200, answer.text
    assert as_stored(session).get_one(Contract, contract.id).version == 1, "nothing changed"


def test_a_page_shows_what_the_api_offers(desk_page: Callable[[str], Page]) -> None:
    page = desk_page("quality")
    page.goto("/backoffice/swagger/v1")
    expect(page.get_by_text("/api/v1/company/{pk}").first).to_be_visible()
