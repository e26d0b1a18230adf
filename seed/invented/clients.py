"""Invented clients: companies, public bodies, associations, sole traders and foreign firms, with people and places."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from models.business_unit import BusinessUnit
from models.company import Company, CompanyState, SizeClass
from models.company_consultant import CompanyConsultant
from models.contact import Contact, OrganisationLevel
from models.contact_role import ContactRole, ContactRoleKind
from models.site import Site
from seed import codes
from seed.invented.world import World, slug
from seed.names import (
    ASSOCIATIONS,
    BODIES,
    FOREIGN,
    JOBS,
    LEGAL_FORMS,
    PUBLIC_JOBS,
    SITES,
    STREETS,
    SURNAMES,
    TOWNS,
    TRADES,
    Place,
)

#: How many of each kind a group has.
KINDS = {"body": 14, "association": 4, "trader": 8, "foreign": 3, "firm": 71}
STATES = {CompanyState.client: 70, CompanyState.prospect: 18, CompanyState.former: 12}
SIZES = (SizeClass.small, SizeClass.small, SizeClass.medium, SizeClass.large)


@dataclass
class Client:
    """A company with what belongs to it, and the domain its addresses end in."""

    company: Company
    kind: str
    domain: str
    contacts: list[Contact] = field(default_factory=list)

    @property
    def is_public(self) -> bool:
        return self.kind == "body"


def invent_clients(world: World) -> list[Client]:
    """Make a group's clients with their sites, contacts, contact roles and consultants."""
    makers = {"body": _body, "association": _association, "trader": _trader, "foreign": _foreign, "firm": _firm}
    used: set[str] = set()
    clients = []
    numbers = dict.fromkeys(KINDS, 0)
    for kind, state in zip(world.deck(KINDS), world.deck(STATES), strict=True):
        client = makers[kind](world, numbers[kind], used)
        numbers[kind] += 1
        client.kind = kind
        _complete(world, client.company, state)
        clients.append(client)
    world.session.flush()
    for client in clients:
        _add_sites(world, client)
        _add_contacts(world, client)
    _delete_two_contacts(world, clients)
    _entrust(world, clients)
    world.session.flush()
    return clients


def _firm(world: World, _number: int, used: set[str]) -> Client:
    while True:
        (trade, word), surname = world.rng.choice(TRADES), world.rng.choice(SURNAMES)
        name = f"{trade} {surname} {world.rng.choice(LEGAL_FORMS)}"
        domain = f"{slug(surname)}-{word}.example"
        if domain not in used:
            used.add(domain)
            place = world.rng.choice(world.places)
            vat_number = codes.vat_number(next(world.serials), place.office)
            return _italian(world, name, place, domain, vat_number=vat_number, tax_code=vat_number)


def _trader(world: World, number: int, used: set[str]) -> Client:
    """Make a sole trader: a partita IVA, and the codice fiscale of a person; every fourth one with omocodia."""
    (trade, word), (first, last, woman) = world.rng.choice(TRADES), world.person()
    place = world.rng.choice(world.places)
    born_on = date(1955, 1, 1).replace(year=1955 + number * 5, month=1 + number % 12, day=3 + number * 3)
    domain = f"{slug(first)}{slug(last)}-{word}{number}.example"
    used.add(domain)
    return _italian(
        world, f"{trade} di {first} {last}", place, domain,
        vat_number=codes.vat_number(next(world.serials), place.office),
        tax_code=codes.personal_tax_code(first, last, born_on, woman=woman, doubled=number % 4 == 3),
    )  # fmt: skip


def _body(world: World, number: int, _used: set[str]) -> Client:
    """Make a public body: a numeric codice fiscale, no partita IVA but every fifth, an office code of 6 characters."""
    pattern, classification = BODIES[number % len(BODIES)]
    place = world.rng.choice(world.places)
    name = pattern.format(town=_town(world, number))
    place = _in_town(place, _town(world, number))
    serial = next(world.serials)
    tax_code = codes.vat_number(serial, place.office)
    return _italian(
        world, name, place, f"{slug(name)}.example", tax_code=tax_code,
        vat_number=tax_code if number % 5 == 4 else None,
        sdi_code=f"UF{serial % 10_000:04d}", classification=classification,
    )  # fmt: skip


def _association(world: World, number: int, _used: set[str]) -> Client:
    place = world.rng.choice(world.places)
    name = ASSOCIATIONS[number % len(ASSOCIATIONS)].format(town=_town(world, number + 7))
    place = _in_town(place, _town(world, number + 7))
    return _italian(
        world, name, place, f"{slug(name)}.example", tax_code=codes.vat_number(next(world.serials), place.office)
    )


