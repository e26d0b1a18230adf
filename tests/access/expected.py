"""What each role may see and do, written down a second time by hand, and the rows as SQL written by hand.

Nothing here knows how the product enforces it, and nothing is imported from where the product keeps it. The
matrix is chapter 13 of the requirements with the choices of ``docs/decisions.md``, number 13.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from models.base import ENTITIES, Recorded
from models.staff import Staff

ROLES = (
    "administrator", "sales", "secretariat", "operator1", "operator2", "evaluator",
    "quality", "security", "consultant", "contact_centre", "management",
)  # fmt: skip

#: Letters: create, read, update, delete, transition, export; after a colon the rows; a dash is nothing.
MATRIX = """
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
templates     RUX    -       RU      R         -       -         -       R        -               -        -
settings      RUX    -       -       -         -       -         R       RU       -               -        R
texts         RUX    R       R       R         R       -         R       RU       -               -        R
portals       CRUDX  R       R       R         R       -         R       R        -               R        R
terms         CRUDTX R       R       R         R       -         R       RUT      -               -        R
consents      CRUX   -       -       -         -       -         -       RX       -               -        -
deletions     CRUTX  RT      RT        -       -         -         -       RTX      -               -        -
jobs          RTX    RT:own  RT:own  RT:own    RT:own  RT:own    -       R        RT:own          RT:own   -
views         CRUDTX CRUDT:own CRUDT:own CRUD:own CRUD:own CRUD:own CRUDT:own CRUD:own CRUD:own    CRUD:own CRUD:own
api_keys      CRTX   CRT:own CRT:own CRT:own  CRT:own CRT:own   CRT:own CRT     CRT:own         CRT:own  CRT:own
"""

#: What all corporate groups share: only administrators of the whole installation write it, and none of ROLES is one.
SHARED = frozenset({
    "corporate_group", "holiday_set", "holiday", "service_calendar", "calendar_interval", "calendar_exception",
    "role_right", "role_mask",
})  # fmt: skip
#: What the product notes about itself; these rows have no version.
LEDGERS = frozenset({"history_entry", "sign_in_entry", "export_entry"})
#: Written once.
APPEND_ONLY = LEDGERS | {"package_movement"}
#: Written by operations that have pages of their own.
WRITTEN_BY_VERBS = LEDGERS | {
    "import_batch", "outbox_mail", "role_right", "role_mask", "attachment", "escalation", "activation_check", "job",
    "setting", "text_block", "mail_template", "account_session", "consent", "account_deletion_request", "ticket_clock",
    "inbound_mail", "ticket_archive", "penalty", "on_call_alert", "ticket_follower",
    "saved_view",
    "api_key",
}  # fmt: skip
#: Hidden, not removed, when they are deleted.
SOFT_DELETED = frozenset({"company", "contact", "worker", "client_document"})
#: Entities whose rows name their business unit themselves; others have that of their company.
WITH_UNIT = frozenset({
    "contract", "ticket", "call", "change_request", "service", "online_service", "company",
    "activation_request", "activation_request_item", "activation_check",
    "analysis", "analysis_result", "certificate", "waste_movement", "ticket_follower",
})  # fmt: skip
#: Verbs that are a change like any other; all others need the right to transitions.
VERBS_THAT_UPDATE = frozenset(
    {
        "company",
        "call",
        "ticket.escalate",
        "ticket.complain",
        "ticket.request_change",
        "activation_request.take",
        "account.invite",
        "account.send_credentials",
        "deadline",
        "penalty",
        "inbound_mail",
    }
)
#: What may have attachments, by its area: these are there for whoever reads the record they belong to.
PARENTS = {
    "company": "companies", "contract": "contracts", "customer_order": "orders", "ticket": "tickets",
    "ticket_message": "tickets", "call": "calls", "intervention": "interventions", "asset": "assets",
    "client_document": "documents", "certificate": "analyses", "waste_movement": "waste",
    "inbound_mail": "tickets",
}  # fmt: skip
#: Whose a row is, where it is not simply whoever wrote it.
OWNERS = {"time_entry": "person_id", "ticket_follower": "staff_id", "api_key": "staff_id"}

_COMPANIES = {
    "unit": "SELECT id FROM company WHERE business_unit_id = :unit_id",
    "teams": """
        SELECT company_id FROM ticket WHERE company_id IS NOT NULL
           AND team_id IN (SELECT team_id FROM team_member WHERE staff_id = :staff_id)
        UNION
        SELECT company_id FROM contract
         WHERE support_team_id IN (SELECT team_id FROM team_member WHERE staff_id = :staff_id)
    """,
    "consultant": "SELECT company_id FROM company_consultant WHERE staff_id = :staff_id",
}


@dataclass(frozen=True)
class Right:
    """One cell of the matrix: letters and the word for the rows."""

    letters: str
    rows: str = "group"


def rights() -> dict[tuple[str, str], Right]:
    """Return the matrix by role and area."""
    found = {}
    for area, *cells in (line.split() for line in MATRIX.strip().splitlines()):
        for role, cell in zip(ROLES, cells, strict=True):
            letters, _colon, rows = cell.partition(":")
            found[role, area] = Right("" if letters == "-" else letters, rows or "group")
    return found


RIGHTS = rights()


def letters_on(role: str, entity: type[Recorded]) -> str:
    """Return what a role may do with rows of an entity; those that no form writes are read, moved and exported."""
    letters = RIGHTS[role, entity.__admin__.area].letters
    table = entity.__table__.name
    if table in SHARED | APPEND_ONLY | WRITTEN_BY_VERBS:
        return "".join(letter for letter in letters if letter in "RTX")
    return letters


def visible_ids(connection: sa.Connection, entity: type[Recorded], right: Right, staff: Staff) -> set[int]:
    """Return the keys of the rows of ``entity`` that ``staff`` may read by ``right``."""
    if "R" not in right.letters:
        return set()
    table = entity.__table__.name
    wheres = [] if table in SHARED else ["group_id = :group_id"]
    if table in SOFT_DELETED:
        wheres.append("deleted_at IS NULL")
    if right.rows != "group":
        wheres.append(_narrowing(table, right.rows))
    statement = f"SELECT id FROM {table} WHERE {' AND '.join(wheres) or '1 = 1'}"
    values = {"group_id": staff.group_id, "unit_id": staff.business_unit_id, "staff_id": staff.id}
    used = {name: value for name, value in values.items() if f":{name}" in statement}
    found = set(connection.execute(sa.text(statement), used).scalars())
    return _of_visible_parents(connection, found, staff) if table == "attachment" else found


def _of_visible_parents(connection: sa.Connection, found: set[int], staff: Staff) -> set[int]:
    """Return those of the attachments whose record the same person may read."""
    role = staff.username.split(".")[1]
    for table, area in PARENTS.items():
        seen = visible_ids(connection, ENTITIES[table], RIGHTS[role, area], staff)
        owned = connection.execute(sa.text(f"SELECT id, {table}_id FROM attachment WHERE {table}_id IS NOT NULL"))
        found -= {key for key, owner in owned if owner not in seen}
    return found


def _narrowing(table: str, rows: str) -> str:
    if rows == "own":
        return f"{OWNERS.get(table, 'created_by_id')} = :staff_id"
    if rows == "unit" and table in WITH_UNIT:
        return "business_unit_id = :unit_id"
    key = "id" if table == "company" else "company_id"
    return f"{key} IN ({_COMPANIES[rows]})"
