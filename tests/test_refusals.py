"""What the doors refuse whoever knocks: forged requests, wrong methods, too much, odd bytes."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask, url_for
from werkzeug.test import Client

from backoffice.database import RecordSession
from models.base import Model
from models.company import Company
from models.contract_line import ContractLine
from models.import_batch import ImportBatch
from models.service import Service
from tests.clients import DESK, DeskClient
from tests.views.programs import as_stored, make_company, make_contract
from tests.visitors import Visitor, checked, form_of

ODD_BYTES = (
    "%00",
    "%ff",
    "%ED%A0%80",
    "%0d%0aX-Odd:%201",
    "a%00b",
    "%E2%80%AE",
    "%F0%9F%98%80",
    "%25s%25(x)s",
    "%7B%7B7*7%7D%7D",
)


def test_a_form_without_its_token_does_nothing(admin: Visitor, desk: Flask, session: RecordSession) -> None:
    paths = (
        *("/company/new", "/company/1/edit", "/company/1/delete", "/contract/1/do/sign", "/grid/company/ajax/update/"),
        *("/company/import/", "/company/import/1/apply", "/security/password/", "/group", "/logout/", "/login/"),
    )
    tokens = (
        {},
        {"csrf_token": ""},
        {"csrf_token": "x"},
        {"csrf_token": "\ud800".encode("utf-8", "surrogatepass")},
        {"csrf_token": "a\0b"},
    )
    for path in paths:
        for token in tokens:
            assert checked(admin.client.post(path, data={**token, "version": "1"}), path).status_code == 400, (
                path,
                token,
            )
        assert checked(admin.client.post(path, headers={"X-CSRFToken": "\xff"}), path).status_code == 400
    assert as_stored(session).get_one(Company, 1).version == 1


@pytest.mark.long
@pytest.mark.databases("sqlite")
def test_asking_for_the_heading_changes_nothing(admin: Visitor, desk: Flask, session: RecordSession) -> None:
    """HEAD comes by itself with every page, from link checkers and without a token."""
    tables = sorted(Model.metadata.tables)

    def everything() -> dict[str, Any]:
        connection = as_stored(session).connection()
        return {name: connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one() for name in tables}

    before, versions = everything(), session.scalars(sa.select(Company.version)).all()
    asked = 0
    for rule in desk.url_map.iter_rules():
        if not {"HEAD", "POST"} <= (rule.methods or set()):
            continue
        values = dict.fromkeys(rule.arguments, "1") | {"verb": "become_former"}
        with desk.test_request_context():
            path = url_for(rule.endpoint, **{name: values[name] for name in rule.arguments})
        filled = {"company": "1", "staff": "1", "team": "1", "order_line": "1", "version": "1", "notes": "x"}
        admin.client.open(path.removeprefix(DESK), method="HEAD", query_string=filled, data=filled)
        asked += 1
    assert asked > 50
    assert everything() == before
    assert session.scalars(sa.select(Company.version)).all() == versions


def test_a_wrong_method_is_refused(admin: Visitor) -> None:
    token = {"X-CSRFToken": admin.client.csrf_token}
    for path in ("/company/", "/company/1", "/company/options/account_manager", "/company/export.csv", "/", "/roles/"):
        for method in ("POST", "PUT", "PATCH", "DELETE", "TRACE", "ODD"):
            answer = admin.client.open(path, method=method, headers=token)
            assert checked(answer, method, path).status_code == 405, (method, path)
    for path in ("/company/import/1/apply", "/group", "/logout/", "/grid/company/ajax/update/"):
        assert admin.get(path).status_code in (404, 405), path
    for method, path in (
        ("POST", "company/1"),
        ("DELETE", "company/"),
        ("PUT", "company/"),
        ("GET", "company/1/do/x"),
        ("ODD", "company/"),
    ):
        assert admin.api(method, path).status_code == 405, (method, path)


def test_the_client_area_answers_with_pages_too(application: Any) -> None:
    client = Client(application)
    for method, path, status, words in (
        ("POST", "/it/conditions/", 405, "Qui non è possibile"),
        ("GET", "/it/nowhere/", 404, "Pagina non trovata"),
        ("GET", "/en/nowhere/", 404, "Not found"),
        ("GET", "/xx/login/", 404, "Not found"),
        ("TRACE", "/en/login/", 405, "Not possible here"),
    ):
        answer = client.open(path, method=method, headers={"Accept-Language": "en"})
        assert (answer.status_code, words in answer.text, "<main" in answer.text) == (status, True, True), path


def test_whoever_is_no_longer_signed_in_is_led_to_the_door(
    desk_client: Callable[..., DeskClient], desk: Flask, staff: Any
) -> None:
    gone = desk_client("sales")
    gone.set_cookie(desk.config["SESSION_COOKIE_NAME"], "expired.session.cookie", path=f"{DESK}/")
    answer = gone.get("/company/?q=a%0d%0aX:y")
    assert (answer.status_code, answer.location.startswith(f"{DESK}/login/?next=")) == (302, True)
    assert "\n" not in answer.location
    assert checked(gone.submit("/company/1/edit", {"version": "1"})).status_code == 400
    assert checked(gone.submit("/grid/company/ajax/update/", {"pk": "1"})).status_code in (400, 401)
    for cookie in ("", "x", "a.b.c", '"', "%00", "é", "x" * 4000):
        gone.set_cookie(desk.config["SESSION_COOKIE_NAME"], cookie, path=f"{DESK}/")
        assert checked(gone.get("/company/")).status_code == 302


def test_a_made_up_host_is_not_repeated(admin: Visitor) -> None:
    for path in ("/company", "/login", "/contract/1/", "/it/login"):
        answer = admin.client.get(path, headers={"Host": "evil.example"})
        assert "evil" not in answer.headers.get("Location", ""), path


ELSEWHERE = (
    *(
        "http://evil.example",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https:evil.example",
    ),
    *("http://localhost@evil.example", "/\t/evil.example", "/..//evil.example", "/./\\evil.example", " //evil.example"),
    *("//\u3002evil.example", "javascript:alert(1)", "/%0d%0aSet-Cookie:a=b", "\r\nSet-Cookie: a=b", "http://["),
    *("a\0b", "\ufffd", "x" * 9000),
)


def test_nobody_is_led_astray(admin: Visitor, desk_client: Callable[..., DeskClient]) -> None:
    for wanted in ELSEWHERE:
        for path in ("/login/", "/language/en"):
            answer = checked(admin.client.get(path, query_string={"next": wanted}))
            assert answer.status_code in (302, 303), wanted
            place = answer.location
            assert place.startswith("/backoffice/"), (wanted, place)
            assert all(cookie.startswith("backoffice=") for cookie in answer.headers.getlist("Set-Cookie"))
        page = checked(desk_client().get("/login/", query_string={"next": wanted}))
        assert 'value="//' not in page.text
        assert not re.search(r'name="next" value="(?!/backoffice/)', page.text), wanted


@pytest.mark.long
@pytest.mark.databases("sqlite")
def test_odd_bytes_in_addresses(admin: Visitor) -> None:
    for odd in ODD_BYTES:
        for path in (
            *(
                f"/{odd}",
                f"/company/{odd}",
                f"/company/1/do/{odd}",
                f"/company/export.{odd}",
                f"/company/options/{odd}",
            ),
            *(f"/grid/{odd}/", f"/language/{odd}", f"/static/{odd}", f"/security/password/{odd}"),
            f"/company/import/{odd}",
        ):
            assert admin.get(path).status_code in (400, 404), path
        for question in (
            f"q={odd}",
            f"c={odd}",
            f"f={odd}",
            f"f=legal_name:contains:{odd}",
            f"k={odd}",
            f"{odd}={odd}",
            f"tab={odd}",
        ):
            assert admin.get(f"/company/?{question}").status_code in (200, 400), question
            assert admin.get(f"/company/export.csv?{question}").status_code in (200, 400), question
            assert admin.api("GET", f"company/?{question}").status_code in (200, 400), question
        question = f"f_field={odd}&f_op={odd}&f_value={odd}"
        assert admin.get(f"/company/?{question}").status_code == 302
        assert admin.get(f"/company/options/account_manager?q={odd}").status_code == 200
        assert admin.get(f"/company/new?account_manager={odd}&{odd}=1").status_code == 200
        assert admin.api("GET", f"{odd}").status_code in (404, 400)


@pytest.mark.databases("sqlite", "postgresql", long=("postgresql",))
def test_odd_headers(admin: Visitor) -> None:
    odd = ("\xff", "x" * 5000, "*/*;q=x", "-", ";;;=", "'", '"', "١", "a, b, , c")
    for value in (v.encode("utf-8").decode("latin-1") for v in odd):
        for name in (
            "Accept-Language",
            "Accept",
            "Referer",
            "Cookie",
            "If-None-Match",
            "If-Modified-Since",
            "Range",
            "User-Agent",
        ):
            assert checked(admin.client.get("/company/1", headers={name: value}), name, value).status_code in (
                200,
                302,
            ), name
        put = admin.api("PUT", "company/1", json={}, headers={"If-Match": value})
        assert put.status_code == 400, value
        sent = admin.api("POST", "company/", data="{}", content_type=value)
        assert sent.status_code == 415, value
    for host in ("x y", "a@b", "[", "evil.example:x", "\xff"):
        assert checked(admin.client.get("/login/", headers={"Host": host}), host).status_code in (302, 400)


MUCH = "x" * 10_000_000


@pytest.mark.long
@pytest.mark.databases("sqlite", "postgresql")
def test_ten_megabytes_in_a_field(admin: Visitor, session: RecordSession, desk: Flask) -> None:
    sent = form_of(admin, "/company/1/edit")
    for name in (
        "legal_name",
        "notes",
        "vat_number",
        "iban",
        "email",
        "phone",
        "website",
        "account_manager",
        "client_since",
        "size_class",
    ):
        assert admin.submit("/company/1/edit", {**sent, name: MUCH, f"{name}-text": MUCH}).status_code in (413, 422), (
            name
        )
    digits = "9" * 10_000_000
    for name in ("vat_number", "tax_code", "phone", "account_manager", "client_since"):
        assert admin.submit("/company/1/edit", {**sent, name: digits, f"{name}-text": digits}).status_code in (
            413,
            422,
        ), name
        assert admin.api("PUT", "company/1", json={name: digits}, headers={"If-Match": '"1"'}).status_code in (413, 422)
    assert admin.cell("company", 1, "city", MUCH, 1).status_code in (413, 422)
    assert admin.cell("company", MUCH, "city", "Ala", 1).status_code in (404, 413)
    assert admin.submit("/login/", {"username": MUCH, "password": MUCH}).status_code in (302, 413)
    assert admin.api("POST", "company/", json={"legal_name": "Ala", "notes": MUCH}).status_code in (413, 422)
    too_much = "x" * (desk.config["MAX_CONTENT_LENGTH"] + 1)
    assert admin.submit("/company/1/edit", {**sent, "notes": too_much}).status_code in (400, 413)
    assert as_stored(session).get_one(Company, 1).version == 1


NAMES = (
    "a\0b.csv",
    "../../etc/passwd",
    "C:\\x\\y.csv",
    "a\r\nX-Odd: 1.csv",
    "x" * 3000 + ".csv",
    "\u202egnp.csv",
    '"; filename="b.csv',
    "é\u2028.csv",
    ".csv",
    " ",
    "%s%(x)s.csv",
)


def test_odd_file_names(admin: Visitor, session: RecordSession) -> None:
    for name in NAMES:
        file = io.BytesIO(b"Legal name;VAT number\r\nAla srl;123\r\n")
        answer = admin.submit("/company/import/", {"file": (file, name)})
        assert answer.status_code in (303, 422), name
        if answer.status_code == 422:  # the name broke the request apart: no file arrived
            continue
        path = answer.location.removeprefix(DESK).rpartition("/")[0]
        assert admin.get(answer.location.removeprefix(DESK)).status_code == 200
        admin.submit(
            f"{path}/columns",
            {"column.0": "legal_name", "column.1": "vat_number", "mode": "create", "matched_by": "vat_number"},
        )
        for kind in ("csv", "xlsx"):
            download = admin.get(f"{path}/refused.{kind}")
            assert download.status_code == 200, name
            assert "X-Odd" not in download.headers
            assert "\n" not in download.headers["Content-Disposition"]
        assert admin.submit(f"{path}/discard", {}).status_code == 303
    assert as_stored(session).scalar(sa.select(sa.func.count(ImportBatch.id))) >= 8
    for sent in (
        {},
        {"file": "text"},
        {"file": (io.BytesIO(b""), "leer.csv")},
        {"file": (io.BytesIO(b"\0" * 99), "x.xlsx")},
    ):
        assert admin.submit("/company/import/", sent).status_code in (400, 415, 422), sent


def test_a_form_made_for_another_group_is_refused(admin: Visitor, session: RecordSession) -> None:
    form = form_of(admin, "/company/new")
    assert form["group"] == "1"
    sent = form | {"legal_name": "Altrove srl"}
    assert admin.submit("/company/new", {**sent, "group": "2"}).status_code == 409
    assert admin.submit("/company/new", sent).status_code == 303
    assert as_stored(session).scalars(sa.select(Company.group_id).where(Company.legal_name == "Altrove srl")).all() == [
        1
    ]


def test_files_have_names_that_headers_can_hold(admin: Visitor) -> None:
    for entity in ("order_line", "company"):
        answer = admin.get(f"/{entity}/export.csv")
        assert answer.status_code == 200
        answer.headers["Content-Disposition"].encode("ascii")
    assert (
        "filename*=UTF-8''Righe%20d%E2%80%99ordine"
        in admin.get("/order_line/export.csv").headers["Content-Disposition"]
    )
    file = (io.BytesIO(b"Ragione sociale;Partita IVA\r\nAla srl;123\r\n"), "clienti – 文件.csv")
    batch = admin.submit("/company/import/", {"file": file}).location.split("/")[-2]
    mapping = {"column.0": "legal_name", "column.1": "vat_number", "mode": "create", "matched_by": "vat_number"}
    assert admin.submit(f"/company/import/{batch}/columns", mapping).status_code == 303
    assert admin.get(f"/company/import/{batch}/refused.csv").status_code == 200


def test_odd_letters_in_passwords(desk_client: Callable[..., DeskClient], admin: Visitor) -> None:
    body = {"username": "demo.sales", "password": "\ud800"}
    assert admin.client.post("/api/v1/security/login", json=body).status_code == 401
    sent = {"username": "demo.sales", "password": "x", "kept": '["/company/new", [["a", "\\ud800"]]]'}
    assert desk_client().submit("/login/", sent).status_code in (400, 401)


def test_a_line_of_another_record_is_not_taken_over(admin: Visitor, session: RecordSession) -> None:
    mine, other = (make_contract(session, make_company(session, f"Ditta {n} srl"), f"L/{n}") for n in (1, 2))
    service = session.scalars(sa.select(Service).where(Service.group_id == 1)).first()
    line = ContractLine(contract=other, service=service)
    session.add(line)
    session.commit()
    sent = form_of(admin, f"/contract/{mine.id}/edit")
    stolen = {"lines-0-id": str(line.id), "lines-0-service": str(service.id), "lines-0-quantity": "1"}  # type: ignore[union-attr]
    assert admin.submit(f"/contract/{mine.id}/edit", sent | stolen).status_code == 422
    assert as_stored(session).get_one(ContractLine, line.id).contract_id == other.id


def test_what_was_typed_into_a_record_that_is_gone_becomes_a_new_one(admin: Visitor, session: RecordSession) -> None:
    company = make_company(session, "Sparita srl")
    sent = form_of(admin, f"/company/{company.id}/edit") | {"notes": "Molto lavoro"}
    assert admin.submit(f"/company/{company.id}/delete", {"version": "1"}).status_code == 303
    answer = admin.submit(f"/company/{company.id}/edit", sent)
    assert (answer.status_code, "Molto lavoro" in answer.text) == (404, True)
    assert 'action="/backoffice/company/new"' in answer.text
    assert admin.submit("/company/new", sent).status_code == 303
