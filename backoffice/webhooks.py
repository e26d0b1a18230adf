"""Alerts handed to a gateway, of SMS for example, as JSON over HTTP: tried again until it takes them (SL-14).

After the transaction that made the alert, so that a slow gateway holds up nobody; the mail has left by another way.
"""

from __future__ import annotations

import json
import logging
import urllib.request
from typing import Any

import sqlalchemy as sa

from backoffice import clock
from backoffice.actors import SYSTEM, Context, Door
from backoffice.database import begin_writing, open_session
from backoffice.operations.on_call import on_duty
from backoffice.setting_keys import ALERT_WEBHOOK
from backoffice.settings import setting_value
from models.on_call_alert import AlertState, OnCallAlert

#: How long a gateway may take to answer, in seconds.
PATIENCE = 10
_log = logging.getLogger(__name__)


class _NoDetours(urllib.request.HTTPRedirectHandler):
    """Goes where the administrator said, and nowhere else."""

    def redirect_request(self, *_args: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoDetours)


def send_alerts(engine: sa.Engine, root: str) -> int:
    """Hand the alerts that wait to their gateways; return how many were taken."""
    taken = 0
    for key, url, words in _waiting(engine, root):
        if url.startswith(("http://", "https://")) and _post(url, words):
            with begin_writing(), open_session(engine, Context(SYSTEM, Door.job)) as session, session.begin():
                session.get_one(OnCallAlert, key).webhook_at = clock.now()
            taken += 1
    return taken


def _waiting(engine: sa.Engine, root: str) -> list[tuple[int, str, dict[str, Any]]]:
    with open_session(engine, Context(SYSTEM, Door.job)) as session:
        wanted = sa.select(OnCallAlert).where(OnCallAlert.state == AlertState.sent, OnCallAlert.webhook_at.is_(None))
        found = []
        for alert in session.scalars(wanted.order_by(OnCallAlert.id).limit(50)):
            url = setting_value(session, ALERT_WEBHOOK, alert.group_id)
            if url:
                shifts = on_duty(session, alert.ticket, clock.now())
                phone = next((shift.phone for shift in shifts if shift.person_id == alert.person_id), None)
                found.append((alert.id, url, _words(alert, phone, root)))
    return found


def _words(alert: OnCallAlert, phone: str | None, root: str) -> dict[str, Any]:
    ticket = alert.ticket
    company = str(ticket.company) if ticket.company is not None else None
    return {
        # The same when the gateway is asked again because its answer did not come: it can tell, and send one message.
        "id": f"{alert.id}-{alert.times}",
        "text": " · ".join(part for part in (ticket.number, ticket.subject, company, ticket.place_code) if part),
        "number": ticket.number,
        "subject": ticket.subject,
        "company": company,
        "place": ticket.place_code,
        "person": str(alert.person),
        "phone": phone,
        "times": alert.times,
        "url": f"{root}/backoffice/on_call_alert/{alert.id}/do/acknowledge",
    }


def _post(url: str, words: dict[str, Any]) -> bool:
    body = json.dumps(words).encode()
    headers = {"Content-Type": "application/json", "User-Agent": "Backoffice", "Idempotency-Key": str(words["id"])}
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")  # noqa: S310  # http or https, above
    try:
        with _opener.open(request, timeout=PATIENCE) as answer:
            return 200 <= int(answer.status) < 300
    except (OSError, ValueError) as error:
        _log.warning("The gateway for alerts did not take one: %s", type(error).__name__)
        return False
