"""Whom the group turns to at a client: the main referent, else a usual one (A-04, AC-07)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from models.contact import Contact
from models.contact_role import ContactRole, ContactRoleKind


def first_referent(company_id: Any) -> sa.Select[Any]:
    """Return the statement for the key of the one contact to turn to, of those whose address is known.

    The mark on the contact comes first, then the role of main referent, then that of a usual one.
    """
    contact = Contact.__table__.c
    main, usual = _has(ContactRoleKind.main_referent), _has(ContactRoleKind.usual_referent)
    rank = sa.case((contact.is_main_referent, 0), (main, 1), else_=2)
    return (
        sa.select(contact.id)
        .where(contact.company_id == company_id, contact.email.is_not(None), contact.deleted_at.is_(None))
        .where(sa.or_(contact.is_main_referent, main, usual))
        .order_by(rank, contact.id)
        .limit(1)
    )


def _has(kind: ContactRoleKind) -> sa.ColumnElement[bool]:
    role = ContactRole.__table__.c
    return sa.exists().where(role.contact_id == Contact.__table__.c.id, role.role == kind)


__all__ = ["first_referent"]
