"""The import in the browser: from the list to the rows, and what is answered when something is wrong."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from backoffice.database import RecordSession
from backoffice.spreadsheets.reading import read_table
from models.company import Company
from models.history_entry import HistoryEntry
from models.import_batch import ImportBatch, ImportState
from tests.clients import DESK, DeskClient
from tests.imports.register import body, csv_bytes
from views.generated import importing

CHOICES = {"mode": "both", "matched_by": "external_code", "source_system": "Registro"}
REGISTER = {
    "column.0": "external_code", "column.1": "legal_name", "column.5": "classification", "column.10": "website",
    "column.11": "country", "column.13": "certified_email", "column.14": "whole_address",
}  # fmt: skip


@pytest.fixture
def client(desk_client: Callable[..., DeskClient]) -> DeskClient:
    return desk_client("administrator")


def send(client: DeskClient, content: bytes, name: str = "enti.csv", path: str = "/company/import/") -> TestResponse:
    return client.submit(path, {"file": (io.BytesIO(content), name)})


def place(response: TestResponse) -> str:
    """Return where a response sends the browser, without the desk's prefix."""
    assert response.status_code == 303, response.text
    return str(response.location).removeprefix(DESK)


def follow(client: DeskClient, response: TestResponse) -> tuple[str, TestResponse]:
    """Go on as the page's script does, until no step is left."""
    for _step in range(50):
        path = place(response)
        page = client.get(path)
        assert page.status_code == 200, page.text
        found = re.search(r'action="([^"]+)" data-continue', page.text)
        if found is None:
            return path, page
        response = client.submit(found[1].removeprefix(DESK))
    raise AssertionError("The import never ends")


def figures(page: TestResponse) -> list[str]:
    return re.findall(r"<dd>(.*?)</dd>", page.text)


def test_a_file_goes_all_the_way(client: DeskClient, session: RecordSession) -> None:
    assert "/company/import/" in client.get("/company/").text
    rows = [body(number) for number in range(1, 40)] + [body(50, email="comunit")]
    columns = place(send(client, csv_bytes(*rows)))
    page = client.get(columns)
    assert page.status_code == 200
    assert page.text.count(" selected>") >= len(REGISTER)
    path, page = follow(client, client.submit(columns, REGISTER | CHOICES))
    assert path.endswith("/trial")
    assert figures(page) == ["39", "0", "0", "1"]
    assert "comunit" in page.text
    path, page = follow(client, client.submit(path.replace("trial", "apply")))
    assert path.endswith("/done")
    assert figures(page) == ["39", "0", "0", "1"]
    session.rollback()
    made = session.scalars(sa.select(Company).where(Company.legal_name == "Comune di Prova 39")).one()
    assert (made.city, made.certified_email) == ("Borgo 39", "protocollo39@pec.comune39.example")
    entry = session.scalars(
        sa.select(HistoryEntry).where(HistoryEntry.entity == "company", HistoryEntry.record_id == made.id)
    ).one()
    assert (entry.door, entry.event) == ("spreadsheet", "created")


def test_the_refused_rows_come_down_as_csv_and_as_xlsx(client: DeskClient) -> None:
    columns = place(send(client, csv_bytes(body(1), body(2, email="comunit"), body(3, name="=1+1", url="no"))))
    follow(client, client.submit(columns, REGISTER | CHOICES))
    for kind, start in (("csv", "﻿id;".encode()), ("xlsx", b"PK")):
        with client.get(columns.replace("columns", f"refused.{kind}")) as file:
            assert file.status_code == 200
            assert "attachment" in file.headers["Content-Disposition"]
            assert file.data.startswith(start)
            table = read_table(file.data)
        assert table.headings[:2] == ["id", "name"]
        assert [cells[0] for _number, cells in table.rows] == ["it/x_0002", "it/x_0003"]
        assert table.rows[1][1][1] == "=1+1"
        assert all(cells[-1] for _number, cells in table.rows)
    assert b"'=1+1" in client.get(columns.replace("columns", "refused.csv")).data
    assert client.get(columns.replace("columns", "refused.pdf")).status_code == 404


def test_a_long_file_is_worked_on_in_parts(
    client: DeskClient, session: RecordSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "STEP_SECONDS", 0.0)
    monkeypatch.setattr("backoffice.operations.imports.CHUNK", 10)
    monkeypatch.setattr("backoffice.operations.imports.WHOLE", 5)
    columns = place(send(client, csv_bytes(*(body(number) for number in range(35)))))
    response = client.submit(columns, REGISTER | CHOICES)
    assert "data-continue" in client.get(place(response)).text
    path, page = follow(client, response)
    assert figures(page)[0] == "35"
    _path, page = follow(client, client.submit(path.replace("trial", "apply")))
    assert figures(page)[0] == "35"
    session.rollback()
    assert len(session.scalars(sa.select(Company.id).where(Company.legal_name.like("Comune di Prova%"))).all()) == 35


