"""The invented rows: which is whose follows from a row's place, so that nothing is kept in memory.

They are skewed as real ones are: rare states lie on old rows, one company has hundreds of tickets,
most have a few.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from random import Random
from typing import Any

from bench.organisation import Group
from models.reading import fold
from seed.codes import landline, vat_number

Values = dict[str, Any]

YEARS = timedelta(days=7 * 365)
#: Tax offices that no demonstration company uses.
_OFFICES = ("888", "999", "120", "121")
_KINDS = ("Impresa", "Società", "Consorzio", "Comune di", "Istituto", "Officina", "Studio", "Azienda agricola")
_CITIES = (("Trento", "TN"), ("Rovereto", "TN"), ("Bolzano", "BZ"), ("Cefalù", "PA"), ("Forlì", "FC"), ("Cantù", "CO"))
_FIRST = ("Anna", "Bruno", "Carla", "Dario", "Elena", "Fabio", "Giulia", "Nicolò", "Noè", "Sara", "Ugo", "Zoë")
_LAST = ("Bianchi", "Costa", "D'Angelo", "Esposito", "Fontana", "Gallo", "Marini", "Nardò", "Rossi", "Sanò", "Vitale")
_SUBJECTS = (
    "Accesso non riuscito",
    "Errore nella stampa del certificato",
    "Nuovo utente da abilitare",
    "Campione da ritirare",
    "Fattura non ricevuta",
    "Corso da spostare",
    "Il portale è lento",
    "Comunità montana: dati da correggere",
    "Password dimenticata",
    "Verbale da firmare",
    "Rapporto di prova mancante",
)
_OPEN = ("qualification", "assigned", "assigned", "in_progress", "in_progress", "waiting_customer", "reopened")
_FINAL = frozenset({"closed_final", "archived", "rejected"})
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
    messages: int = 5_000_000


@dataclass(frozen=True)
class World:
    """Everything that the rows follow from; ``first`` has the first new key of each table."""

    sizes: Sizes
    groups: list[Group]
    first: dict[str, int]
    until: datetime
    random: Random

    def companies(self) -> Iterator[Values]:
        """Yield companies with names that sort otherwise than their keys."""
        for place in range(self.sizes.companies):
            group, key = self._group(place), self.first["company"] + place
            city, province = _CITIES[place % len(_CITIES)]
            name = f"{_KINDS[place * 7 % len(_KINDS)]} {_LAST[place * 5 % len(_LAST)]} {place * 7919 % 1_000_003}"
            vat = vat_number(place % 99_000 + 1, _OFFICES[place // 99_000 % len(_OFFICES)])
            mail = f"pec{key}@bench.example"
            yield {
                "id": key,
                "group_id": group.id,
                "legal_name": name,
                "legal_name_key": fold(name),
                "vat_number": vat,
                "state": "former" if place % 50 == 7 else "prospect" if place % 20 == 3 else "client",
                "city": city,
                "province": province,
                "country": "IT",
                "phone": landline("461", place % 100_000),
                "certified_email": mail,
                "account_manager_id": _one(group.staff, place),
                "business_unit_id": _one(group.units, place),
                "lab_habitual": int(place % 3 == 0),
                "search_key": f"{fold(name)}\n{vat}\n{_folded(city)}\n{mail}",
                **self._stamps(place, self.sizes.companies),
            }

    def contacts(self) -> Iterator[Values]:
        """Yield contacts, dealt out to the companies in turn; the first of each company is its main referent."""
        for place in range(self.sizes.contacts):
            company, key = place % self.sizes.companies, self.first["contact"] + place
            first, last = _FIRST[place * 11 % len(_FIRST)], _LAST[place * 3 % len(_LAST)]
            email = f"{key}@bench.example"
            yield {
                "id": key,
                "group_id": self._group(company).id,
                "company_id": self.first["company"] + company,
                "first_name": first,
                "last_name": last,
                "last_name_key": _folded(f"{last} {first}"),
                "email": email,
                "is_main_referent": int(place < self.sizes.companies),
                "search_key": f"{_folded(first)}\n{_folded(last)}\n{email}",
                **self._stamps(place, self.sizes.contacts),
            }

    def contracts(self) -> Iterator[Values]:
        """Yield contracts, dealt out likewise: most in force, old ones expired, few withdrawn."""
        for place in range(self.sizes.contracts):
            company, key = place % self.sizes.companies, self.first["contract"] + place
            group, starts = self._group(company), self._at(place, self.sizes.contracts).date()
            ends = starts + timedelta(days=3 * 365)
            state = "expired" if ends < self.until.date() else "withdrawn" if place % 97 == 0 else "active"
            number, subject = f"B-{key:07d}", _SUBJECTS[place % len(_SUBJECTS)]
            yield {
                "id": key,
                "group_id": group.id,
                "company_id": self.first["company"] + company,
                "group_company_id": _one(group.companies, place),
                "number": number,
                "subject": subject,
                "state": state,
                "signed_on": None if state in ("draft", "cancelled") else starts,
                "starts_on": starts,
                "ends_on": ends,
                "notice_days": 60,
                "withdrawal_on": ends if state == "withdrawn" else None,
                "business_unit_id": _one(group.units, company),
                "support_team_id": _one(group.teams, company),
                "search_key": f"{number.lower()}\n{_folded(subject)}",
                **self._stamps(place, self.sizes.contracts),
            }

    def tickets(self) -> Iterator[Values]:
        """Yield tickets from the oldest to the newest; their states are as final as they are old."""
        count = self.sizes.tickets
        rare = self._rare_places()
        every = max(2, count // _LARGEST)
        for place in range(count):
            company = 0 if place % every == 1 else self._any_company()
            yield self._ticket(place, company, rare.get(place) or self._state(place, count))

    def _ticket(self, place: int, company: int, state: str) -> Values:
        group, key, made = self._group(company), self.first["ticket"] + place, self._at(place, self.sizes.tickets)
        created, later = _text(made), _text(min(made + timedelta(hours=30), self.until))
        is_final, is_new = state in _FINAL, state == "qualification"
        is_known = place % 100 != 50  # for one in a hundred nobody has found out whose it is
        queue = place % len(group.queues)
        number, subject = f"{group.queue_codes[queue]}-{key}", _SUBJECTS[place * 5 % len(_SUBJECTS)]
        return {
            "id": key,
            "group_id": group.id,
            "number": number,
            "queue_id": group.queues[queue],
            "company_id": self.first["company"] + company if is_known else None,
            "contact_id": self._first_of("contact", company) if is_known else None,
            "contract_id": self._first_of("contract", company) if is_known else None,
            "subject": subject,
            "description": f"{subject}: si chiede assistenza.",
            "request_type_id": _one(group.types, place),
            "service_id": _one(group.services, place),
            "priority": "emergency" if place % 211 == 0 else "normal" if place % 3 else "high",
            "channel": "email" if place % 4 else "phone",
            "state": state,
            "team_id": _one(group.teams, place),
            "assignee_id": None if is_new else _one(group.staff, place * 3),
            "business_unit_id": _one(group.units, company),
            "due_at": None if is_final else later,
            "taken_at": None if is_new else created,
            "closed_at": later if is_final else None,
            "reopen_until": later if state == "closed_provisional" else None,
            "closure_reason": "not_competent" if state == "rejected" else "solved" if is_final else None,
            "search_key": f"{number.lower()}\n{_folded(subject)}",
            "created_at": created,
            "updated_at": later,
        }

    def calls(self) -> Iterator[Values]:
        """Yield calls, most of them closed, half of them about a ticket."""
        count = self.sizes.calls
        for place in range(count):
            company = self._any_company()
            group, at = self._group(company), _text(self._at(place, count))
            name = f"{_FIRST[place % len(_FIRST)]} {_LAST[place % len(_LAST)]}"
            phone = landline("461", place % 100_000)
            # A ticket of the same moment; it may be another company's, which measuring does not mind.
            ticket = self.first["ticket"] + place * self.sizes.tickets // count
            yield {
                "id": self.first["call"] + place,
                "group_id": group.id,
                "channel": "phone" if place % 9 else "email",
                "direction": "incoming",
                "started_at": at,
                "description": "Chiede informazioni.",
                "request_type_id": _one(group.types, place),
                "state": "received" if place > count * 0.999 else "routed" if place % 5000 == 17 else "closed",
                "company_id": self.first["company"] + company,
                "contact_id": self._first_of("contact", company),
                "caller_name": name,
                "caller_phone": phone,
                "ticket_id": ticket if place % 2 and self.sizes.tickets else None,
                "team_id": _one(group.teams, place),
                "operator_id": _one(group.staff, place),
                "outcome": "answered",
                "duration_seconds": place % 900,
                "search_key": f"{_folded(name)}\n{phone}",
                "created_at": at,
                "updated_at": at,
            }

    def _group(self, company: int) -> Group:
        """Return the group of the company at a place: one in ten is the second group's."""
        return self.groups[company % 10 == 9]

    def _at(self, place: int, count: int) -> datetime:
        """Return an instant that grows with the place, from years ago until now."""
        return self.until - YEARS * ((count - place) / count)

    def _stamps(self, place: int, count: int) -> Values:
        at = _text(self._at(place, count))
        return {"created_at": at, "updated_at": at}

    def _any_company(self) -> int:
        """Return the place of a company; low places far more often."""
        chance = self.random.random()
        return int(self.sizes.companies * chance * chance)

    def _first_of(self, table: str, company: int) -> int | None:
        """Return the key of the company's first contact or contract; they are dealt out in turn."""
        count = self.sizes.contacts if table == "contact" else self.sizes.contracts
        return self.first[table] + company if company < count else None

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
        return dict(zip(self.random.sample(range(oldest), min(len(states), oldest)), states, strict=False))


_folded = cache(fold)


def _one(keys: list[int], place: int) -> int:
    return keys[place % len(keys)]


def _text(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
