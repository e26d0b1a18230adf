"""Something is done to many records at once: asked first, to each as if it were alone, and told of each."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from backoffice.access import INTERNAL
from backoffice.actors import SYSTEM
from backoffice.database import RecordSession, begin_writing
from backoffice.operations import bulk_deeds
from backoffice.operations.overrides import change_setting
from backoffice.setting_keys import BULK_ROWS
from models.base import Recorded
from models.bulk_run import BulkOutcome, BulkRow, BulkRun
from models.catalogue import slug
from models.company import Company, CompanyState
from models.history_entry import Entrance, HistoryEntry
from models.staff import Staff
from tests.clients import DESK, DeskClient
from tests.sample import ENTITY_SETS
from tests.views.programs import as_stored, make_company, make_contract
from tests.visitors import Visitor

_row: Any = BulkRow.__table__


def ticks(page: str) -> list[str]:
    """Return what the boxes of a list would send."""
    return re.findall(r'name="row" value="(\d+\.\d+)"', page)


def actions(page: str) -> list[str]:
    return re.findall(r'name="action" value="([^"]+)"', page)


def ask(visitor: Any, path: str, action: str, rows: Iterable[str] = (), **more: str) -> str:
    """Tick rows of a list and press a button; return the page that asks before it is done."""
    answer = visitor.submit(f"{path}bulk", {"action": action, "row": list(rows), **more})
    assert answer.status_code == 303, answer.text
    return str(answer.location.removeprefix(DESK))


def confirm(visitor: Any, question: str, values: dict[str, Any]) -> TestResponse:
    """Confirm; where it could be done at once, return the report."""
    answer = visitor.submit(question, values)
    if answer.status_code == 303:
        assert visitor.get(answer.location.removeprefix(DESK)).location.endswith("/report")
        return visitor.get(f"{question.partition('?')[0]}/report")  # type: ignore[no-any-return]
    return answer  # type: ignore[no-any-return]


def tick(records: Sequence[Any]) -> list[str]:
    return [f"{record.id}.{record.version}" for record in records]


def outcomes(session: RecordSession) -> dict[int, tuple[BulkOutcome | None, str | None]]:
    """Return what became of each record of the latest run."""
    as_stored(session)
    latest = sa.select(sa.func.max(BulkRun.id)).scalar_subquery()
    rows = session.execute(sa.select(_row).where(_row.c.run_id == latest), execution_options=INTERNAL)
    return {row.record_id: (row.outcome, row.problem) for row in rows}


@pytest.fixture
def three(session: RecordSession) -> list[Company]:
    return [make_company(session, f"Molti {name} srl", city="Ala") for name in ("Alfa", "Beta", "Gamma")]


@pytest.mark.databases("sqlite", "postgresql", long=("sqlite",))
@pytest.mark.parametrize("entities", ENTITY_SETS)
def test_every_action_on_every_list_asks_and_tells(entities: list[type[Recorded]], admin: Visitor) -> None:
    """No action on any list ends in anything but a question, a refusal in words, or a report."""
    tried = 0
    for entity in entities:
        path = f"/{slug(entity)}/"
        page = admin.get(path).text
        assert bool(actions(page)) == bool(ticks(page)), path
        if entity.__admin__.append_only:
            assert not actions(page), path
        for action in actions(page):
            if action.startswith("export:"):
                continue
            question = ask(admin, path, action, ticks(admin.get(path).text)[:2])
            asked = admin.get(question)
            assert asked.status_code == 200
            fields = re.findall(r'name="field" value="([^"]+)"', asked.text)[:3]
            if fields:
                question += "?" + "&".join(f"field={name}" for name in fields)
                assert admin.get(question).status_code == 200, question
            answer = confirm(admin, question, {"field": fields})
            assert answer.status_code in (200, 422), (question, answer.status_code)
            tried += 1
    assert tried > 20


def test_fields_of_several_records_change_as_one_by_one(
    admin: Visitor, session: RecordSession, three: list[Company], staff: Callable[[str], Staff]
) -> None:
    rows = tick(three)
    with begin_writing():
        three[1].notes = "Somebody was quicker"
        session.commit()
    question = ask(admin, "/company/", "edit", rows)
    page = admin.get(f"{question}?field=city").text
    assert "Modifica: 3 aziende" in page
    assert "Modifica (3)" in page
    assert as_stored(session).get_one(Company, three[0].id).city == "Ala", "nothing happens before it is confirmed"
    report = confirm(admin, question, {"field": "city", "city": "Trento"})
    stored = as_stored(session)
    assert [stored.get_one(Company, company.id).city for company in three] == ["Trento", "Ala", "Trento"]
    found = outcomes(session)
    assert [found[company.id][0] for company in three] == [BulkOutcome.done, BulkOutcome.changed, BulkOutcome.done]
    assert "2 su 3 sono fatte" in report.text
    assert "Qualcun altro ha modificato questa scheda nel frattempo." in html.unescape(report.text)
    entries = session.scalars(
        sa.select(HistoryEntry).where(HistoryEntry.entity == "company", HistoryEntry.record_id == three[0].id)
    ).all()
    latest = entries[-1]
    assert (latest.event, latest.door, latest.actor_id) == ("updated", Entrance.desk, staff("administrator").id)
    assert admin.submit(question, {"field": "city", "city": "Bolzano"}).location.endswith("/report"), "only once"
    assert as_stored(session).get_one(Company, three[0].id).city == "Trento"
    run = session.scalars(sa.select(BulkRun).order_by(BulkRun.id.desc())).first()
    assert run is not None
    assert run.values == {"city": None}, "what was typed is in the history alone"


def test_all_that_a_filter_finds(admin: Visitor, session: RecordSession, three: list[Company]) -> None:
    address = "f=city%3Ais%3AAla&n=1"
    page = admin.get(f"/company/?{address}").text
    assert "Tutte le 3 di questo elenco" in page
    sent = html.unescape(re.findall(r'name="address" value="([^"]+)"', page)[-1])
    question = ask(admin, "/company/", "edit", tick(three[:1]), everything="1", address=sent)
    late = make_company(session, "Molti Delta srl", city="Ala")
    confirm(admin, question, {"field": "city", "city": "Trento"})
    assert set(outcomes(session)) == {company.id for company in three}, "counted once, when it was asked for"
    assert as_stored(session).get_one(Company, late.id).city == "Ala"


def test_a_wrong_value_is_told_once_and_stays_in_the_form(
    admin: Visitor, session: RecordSession, three: list[Company]
) -> None:
    question = ask(admin, "/company/", "edit", tick(three))
    refused = admin.submit(question, {"field": ["province", "city"], "province": "123", "city": "Rovereto"})
    assert refused.status_code == 422
    assert 'value="Rovereto"' in refused.text
    assert set(outcomes(session).values()) == {(None, None)}
    nothing = admin.submit(question, {})
    assert (nothing.status_code, "Scegli almeno un campo da modificare." in nothing.text) == (422, True)


def test_a_rule_that_breaks_one_spares_the_others(admin: Visitor, session: RecordSession, three: list[Company]) -> None:
    """What is in another state stays as it is, and the report says so, on the page and as a file."""
    question = ask(admin, "/company/", "verb:become_client", tick(three[:2]))
    assert "2 aziende" in admin.get(question).text
    confirm(admin, question, {})
    stored = as_stored(session)
    states = [stored.get_one(Company, company.id).state for company in three]
    assert states == [CompanyState.client, CompanyState.client, CompanyState.prospect]
    again = ask(admin, "/company/", "verb:become_former", tick([stored.get_one(Company, c.id) for c in three]))
    assert "2 sono in uno stato da cui" in html.unescape(admin.get(again).text)
    report = confirm(admin, again, {})
    found = outcomes(session)
    assert [found[company.id][0] for company in three] == [BulkOutcome.done, BulkOutcome.done, BulkOutcome.refused]
    assert "non è possibile" in report.text
    only = admin.get(f"{again}/report?outcome=refused").text
    assert ("Molti Gamma srl" in only, "Molti Alfa srl" in only) == (True, False)
    lines = list(csv.reader(io.StringIO(admin.get(f"{again}/report.csv?outcome=refused").text), delimiter=";"))
    assert [line[:3] for line in lines[1:]] == [[str(three[2].id), "Molti Gamma srl", "Non possibile"]]
    assert "Non è più cliente" in lines[1][3]


def test_what_others_refer_to_is_not_deleted(admin: Visitor, session: RecordSession, three: list[Company]) -> None:
    make_contract(session, three[0], "M/1")
    question = ask(admin, "/company/", "delete", tick(three))
    report = confirm(admin, question, {})
    assert "2 su 3 sono fatte" in report.text
    left = session.scalars(sa.select(Company.id).where(Company.id.in_([company.id for company in three]))).all()
    assert left == [three[0].id]
    outcome, problem = outcomes(session)[three[0].id]
    assert (outcome, "1 contratto" in (problem or "")) == (BulkOutcome.refused, True)


def test_ticked_rows_as_a_file(admin: Visitor, three: list[Company]) -> None:
    for kind in ("csv", "xlsx"):
        path = ask(admin, "/company/", f"export:{kind}", tick(three[:2]), address="c=legal_name")
        assert admin.get(path).status_code == 200
    text = admin.get(path.replace("xlsx", "csv")).get_data(as_text=True)
    assert ("Molti Alfa" in text, "Molti Beta" in text, "Molti Gamma" in text) == (True, True, False)
    whole = admin.get(ask(admin, "/company/", "export:csv", tick(three[:2]), everything="1", address="f=city:is:Ala"))
    assert "Molti Gamma" in whole.get_data(as_text=True)


def test_nothing_ticked_and_too_much(
    admin: Visitor, session: RecordSession, monkeypatch: pytest.MonkeyPatch, three: list[Company]
) -> None:
    empty = admin.submit("/company/bulk", {"action": "edit", "address": "q=molti"})
    assert empty.location == f"{DESK}/company/?q=molti"
    assert "Nessuna scheda scelta" in admin.get("/company/").text
    monkeypatch.setattr("backoffice.operations.bulk.MOST", 2)
    admin.submit("/company/bulk", {"action": "edit", "everything": "1", "address": "q=molti"})
    assert "Al massimo 2 schede alla volta" in admin.get("/company/").text
    for values in (
        {"row": "x.1"},
        {"row": "1"},
        {"row": "9" * 18 + ".1"},
        {"action": "verb:nothing"},
        {"address": "s=nothing"},
        {"action": ""},
    ):
        assert admin.submit("/company/bulk", {"action": "edit", "row": tick(three), **values}).status_code == 400


def test_runs_that_cannot_be(admin: Visitor) -> None:
    for key in ("0", "99", "9" * 18, "x", "٣"):
        for name in ("", "/report", "/report.csv"):
            assert admin.get(f"/company/bulk/{key}{name}").status_code == 404, (key, name)
        assert admin.get(f"/company/views/{key}").status_code == 404, key


def test_a_run_is_nobody_else_s(admin: Visitor, three: list[Company], desk_client: Callable[..., DeskClient]) -> None:
    question = ask(admin, "/company/", "edit", tick(three))
    other = desk_client("sales")
    for path in (question, f"{question}/report", f"{question}/report.csv", question.replace("company", "contact")):
        assert other.get(path).status_code == 404, path
    assert other.submit(question, {"field": "city", "city": "Trento"}).status_code == 404
    assert other.submit(f"{question}/go", {}).status_code == 404


def test_without_a_worker_a_long_one_goes_on_page_by_page(
    admin: Visitor, session: RecordSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_deeds, "CHUNK", 5)
    monkeypatch.setattr(bulk_deeds, "AT_ONCE", 10)
    with begin_writing():
        change_setting(session, BULK_ROWS, "10", version=0, actor=SYSTEM)
        session.commit()
    many = [make_company(session, f"Tante {number:02} srl") for number in range(22)]
    question = ask(admin, "/company/", "edit", tick(many))
    assert admin.submit(question, {"field": "city", "city": "Trento"}).status_code == 303
    done = sa.select(sa.func.count(Company.id)).where(Company.city == "Trento", Company.legal_name.like("Tante%"))
    for expected in (10, 20):
        assert as_stored(session).scalar(done) == expected
        page = admin.get(question).text
        assert f'value="{expected}" max="22"' in page
        assert "data-continue" in page
        admin.submit(f"{question}/go", {})
    assert as_stored(session).scalar(done) == 22
    assert "Fatte tutte: 22." in admin.get(f"{question}/report").text
