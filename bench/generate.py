"""Fill a migrated database with as many rows as a busy installation has after years.

The data are skewed as real ones are: rare states lie on old rows, one company has hundreds of
tickets, most have a few. The same seed makes the same rows, ending today.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from random import Random

import click
import sqlalchemy as sa

from backoffice.clock import now
from backoffice.database import make_engine
from bench.loading import Loader, Row, open_loader
from bench.organisation import Group, ensure_groups
from models.values import fold
from seed.codes import landline, vat_number

_TABLES = ("company", "contact", "contract", "ticket", "call")
_YEARS = timedelta(days=7 * 365)
#: Tax offices that no demonstration company uses.
_OFFICES = ("888", "999", "120", "121")
_KINDS = ("Impresa", "Società", "Consorzio", "Comune di", "Istituto", "Officina", "Studio", "Azienda agricola")
_CITIES = (("Trento", "TN"), ("Rovereto", "TN"), ("Bolzano", "BZ"), ("Cefalù", "PA"), ("Forlì", "FC"), ("L'Aquila", "AQ"))
_FIRST = ("Anna", "Bruno", "Carla", "Dario", "Elena", "Fabio", "Giulia", "Nicolò", "Noè", "Sara", "Ugo", "Zoë")
_LAST = ("Bianchi", "Costa", "D'Angelo", "Esposito", "Fontana", "Gallo", "Marini", "Nardò", "Rossi", "Sanò", "Vitale")
_SUBJECTS = (
    "Accesso non riuscito", "Errore nella stampa del certificato", "Nuovo utente da abilitare", "Campione da ritirare",
    "Fattura non ricevuta", "Corso da spostare", "Il portale è lento", "Comunità montana: dati da correggere",
    "Password dimenticata", "Verbale da firmare", "Licenza scaduta", "Rapporto di prova mancante",
)  # fmt: skip
_OPEN = ("qualification", "assigned", "assigned", "in_progress", "in_progress", "in_progress", "waiting_customer", "reopened")
#: So few that an index must find them, and all among the oldest tenth.
_RARE = {"waiting_change": 12, "on_site_planned": 30, "on_hold_consent": 25, "waiting_quote": 40, "waiting_l2": 60}
#: Tickets of the one company that has far more than the others.
_LARGEST = 526


@dataclass(frozen=True)
class Sizes:
    """How many rows of each kind."""

    companies: int = 100_000
    contacts: int = 300_000
    contracts: int = 200_000
    tickets: int = 1_000_000
    calls: int = 2_000_000


@dataclass(frozen=True)
class _First:
    """The keys that the new rows begin with."""

    company: int
    contact: int
    contract: int
    ticket: int
    call: int


def generate(engine: sa.Engine, sizes: Sizes, seed: int = 1) -> None:
    """Add the rows to the database of ``engine``, in one transaction."""
    until = now().replace(microsecond=0)
    with open_loader(engine, _TABLES) as loader:
        groups = ensure_groups(loader, _text(until - _YEARS))
        first = _First(*(loader.ids(f"SELECT coalesce(max(id), 0) + 1 FROM {table}")[0] for table in _TABLES))
        world = _World(sizes, groups, first, until, Random(seed))
        loader.load("company", _COMPANY, world.companies())
        loader.load("contact", _CONTACT, world.contacts())
        loader.load("contract", _CONTRACT, world.contracts())
        loader.load("ticket", _TICKET, world.tickets())
        loader.load("call", _CALL, world.calls())
        _count_numbers(loader, groups, first.ticket + sizes.tickets)


_COMPANY = (
    "id", "group_id", "legal_name", "legal_name_key", "vat_number", "state", "city", "province", "country", "phone",
    "certified_email", "account_manager_id", "business_unit_id", "lab_habitual", "search_key", "created_at", "updated_at",
)  # fmt: skip
_CONTACT = (
    "id", "group_id", "company_id", "first_name", "last_name", "last_name_key", "email", "is_main_referent", "search_key",
    "created_at", "updated_at",
)  # fmt: skip
_CONTRACT = (
    "id", "group_id", "company_id", "group_company_id", "number", "subject", "state", "starts_on", "ends_on", "notice_days",
    "withdrawal_on", "business_unit_id", "support_team_id", "search_key", "created_at", "updated_at",
)  # fmt: skip
_TICKET = (
    "id", "group_id", "number", "queue_id", "company_id", "contact_id", "subject", "description", "request_type_id",
    "priority", "channel", "state", "team_id", "assignee_id", "business_unit_id", "contract_id", "service_id", "due_at",
    "taken_at", "closed_at", "reopen_until", "closure_reason", "search_key", "created_at", "updated_at",
)  # fmt: skip
_CALL = (
    "id", "group_id", "channel", "direction", "started_at", "description", "request_type_id", "state", "company_id",
    "contact_id", "caller_name", "caller_phone", "ticket_id", "team_id", "operator_id", "outcome", "duration_seconds",
    "search_key", "created_at", "updated_at",
)  # fmt: skip


class _World:
    """Which row is whose: all follows from a row's place, so that nothing is kept in memory."""

    def __init__(self, sizes: Sizes, groups: list[Group], first: _First, until: datetime, random: Random) -> None:
        self.sizes = sizes
        self.groups = groups
        self.first = first
        self.until = until
        self.random = random

    def group_of(self, company: int) -> Group:
        """Return the group of the company at a place: one in ten is the second group's."""
        return self.groups[company % 10 == 9]

    def at(self, place: int, count: int) -> datetime:
        """Return an instant that grows with the place, from years ago until now."""
        return self.until - _YEARS * ((count - place) / count)

    def companies(self) -> Iterator[Row]:
        """Yield companies with names that sort otherwise than their keys."""
        for place in range(self.sizes.companies):
            group, key = self.group_of(place), self.first.company + place
            city, province = _CITIES[place % len(_CITIES)]
            name = f"{_KINDS[place * 7 % len(_KINDS)]} {_LAST[place * 5 % len(_LAST)]} {place * 7919 % 1_000_003}"
            vat = vat_number(place % 99_000 + 1, _OFFICES[place // 99_000 % len(_OFFICES)])
            mail = f"pec{key}@bench.example"
            state = "former" if place % 50 == 7 else "prospect" if place % 20 == 3 else "client"
            words = f"{fold(name)}\n{vat}\n{_folded(city)}\n{mail}"
            yield (
                key, group.id, name, fold(name), vat, state, city, province, "IT", landline("461", place % 100_000), mail,
                _one(group.staff, place), _one(group.units, place), int(place % 3 == 0), words, *self._stamps(place, self.sizes.companies),
            )  # fmt: skip

    def contacts(self) -> Iterator[Row]:
        """Yield contacts, dealt out to the companies in turn; the first of each company is its main referent."""
        for place in range(self.sizes.contacts):
            company, key = place % self.sizes.companies, self.first.contact + place
            first, last = _FIRST[place * 11 % len(_FIRST)], _LAST[place * 3 % len(_LAST)]
            email = f"{key}@bench.example"
            name = _folded(f"{last} {first}")
            yield (
                key, self.group_of(company).id, self.first.company + company, first, last, name, email,
                int(place < self.sizes.companies), f"{_folded(first)}\n{_folded(last)}\n{email}", *self._stamps(place, self.sizes.contacts),
            )  # fmt: skip

    def contracts(self) -> Iterator[Row]:
        """Yield contracts, dealt out likewise: most in force, old ones expired, few withdrawn."""
        for place in range(self.sizes.contracts):
            company, key = place % self.sizes.companies, self.first.contract + place
            group, made = self.group_of(company), self.at(place, self.sizes.contracts)
            starts, ends = made.date(), made.date() + timedelta(days=3 * 365)
            state = "expired" if ends < self.until.date() else "withdrawn" if place % 97 == 0 else "active"
            number = f"B-{key:07d}"
            subject = _SUBJECTS[place % len(_SUBJECTS)]
            yield (
                key, group.id, self.first.company + company, _one(group.companies, place), number, subject, state, starts, ends, 60,
                ends if state == "withdrawn" else None, _one(group.units, company), _one(group.teams, company),
                f"{number.lower()}\n{_folded(subject)}", *self._stamps(place, self.sizes.contracts),
            )  # fmt: skip

    def tickets(self) -> Iterator[Row]:
        """Yield tickets from the oldest to the newest, with their states as old as the states are final."""
        count = self.sizes.tickets
        rare = self._rare_places()
        every = max(2, count // _LARGEST)
        for place in range(count):
            company = 0 if place % every == 1 else self._company()
            group = self.group_of(company)
            state = rare.get(place) or self._state(place, count)
            yield self._ticket(place, company, group, state)

    def _ticket(self, place: int, company: int, group: Group, state: str) -> Row:
        key, made = self.first.ticket + place, self.at(place, self.sizes.tickets)
        is_final = state in ("closed_final", "archived", "rejected")
        is_known = place % 100 != 50  # for one in a hundred nobody has found out whose it is
        queue = place % len(group.queues)
        number = f"{group.queue_codes[queue]}-{key}"
        subject = _SUBJECTS[place * 5 % len(_SUBJECTS)]
        created, later = _text(made), _text(min(made + timedelta(hours=30), self.until))
        return (
            key, group.id, number, group.queues[queue], self.first.company + company if is_known else None,
            self._below(self.first.contact, company, self.sizes.contacts) if is_known else None, subject,
            f"{subject}: si chiede assistenza.", _one(group.types, place), "emergency" if place % 211 == 0 else "normal" if place % 3 else "high",
            "email" if place % 4 else "phone", state, _one(group.teams, place), None if state == "qualification" else _one(group.staff, place * 3),
            _one(group.units, company), self._below(self.first.contract, company, self.sizes.contracts) if is_known else None,
            _one(group.services, place), None if is_final else later, None if state == "qualification" else created,
            later if is_final else None, later if state == "closed_provisional" else None,
            "not_competent" if state == "rejected" else "solved" if is_final else None,
            f"{number.lower()}\n{_folded(subject)}", created, later,
        )  # fmt: skip

    def calls(self) -> Iterator[Row]:
        """Yield calls, most of them closed, half of them about a ticket."""
        count = self.sizes.calls
        for place in range(count):
            company = self._company()
            group, key = self.group_of(company), self.first.call + place
            at = _text(self.at(place, count))
            state = "received" if place > count * 0.999 else "routed" if place % 5000 == 17 else "closed"
            name = f"{_FIRST[place % len(_FIRST)]} {_LAST[place % len(_LAST)]}"
            phone = landline("461", place % 100_000)
            # A ticket of the same moment: it may be another company's, which counts do not mind.
            ticket = self.first.ticket + place * self.sizes.tickets // count if place % 2 and self.sizes.tickets else None
            yield (
                key, group.id, "phone" if place % 9 else "email", "incoming", at, "Chiede informazioni.", _one(group.types, place), state,
                self.first.company + company, self._below(self.first.contact, company, self.sizes.contacts), name, phone,
                ticket, _one(group.teams, place), _one(group.staff, place), "answered", place % 900, f"{_folded(name)}\n{phone}", at, at,
            )  # fmt: skip

    def _company(self) -> int:
        """Return the place of a company; low places far more often."""
        chance = self.random.random()
        return int(self.sizes.companies * chance * chance)

    def _state(self, place: int, count: int) -> str:
        if place >= count * 0.98:
            return _OPEN[int(self.random.random() * len(_OPEN))]
        if place >= count * 0.97:
            return "closed_provisional"
        if place % 60 == 11:
            return "rejected"
        return "archived" if place < count * 0.6 else "closed_final"

    def _rare_places(self) -> dict[int, str]:
        oldest = max(1, self.sizes.tickets // 10)
        states = [state for state, times in _RARE.items() for _ in range(times)]
        places = self.random.sample(range(oldest), min(len(states), oldest))
        return dict(zip(places, states, strict=False))

    def _below(self, first: int, company: int, count: int) -> int | None:
        """Return the key of the company's first contact or contract; they are dealt out in turn."""
        return first + company if company < count else None

    def _stamps(self, place: int, count: int) -> tuple[str, str]:
        at = _text(self.at(place, count))
        return at, at


_folded = cache(fold)


def _one(keys: list[int], place: int) -> int:
    return keys[place % len(keys)]


def _text(at: datetime) -> str:
    """Return an instant as SQLite keeps it; PostgreSQL reads it as UTC, which the loader sets."""
    return at.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")


def _count_numbers(loader: Loader, groups: list[Group], last: int) -> None:
    for group in groups:
        loader.run(f"UPDATE support_queue SET last_number = {last} WHERE group_id = {group.id} AND last_number < {last}")


@click.command()
@click.option("--url", required=True, help="A migrated database, such as sqlite:///var/bench.sqlite.")
@click.option("--companies", default=Sizes.companies, show_default=True)
@click.option("--contacts", default=Sizes.contacts, show_default=True)
@click.option("--contracts", default=Sizes.contracts, show_default=True)
@click.option("--tickets", default=Sizes.tickets, show_default=True)
@click.option("--calls", default=Sizes.calls, show_default=True)
def main(url: str, **sizes: int) -> None:
    """Fill a migrated database with invented rows, for measuring."""
    began = time.monotonic()
    generate(make_engine(url), Sizes(**sizes))
    click.echo(f"{sum(sizes.values()):,} rows in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
