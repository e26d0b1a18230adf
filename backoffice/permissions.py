"""Who may do what: the shipped rights of every staff role, on one page (requirements, chapter 13; RO-01, RO-02).

This is what a fresh installation starts with. What counts afterwards lies in ``role_right`` and
``role_mask``, where administrators change it; ``synchronise_roles`` brings the two together.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache

from flask_appbuilder.security.sqla.models import Role
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp

from backoffice.actors import Action, Grant, ScopeKind
from backoffice.errors import Text
from models.base import ENTITIES, Recorded
from models.catalogue import fields
from models.role_right import AreaName, Letters

#: Looks after the others; some refusals concern this role alone.
ADMINISTRATOR = "administrator"
#: The letters of the matrix, in the order people read them.
LETTERS = {
    "C": Action.create,
    "R": Action.read,
    "U": Action.update,
    "D": Action.delete,
    "T": Action.transition,
    "X": Action.export,
}


#: What people read for them.
ACTION_LABELS: dict[Action, Text] = {
    Action.create: _l("Create"),
    Action.read: _l("Read"),
    Action.update: _l("Change"),
    Action.delete: _l("Delete"),
    Action.transition: _l("Use verbs"),
    Action.export: _l("Export"),
}


#: Which rows each scope means, in a sentence.
SCOPE_MEANINGS: dict[ScopeKind, Text] = {
    ScopeKind.group: _l("Every row of the corporate group the person works for."),
    ScopeKind.unit: _l("Rows that the person’s business unit answers for, itself or through their company."),
    ScopeKind.teams: _l("Rows of companies with a ticket in, or a contract served by, one of the person’s teams."),
    ScopeKind.consultant: _l("Rows of companies entrusted to the person as their consultant."),
    ScopeKind.own: _l("Rows entrusted to the person by name, such as their tickets or their imports."),
}


#: The same in a word, where there is little room.
SCOPE_WORDS: dict[ScopeKind, Text] = {
    ScopeKind.group: _lp("rows", "All"),
    ScopeKind.unit: _lp("rows", "Own unit"),
    ScopeKind.teams: _lp("rows", "Own teams"),
    ScopeKind.consultant: _lp("rows", "As consultant"),
    ScopeKind.own: _lp("rows", "In person"),
}


@dataclass(frozen=True)
class StaffRole:
    """A role as people read it; its code is the name of the ``ab_role`` row."""

    label: Text
    description: Text


ROLES: dict[str, StaffRole] = {
    "administrator": StaffRole(
        _l("Administrator"), _l("Looks after users, roles and reference data; may change everything.")
    ),
    "sales": StaffRole(_lp("role", "Sales"), _l("Follows clients, contracts and orders.")),
    "secretariat": StaffRole(
        _l("Service secretariat"), _l("Looks after onboarding, licenses and assistance of clients.")
    ),
    "operator1": StaffRole(_l("Operator, level 1"), _l("Answers first; sees the companies that their teams serve.")),
    "operator2": StaffRole(_l("Operator, level 2"), _l("Solves what level 1 passes on.")),
    "evaluator": StaffRole(_l("Business-unit evaluator"), _l("Decides for the services of one business unit.")),
    "quality": StaffRole(_l("Quality manager"), _l("Watches over documents, complaints and non-conformities.")),
    "security": StaffRole(_l("Information-security manager"), _l("Watches over accounts, rights and the history.")),
    "consultant": StaffRole(_l("Consultant"), _l("Looks after the companies entrusted to them.")),
    "contact_centre": StaffRole(_l("Contact-centre operator"), _l("Takes calls and records what they are about.")),
    "management": StaffRole(_l("Management"), _l("Reads everything that is not personal, and reports.")),
}

AREAS: dict[str, Text] = {
    "organisation": _l("Groups, group companies and units"),
    "staff": _l("Users"),
    "companies": _l("Companies and sites"),
    "contacts": _l("Contacts and their roles"),
    "contracts": _l("Contracts and their lines"),
    "orders": _l("Customer orders"),
    "onboarding": _l("Onboarding of referents"),
    "services": _l("Services and online services"),
    "platforms": _l("Platforms"),
    "activation": _l("Activation requests"),
    "grants": _l("Online services of clients and accounts"),
    "fees": _l("Annual contributions"),
    "accounts": _l("Client accounts"),
    "licenses": _l("Licenses"),
    "courses": _l("Courses"),
    "training": _l("Training records and people in training"),
    "deadlines": _l("Deadlines of clients"),
    "documents": _l("Client documents"),
    "analyses": _l("Analyses and certificates"),
    "waste": _l("Waste movements"),
    "tickets": _l("Tickets and messages"),
    "packages": _l("Support packages"),
    "package_types": _l("Types of support packages"),
    "calls": _l("Calls and communications"),
    "complaints": _l("Complaints"),
    "change_requests": _l("Change requests"),
    "time_entries": _l("Time entries"),
    "escalations": _l("Escalations"),
    "interventions": _l("Interventions and entitlements"),
    "assets": _l("Assets"),
    "service_levels": _l("Service levels"),
    "attachments": _l("Attachments"),
    "calendars": _l("Calendars"),
    "queues": _l("Queues, teams and request types"),
    "roles": _l("Roles and rights"),
    "history": _l("History and sign-ins"),
    "imports": _l("Imports"),
    "outbox": _lp("mail", "Outbox"),
    "templates": _l("Mail templates"),
    "settings": _l("Settings"),
    "texts": _l("Texts of the product"),
    "portals": _l("Client portals"),
    "terms": _l("Conditions and privacy notices"),
    "consents": _l("Consents"),
    "deletions": _l("Deletion requests"),
    "jobs": _l("Work in the background"),
    "views": _l("Saved views"),
    "api_keys": _l("API keys"),
}

AreaName.words.update(AREAS)
Letters.words.update({letter: ACTION_LABELS[action] for letter, action in LETTERS.items()})

# Letters as above; after a colon the rows: nothing = all rows of the corporate group, unit = those of the own
# business unit, teams = companies with a ticket in or a contract served by the own teams, consultant = companies
# entrusted to the person. A dash = nothing. Four choices beyond chapter 13: the second level writes in conversations,
# where it could otherwise not even note what it found; contacts follow their company, so the first operator's are by
# team too (issue 2 wins); names of colleagues and of the organisation, which every record shows, are readable by all;
# "(on-call)" and "(security)" narrowings come with what they speak of. An attachment takes its rows from its parent: C
# adds one to what one may create or change, D removes one from what one may change.
_MATRIX = """
area          admin. sales   sec.ry  oper.1    oper.2  evaluator quality security consultant      c.centre manage.
organisation  CRUDX  R       R       R         R       R         R       R        R               R        R
staff         CRUTX  R       R       R         R       R         R       R        R               R        R
companies     CRUDX  CRUX    CRUX    RX:teams  R       R:unit    R       R        R:consultant    R        RX
contacts      CRUDX  CRUX    CRUX    CRU:teams R       R:unit    R       R        R:consultant    CRU      R
contracts     CRUDTX CRUTX   R       R         R       R:unit    R       R        R:consultant    R        RX
orders        CRUDTX CRUTX   RUT     -         -       -         R       -        R:consultant    -        RX
onboarding    CRUDTX R       CRUTX   -         -       -         -       -        R:consultant    -        R
services      CRUDTX R       R       R         R       R:unit    R       R        R               R        R
platforms     CRUDTX R       -       -         -       -         R       CRUTX    -               -        R
activation    CRUDTX CRUTX   CRUX    -         -       RTX:unit  -       R        -               -        RX
grants        CRUDTX CRUT    R       -         -       R:unit    -       R        -               -        R
fees          CRUDTX CRUTX   R       -         -       -         -       -        -               -        RX
accounts      CRUDTX CRU     RUT     RT        -       -         -       RTX      -               -        -
licenses      CRUTX  R       CRUTX   -         -       -         -       -        R:consultant    -        RX
courses       CRUDX  R       CRUX    -         -       R         -       -        R               -        RX
training      CRUDX  R       CRUX    -         -       R:unit    -       -        R:consultant    -        RX
deadlines     CRUDX  R       CRUX    -         -       R:unit    -       -        CRU:consultant  -        R
documents     CRUDTX R       CRUT    -         -       CRU:unit  -       R        CRUT:consultant -        -
analyses      CRUX   R       -       -         -       CRUTX:unit -      R        -               -        R
waste         CRUX   R       -       -         -       CRUTX:unit -      R        -               -        R
tickets       CRUDTX CR      CRUTX   CRUTX     CRUTX   R:unit    R       R        CRUT:consultant CRU      RX
packages      CRUTX  CRUTX   R       R         R       -         -       -        R:consultant    -        RX
package_types CRUDX  CRUX    R       R         R       R         R       R        R               R        RX
calls         CRUX   R       CRUX    CRU       R       R:unit    R       R        R:consultant    CRUTX    RX
complaints    CRUTX  R       CR      CR        -       -         RUTX    R        -               CRU      RX
change_requests CRUDTX R     CR      CR        CRUTX   R:unit    R       R        CR:consultant   -        RX
time_entries  CRUX   R       CRU:own CRU:own   CRU:own -         -       -        CRU:own         -        RX
escalations   CRUDTX R       CR      CRUT      RUT     -         R       R        -               CRT      R
interventions CRUDTX R       CR      CR        CRUTX   R:unit    -       -        -               CR       RX
assets        CRUDX  R       -       R         R       R:unit    -       -        -               CRU      R
service_levels CRUDX CRUX    -       R         R       -         R       -        -               R        RX
attachments   CRDX   CRD     CRD     CR        CRD     CRD       R       R        CR              CR       -
calendars     CRUDX  R       R       R         R       -         R       R        -               R        R
queues        CRUDX  R       R       R         R       R         R       R        R               R        R
roles         CRUD   -       -       -         -       -         -       RU       -               -        -
history       RX     -       -       -         -       -         R       RX       -               -        -
imports       CRUDTX CRU:own CRU:own CRU:own   CRU:own CRU:own   -       -        CRU:own         CRU:own  -
outbox        RTX    -       -       -         -       -         -       R        -               -        -
templates     RUX    -       RU        R       -         -       -       R        -               -        -
settings      RUX    -       -         -       -         -       R       RU       -               -        R
texts         RUX    R       R         R       R         -       R       RU       -               -        R
portals       CRUDX  R       R       R         R       -         R       R        -               R        R
terms         CRUDTX R       R       R         R       -         R       RUT      -               -        R
consents      CRUX   -       -       -         -       -         -       RX       -               -        -
deletions     CRUTX  RT      RT      -         -       -         -       RTX      -               -        -
jobs          RTX    RT:own  RT:own    RT:own  RT:own    RT:own  -       R        RT:own          RT:own   -
views         CRUDTX CRUDT:own CRUDT:own CRUD:own CRUD:own CRUD:own CRUDT:own CRUD:own CRUD:own    CRUD:own CRUD:own
api_keys      CRTX   CRT:own CRT:own CRT:own  CRT:own CRT:own   CRT:own CRT     CRT:own         CRT:own  CRT:own
"""

# What accounts of clients may do, likewise: referents with what is their company's, all others with what is their own
# (``of_client`` in ``conditions``; with ``own`` referents too see no more than that). Areas that are missing here are
# closed to clients, and so is every entity without ``client_columns``.
_CLIENT_MATRIX = """
area          referent user
companies     R        -
contacts      R        -
contracts     RX       -
services      R        R
activation    CR       -
grants        R        R
fees          R        -
accounts      R        R
licenses      RX       -
tickets       CRX      CRX
packages      RX       -
package_types R        R
time_entries  R        -
interventions R        -
complaints    CR       CR
queues        R        R
consents      R:own    R:own
deletions     R:own    R:own
attachments   R        R
courses       R        R
training      RX       RX
deadlines     RX       RX
documents     RX       RX
analyses      RX       RX
waste         RX       RX
"""
#: Areas that are open only to accounts with an active online service, by its code; as far as that goes.
AREA_SERVICES = {
    "training": "EDUPLAN",
    "deadlines": "EDUPLAN",
    "documents": "EDUPLAN",
    "analyses": "ANALISI",
    "waste": "WINSMART",
}
#: Areas whose rows are no company's: catalogues that clients of a corporate group have in common.
CLIENT_CATALOGUES = frozenset({"services", "package_types", "queues", "courses"})

#: Every field declared as a datum about a person.
PERSONAL = "personal"
#: What a role sees as a mask only: ``entity.field``, or all personal fields (RO-08).
MASKS: dict[str, tuple[str, ...]] = {"management": (PERSONAL,)}


def entities_in(area: str) -> list[type[Recorded]]:
    """Return the entities that an area of the matrix covers."""
    return [entity for entity in ENTITIES.values() if entity.__admin__.area == area]


@lru_cache(maxsize=1_000)
def parse_right(text: str) -> tuple[frozenset[Action], ScopeKind]:
    """Read ``CRUX`` or ``RX:teams``; raise ``ValueError`` for an unknown letter or scope."""
    letters, _, scope = text.partition(":")
    unknown = set(letters) - LETTERS.keys()
    if unknown:
        raise ValueError(f"Unknown letters {sorted(unknown)} in {text!r}")
    return frozenset(LETTERS[letter] for letter in letters), ScopeKind(scope or ScopeKind.group)


def letters_of(actions: frozenset[Action]) -> str:
    """Write actions as the letters of the matrix, in its order."""
    return "".join(letter for letter, action in LETTERS.items() if action in actions)


def _parsed() -> dict[str, dict[str, tuple[str, ScopeKind]]]:
    """Return the matrix by role and area; a role has every area, with no letters where it may nothing."""
    _, *lines = _MATRIX.strip().splitlines()
    rights: dict[str, dict[str, tuple[str, ScopeKind]]] = {code: {} for code in ROLES}
    for line in lines:
        area, *cells = line.split()
        for code, cell in zip(ROLES, cells, strict=True):
            actions, scope = parse_right("" if cell == "-" else cell)
            rights[code][area] = letters_of(actions), scope
    return rights


def _client_grants() -> dict[bool, dict[str, tuple[Grant, ...]]]:
    """Return by area what an account may do: under True if it is a referent's."""
    _, *lines = _CLIENT_MATRIX.strip().splitlines()
    found: dict[bool, dict[str, tuple[Grant, ...]]] = {True: {}, False: {}}
    for line in lines:
        area, *cells = line.split()
        for is_referent, cell in zip((True, False), cells, strict=True):
            if cell != "-":
                found[is_referent][area] = (Grant(*parse_right(cell)),)
    return found


