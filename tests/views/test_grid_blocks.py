"""A block of cells pasted into the grid: each row whole or not at all, read as a single cell is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from backoffice.actors import Door
from backoffice.database import RecordSession
from models.company import Company, SizeClass
from models.history_entry import HistoryEntry
from models.staff import Staff
from tests.clients import DeskClient
from tests.views.programs import PROBLEM, as_stored, make_company
from views.generated.grid_blocks import MOST_CELLS

PASTE = "/grid/company/ajax/paste/"
Find = Callable[..., DeskClient]


@pytest.fixture
def companies(session: RecordSession) -> list[Company]:
    return [make_company(session, f"Blocco {number} srl") for number in range(3)]


def row(company: Company | int, *, version: Any = 1, **cells: Any) -> dict[str, Any]:
    return {"pk": company if isinstance(company, int) else company.id, "version": version, "cells": cells}


def paste(client: DeskClient, *rows: dict[str, Any]) -> TestResponse:
    """Send a block, as the page's script does."""
    return client.post(PASTE, json={"rows": rows}, headers={"X-CSRFToken": client.csrf_token})


def entries(session: RecordSession, company: Company) -> list[str]:
    mine = sa.select(HistoryEntry).where(HistoryEntry.entity == "company", HistoryEntry.record_id == company.id)
    return [f"{entry.event} {entry.door}" for entry in session.scalars(mine.order_by(HistoryEntry.id)).all()][1:]


def test_a_block_is_read_as_italians_write(
    desk_client: Find, companies: list[Company], session: RecordSession, staff: Callable[[str], Staff]
) -> None:
    first, second, _third = companies
    seller = staff("sales")
    words = {"city": " Trento ", "client_since": "31/12/2025", "size_class": "Piccola", "lab_habitual": "sì"}
    answer = paste(
        desk_client("sales"),
        row(first, **words, account_manager=str(seller)),
        row(second, city="Ala", account_manager=f"#{seller.id}"),
    )
    assert answer.status_code == 200
    told = answer.json["rows"][0]
    assert (told["problem"], told["problems"]) == ("", {})
    assert (told["cells"]["city"]["text"], told["cells"]["city"]["version"]) == ("Trento", 2)
    assert told["cells"]["account_manager"]["value"] == f"#{seller.id}"
    stored = as_stored(session).get_one(Company, first.id)
    assert (stored.city, stored.client_since.isoformat()) == ("Trento", "2025-12-31")  # type: ignore[union-attr]
    assert (stored.size_class, stored.lab_habitual) == (SizeClass.small, True)
    assert stored.account_manager_id == session.get_one(Company, second.id).account_manager_id == seller.id
    assert entries(session, first) == [f"updated {Door.grid}"], "one entry a row, however many cells"


def test_a_row_is_written_whole_or_not_at_all(
    desk_client: Find, companies: list[Company], session: RecordSession
) -> None:
    first, second, third = companies
    make_company(session, "Già qui srl", vat_number="01114601006")
    answer = paste(
        desk_client("sales"),
        row(first, city="Trento", province="XX9", lab_habitual="forse"),
        row(second, city="Ala", state="client"),
        row(third, city="Arco", vat_number="01114601006"),
        row(make_company(session, "Ultima srl"), city="Riva"),
    )
    problems = [set(one["problems"]) for one in answer.json["rows"]]
    assert problems == [{"province", "lab_habitual"}, {"state"}, {"vat_number"}, set()]
    cities = sa.select(Company.city).where(Company.id.in_([first.id, second.id, third.id]))
    assert as_stored(session).scalars(cities).all() == [None, None, None]
    assert session.scalar(sa.select(Company.city).where(Company.legal_name == "Ultima srl")) == "Riva"
    assert entries(session, first) == entries(session, second) == []


def test_what_somebody_else_changed_or_may_not_be_seen_stays(
    desk_client: Find, companies: list[Company], session: RecordSession
) -> None:
    first, second, _third = companies
    client, theirs = desk_client("sales"), make_company(session, "Altrui srl", group=2)
    assert paste(client, row(first, city="Ala")).json["rows"][0]["problem"] == ""
    late, hidden, good = paste(
        client, row(first, city="Arco"), row(theirs, city="Arco"), row(second, city="Arco")
    ).json["rows"][:3]  # by key
    if hidden["pk"] != str(theirs.id):
        hidden, good = good, hidden
    assert late["problem"]
    assert (late["cells"]["city"]["text"], late["cells"]["city"]["version"]) == ("Ala", 2)
    assert "cells" not in hidden
    assert (good["problem"], good["cells"]["city"]["text"]) == ("", "Arco")
    cities = [as_stored(session).get_one(Company, one.id).city for one in (first, second, theirs)]
    assert cities == ["Ala", "Arco", None]


def _bad(company: Company) -> list[Any]:
    return [
        None, [], {}, {"rows": []}, {"rows": "x"}, {"rows": [None]}, {"rows": [{}]},
        {"rows": [row(company)]}, {"rows": [row(company, city=1)]}, {"rows": [row(company, city=None)]},
        {"rows": [row(company, version="x", city="Ala")]}, {"rows": [row(company, version="9" * 30, city="Ala")]},
        {"rows": [{**row(company, city="Ala"), "pk": "9" * 40}]}, {"rows": [{**row(company, city="Ala"), "pk": [1]}]},
        {"rows": [row(company, city="Ala"), row(company, city="Arco")]},
    ]  # fmt: skip


def test_what_is_no_block_is_refused_as_a_whole(
    desk_client: Find, companies: list[Company], session: RecordSession
) -> None:
    client = desk_client("sales")
    for content in _bad(companies[0]):
        answer = client.post(PASTE, json=content, headers={"X-CSRFToken": client.csrf_token})
        assert (answer.status_code, answer.mimetype) == (400, PROBLEM), content
    many = [row(number, city="Ala") for number in range(1, MOST_CELLS + 2)]
    assert paste(client, *many).status_code == 413
    assert paste(client, row(companies[0], nonsense="x", id="7")).json["rows"][0]["problems"].keys() == {
        "nonsense",
        "id",
    }
    assert as_stored(session).get_one(Company, companies[0].id).version == 1


def test_only_whoever_may_change_rows_pastes(
    desk_client: Find, companies: list[Company], session: RecordSession
) -> None:
    reader, stranger = desk_client("quality"), desk_client()
    assert paste(reader, row(companies[0], city="Ala")).status_code == 403
    assert paste(stranger, row(companies[0], city="Ala")).status_code in (400, 401)
    assert desk_client("sales").post(PASTE, json={"rows": [row(companies[0], city="Ala")]}).status_code == 400
    assert as_stored(session).get_one(Company, companies[0].id).city is None
