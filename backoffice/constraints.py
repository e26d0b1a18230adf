"""From what the database refuses to the sentence its declaration has for it."""

from __future__ import annotations

import re

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from backoffice.errors import Text
from models.base import ENTITIES, Recorded, Rule

_REFUSED: Text = _l("The database refuses this combination of values.")
_TAKEN: Text = _l("This value is already taken.")
_GONE: Text = _l("Something it refers to no longer exists, or something still refers to it.")


def problems(error: sa.exc.IntegrityError, entity: type[Recorded]) -> dict[str, Text]:
    """Return what to tell people about a refused row: ``{field or "": sentence}``, never SQL or values."""
    name = _constraint_name(error)
    for declared in (entity, *ENTITIES.values()):
        rule = declared.__admin__.rules.get(name)
        if rule is not None:
            return _problem(rule, at_home=declared is entity)
    text = str(error.orig)
    if "FOREIGN KEY" in text or "foreign key" in text:
        return {"": _GONE}
    return {"": _TAKEN if name.startswith(("uq_", "ix_")) or "UNIQUE" in text else _REFUSED}


def _problem(rule: Rule, *, at_home: bool) -> dict[str, Text]:
    return {(rule.field or "") if at_home else "": rule.text}


def _constraint_name(error: sa.exc.IntegrityError) -> str:
    """Return the name of the broken constraint on either database; empty where the driver does not say."""
    diagnosis = getattr(error.orig, "diag", None)
    if diagnosis is not None:
        return str(diagnosis.constraint_name or "")
    text = str(error.orig)
    found = re.search(r"CHECK constraint failed: (\w+)", text) or re.search(r"index '(\w+)'", text)
    if found:
        return found[1]
    found = re.search(r"UNIQUE constraint failed: (.+)", text)
    return _unique_name(found[1]) if found else ""


def _unique_name(columns: str) -> str:
    """SQLite names the columns of a broken unique constraint, not the constraint: find it by them."""
    names = [column.strip().split(".") for column in columns.split(",")]
    entity = ENTITIES.get(names[0][0])
    if entity is None:
        return ""
    wanted = [name[1] for name in names]
    for constraint in entity.__table__.constraints:
        if isinstance(constraint, sa.UniqueConstraint) and [c.name for c in constraint.columns] == wanted:
            return str(constraint.name)
    for index in entity.__table__.indexes:
        if index.unique and [c.name for c in index.columns] == wanted:
            return str(index.name)
    return ""
