"""Lists by key: whatever the order and the direction, every row once, and only those that match."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from backoffice import clock
from backoffice.actors import SYSTEM
from backoffice.database import RecordSession
from backoffice.errors import BadRequest
from backoffice.records import filters, pages
from backoffice.records.cursors import last_cursor
from backoffice.records.folding import folded
from backoffice.records.pages import Query, find_page, read_query, sortable
from models.base import Recorded
from models.catalogue import Kind, fields
from models.company import Company, CompanyState
from models.contract import Contract
from models.reading import fold
from models.ticket import Ticket

SORTED = [
    (entity, f"{sign}{name}")
    for entity in (Company, Contract, Ticket)
    for name in sorted(sortable(entity, SYSTEM))
    for sign in ("", "-")
]


def walk(session: RecordSession, entity: type[Recorded], *, backward: bool, **asked: str) -> list[int]:
    """Return the keys of all rows, page by page from one end to the other."""
    query = read_query(entity, SYSTEM, size="37", **asked)
    found: list[int] = []
    cursor: str | None = last_cursor(query) if backward else ""
    while cursor is not None:
        page = find_page(session, Query(**{**query.__dict__, "cursor": cursor}))
        keys = [row.id for row in page.rows]
        found = keys + found if backward else found + keys
        cursor = page.previous if backward else page.next
        assert len(found) < 5_000
    return found


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize(("entity", "sort"), SORTED, ids=lambda value: getattr(value, "__name__", value))
def test_every_row_comes_once_and_in_order(
    session: RecordSession, entity: type[Recorded], sort: str, backward: bool
) -> None:
    field = fields(entity)[sort.lstrip("-")]
    column = getattr(entity, field.sort_column or field.name)
    rows = session.execute(sa.select(entity.id, column)).all()
    filled = sorted((row for row in rows if row[1] is not None), key=lambda row: (row[1], row[0]))
    empty = sorted((row for row in rows if row[1] is None), key=lambda row: row[0])
    if sort.startswith("-"):
        filled.reverse()
        empty.reverse()
    # Empty values come last either way.
    assert walk(session, entity, backward=backward, sort=sort) == [row[0] for row in [*filled, *empty]]


def test_the_count_is_exact_until_the_cap(session: RecordSession, monkeypatch: pytest.MonkeyPatch) -> None:
    query = read_query(Company, SYSTEM)
    total = session.scalar(sa.select(sa.func.count()).select_from(Company))
    page = find_page(session, query)
    assert (page.count, page.capped) == (total, False)
    monkeypatch.setattr(pages, "COUNT_CAP", 50)
    page = find_page(session, query)
    assert (page.count, page.capped) == (51, True)


def days_ahead(day: date | None) -> int:
    return (day - clock.today()).days if day is not None else -10_000


MATCHES: list[tuple[type[Recorded], str, Callable[[object], bool]]] = [
    (Company, "state:in:client", lambda row: row.state is CompanyState.client),
    (Company, "state:in:client,former", lambda row: row.state is not CompanyState.prospect),
    (Company, "state:not_in:client", lambda row: row.state is not CompanyState.client),
    (Company, "province:is:tn", lambda row: row.province == "TN"),
    (Company, "legal_name:contains:COMUNITA'", lambda row: "comunita" in fold(row.legal_name)),
    (Company, "legal_name:starts:comune", lambda row: fold(row.legal_name).startswith("comune")),
    (Company, "city:contains:tren", lambda row: "tren" in (row.city or "").lower()),
    (Company, "vat_number:empty:", lambda row: row.vat_number is None),
    (Company, "vat_number:filled:", lambda row: row.vat_number is not None),
    (Company, "lab_habitual:yes:", lambda row: row.lab_habitual),
    (Company, "lab_habitual:no:", lambda row: not row.lab_habitual),
    (
        Contract,
        "ends_on:next:60",
        lambda row: row.ends_on is not None and 0 <= (row.ends_on - clock.today()).days <= 60,
    ),
    (Contract, "starts_on:between:01/01/2020..", lambda row: row.starts_on.year >= 2020),
    (Contract, "notice_days:min:60", lambda row: row.notice_days >= 60),
    (
        Ticket,
        "created_at:last:30",
        lambda row: (clock.today() - row.created_at.astimezone(clock.ROME).date()).days <= 30,
    ),
    (Ticket, "due_at:past:", lambda row: row.due_at is not None and row.due_at < clock.now()),
    (Contract, "ends_on:past:", lambda row: row.ends_on is not None and row.ends_on < clock.today()),
    (Company, "country:contains:austria", lambda row: row.country == "AT"),
    (Ticket, "assignee:empty:", lambda row: row.assignee_id is None),
    (Ticket, "subject:contains:una, stampante: (", lambda row: "una stampante" in fold(row.subject)),
]


@pytest.mark.parametrize(("entity", "text", "matches"), MATCHES, ids=[text for _entity, text, _matches in MATCHES])
def test_a_filter_finds_what_it_says(
    session: RecordSession, entity: type[Recorded], text: str, matches: Callable[[object], bool]
) -> None:
    expected = {row.id for row in session.scalars(sa.select(entity)) if matches(row)}
    found = walk(session, entity, backward=False, filters=[text])  # type: ignore[arg-type]
    assert set(found) == expected
    assert len(found) == len(set(found))


@pytest.mark.parametrize("term", ["comunita'", "COMUNITÀ", "Comunità", "comunità   di"])
def test_search_ignores_case_accents_and_apostrophes(session: RecordSession, term: str) -> None:
    group = session.scalars(sa.select(Company.group_id)).first()
    session.add(Company(legal_name="Comunità di Prova", country="IT", group_id=group))
    session.flush()
    query = read_query(Company, SYSTEM, term=term)
    assert "Comunità di Prova" in {row.legal_name for row in find_page(session, query).rows}


BAD = [
    {"filters": ["shoes:is:1"]},
    {"filters": ["state:is:client"]},
    {"filters": ["state:in:asleep"]},
    {"filters": ["state:in:"]},
    {"filters": ["account_manager:in:me"]},
    {"filters": ["client_since:between:.."]},
    {"filters": ["client_since:is:31/02/2026"]},
    {"filters": ["created_at:last:many"]},
    {"filters": ["legal_name:contains:a"] * 21},
    {"sort": "shoes"},
    {"sort": "--legal_name"},
    {"sort": "city"},
    {"size": "0"},
    {"size": "1000"},
    {"size": "²"},
    {"term": "a\x00b"},
]


@pytest.mark.parametrize("asked", BAD, ids=str)
def test_what_makes_no_sense_is_refused(asked: dict[str, object]) -> None:
    with pytest.raises(BadRequest):
        read_query(Company, SYSTEM, **asked)  # type: ignore[arg-type]


def test_a_cursor_belongs_to_its_list(session: RecordSession) -> None:
    query = read_query(Company, SYSTEM, size="5")
    cursor = find_page(session, query).next
    assert cursor is not None
    for other in (
        read_query(Company, SYSTEM, size="5", sort="-legal_name", cursor=cursor),
        read_query(Company, SYSTEM, size="5", filters=["state:in:client"], cursor=cursor),
        read_query(Company, SYSTEM, size="5", cursor=cursor[:-3]),
        read_query(Company, SYSTEM, size="5", cursor="W10"),
        read_query(Company, SYSTEM, size="5", cursor="è"),
    ):
        with pytest.raises(BadRequest):
            find_page(session, other)


def test_every_operator_can_be_written_and_read_back(session: RecordSession) -> None:
    samples = {"text": "abc", "number": "5", "date": "31/12/2026", "two_numbers": "1..9", "relation": "1", "days": "30",
               "two_dates": "01/01/2026..31/12/2026", "none": ""}  # fmt: skip
    for entity in (Company, Contract, Ticket):
        for field in filters.filterable(entity, SYSTEM).values():
            for operator in filters.operators(field):
                value = next(iter(field.choices)).value if field.choices else samples.get(operator.input, "")
                if field.kind is Kind.minutes and operator.input == "two_numbers":
                    value = "0:10..0:30"
                if operator.input == "text" and operator.name == "is" and field.value_type is not None:
                    value = field.value_type.example
                text = f"{field.name}:{operator.name}:{value}"
                item = filters.parse(text, entity, SYSTEM)
                assert str(item) == text
                session.scalars(sa.select(entity.id).where(filters.condition(item)).limit(1)).all()


def test_days_are_those_of_italy(session: RecordSession) -> None:
    late = clock.now().astimezone(clock.ROME).replace(hour=23, minute=59) - timedelta(days=3)
    item = filters.parse(f"created_at:is:{late:%d/%m/%Y}", Ticket, SYSTEM)
    ticket = session.scalars(sa.select(Ticket)).first()
    assert ticket is not None
    session.execute(sa.update(Ticket.__table__).where(Ticket.__table__.c.id == ticket.id).values(created_at=late))
    assert ticket.id in session.scalars(sa.select(Ticket.id).where(filters.condition(item))).all()


@pytest.mark.parametrize(
    "text",
    [
        "Manutenzione: stampanti, server (sede)",
        "L’Acqua & C. s.n.c. - «Nuova» gestione 50%",
        "  Tre   spazi\te un a capo\n",
        "perche' no? Così — è!",
        "ü/ß@x+y_z.w #1 [2] {3} ~4 ^5 |6 \\7 $8 €9",
        "",
    ],
)
def test_folding_in_sql_is_folding_in_python(session: RecordSession, text: str) -> None:
    in_sql = session.connection().execute(sa.select(folded(sa.literal(text)))).scalar_one()
    assert in_sql == fold(text)
