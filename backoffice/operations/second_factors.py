"""The second factor of staff: proposed, proven, asked for at sign-in, and taken away (issue 4, chapter 5)."""

from __future__ import annotations

import secrets
from datetime import datetime

import pyotp
import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.actors import Action, Actor
from backoffice.errors import DomainError, Forbidden
from backoffice.history import recording
from backoffice.passwords import digest_of
from backoffice.setting_keys import SECOND_FACTOR
from backoffice.settings import setting_value
from models.history_entry import EventName
from models.second_factor import RecoveryCode, SecondFactor
from models.staff import Staff

#: Seconds for which a code is good (RFC 6238), and how many codes before and after the present one are taken.
STEP, WINDOW = 30, 1
RECOVERY_CODES = 10
#: Letters and digits that nobody mistakes for each other.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_CONFIRM, _USE_RECOVERY, _REMOVE = (
    f"ab_user.{name}" for name in ("confirm_second_factor", "use_recovery_code", "remove_second_factor")
)
EventName.words.update(
    {
        _CONFIRM: _l("Set up the second factor"),
        _USE_RECOVERY: _l("Use a recovery code"),
        _REMOVE: _l("Remove the second factor"),
    }
)


class WrongCode(DomainError):
    template = _l("This code is not right, or it is too old: type the one that the app shows now.")
    status = 401


class NotProposed(DomainError):
    template = _l("Begin anew: the proposal is not there any more.")
    status = 409


def is_required(session: Session, group_id: int | None) -> bool:
    """Say whether staff of a corporate group must have a second factor."""
    return bool(setting_value(session, SECOND_FACTOR, group_id)) if group_id else False


def has_factor(session: Session, staff_id: int) -> bool:
    """Say whether a member of staff has proven a second factor."""
    factor = session.get(SecondFactor, staff_id)
    return factor is not None and factor.confirmed_at is not None


def propose_factor(session: Session, staff: Staff) -> None:
    """Give somebody who has no second factor a secret to try; once more changes nothing. Flushes.

    Needs a session in which the system acts, as everything here.

    :raises Forbidden: there is a proven one; it is removed first.
    """
    factor = session.get(SecondFactor, staff.id)
    if factor is not None and factor.confirmed_at is not None:
        raise Forbidden
    if factor is None:
        session.add(SecondFactor(staff_id=staff.id, secret=pyotp.random_base32(), made_at=clock.now()))
        session.flush()


def proposed_secret(session: Session, staff_id: int) -> str | None:
    """Return the secret to try; None where there is none, or where it is proven and so nobody's to see."""
    factor = session.get(SecondFactor, staff_id)
    return factor.secret if factor is not None and factor.confirmed_at is None else None


def address_for_apps(secret: str, username: str, issuer: str) -> str:
    """Return a secret as the address that apps read."""
    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=issuer)


def confirm_factor(session: Session, staff: Staff, code: str) -> list[str]:
    """Let the second factor count once a code proves that the app has it; return the recovery codes, kept nowhere else.

    Records ``ab_user.confirm_second_factor``.

    :raises NotProposed: there is none to prove.
    :raises WrongCode: it does not fit.
    """
    factor = session.get(SecondFactor, staff.id)
    if factor is None or factor.confirmed_at is not None:
        raise NotProposed
    factor.last_step = _step_of(factor, code, clock.now())
    factor.confirmed_at = clock.now()
    session.execute(sa.delete(RecoveryCode).where(RecoveryCode.staff_id == staff.id), execution_options=INTERNAL)
    codes = [_new_code() for _number in range(RECOVERY_CODES)]
    session.add_all(RecoveryCode(digest=digest_of(_plain(code)), staff_id=staff.id) for code in codes)
    _note(session, staff, _CONFIRM)
    return codes


def use_code(session: Session, staff: Staff, code: str) -> None:
    """Take a code of the app, or one kept for losing it, and no code twice. Records the use of the latter.

    :raises WrongCode: it does not fit, was used already, or there is no second factor.
    """
    factor = session.get(SecondFactor, staff.id, with_for_update=True)
    if factor is None or factor.confirmed_at is None:
        raise WrongCode
    kept = session.get(RecoveryCode, digest_of(_plain(code)), with_for_update=True)
    if kept is not None and kept.staff_id == staff.id and kept.used_at is None:
        kept.used_at = clock.now()
        _note(session, staff, _USE_RECOVERY)
        return
    factor.last_step = _step_of(factor, code, clock.now())
    session.flush()


def remove_factor(session: Session, staff: Staff, *, actor: Actor) -> None:
    """Take a second factor away: one's own, or that of who has lost it; nothing happens where there is none.

    Records ``ab_user.remove_second_factor``.

    :raises Forbidden: it is somebody else's, and the actor may not change users.
    """
    if staff.id != actor.staff_id:
        actor.require(Action.update, Staff)
    factor = session.get(SecondFactor, staff.id)
    if factor is None:
        return
    session.execute(sa.delete(RecoveryCode).where(RecoveryCode.staff_id == staff.id), execution_options=INTERNAL)
    session.delete(factor)
    _note(session, staff, _REMOVE)


def codes_left(session: Session, staff_id: int) -> int:
    """Return how many recovery codes somebody has left."""
    left = sa.select(sa.func.count()).where(RecoveryCode.staff_id == staff_id, RecoveryCode.used_at.is_(None))
    return session.scalar(left, execution_options=INTERNAL) or 0


def _step_of(factor: SecondFactor, code: str, now: datetime) -> int:
    """Return the half minute that a code belongs to, if that is near and later than the last one taken."""
    typed, totp, present = _plain(code), pyotp.TOTP(factor.secret), int(now.timestamp()) // STEP
    for step in range(present - WINDOW, present + WINDOW + 1):
        # All are compared: how long it takes says nothing.
        if secrets.compare_digest(totp.generate_otp(step), typed) and step > factor.last_step:
            return step
    raise WrongCode


def _plain(code: str) -> str:
    """Return a code as it is compared, whatever people put between its parts."""
    return "".join(sign for sign in code[:40].lower() if sign.isascii() and sign.isalnum())


def _new_code() -> str:
    letters = "".join(secrets.choice(_LETTERS) for _place in range(10))
    return f"{letters[:5]}-{letters[5:]}"


def _note(session: Session, staff: Staff, event: str) -> None:
    staff.updated_at = clock.now()
    with recording(session, staff, event):
        session.flush()


__all__ = [
    "NotProposed",
    "WrongCode",
    "address_for_apps",
    "codes_left",
    "confirm_factor",
    "has_factor",
    "is_required",
    "propose_factor",
    "proposed_secret",
    "remove_factor",
    "use_code",
]
