"""What each role may see, by SQL written by hand: nothing here knows how the product enforces it."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from models.base import Recorded
from models.staff import Staff

#: Rows of one group; entities without the column are shared by all groups.
_GROUP = "group_id = :group_id"

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


ROLES = (
    "administrator", "sales", "secretariat", "operator1", "operator2", "evaluator",
    "quality", "security", "consultant", "contact_centre", "management",
)  # fmt: skip

#: The matrix of the requirements, chapter 13, as this release has it; a dash is nothing.
MATRIX = """
companies CRUDX  CRUX  CRUX  RX:teams  R    R:unit R R   R:consultant    R     RX
contacts  CRUDX  CRUX  CRUX  CRU:teams R    R:unit R R   R:consultant    CRU   R
contracts CRUDTX CRUTX R     R         R    R:unit R R   R:consultant    R     RX
orders    CRUDTX CRUTX RUT   -         -    -      R -   R:consultant    -     RX
accounts  CRUDTX CRU   RUT   RT        -    -      - RTX -               -     -
licenses  CRUTX  R     CRUTX -         -    -      - -   R:consultant    -     RX
tickets   CRUDTX CR    CRUTX CRUTX     RUTX R:unit R R   CRUT:consultant CRU   RX
packages  CRUTX  CRUTX R     R         R    -      - -   R:consultant    -     RX
calls     CRUX   R     CRUX  CRU       R    R:unit R R   R:consultant    CRUTX RX
history   RX     -     -     -         -    -      R RX  -               -     -
outbox    RTX    -     -     -         -    -      - R   -               -     -
templates RUX    -     RU    R         -    -      - R   -               -     -
settings  RUX    -     -     -         -    -      R RU  -               -     R
texts     RUX    R     R     R         R    -      R RU  -               -     R
jobs      RTX RT:own RT:own RT:own RT:own   -      - R   RT:own          RT:own -
"""


def rights() -> dict[tuple[str, str], Right]:
    """Return the matrix by role and area."""
    found = {}
    for area, *cells in (line.split() for line in MATRIX.strip().splitlines()):
        for role, cell in zip(ROLES, cells, strict=True):
            letters, _colon, rows = cell.partition(":")
            found[role, area] = Right("" if letters == "-" else letters, rows or "group")
    return found


def visible_ids(connection: sa.Connection, entity: type[Recorded], right: Right, staff: Staff) -> set[int]:
    """Return the keys of the rows of ``entity`` that ``staff`` may read by ``right``."""
    if "R" not in right.letters:
        return set()
    columns = entity.__table__.c
    wheres = []
    if "group_id" in columns:
        wheres.append(_GROUP)
    if "deleted_at" in columns:
        wheres.append("deleted_at IS NULL")
    if right.rows != "group":
        wheres.append(_narrowing(entity, right.rows))
    statement = f"SELECT id FROM {entity.__table__.name} WHERE {' AND '.join(wheres) or '1 = 1'}"
    values = {"group_id": staff.group_id, "unit_id": staff.business_unit_id, "staff_id": staff.id}
    used = {name: value for name, value in values.items() if f":{name}" in statement}
    return set(connection.execute(sa.text(statement), used).scalars())


def _narrowing(entity: type[Recorded], rows: str) -> str:
    columns = entity.__table__.c
    if rows == "own":
        return "created_by_id = :staff_id"
    if rows == "unit" and "business_unit_id" in columns:
        return "business_unit_id = :unit_id"
    key = "id" if entity.__table__.name == "company" else "company_id"
    return f"{key} IN ({_COMPANIES[rows]})"
