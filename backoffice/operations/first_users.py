"""The first users of a fresh installation: the administrator, and one demonstration user a role."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role
from sqlalchemy.orm import Session

from backoffice.passwords import hash_password, random_password
from backoffice.permissions import ADMINISTRATOR, ROLES
from models.business_unit import BusinessUnit
from models.company import Company
from models.company_consultant import CompanyConsultant
from models.corporate_group import CorporateGroup
from models.staff import Staff
from models.support_team import SupportTeam
from models.team_member import TeamMember

#: Demonstration addresses end in a domain that nobody can own.
DOMAIN = "backoffice.example"
#: How many demonstration companies a demonstration consultant follows in each group.
ENTRUSTED = 15
#: Family names that say the role, in the language of the demonstration set.
_NAMES = {
    "administrator": ("Ada", "Amministratori"),
    "sales": ("Carlo", "Commerciali"),
    "secretariat": ("Sara", "Segreteria"),
    "operator1": ("Primo", "Operatori"),
    "operator2": ("Seconda", "Operatori"),
    "evaluator": ("Vito", "Valutatori"),
    "quality": ("Quinta", "Qualità"),
    "security": ("Silvio", "Sicurezza"),
    "consultant": ("Clara", "Consulenti"),
    "contact_centre": ("Cinzia", "Centralini"),
    "management": ("Dino", "Direzione"),
}


def ensure_administrator(session: Session, password: str | None = None) -> str | None:
    """Create the user ``admin`` unless some administrator exists; return the password it got, else None.

    A given password is taken as it is: whoever sets it owns the machine. Flushes, never commits.
    """
    administrators = sa.select(Staff.id).where(Staff.active, Staff.roles.any(Role.name == ADMINISTRATOR))
    taken = sa.select(Staff.id).where(Staff.username == "admin")
    if session.scalar(sa.union_all(administrators.where(~Staff.is_demo), taken).limit(1)):
        return None
    password = password or random_password()
    group = session.scalar(sa.select(CorporateGroup).order_by(CorporateGroup.id).limit(1))
    staff = Staff(
        username="admin",
        first_name="Admin",
        last_name="Backoffice",
        email=f"admin@{DOMAIN}",
        group_id=group.id if group else None,
        may_switch_group=True,
        active=True,
        roles=[_role(session, ADMINISTRATOR)],
        password=hash_password(password),
    )
    session.add(staff)
    session.flush()
    return password


def ensure_demo_users(session: Session, password: str | None = None) -> str | None:
    """Create a user per role in each corporate group unless there are any; return their password, else None.

    ``demo.<role>`` works in the first group, ``demo.<role>.2`` in the second. Operators are in teams, the
    evaluator has a unit and the consultant some demonstration companies. Flushes, never commits.
    """
    if session.scalar(sa.select(Staff.id).where(Staff.is_demo).limit(1)):
        return None
    password = password or random_password()
    # One digest for all: making one takes a noticeable time, and their password is one anyway.
    digest = hash_password(password)
    groups = session.scalars(sa.select(CorporateGroup).order_by(CorporateGroup.id).limit(2)).all()
    for number, group in enumerate(groups, start=1):
        suffix = "" if number == 1 else f".{number}"
        staff = {code: _demo_user(session, code, group, suffix, digest) for code in ROLES}
        session.flush()
        _join_teams(session, group, staff)
        _entrust_companies(session, group, staff["consultant"])
        session.flush()
    return password


def _role(session: Session, code: str) -> Role:
    return session.scalars(sa.select(Role).where(Role.name == code)).one()


def _demo_user(session: Session, code: str, group: CorporateGroup, suffix: str, digest: str) -> Staff:
    first_name, last_name = _NAMES[code]
    unit = _first(session, BusinessUnit, BusinessUnit.group_id == group.id) if code == "evaluator" else None
    staff = Staff(
        username=f"demo.{code}{suffix}",
        first_name=first_name,
        last_name=last_name,
        email=f"demo.{code}{suffix}@{DOMAIN}",
        group_id=group.id,
        business_unit=unit,
        active=True,
        roles=[_role(session, code)],
        password=digest,
        is_demo=True,
    )
    session.add(staff)
    return staff


def _join_teams(session: Session, group: CorporateGroup, staff: dict[str, Staff]) -> None:
    for code, level in (("operator1", 1), ("operator2", 2)):
        same_group = SupportTeam.group_id == group.id
        team = _first(session, SupportTeam, same_group, SupportTeam.level == level) or _first(
            session, SupportTeam, same_group
        )
        if team is not None:
            session.add(TeamMember(team=team, staff=staff[code], group_id=group.id, is_demo=True))


def _entrust_companies(session: Session, group: CorporateGroup, consultant: Staff) -> None:
    demonstration = sa.select(Company).where(Company.group_id == group.id, Company.is_demo).order_by(Company.id)
    for company in session.scalars(demonstration.limit(ENTRUSTED)):
        session.add(CompanyConsultant(company=company, staff=consultant, is_demo=True))


def _first(session: Session, entity: Any, *criteria: Any) -> Any:
    return session.scalar(sa.select(entity).where(*criteria).order_by(entity.id).limit(1))


__all__ = ["DOMAIN", "ensure_administrator", "ensure_demo_users"]
