"""How many rows of a list by a column or by month: equal to SQL written by hand, within filters, scope and masks."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import unquote

import pytest
import sqlalchemy as sa

from backoffice.database import RecordSession, begin_writing
from models.contract_line import ContractLine
from models.staff import Staff
from models.ticket import Ticket
from models.waste_movement import WasteMovement
from tests.client_area.conftest import ClientBrowser
from tests.client_area.conftest import browser_of as browser_of
from tests.clients import DeskClient

pytestmark = pytest.mark.databases("postgresql", "sqlite")
_ROW = re.compile(r'<tr><th scope="row"><a href="([^"]+)">(.*?)</a></th>.*?<td class="num">(.*?)</td>', re.DOTALL)


def bars(text: str) -> dict[str, str]:
    return {label: value for _url, label, value in _ROW.findall(text)}


def test_counted_by_state_they_are_those_of_sql_and_each_opens_its_rows(
    desk_client: Callable[..., DeskClient], session: RecordSession
) -> None:
    client = desk_client("administrator")
    page = client.get("/ticket/figures?by=state").text
    group = "SELECT state, count(*) FROM ticket WHERE group_id = 1 GROUP BY state"
    wanted = {str(state): str(count) for state, count in session.execute(sa.text(group))}
    found = {unquote(url).rpartition(":")[2]: value for url, _label, value in _ROW.findall(page)}
    assert found == wanted
    assert "Chiusura" in bars(page)
    url, _label, value = _ROW.findall(page)[0]
    assert f'<span class="count-label">{value}' in client.get(url.replace("&amp;", "&")).text


def test_by_month_every_month_is_there_in_italian_time(
    desk_client: Callable[..., DeskClient], session: RecordSession
) -> None:
    keys = session.scalars(sa.select(Ticket.id).where(Ticket.group_id == 1).order_by(Ticket.id).limit(2)).all()
    session.rollback()
    with begin_writing():
        # The last hour of January in Italy, and the first of March: still January and February in UTC.
        for key, instant in zip(keys, ((2031, 1, 31, 22, 30), (2031, 2, 28, 23, 30)), strict=True):
            when = sa.update(Ticket.__table__).where(Ticket.__table__.c.id == key)
            session.execute(when.values(created_at=datetime(*instant, tzinfo=UTC)))
        session.commit()
    page = desk_client("administrator").get("/ticket/figures?by=created_at&f=created_at:min:01/01/2031").text
    assert bars(page) == {"gen 2031": "1", "feb 2031": "0", "mar 2031": "1"}
    assert 'class="columns-picture"' in page


def test_amounts_are_added_up(desk_client: Callable[..., DeskClient], session: RecordSession) -> None:
    page = desk_client("administrator").get("/contract_line/figures?by=state&of=yearly_fee").text
    statement = "SELECT sum(yearly_fee) FROM contract_line WHERE group_id = 1"
    total = session.scalar(sa.text(statement))
    field = ContractLine.yearly_fee.type
    assert f"Totale: {field.show(total)}" in page


def test_texts_that_repeat_are_counted_as_the_filter_finds_them(
    desk_client: Callable[..., DeskClient], session: RecordSession
) -> None:
    keys = session.scalars(sa.select(WasteMovement.id).order_by(WasteMovement.id).limit(4)).all()
    table = WasteMovement.__table__
    session.rollback()
    with begin_writing():
        session.execute(sa.update(table).values(destination=None))
        for key, plant in zip(keys, ("Forno, Nord: 2", "forno, nord: 2", "Cava", None), strict=True):
            session.execute(sa.update(table).where(table.c.id == key).values(destination=plant))
        session.commit()
    client = desk_client("administrator")
    page = client.get("/waste_movement/figures?by=destination").text
    found = [(label, value, url) for url, label, value in _ROW.findall(page)]
    total = session.scalar(sa.select(sa.func.count()).select_from(table))
    assert [(value, label) for label, value, _url in found[1:]] == [("2", found[1][0]), ("1", "Cava")]
    assert found[1][0].casefold() == "forno, nord: 2"
    assert found[0][:2] == ("(vuoto)", str(total - 3))
    assert '<span class="count-label">2' in client.get(found[1][2].replace("&amp;", "&")).text


def test_what_does_not_add_up_is_not_offered(desk_client: Callable[..., DeskClient]) -> None:
    page = desk_client("administrator").get("/waste_movement/figures").text
    assert 'value="destination_kg"' in page
    assert 'value="form_year"' not in page
    assert desk_client("administrator").get("/waste_movement/figures?by=state&of=form_year").status_code == 400


def test_scope_and_masks_hold(desk_client: Callable[..., DeskClient], session: RecordSession) -> None:
    counted = sum(
        int(value) for value in bars(desk_client("consultant").get("/company/figures?by=state").text).values()
    )
    own = """
        SELECT count(*) FROM company JOIN company_consultant ON company_id = company.id
          JOIN ab_user ON ab_user.id = staff_id
         WHERE username = 'demo.consultant' AND deleted_at IS NULL
    """
    assert counted == session.scalar(sa.text(own))
    assert desk_client("evaluator").get("/fee/figures").status_code == 404
    assert desk_client("administrator").get("/company/figures?by=legal_name").status_code == 400
    # What is a mask to somebody is nothing to count by or to add up.
    offered = desk_client("management").get("/company/figures").text
    assert 'value="iban"' not in offered
    assert desk_client("management").get("/company/figures?by=tax_code").status_code == 400


def test_clients_count_their_own(
    browser_of: Callable[..., ClientBrowser],
    session: RecordSession,
) -> None:
    page = browser_of("demo.referent").get("/it/ticket/figures?by=state").text
    own = """
        SELECT count(*) FROM ticket JOIN account ON account.company_id = ticket.company_id
         WHERE username = 'demo.referent'
    """
    assert sum(int(value) for value in bars(page).values()) == session.scalar(sa.text(own))
    # Columns that are the staff's are nothing to count by.
    assert browser_of("demo.referent").get("/it/ticket/figures?by=assignee").status_code == 400


def test_what_single_people_do_is_not_counted_nor_offered_to_be(
    desk_client: Callable[..., DeskClient], staff: Callable[[str], Staff]
) -> None:
    client, link = desk_client("administrator"), "/ticket/figures?f=assignee:in:"
    other, own = staff("operator1").id, staff("administrator").id
    assert f"{link}{own}" in unquote(client.get(f"/ticket/?f=assignee:in:{own}").text)
    assert "/ticket/figures" not in client.get(f"/ticket/?f=assignee:in:{other}").text
    refused = client.get(f"{link}{other}")
    assert (refused.status_code, "art. 4 L. 300/1970" in refused.text) == (400, True)