def _foreign(world: World, number: int, _used: set[str]) -> Client:
    name, vat_number, city, country = FOREIGN[world.number * KINDS["foreign"] + number]
    company = Company(legal_name=name, vat_number=vat_number, city=city, country=country)
    return Client(company, "foreign", f"{slug(name)}.example")


def _town(world: World, number: int) -> str:
    # Each group starts elsewhere in the list, so that they share few names.
    return TOWNS[(world.number * len(TOWNS) // 2 + number) % len(TOWNS)]


def _in_town(place: Place, town: str) -> Place:
    """Return the invented town in the province of a capital, with a postal code of the province at large."""
    return replace(place, city=town, postal_code=f"{place.postal_code[:2]}0{place.postal_code[3]}0")


def _italian(world: World, name: str, place: Place, domain: str, **values: Any) -> Client:
    company = Company(
        legal_name=name,
        country="IT",
        street=f"{world.rng.choice(STREETS)}, {world.rng.randint(1, 180)}",
        postal_code=place.postal_code,
        city=place.city,
        province=place.province,
        phone=codes.landline(place.area, next(world.serials)),
        email=f"info@{domain}" if world.chance(0.8) else None,
        certified_email=f"pec@{domain}",
        website=f"https://www.{domain}" if world.chance(0.6) else None,
    )
    for attribute, value in values.items():
        setattr(company, attribute, value)
    return Client(company, "firm", domain)


def _complete(world: World, company: Company, state: CompanyState) -> None:
    """Set what does not depend on the kind of client."""
    company.group_id = world.group.id
    company.state = state
    company.size_class = world.rng.choice(SIZES) if world.chance(0.8) else None
    if company.country == "IT" and not company.sdi_code:
        company.sdi_code = "0000000" if world.chance(0.4) else f"D{next(world.serials) % 1_000_000:06d}"
    if state is not CompanyState.prospect:
        company.client_since = world.day(-world.rng.randint(500, 4000))
    if world.chance(0.3) and company.country == "IT":
        company.iban = codes.iban(next(world.serials))
    company.business_unit = world.rng.choice(world.all_of(BusinessUnit))
    company.lab_habitual = world.chance(0.15)
    company.account_manager = world.staff("sales") if world.chance(0.8) else None
    company.created_at = world.instant(-world.rng.randint(30, 1400))
    world.add(company)


def _add_sites(world: World, client: Client) -> None:
    company = client.company
    for number in range(world.rng.choice((0, 1, 1, 1, 2, 3)) if company.country == "IT" else 1):
        place = world.rng.choice(world.places) if number else None
        site = Site(company=company, name="Municipio" if client.is_public and not number else SITES[number])
        site.street = f"{world.rng.choice(STREETS)}, {world.rng.randint(1, 99)}" if place else company.street
        site.postal_code = place.postal_code if place else company.postal_code
        site.city, site.province = (place.city, place.province) if place else (company.city, company.province)
        site.country = company.country
        world.add(site)


def _add_contacts(world: World, client: Client) -> None:
    used: set[str] = set()
    for number in range(world.rng.choice((1, 1, 2, 2, 3, 4))):
        first, last, _woman = world.person()
        email = f"{slug(first)}.{slug(last)}@{client.domain}"
        if email in used:
            continue
        used.add(email)
        title, decides = world.rng.choice(PUBLIC_JOBS if client.is_public else JOBS)
        contact = Contact(company=client.company, first_name=first, last_name=last, email=email, job_title=title)
        contact.organisation_level = OrganisationLevel.decision if decides else OrganisationLevel.operating
        contact.is_main_referent = number == 0
        contact.phone = client.company.phone if number == 0 else None
        contact.mobile = codes.mobile(next(world.serials)) if world.chance(0.5) else None
        contact.email_verified_at = world.instant(-world.rng.randint(1, 400)) if world.chance(0.6) else None
        contact.created_at = world.instant(-world.rng.randint(1, 400))
        client.contacts.append(world.add(contact))
        if number == 0:
            world.add(ContactRole(contact=contact, role=ContactRoleKind.main_referent))
        elif decides:
            world.add(ContactRole(contact=contact, role=ContactRoleKind.legal_representative))


def _delete_two_contacts(world: World, clients: list[Client]) -> None:
    """Take two people out of use, as happens when they leave."""
    leaving = [client for client in clients if len(client.contacts) > 2][:2]
    for client in leaving:
        client.contacts.pop().deleted_at = world.instant(-20)


def _entrust(world: World, clients: list[Client]) -> None:
    """Give the consultant, where there is one, some clients to follow."""
    consultant = world.staff("consultant")
    for client in clients[::9] if consultant else ():
        world.add(CompanyConsultant(company=client.company, staff=consultant))
