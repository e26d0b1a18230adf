"""Links that leave in mails and let whoever has them do one thing: made, found again, used up.

The token is made while the mail is being sent and leaves with it; here only its digest stays, so that whoever reads
the database cannot use it (AC-16). Several links may be good at once: a mail whose answer was lost is sent again.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, TypeVar

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock, passwords
from backoffice.access import INTERNAL
from backoffice.errors import DomainError
from models.client_link import ClientLink
from models.password_link import PasswordLink

Link = TypeVar("Link", ClientLink, PasswordLink)
#: How long rows are kept that are good for nothing any more.
_KEPT = timedelta(days=30)


class NoSuchLink(DomainError):
    template = _l("This link is not complete, or not from here: open it again from the mail.")
    status = 404


class LinkUsed(DomainError):
    """Used, or overtaken by another new password."""

    template = _l("This link has been used, or the password was changed since. Ask for another one.")
    status = 410


class LinkExpired(DomainError):
    template = _l("This link has expired. Ask for another one.")
    status = 410


def make_link(session: Session, kind: type[Link], *, good_for: timedelta, **values: Any) -> str:
    """Make a link that is good for so long; return its token, which is stored nowhere. Flushes."""
    now, token = clock.now(), passwords.new_token()
    session.execute(sa.delete(kind).where(kind.expires_at < now - _KEPT))
    session.add(kind(digest=passwords.digest_of(token), made_at=now, expires_at=now + good_for, **values))
    session.flush()
    return token


def find_link(session: Session, kind: type[Link], token: str) -> Link:
    """Return the link that a token belongs to, as it stands; raise ``NoSuchLink`` where nobody made such a one."""
    link = session.get(kind, passwords.digest_of(token))
    if link is None:
        raise NoSuchLink
    return link


def check_link(link: ClientLink | PasswordLink) -> None:
    """Raise ``LinkUsed`` where a link was used already, and ``LinkExpired`` where its time is over."""
    if link.used_at is not None:
        raise LinkUsed
    if link.expires_at <= clock.now():
        raise LinkExpired


def use_up(session: Session, kind: type[Link], token: str) -> None:
    """Mark a link as used; of two at once the second is refused with ``LinkUsed``."""
    table: Any = kind.__table__
    unused = sa.update(table).where(table.c.digest == passwords.digest_of(token), table.c.used_at.is_(None))
    used = session.execute(unused.values(used_at=clock.now()).returning(table.c.digest), execution_options=INTERNAL)
    if used.one_or_none() is None:
        raise LinkUsed


__all__ = ["LinkExpired", "LinkUsed", "NoSuchLink", "check_link", "find_link", "make_link", "use_up"]