def _own(letters: str, areas: tuple[str, ...]) -> dict[str, tuple[Grant, ...]]:
    return {area: (Grant(parse_right(f"{letters}:own")[0], ScopeKind.own),) for area in areas}


#: What people may always do with what is kept of themselves: see it, and take it along (PR-05).
#: Company, services and queues are read only, so that what is theirs can name them.
OWN_DATA_GRANTS = {
    **_own("RX", ("accounts", "grants", "tickets", "complaints", "attachments", "consents", "deletions")),
    **_own("R", ("companies", "services", "queues")),
}
#: The part of it that a helpdesk knows: one's tickets (PR-06).
OWN_TICKET_GRANTS = _own("RX", ("tickets",))
#: What is left to an account that may not be used: its privacy panel.
RESTRICTED_GRANTS = _own("R", ("accounts", "consents", "deletions"))
#: What accounts of clients may do, by whether they are referents' and by area.
CLIENT_GRANTS = _client_grants()


def client_grants(is_referent: bool, services: Collection[str]) -> dict[str, tuple[Grant, ...]]:
    """Return by area what an account may do that has these online services, by their codes."""
    granted = CLIENT_GRANTS[is_referent]
    return {area: found for area, found in granted.items() if AREA_SERVICES.get(area) in (None, *services)}


