"""What the API refuses: each with a clear answer in one shape, nothing saved, nothing leaked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from backoffice.database import RecordSession
from models.company import Company
from tests.views.programs import PROBLEM, Program, as_stored, make_company

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"nonsense": 1}, "nonsense"),
    ({"id": 5}, "id"),
    ({"created_at": "2026-01-01T00:00:00Z"}, "created_at"),
    ({"group_id": 2}, "group_id"),
    ({"legal_name": 5}, "legal_name"),
    ({"legal_name": ["a"]}, "legal_name"),
    ({"legal_name": None}, "legal_name"),
    ({"legal_name": "a\0b"}, "legal_name"),
    ({"legal_name": "\ud800"}, "legal_name"),
    ({"legal_name": "x" * 300}, "legal_name"),
    ({"vat_number": "12345678901"}, "vat_number"),
    ({"state": "Client"}, "state"),
    ({"client_since": "01/02/2026"}, "client_since"),
    ({"client_since": "9999-12-31"}, "client_since"),
    ({"lab_habitual": "yes"}, "lab_habitual"),
    ({"account_manager": 10**30}, "account_manager"),
    ({"account_manager": 999_999}, "account_manager"),
    ({"account_manager": True}, "account_manager"),
    ({"account_manager": {"id": {"id": 1}}}, "account_manager"),
]


def test_a_refused_value_is_named(
    program: Callable[..., Program], session: RecordSession, subtests: pytest.Subtests
) -> None:
    company, api = make_company(session), program()
    for values, field in REFUSED:
        with subtests.test(repr(values)[:60]):
            answer = api.patch(f"/company/{company.id}", json=values, version=1)
            assert (answer.status_code, answer.mimetype, set(answer.json["errors"])) == (422, PROBLEM, {field})
    assert as_stored(session).get_one(Company, company.id).version == 1


NONSENSE: list[tuple[str, str, dict[str, Any], int]] = [
    ("get", "/company/?f=nonsense:is:1", {}, 400),
    ("get", "/company/?f=state", {}, 400),
    ("get", "/company/?f=state:in:nonsense", {}, 400),
    ("get", "/company/?f=created_at:last:x", {}, 400),
    ("get", "/company/?f=account_manager:in:99999999999999999999", {}, 400),
    ("get", "/company/?s=notes", {}, 400),
    ("get", "/company/?n=0", {}, 400),
    ("get", "/company/?n=101", {}, 400),
    ("get", "/company/?n=x", {}, 400),
    ("get", "/company/?k=x", {}, 400),
    ("get", "/company/?k=WzEsMiwzXQ", {}, 400),
    ("get", "/company/?q=%00", {}, 400),
    ("get", "/company/?page=2", {}, 400),
    ("get", "/company/0", {}, 404),
    ("get", "/company/x", {}, 404),
    ("get", "/company/%00", {}, 404),
    ("get", f"/company/{'9' * 400}", {}, 404),
    ("get", "/nothing/", {}, 404),
    ("post", "/company/1", {}, 405),
    ("delete", "/history_entry/1", {}, 405),
    ("post", "/company/", {"data": "legal_name=x"}, 415),
    ("post", "/company/", {"data": b"{", "content_type": "application/json"}, 400),
    ("post", "/company/", {"data": b"\xff", "content_type": "application/json"}, 400),
    ("post", "/company/", {"data": b'{"legal_name": NaN}', "content_type": "application/json"}, 400),
    ("post", "/company/", {"data": b"[" * 100_000, "content_type": "application/json"}, 400),
    ("post", "/company/", {"data": b'{"x":' + b"9" * 10_000 + b"}", "content_type": "application/json"}, 400),
    ("post", "/company/", {"json": []}, 422),
    ("post", "/company/", {"json": "text"}, 422),
    ("post", "/company/", {"json": {}}, 422),
    ("post", "/contract/", {"json": {"lines": {}}}, 422),
    ("post", "/contract/", {"json": {"lines": [[]]}}, 422),
]


def test_a_year_is_not_any_number(program: Callable[..., Program]) -> None:
    api = program()
    for year in (0, -47_414, 999, 12_345):
        answer = api.post("/annual_fee/", json={"year": year})
        assert (answer.status_code, "year" in answer.json["errors"]) == (422, True), year


def test_nonsense_gets_a_clear_answer(program: Callable[..., Program], subtests: pytest.Subtests) -> None:
    api = program()
    for method, path, options, status in NONSENSE:
        with subtests.test(f"{method} {path[:40]} {str(options)[:40]}"):
            answer = getattr(api, method)(path, **options)
            assert (answer.status_code, answer.mimetype) == (status, PROBLEM), answer.text[:200]
            assert {"type", "title", "status", "detail"} <= set(answer.json)
            assert answer.json["status"] == status


def test_too_much_is_refused_before_it_is_read(program: Callable[..., Program], desk: Flask) -> None:
    much = b" " * (desk.config["MAX_CONTENT_LENGTH"] + 1)
    answer = program().post("/company/", data=much, content_type="application/json")
    assert (answer.status_code, answer.mimetype) == (413, PROBLEM)


def test_without_a_valid_token_the_answer_is_401(program: Callable[..., Program]) -> None:
    for header in ("", "Bearer", "Bearer x", "Bearer a.b.c", "Basic YTpi", "Bearer \xff\xff.b.c"):
        answer = program(None).get("/company/", headers={"Authorization": header} if header else {})
        assert (answer.status_code, answer.mimetype) == (401, PROBLEM), header
        assert answer.headers["WWW-Authenticate"] == "Bearer"
