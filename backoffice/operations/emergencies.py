"""What operators tell whoever reports an emergency, and that they have (CC-19)."""

from __future__ import annotations

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.errors import InvalidRecord, Text
from models.call import Call
from models.emergency_script import EmergencyScript
from models.ticket import Urgency

_UNREAD: Text = _l("Tell the caller what the emergency text says, and tick that you have.")


def find_script(session: Session, queue_id: int | None, contract_id: int | None) -> EmergencyScript | None:
    """Return the text for an emergency: that of the contract, else that of the queue. One statement.

    Operators read it out whether or not they may look at such texts elsewhere.
    """
    fits = sa.or_(EmergencyScript.contract_id == (contract_id or 0), EmergencyScript.queue_id == (queue_id or 0))
    wanted = sa.select(EmergencyScript).where(EmergencyScript.active, fits)
    closest = wanted.order_by(EmergencyScript.contract_id.is_(None)).limit(1)
    return session.scalars(closest, execution_options=INTERNAL).one_or_none()


def require_read(session: Session, call: Call, read: str) -> None:
    """Write down on a call that is an emergency that its text was read out; ``read``: the key of the text that was.

    :raises InvalidRecord: there is a text, and it was not.
    """
    if call.urgency is not Urgency.emergency or call.emergency_read_at is not None:
        return
    script = find_script(session, call.queue_id, call.contract_id)
    if script is None:
        return
    if read != str(script.id):
        raise InvalidRecord({"emergency_read": _UNREAD})
    call.emergency_read_at = clock.now()
