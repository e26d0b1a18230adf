"""Whose rows they are: the corporate groups, with units, teams, queues, services and staff.

What a database already has is used, so that its users see the rows; what is missing is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import cycle

from bench.loading import Loader
from models.reading import fold

_QUEUES = ("ASS", "LAB", "SW", "FORM", "MAN")
_TYPES = ("Informazioni", "Guasto", "Accesso", "Fattura", "Certificato", "Analisi", "Corso", "Reclamo")
_SERVICES = ("EDUPLAN", "ANALISI", "WINSMART", "GoPrivacy")
_STAFF = ("Anna Bianchi", "Bruno Conti", "Carla Costa", "Dario Fontana", "Elena Gallo", "Fabio Greco")


@dataclass(frozen=True)
class Group:
    """The keys of what belongs to one corporate group."""

    id: int
    companies: list[int]
    units: list[int]
    teams: list[int]
    queues: list[int]
    queue_codes: list[str]
    types: list[int]
    services: list[int]
    staff: list[int]


def ensure_groups(loader: Loader, at: str) -> list[Group]:
    """Return two corporate groups with all that tickets refer to."""
    found = loader.ids("SELECT id FROM corporate_group ORDER BY id LIMIT 2")
    for number in range(len(found) + 1, 3):
        _insert(loader, "corporate_group", at, [{"name": f"Gruppo {number}"}])
    found = loader.ids("SELECT id FROM corporate_group ORDER BY id LIMIT 2")
    return [_ensure_group(loader, group_id, at) for group_id in found]


def _ensure_group(loader: Loader, group: int, at: str) -> Group:
    own = {"group_id": group}
    names = [f"Società {group}.{number} S.r.l." for number in (1, 2)]
    company_rows = [{**own, "legal_name": name, "legal_name_key": fold(name)} for name in names]
    companies = _ensure(loader, "group_company", group, at, company_rows)
    placed = {**own, "group_company_id": companies[0]}
    units = _ensure(loader, "business_unit", group, at, [{**placed, "name": f"Unità {n}"} for n in (1, 2, 3)])
    teams = _ensure(loader, "support_team", group, at, [{**placed, "name": f"Squadra {n}"} for n in (1, 2, 3, 4)])
    queue_rows = [
        {**placed, "code": code, "name": f"Coda {code}", "name_key": fold(f"Coda {code}"), "team_id": team}
        for code, team in zip(_QUEUES, cycle(teams))
    ]
    queues = _ensure(loader, "support_queue", group, at, queue_rows)
    type_rows = [{**own, "code": name.upper(), "name": name, "name_key": fold(name)} for name in _TYPES]
    service_rows = [
        {**placed, "code": code, "name": code, "name_key": fold(code), "state": "offered"} for code in _SERVICES
    ]
    return Group(
        group,
        companies,
        units,
        teams,
        queues,
        loader.ids(f"SELECT code FROM support_queue WHERE group_id = {group} ORDER BY id"),
        _ensure(loader, "request_type", group, at, type_rows),
        _ensure(loader, "service", group, at, service_rows),
        _ensure(loader, "ab_user", group, at, [_member(group, name) for name in _STAFF]),
    )


def _member(group: int, name: str) -> dict[str, object]:
    first, last = name.split()
    username = f"bench.{group}.{last.lower()}"
    # Without a password nobody signs in as them.
    return {
        "group_id": group,
        "first_name": first,
        "last_name": last,
        "username": username,
        "email": f"{username}@bench.example",
        "active": 1,
        "search_key": "\n".join(map(fold, (first, last, username, f"{username}@bench.example"))),
    }


def _ensure(loader: Loader, table: str, group: int, at: str, rows: list[dict[str, object]]) -> list[int]:
    query = f"SELECT id FROM {table} WHERE group_id = {group} ORDER BY id"
    found = loader.ids(query)
    if found:
        return found
    _insert(loader, table, at, rows)
    return loader.ids(query)


def _insert(loader: Loader, table: str, at: str, rows: list[dict[str, object]]) -> None:
    (first,) = loader.ids(f"SELECT coalesce(max(id), 0) + 1 FROM {table}")
    stamps = {"created_at": at, "updated_at": at}
    loader.load(table, [{"id": first + place, **row, **stamps} for place, row in enumerate(rows)])