def test_tabs_and_pages_of_a_trial(client: DeskClient) -> None:
    rows = [body(number, email="x" if number % 2 else "a@pec.example") for number in range(120)]
    columns = place(send(client, csv_bytes(*rows)))
    path, page = follow(client, client.submit(columns, REGISTER | CHOICES))
    seen: list[str] = []
    while True:
        seen += re.findall(r'<td class="end ref"[^>]*>([\d.]+)</td>', page.text)
        found = re.search(
            r'href="([^"]+)" rel="next"|href="([^"]+)"[^>]*>(?:[^<]*)<i class="bi bi-chevron-right', page.text
        )
        if found is None:
            break
        page = client.get((found[1] or found[2]).replace("&amp;", "&").removeprefix(DESK))
    assert [int(number) for number in seen] == [number + 2 for number in range(120) if number % 2]
    assert client.get(f"{path}?tab=new").status_code == 200
    for query in (
        "tab=nothing",
        "after=x",
        "after=99999999999",
        "trail=a-b-",
        "trail=" + "9-" * 3000,
        "tab=new&after=-1",
    ):
        assert client.get(f"{path}?{query}").status_code == 200


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 422),
        (b"%PDF-1.7", 422),
        (b"PK\x03\x04 broken", 422),
        (b"a,b\n1,\x00\n", 422),
        (b'a,b\n1,"2\n', 422),
        (b"a,b\n1," + b"x" * 100_001, 413),
    ],
)
def test_a_file_that_cannot_be_read_leaves_one_on_the_page_with_the_reason(
    client: DeskClient, session: RecordSession, content: bytes, status: int
) -> None:
    page = send(client, content)
    assert page.status_code == status
    assert 'role="alert"' in page.text
    assert 'type="file"' in page.text
    session.rollback()
    assert not session.scalars(sa.select(ImportBatch)).all()


def test_no_file_at_all_is_said_too(client: DeskClient) -> None:
    assert client.submit("/company/import/").status_code == 422


def test_a_mapping_that_cannot_work_comes_back_as_it_was_sent(client: DeskClient) -> None:
    columns = place(send(client, csv_bytes(body(1))))
    page = client.submit(columns, {"column.0": "external_code", "column.1": "city", "column.2": "city", "mode": "x"})
    assert page.status_code == 422
    assert page.text.count("field-error") >= 3
    assert 'value="city" selected' in page.text


def test_what_is_wrong_with_a_mapping_stands_at_the_top_and_leads_to_its_place(client: DeskClient) -> None:
    columns = place(send(client, csv_bytes(body(1))))
    page = client.get(columns).text
    label = page[page.index('for="source_system"') :]
    assert "(obbligatorio)" in label[: label.index("</label>")], "the guess maps the external code"
    assert "(facoltativo)" not in page
    sent = {"column.0": "external_code", "column.1": "city", "column.2": "city", "mode": "both"}
    page = client.submit(columns, sent | {"matched_by": "external_code"}).text
    assert page.index("data-problems") < page.index('id="column-1"')
    summary = page[page.index("data-problems") : page.index("</ul>", page.index("data-problems"))]
    assert "2 dati da correggere" in summary
    assert re.findall(r'href="#([^"]+)">([^:]+):', summary) == [
        ("column-3", "abbreviation"),
        ("source_system", "Sistema di origine"),
    ]
    client.submit(columns, {"column.1": "legal_name", "mode": "create"})
    page = client.get(columns).text
    label = page[page.index('for="source_system"') :]
    assert "(obbligatorio)" not in label[: label.index("</label>")], "nothing needs it"


def test_one_row_is_called_one_row(client: DeskClient) -> None:
    columns = place(send(client, csv_bytes(body(1), body(2, email="comunit"))))
    path, page = follow(client, client.submit(columns, REGISTER | CHOICES))
    assert "Importa aziende" in page.text
    assert "Importa 1 riga<" in page.text
    assert "Scarica la riga respinta con il motivo" in page.text
    assert "Ripeti la prova" in page.text
    assert "Colonne con più errori: " in page.text
    _path, page = follow(client, client.submit(path.replace("trial", "apply")))
    assert "Vedi la scheda importata" in page.text
    found = re.search(r'class="btn btn-primary" href="([^"]+)"', page.text)
    assert found is not None
    assert "Comune di Prova 1" in client.get(found[1].removeprefix(DESK)).text.split("</tr>")[1], "on top of the list"


def test_counts_are_empty_until_the_rows_were_tried(client: DeskClient) -> None:
    columns = place(send(client, csv_bytes(body(1), body(2))))
    row = r'data-label="(?:Nuove|Respinte)"[^>]*>(?:<span[^>]*>)?([^<]+)'
    assert re.findall(row, client.get("/import_batch/").text) == ["–", "–"]
    follow(client, client.submit(columns, REGISTER | CHOICES))
    assert re.findall(row, client.get("/import_batch/").text) == ["2", "0"]


def test_steps_out_of_order_are_refused_and_lead_back(client: DeskClient, session: RecordSession) -> None:
    columns = place(send(client, csv_bytes(body(1))))
    assert client.submit(columns.replace("columns", "apply")).status_code == 409
    assert client.get(columns.replace("columns", "trial")).status_code == 302
    assert client.get(columns.replace("columns", "done")).status_code == 302
    assert client.get(columns.replace("/columns", "")).status_code == 302
    follow(client, client.submit(columns, REGISTER | CHOICES))
    assert client.submit(columns.replace("columns", "discard")).status_code == 303
    session.rollback()
    assert session.scalars(sa.select(ImportBatch)).one().state is ImportState.discarded
    assert client.submit(columns.replace("columns", "apply")).status_code == 409


def test_without_the_right_or_for_somebody_else_it_is_not_there(
    client: DeskClient, desk_client: Callable[..., DeskClient]
) -> None:
    columns = place(send(client, csv_bytes(body(1))))
    for role, status in (("sales", 404), ("operator1", 403), ("management", 403)):
        other: Any = desk_client(role)
        assert other.get(columns).status_code == status
        assert other.submit(columns.replace("columns", "apply")).status_code == status
        assert other.get(columns.replace("columns", "refused.csv")).status_code == status
    assert desk_client("operator1").get("/company/import/").status_code == 403
    assert desk_client("sales").get("/company/import/").status_code == 200
    assert desk_client().get(columns).status_code == 302
    assert client.get(columns.replace("/company/", "/contact/")).status_code == 404
    assert client.get("/company/import/999999").status_code == 404
    assert client.get("/history_entry/import/").status_code == 404