#: What the product ships: letters and row scope by role code and area.
SHIPPED_RIGHTS = _parsed()


def shipped_masks(role_code: str) -> frozenset[str]:
    """Return the fields, as ``entity.field``, that the product ships masked for a role."""
    return frozenset(name for word in MASKS.get(role_code, ()) for name in _expanded(word))


def _expanded(word: str) -> Iterator[str]:
    if word != PERSONAL:
        yield word
        return
    for table, entity in ENTITIES.items():
        yield from (f"{table}.{field.name}" for field in fields(entity).values() if field.personal)


def shipped_grants(role_code: str) -> dict[str, Grant]:
    """Return by area what the product allows a role before anybody changed it; areas without rights are left out."""
    masked = shipped_masks(role_code)
    return {
        area: Grant(parse_right(letters)[0], scope, masked)
        for area, (letters, scope) in SHIPPED_RIGHTS[role_code].items()
        if letters
    }


def role_label(code: str) -> Text:
    """Return what people call a role; one that administrators made goes by its own name."""
    role = ROLES.get(code)
    return role.label if role else code


# Flask-AppBuilder's roles show themselves by code; people read their names.
Role.__str__ = lambda role: str(role_label(role.name))
Role.summary = property(lambda role: ROLES[role.name].description if role.name in ROLES else "")
