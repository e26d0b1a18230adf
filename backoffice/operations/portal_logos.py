"""The logo that clients see on every page of a portal (AC-03)."""

from __future__ import annotations

import hashlib
import io

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from PIL import Image
from sqlalchemy.orm import Session

from backoffice.access import INTERNAL
from backoffice.actors import Action, Actor
from backoffice.errors import DomainError
from backoffice.files.pictures import redrawn
from backoffice.history import recording
from models.history_entry import EventName
from models.portal import Portal
from models.portal_logo import PortalLogo

_SET, _REMOVE = "portal.set_logo", "portal.remove_logo"
EventName.words |= {_SET: _l("Set the logo"), _REMOVE: _l("Remove the logo")}
#: As large as it is ever shown, twice over for fine screens, in points.
WIDEST, HIGHEST = 480, 144
#: More than any logo has, in bytes.
MOST_BYTES = 2_000_000


class LogoTooLarge(DomainError):
    template = _l("The file is larger than 2 MB: choose a smaller one.")
    status = 413


def set_logo(session: Session, portal: Portal, content: bytes, *, actor: Actor) -> None:
    """Show a picture, drawn anew, instead of the portal's initial. Records ``portal.set_logo``. Flushes.

    :raises Forbidden: the actor may not change portals.
    :raises LogoTooLarge: the file is.
    :raises NotAPicture: it is none.
    """
    actor.require(Action.update, Portal)
    if len(content) > MOST_BYTES:
        raise LogoTooLarge
    picture = _as_png(redrawn(content, widest=WIDEST, highest=HIGHEST)[0])
    logo = session.get(PortalLogo, portal.id) or PortalLogo(portal_id=portal.id)
    logo.content = picture
    session.add(logo)
    portal.logo_digest = hashlib.sha256(picture).hexdigest()
    with recording(session, portal, _SET):
        session.flush()


def remove_logo(session: Session, portal: Portal, *, actor: Actor) -> None:
    """Show the portal's initial again. Records ``portal.remove_logo``. Flushes.

    :raises Forbidden: the actor may not change portals.
    """
    actor.require(Action.update, Portal)
    gone = sa.delete(PortalLogo).where(PortalLogo.portal_id == portal.id)
    session.execute(gone, execution_options=INTERNAL)
    portal.logo_digest = None
    with recording(session, portal, _REMOVE):
        session.flush()


def find_logo(session: Session, portal_id: int) -> bytes | None:
    """Return a portal's logo, a PNG."""
    wanted = sa.select(PortalLogo.content).where(PortalLogo.portal_id == portal_id)
    return session.scalar(wanted, execution_options=INTERNAL)


def _as_png(picture: bytes) -> bytes:
    with Image.open(io.BytesIO(picture)) as found:
        made = io.BytesIO()
        found.save(made, "PNG", optimize=True)
    return made.getvalue()


__all__ = ["LogoTooLarge", "find_logo", "remove_logo", "set_logo"]
