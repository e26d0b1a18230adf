"""The people who sign in at the desk: passwords, leaving, changing group, and what nobody may do to them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role
from flask_babel import lazy_gettext as _l
from sqlalchemy import event
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import get_history

from backoffice import passwords
from backoffice.access import INTERNAL, acting, context_of, leaving
from backoffice.actors import Action, Actor
from backoffice.database import RecordSession
from backoffice.errors import DomainError, Forbidden, InvalidRecord, NotFound
from backoffice.history import recording
from backoffice.identity import UserRole
from backoffice.operations.first_users import ensure_administrator, ensure_demo_users
from backoffice.operations.role_limits import BEYOND, beyond
from backoffice.operations.role_rows import stored_values
from backoffice.permissions import ADMINISTRATOR
from backoffice.setting_keys import PASSWORD_LENGTH
from backoffice.settings import setting_value
from models.corporate_group import CorporateGroup
from models.group_company import GroupCompany
from models.staff import Staff

#: Any number, as long as nothing else locks with it.
_LOCK = 0x5374_6166


class WrongOldPassword(DomainError):
    template = _l("The present password is not right.")

    def __init__(self) -> None:
        super().__init__(field="old_password")


def set_password(session: Session, staff: Staff, password: str, *, actor: Actor) -> None:
    """Give somebody else a password to change at the next sign-in; their sessions end (RO-01).

    :raises Forbidden: the actor may not change users, or not this one.
    :raises WeakPassword: others would guess it.
    """
    actor.require(Action.update, Staff)
    check_new_password(session, staff, password)
    staff.password = passwords.hash_password(password)
    staff.must_change_password = staff.id != actor.staff_id
    _flush_as(session, staff, "set_password")


def change_own_password(session: Session, staff: Staff, old: str, new: str, *, actor: Actor) -> None:
    """Change one's own password; one's sessions in other browsers end.

    :raises WrongOldPassword: the present one was not given.
    :raises WeakPassword: others would guess the new one, or it is the present one.
    """
    if staff.id != actor.staff_id:
        raise Forbidden
    if not passwords.is_right(staff.password, old):
        raise WrongOldPassword
    if old == new:
        raise passwords.WeakPassword(_l("This is the present password: choose a new one."))
    check_new_password(session, staff, new)
    staff.password = passwords.hash_password(new)
    staff.must_change_password = False
    with acting(session, Action.read):  # what people change of themselves is not administration
        _flush_as(session, staff, "change_password")


def deactivate(session: Session, staff: Staff, *, actor: Actor) -> None:
    """Let somebody sign in no more; their sessions end, what they did stays under their name."""
    actor.require(Action.update, Staff)
    staff.active = False
    _flush_as(session, staff, "deactivate")


def switch_group(session: Session, staff: Staff, group_id: int, *, actor: Actor) -> None:
    """Make an administrator of the installation work for another corporate group from now on.

    :raises Forbidden: for anybody else.
    :raises NotFound: there is no such group.
    """
    if staff.id != actor.staff_id or not actor.may_switch_group:
        raise Forbidden
    if session.get(CorporateGroup, group_id) is None:
        raise NotFound
    staff.group_id = group_id
    with acting(session, Action.read), leaving(session, Staff):
        _flush_as(session, staff, "switch_group")


def check_new_password(session: Session, staff: Staff, password: str) -> None:
    """Raise ``WeakPassword`` unless the password is long enough here, and hard to guess for this person."""
    least = setting_value(session, PASSWORD_LENGTH)
    passwords.check_strength(password, own_words=own_words(session, staff), least=least)


def own_words(session: Session, staff: Staff) -> list[str]:
    """Return what an attacker would try for this person: names, addresses, and the group they work for."""
    words = [staff.username, staff.email.partition("@")[0], staff.first_name, staff.last_name]
    if staff.group_id is None:
        return words
    groups = sa.select(CorporateGroup.__table__.c.name).where(CorporateGroup.__table__.c.id == staff.group_id)
    companies = sa.select(GroupCompany.__table__.c.legal_name).where(
        GroupCompany.__table__.c.group_id == staff.group_id
    )
    return words + list(session.scalars(sa.union_all(groups, companies), execution_options=INTERNAL))


def _flush_as(session: Session, staff: Staff, verb: str) -> None:
    """Flush the change of one user, recorded as ``ab_user.<verb>``."""
    with recording(session, staff, f"{Staff.__table__.name}.{verb}"):
        session.flush()


# Whatever the door, a new password and a deactivation end what was open before.
@event.listens_for(Staff.password, "set", propagate=True)
def _end_sessions_after_password(staff: Staff, value: str | None, old: Any, _initiator: Any) -> None:
    if value != old and staff.id is not None:
        staff.session_epoch = staff.session_epoch + 1


@event.listens_for(Staff.active, "set", propagate=True)
def _end_sessions_after_leaving(staff: Staff, value: bool | None, _old: Any, _initiator: Any) -> None:
    if not value and staff.id is not None:
        staff.session_epoch = staff.session_epoch + 1


@event.listens_for(RecordSession, "before_flush")
def _refuse_self_promotion(session: Session, _flush: Any, _instances: Any) -> None:
    """Refuse, on every surface, what would let people widen their own reach or lock themselves out."""
    actor = context_of(session).actor
    if actor.is_system:
        return
    for staff in [*session.new, *(row for row in session.dirty if session.is_modified(row))]:
        if isinstance(staff, Staff):
            _check_reach(session, staff, actor)
            _check_own_access(staff, actor)
            _keep_somebody(session, staff)


def _check_reach(session: Session, staff: Staff, actor: Actor) -> None:
    was_above = get_history(staff, "may_switch_group")
    above = staff.may_switch_group or any(was_above.deleted)
    if above and not actor.may_switch_group:
        if was_above.has_changes():
            raise InvalidRecord({"may_switch_group": _l("Only who may change group can allow it to others.")})
        raise Forbidden
    given = get_history(staff, "roles").added
    if ADMINISTRATOR in {role.name for role in given} and ADMINISTRATOR not in actor.roles:
        raise InvalidRecord({"roles": _l("Only administrators can make somebody an administrator.")})
    if any(beyond(actor, stored_values(session, role)) for role in given):
        raise InvalidRecord({"roles": BEYOND})


def _check_own_access(staff: Staff, actor: Actor) -> None:
    if staff.id != actor.staff_id:
        return
    if not staff.active:
        raise InvalidRecord({"active": _l("Nobody can deactivate themselves: ask another administrator.")})
    if ADMINISTRATOR in {role.name for role in get_history(staff, "roles").deleted}:
        raise InvalidRecord({"roles": _l("Nobody can give up their own administration: ask another administrator.")})
    if any(get_history(staff, "may_switch_group").deleted) and not staff.may_switch_group:
        raise InvalidRecord({"may_switch_group": _l("Nobody can give this up themselves: ask another administrator.")})


def _keep_somebody(session: Session, staff: Staff) -> None:
    """See that an active administrator of the whole installation is left, whoever else loses that right just now."""
    lost = [name for name in ("active", "may_switch_group") if not getattr(staff, name) and _was(staff, name)]
    if ADMINISTRATOR in {role.name for role in get_history(staff, "roles").deleted}:
        lost.append("roles")
    if not lost or staff.id is None:
        return
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)), execution_options=INTERNAL)
    user, role = Staff.__table__, Role.__table__
    administrators = sa.select(UserRole.c.user_id).join(role, role.c.id == UserRole.c.role_id)
    left = sa.select(user.c.id).where(
        user.c.id != staff.id,
        user.c.active,
        user.c.may_switch_group,
        user.c.id.in_(administrators.where(role.c.name == ADMINISTRATOR)),
    )
    if session.scalar(left.limit(1), execution_options=INTERNAL) is None:
        raise InvalidRecord({lost[0]: _l("One active administrator of the whole installation must remain.")})


def _was(staff: Staff, name: str) -> bool:
    return any(get_history(staff, name).deleted)


__all__ = [
    "WrongOldPassword",
    "change_own_password",
    "deactivate",
    "ensure_administrator",
    "ensure_demo_users",
    "own_words",
    "set_password",
    "switch_group",
]
