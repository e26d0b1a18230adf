"""The mail of the morning: what people wanted to hear of once a day, in one mail (AC-41)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import cast

import sqlalchemy as sa
from flask_babel import force_locale
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice.access import INTERNAL
from backoffice.errors import DomainError
from backoffice.mail.rendering import TEMPLATES, register_template
from backoffice.operations.bell import Reader
from backoffice.operations.client_links import client_path
from backoffice.operations.preferences import language_of
from backoffice.outbox import queue_mail
from models.account import Account, AccountState
from models.notice import Notice
from models.outbox_mail import MailLanguage, OutboxMail
from models.staff import Staff

_table = cast("sa.Table", Notice.__table__)
#: Where the bell's page is, counted from the root of the desk, and of the client area under a language.
PAGE = "notices/"
#: How many people get theirs in one transaction.
_AT_ONCE = 50


def send_digests(session: Session, now: datetime) -> int:
    """Queue one mail for each person with notices for the morning that they have not read since; return for how many.

    At most some people a call: call until it returns 0. It names kinds of events and how many there are, and no
    records: those the page of the bell shows, as far as the person may see them.
    """
    waiting = sa.and_(_table.c.in_digest, _table.c.at <= now)
    people = sa.select(_table.c.staff_id, _table.c.account_id).where(waiting).distinct().limit(_AT_ONCE)
    readers = [Reader(row.staff_id, row.account_id) for row in session.execute(people, execution_options=INTERNAL)]
    for reader in readers:
        taken = sa.update(_table).where(waiting, reader.owns(_table)).values(in_digest=False)
        rows = session.execute(taken.returning(_table.c.event), execution_options=INTERNAL).all()
        if reader.staff_id is not None:
            _tell_staff(session, reader.staff_id, [row.event for row in rows])
        else:
            _tell_client(session, reader.account_id or 0, [row.event for row in rows])
    return len(readers)


def _tell_staff(session: Session, staff_id: int, events: Sequence[str]) -> None:
    staff = session.get(Staff, staff_id)
    if staff is not None and staff.active:
        _queue(session, "notices_of_staff", staff, staff.first_name, events, MailLanguage.it)


def _tell_client(session: Session, account_id: int, events: Sequence[str]) -> None:
    account = session.get(Account, account_id)
    if account is not None and account.state is AccountState.active:
        _queue(session, "notices_of_client", account, account.full_name, events, language_of(session, account_id))


def _queue(
    session: Session, event: str, person: Staff | Account, name: str, events: Sequence[str], language: MailLanguage
) -> None:
    with force_locale(language.value):
        lines = [f"{events.count(one)} × {TEMPLATES[one].label}" for one in dict.fromkeys(events) if one in TEMPLATES]
    with suppress(DomainError):  # an address that cannot receive mail must not keep the others waiting
        queue_mail(
            session,
            event,
            {"name": name, "count": len(events), "lines": "\n".join(lines)},
            to=person.email,
            about=person,
            language=language,
        )


def _to_the_desk(_session: Session, _mail: OutboxMail) -> str:
    return f"/{PAGE}"


def _to_the_area(session: Session, mail: OutboxMail) -> str:
    return client_path(session, mail, PAGE)


_EXAMPLE = {"name": "Giulia", "count": 3, "lines": "2 × Richiesta da valutare\n1 × Lavoro concluso"}
register_template("notices_of_staff", _l("Mail of the morning, to staff"), _EXAMPLE, mint=_to_the_desk)
register_template(
    "notices_of_client", _l("Mail of the morning, to clients"), _EXAMPLE, mint=_to_the_area, for_clients=True
)

__all__ = ["send_digests"]
