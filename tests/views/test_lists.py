"""What a list shows beside its rows: order, filters, the way on, and what each column is to the reader."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest

from backoffice.database import RecordSession
from models.base import ENTITIES
from models.catalogue import fields
from tests.views.programs import make_company, make_contract
from tests.visitors import Visitor
from views.generated import listing
from views.generated.listing import column_parts, widest_column


@pytest.mark.parametrize(
    ("name", "parts", "widest"),
    [
        ("ticket", {"number": "ref", "subject": "title", "company": "party", "due_at": "due"}, "subject"),
        ("contract", {"number": "ref", "subject": "title", "company": "party"}, "subject"),
        ("contact", {"last_name": "title", "company": "party"}, "last_name"),
        ("site", {"name": "title", "company": "party"}, "name"),
        ("customer_order", {"number": "title", "company": "party"}, "company"),
        ("team_member", {"team": "title"}, "team"),
    ],
)
def test_what_the_columns_are_to_the_reader(name: str, parts: dict[str, str], widest: str) -> None:
    entity = ENTITIES[name]
    columns = [fields(entity)[column] for column in entity.__admin__.list_columns]
    assert (column_parts(entity, columns), widest_column(entity, columns)) == (parts, widest)


def test_the_title_leads_to_the_record(admin: Visitor, session: RecordSession) -> None:
    contract = make_contract(session, make_company(session), "C/77", subject="Assistenza ordinaria")
    page = admin.get("/contract/?q=C/77").text
    (link,) = re.findall(r'c-main[^>]*><a href="([^"]+)">([^<]+)<', page)
    assert (link[0].rpartition("/")[2], link[1]) == (str(contract.id), "Assistenza ordinaria")
    contract.subject = None
    session.commit()
    page = admin.get("/contract/?q=C/77").text
    assert re.findall(r"c-main[^>]*><a [^>]+>([^<]+)<", page) == ["C/77"], "where it is empty, the next best"


def test_the_order_is_said_where_no_heading_shows_it(admin: Visitor, session: RecordSession) -> None:
    company = make_company(session)
    for number in ("C/1", "C/2"):
        make_contract(session, company, number)
    assert "in ordine di creazione, dal più recente" in admin.get("/contract/").text
    assert "in ordine di" not in admin.get("/contract/?s=number").text
    assert "in ordine di" not in admin.get("/contract/?c=number,created_at").text


def test_a_list_that_fits_has_no_foot(admin: Visitor, session: RecordSession) -> None:
    company = make_company(session)
    make_contract(session, company, "Z/1")
    for path in ("/contract/?q=Z/", f"/company/{company.id}?tab=contract.company"):
        assert "list-foot" not in admin.get(path).text, path
    for number in range(2, 28):
        make_contract(session, company, f"Z/{number}")
    page = admin.get("/contract/?q=Z/").text
    assert ("list-foot" in page, 'rel="next"' in page) == (True, True)
    page = admin.get("/contract/?q=Z/&n=50").text
    assert ("list-foot" in page, 'class="pager"' in page) == (True, False), "all on one page, but of another size"


def test_fields_to_filter_by_come_in_two_groups(admin: Visitor) -> None:
    page = admin.get("/ticket/").text
    groups = re.findall(r'<optgroup label="([^"]+)">(.*?)</optgroup>', page)
    assert [label for label, _options in groups] == ["I più usati", "Tutti gli altri"]
    first, rest = (re.findall(r'<option value="(\w+)">([^<]+)', options) for _label, options in groups)
    assert [name for name, _label in first] == list(ENTITIES["ticket"].__admin__.filters)
    labels = [unescape(label).lower() for _name, label in rest]
    assert labels == sorted(labels), "no accents among them"


def test_a_filter_can_be_opened_again(admin: Visitor, session: RecordSession) -> None:
    company = make_company(session)
    asked = [
        ("state:in:active,expiring", {"field": "state", "operator": "in", "values": ["active", "expiring"]}),
        ("number:contains:C/", {"field": "number", "operator": "contains", "values": ["C/"]}),
        ("starts_on:between:01/02/2026..", {"field": "starts_on", "operator": "between", "values": ["2026-02-01", ""]}),
        ("created_at:last:90", {"field": "created_at", "operator": "last", "values": ["90"]}),
        (f"company:in:{company.id}", {"field": "company", "operator": "in", "values": [str(company.id)]}),
        ("ends_on:empty:", {"field": "ends_on", "operator": "empty", "values": []}),
    ]
    page = admin.get("/contract/?" + "&".join(f"f={text}" for text, _edit in asked)).text
    found = re.findall(r'data-edit-filter="([^"]+)" data-edit="([^"]+)"', page)
    assert [(unescape(text), json.loads(unescape(edit))) for text, edit in found] == asked
    several = admin.get(f"/contract/?f=company:in:{company.id},{company.id + 1}").text
    assert "data-edit-filter" not in several, "the form has room for one"


def test_a_list_is_printed_whole_or_says_so(
    admin: Visitor, session: RecordSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All rows as filtered, from the first one, whatever page one was on; and a sentence where that is too many."""
    for number in range(30):
        make_company(session, f"Stampata {number:02} srl", city="Ala")
    page = admin.get("/company/?f=city:is:Ala&n=25").text
    assert 'href="/backoffice/company/?f=city%3Ais%3AAla&amp;print=1"' in page
    whole = admin.get("/company/?f=city:is:Ala&n=25&print=1").text
    assert whole.count("<tr data-url") == 30
    assert "Si stampano solo" not in whole
    assert re.search(r"print-words.*è.*<b>Ala</b>", whole, re.DOTALL)
    for action in ("row-menu", "/company/new", "/export.", "/import/"):
        assert action not in whole, action
    monkeypatch.setattr(listing, "PRINTED", 10)
    first = admin.get("/company/?f=city:is:Ala&print=1").text
    assert first.count("<tr data-url") == 10
    assert "Si stampano solo le prime 10 righe, di 30." in first
