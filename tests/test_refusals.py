"""What the doors refuse whoever knocks: forged requests, wrong methods, too much, odd bytes; and rows in each other's way."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from flask_appbuilder.security.sqla.models import Role

from backoffice import clock
from backoffice.database import RecordSession
from models.catalogue import slug
from models.company import Company
from models.contact import Contact
from models.import_batch import ImportBatch
from models.role_right import RightScope, RoleRight
from models.staff import Staff
from tests.clients import DESK, DeskClient
from tests.test_bad_input import PAGES, Desk, admin, checked, form_of, person, stored_row  # noqa: F401
from tests.views.programs import as_stored, make_company
from views.generated.grid import grid_entities

ODD_BYTES = ("%00", "%ff", "%ED%A0%80", "%0d%0aX-Odd:%201", "a%00b", "%E2%80%AE", "%F0%9F%98%80", "%25s%25(x)s", "%7B%7B7*7%7D%7D")


def test_a_form_without_its_token_does_nothing(admin: Desk, desk: Flask, session: RecordSession) -> None:  # noqa: F811
    paths = ("/company/new", "/company/1/edit", "/company/1/delete", "/contract/1/do/sign", "/grid/company/ajax/update/",
             "/company/import/", "/company/import/1/apply", "/security/password/", "/group", "/logout/", "/login/")  # fmt: skip
    tokens = ({}, {"csrf_token": ""}, {"csrf_token": "x"}, {"csrf_token": "\ud800".encode("utf-8", "surrogatepass")}, {"csrf_token": "a\0b"})
    for path in paths:
        for token in tokens:
            assert checked(admin.client.post(path, data={**token, "version": "1"}), path).status_code == 400, (path, token)
        assert checked(admin.client.post(path, headers={"X-CSRFToken": "\xff"}), path).status_code == 400
    assert as_stored(session).get_one(Company, 1).version == 1


def test_a_wrong_method_is_refused(admin: Desk) -> None:  # noqa: F811
    token = {"X-CSRFToken": admin.client.csrf_token}
    for path in ("/company/", "/company/1", "/company/options/account_manager", "/company/export.csv", "/", "/roles/"):
        for method in ("POST", "PUT", "PATCH", "DELETE", "TRACE", "ODD"):
            answer = admin.client.open(path, method=method, headers=token)
            assert checked(answer, method, path).status_code == 405, (method, path)
    for path in ("/company/import/1/apply", "/group", "/logout/", "/grid/company/ajax/update/"):
        assert admin.get(path).status_code in (404, 405), path
    for method, path in (("POST", "company/1"), ("DELETE", "company/"), ("PUT", "company/"), ("GET", "company/1/do/x"), ("ODD", "company/")):
        assert admin.api(method, path).status_code == 405, (method, path)


def test_whoever_is_no_longer_signed_in_is_led_to_the_door(desk_client: Callable[..., DeskClient], desk: Flask, staff: Any) -> None:
    gone = desk_client("sales")
    gone.set_cookie(desk.config["SESSION_COOKIE_NAME"], "expired.session.cookie", path=f"{DESK}/")
    answer = gone.get("/company/?q=a%0d%0aX:y")
    assert (answer.status_code, answer.location.startswith(f"{DESK}/login/?next=")) == (302, True)
    assert "\n" not in answer.location
    assert checked(gone.submit("/company/1/edit", {"version": "1"})).status_code == 400
    assert checked(gone.submit("/grid/company/ajax/update/", {"pk": "1"})).status_code in (400, 401)
    for cookie in ("", "x", "a.b.c", "\"", "%00", "é", "x" * 4000):
        gone.set_cookie(desk.config["SESSION_COOKIE_NAME"], cookie, path=f"{DESK}/")
        assert checked(gone.get("/company/")).status_code == 302


ELSEWHERE = (
    "http://evil.example", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "https:evil.example",
    "javascript:alert(1)", "/%0d%0aSet-Cookie:a=b", "\r\nSet-Cookie: a=b", "http://[", "http://localhost@evil.example", "/\t/evil.example",
    "a\0b", "\ufffd", "//\u3002evil.example", "x" * 9000, "/..//evil.example", "/./\\evil.example", " //evil.example",
)  # fmt: skip


def test_nobody_is_led_astray(admin: Desk, desk_client: Callable[..., DeskClient]) -> None:  # noqa: F811
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


@pytest.mark.databases("sqlite")
def test_odd_bytes_in_addresses(admin: Desk) -> None:  # noqa: F811
    for odd in ODD_BYTES:
        for path in (f"/{odd}", f"/company/{odd}", f"/company/1/do/{odd}", f"/company/export.{odd}", f"/company/options/{odd}",
                     f"/grid/{odd}/", f"/language/{odd}", f"/static/{odd}", f"/security/password/{odd}", f"/company/import/{odd}"):  # fmt: skip
            assert admin.get(path).status_code in (400, 404), path
        for question in (f"q={odd}", f"c={odd}", f"f={odd}", f"f=legal_name:contains:{odd}", f"k={odd}", f"{odd}={odd}", f"tab={odd}"):
            assert admin.get(f"/company/?{question}").status_code in (200, 400), question
            assert admin.get(f"/company/export.csv?{question}").status_code in (200, 400), question
            assert admin.api("GET", f"company/?{question}").status_code in (200, 400), question
        question = f"f_field={odd}&f_op={odd}&f_value={odd}"
        assert admin.get(f"/company/?{question}").status_code == 302
        assert admin.get(f"/company/options/account_manager?q={odd}").status_code == 200
        assert admin.get(f"/company/new?account_manager={odd}&{odd}=1").status_code == 200
        assert admin.api("GET", f"{odd}").status_code in (404, 400)


def test_odd_headers(admin: Desk) -> None:  # noqa: F811
    odd = ("\xff", "x" * 5000, "*/*;q=x", "-", ";;;=", "'", "\"", "١", "a, b, , c")
    for value in (v.encode("utf-8").decode("latin-1") for v in odd):
        for name in ("Accept-Language", "Accept", "Referer", "Cookie", "If-None-Match", "If-Modified-Since", "Range", "User-Agent"):
            assert checked(admin.client.get("/company/1", headers={name: value}), name, value).status_code in (200, 302), name
        put = admin.api("PUT", "company/1", json={}, headers={"If-Match": value})
        assert put.status_code == 400, value
        sent = admin.api("POST", "company/", data="{}", content_type=value)
        assert sent.status_code == 415, value
    for host in ("x y", "a@b", "[", "evil.example:x", "\xff"):
        assert checked(admin.client.get("/login/", headers={"Host": host}), host).status_code in (302, 400)


MUCH = "x" * 10_000_000


def test_ten_megabytes_in_a_field(admin: Desk, session: RecordSession, desk: Flask) -> None:  # noqa: F811
    sent = form_of(admin, "/company/1/edit")
    for name in ("legal_name", "notes", "vat_number", "iban", "email", "phone", "website", "account_manager", "client_since", "size_class"):
        assert admin.submit("/company/1/edit", {**sent, name: MUCH}).status_code in (413, 422), name
    digits = "9" * 10_000_000
    for name in ("vat_number", "tax_code", "phone", "account_manager", "client_since"):
        assert admin.submit("/company/1/edit", {**sent, name: digits}).status_code in (413, 422), name
        assert admin.api("PUT", "company/1", json={name: digits}, headers={"If-Match": '"1"'}).status_code in (413, 422)
    assert admin.cell("company", 1, "city", MUCH, 1).status_code in (413, 422)
    assert admin.cell("company", MUCH, "city", "Ala", 1).status_code in (404, 413)
    assert admin.submit("/login/", {"username": MUCH, "password": MUCH}).status_code in (302, 413)
    assert admin.api("POST", "company/", json={"legal_name": "Ala", "notes": MUCH}).status_code in (413, 422)
    too_much = "x" * (desk.config["MAX_CONTENT_LENGTH"] + 1)
    assert admin.submit("/company/1/edit", {**sent, "notes": too_much}).status_code in (400, 413)
    assert as_stored(session).get_one(Company, 1).version == 1


NAMES = ("a\0b.csv", "../../etc/passwd", "C:\\x\\y.csv", "a\r\nX-Odd: 1.csv", "x" * 3000 + ".csv", "\u202egnp.csv", '"; filename="b.csv', "é\u2028.csv", ".csv", " ", "%s%(x)s.csv")


def test_odd_file_names(admin: Desk, session: RecordSession) -> None:  # noqa: F811
    for name in NAMES:
        file = io.BytesIO(b"Legal name;VAT number\r\nAla srl;123\r\n")
        answer = admin.submit("/company/import/", {"file": (file, name)})
        assert answer.status_code in (303, 422), name
        if answer.status_code == 422:  # the name broke the request apart: no file arrived
            continue
        path = answer.location.removeprefix(DESK).rpartition("/")[0]
        assert admin.get(answer.location.removeprefix(DESK)).status_code == 200
        admin.submit(f"{path}/columns", {"column.0": "legal_name", "column.1": "vat_number", "mode": "create", "matched_by": "vat_number"})
        for kind in ("csv", "xlsx"):
            download = admin.get(f"{path}/refused.{kind}")
            assert download.status_code == 200, name
            assert "X-Odd" not in download.headers
            assert "\n" not in download.headers["Content-Disposition"]
        assert admin.submit(f"{path}/discard", {}).status_code == 303
    assert as_stored(session).scalar(sa.select(sa.func.count(ImportBatch.id))) >= 8
    for sent in ({}, {"file": "text"}, {"file": (io.BytesIO(b""), "leer.csv")}, {"file": (io.BytesIO(b"\0" * 99), "x.xlsx")}):
        assert admin.submit("/company/import/", sent).status_code in (400, 415, 422), sent


def test_deleting_what_is_referred_to_names_what_refers(admin: Desk, session: RecordSession) -> None:  # noqa: F811
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
            assert 'class="referrers"' in answer.text, path
            api = admin.api("DELETE", f"{slug(entity)}/{row.id}", headers={"If-Match": f'"{row.version}"'})
            assert (api.status_code, api.json["code"]) == (409, "StillReferred"), path
            assert admin.get(path).status_code == 200
    assert told > 10


def test_a_row_that_another_user_has_just_deleted(admin: Desk, session: RecordSession) -> None:  # noqa: F811
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
    late += [admin.cell("contact", contact.id, "job_title", "x", "1"), admin.submit(f"/contact/{contact.id}/delete", {"version": "1"})]
    late += [admin.api("PUT", f"contact/{contact.id}", json={"job_title": "x"}, headers={"If-Match": '"1"'})]
    assert [answer.status_code for answer in late] == [404] * 5


VAT, OTHER = "00743110157", "01114601006"


def test_a_key_that_another_row_holds(
    person: Callable[[str], Desk], session: RecordSession, staff: Callable[[str], Staff]  # noqa: F811
) -> None:
    """Seen or hidden makes no difference to the answer; another group's does not count, and a deleted row's is free."""
    me = staff("sales").id
    mine, hidden = make_company(session, "Mia srl", account_manager_id=me), make_company(session, "Nascosta srl", vat_number=VAT)
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
    area = sa.and_(RoleRight.area == "companies", RoleRight.role_id == sa.select(Role.id).where(Role.name == "sales").scalar_subquery())
    session.execute(sa.update(RoleRight).where(area).values(scope=RightScope.own))
    session.commit()
