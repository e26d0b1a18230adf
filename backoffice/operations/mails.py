"""What may become of a mail in the outbox: attempts, which the product makes, and what people do about them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.actors import SYSTEM, Actor
from backoffice.errors import DomainError
from backoffice.lifecycles import Machine, Transition, register
from backoffice.mail.rendering import TEMPLATES, Letter
from backoffice.operations.identities import NOWHERE
from backoffice.operations.verbs import perform
from backoffice.outbox import has_demonstration, insert_mail
from models.outbox_mail import HoldReason, MailState, OutboxMail

S = MailState
#: How long the next attempt waits after each that failed; after the last one, some three days later, none follows.
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 120, 240, 480, 720, 960, 1440))


class NothingLeaves(DomainError):
    template = _l("Demonstration data is loaded, so no mail leaves: remove it first.")
    status = 409


def take_next_mail(session: Session, now: datetime, lease: timedelta) -> OutboxMail | None:
    """Return the mail that has been due longest, now this caller's until the lease ends; None where none is due.

    One whose lease has ended is due again: whoever had it is taken for dead. Commit before sending.
    """
    # SQLite has no SKIP LOCKED and needs none: there the transaction is the only one that writes.
    statement = sa.select(OutboxMail).where(_due(now)).order_by(OutboxMail.due_at, OutboxMail.id).limit(1)
    mail = session.scalar(statement.with_for_update(skip_locked=True))
    if mail is None:
        return None
    mail.lease_token, mail.lease_until = uuid.uuid4().hex, now + lease
    mail.attempts += 1
    _perform(session, mail, "take")
    return mail


def find_taken(session: Session, mail_id: int, lease_token: str) -> OutboxMail | None:
    """Return the mail if it is still being sent under this lease, locked; None where somebody else has taken over."""
    own = sa.select(OutboxMail).where(
        OutboxMail.id == mail_id, OutboxMail.state == S.sending, OutboxMail.lease_token == lease_token
    )
    return session.scalar(own.with_for_update())


def mark_sent(session: Session, mail: OutboxMail, answer: str, shown: Letter) -> None:
    """Write down that the server took it, and what it said, without links. Records ``outbox_mail.deliver``."""
    mail.sent_at = clock.now()
    mail.subject, mail.sent_text = shown.subject[:300], shown.text
    _end_attempt(session, mail, "deliver", answer)
    _forget(session, mail)


def mark_postponed(session: Session, mail: OutboxMail, answer: str) -> None:
    """Write down why it did not leave, and try again later, or no more after the last pause."""
    if mail.attempts > len(PAUSES):
        mark_failed(session, mail, answer)
        return
    mail.due_at = clock.now() + PAUSES[mail.attempts - 1]
    _end_attempt(session, mail, "postpone", answer)


def mark_failed(session: Session, mail: OutboxMail, answer: str) -> None:
    """Write down that it will not leave by itself any more. Records ``outbox_mail.give_up``."""
    _end_attempt(session, mail, "give_up", answer)
    _forget(session, mail)


def _forget(session: Session, mail: OutboxMail) -> None:
    """Keep nothing of whom a last mail went to; not as a change, which the history would tell."""
    template = TEMPLATES.get(mail.template)
    if template is None or not template.forgets:
        return
    table = cast("sa.Table", OutboxMail.__table__)
    told = {name: "–" if isinstance(value, str) else value for name, value in mail.arguments.items()}
    gone = {
        "recipient": f"deleted@{NOWHERE}",
        "arguments": told,
        "sent_text": None,
        "search_key": "",
        "last_answer": None,
    }
    session.execute(sa.update(table).where(table.c.id == mail.id).values(gone), execution_options=INTERNAL)
    session.expire(mail)


def hold_waiting(session: Session, *, limit: int = 500) -> int:
    """Hold back what was queued before demonstration data was loaded; return how many, at most ``limit`` a call."""
    waiting = sa.select(OutboxMail).where(OutboxMail.state == S.waiting).limit(limit)
    rows = session.scalars(waiting.with_for_update(skip_locked=True)).all()
    for mail in rows:
        mail.held_because = HoldReason.demonstration
        _perform(session, mail, "hold")
    return len(rows)


def is_mail_due(session: Session, now: datetime) -> bool:
    """Say whether there is something to send; cheap enough to ask every few seconds."""
    return session.scalar(sa.select(OutboxMail.id).where(_due(now)).limit(1)) is not None


def _due(now: datetime) -> sa.ColumnElement[bool]:
    waiting = sa.and_(OutboxMail.state == S.waiting, OutboxMail.due_at <= now)
    return sa.or_(waiting, sa.and_(OutboxMail.state == S.sending, OutboxMail.lease_until <= now))


def _end_attempt(session: Session, mail: OutboxMail, verb: str, answer: str) -> None:
    mail.last_answer = answer[:500]
    mail.lease_token = mail.lease_until = None
    _perform(session, mail, verb)


def _perform(session: Session, mail: OutboxMail, verb: str) -> None:
    perform(session, mail, verb, actor=SYSTEM)


def _leaves_nothing(session: Session, _mail: OutboxMail, _values: Mapping[str, Any], _actor: Actor) -> None:
    if has_demonstration(session):
        raise NothingLeaves


def _begin_anew(_session: Session, mail: OutboxMail, _values: Mapping[str, Any], _actor: Actor) -> None:
    mail.held_because, mail.attempts, mail.due_at = None, 0, clock.now()


def _queue_again(session: Session, mail: OutboxMail, _values: Mapping[str, Any], _actor: Actor) -> None:
    """Queue the same mail under a new Message-ID: under the old one the recipient's program would hide it."""
    copied = ("recipient", "sender", "reply_to", "subject", "template", "arguments", "language", "is_demo")
    owner = ("group_id", "company_id", "cause_entity", "cause_id")
    values = {name: getattr(mail, name) for name in (*copied, *owner)}
    insert_mail(session, {**values, "state": S.waiting, "due_at": clock.now()})


def _automatic(name: str, label: Any, sources: tuple[MailState, ...], target: MailState) -> Transition:
    return Transition(name=name, label=label, sources=sources, target=target, automatic=True)


MAILS = register(
    Machine(
        OutboxMail,
        "state",
        (
            _automatic("take", _l("Begin an attempt"), (S.waiting, S.sending), S.sending),
            _automatic("deliver", _l("Hand in to the mail server"), (S.sending,), S.sent),
            _automatic("postpone", _l("Try again later"), (S.sending,), S.waiting),
            _automatic("give_up", _l("Give up"), (S.sending,), S.failed),
            _automatic("hold", _l("Hold back"), (S.waiting,), S.held),
            Transition(
                name="release",
                label=_lp("mail", "Release"),
                sources=(S.held,),
                target=S.waiting,
                icon="play-circle",
                tone="primary",
                guard=_leaves_nothing,
                effect=_begin_anew,
            ),
            Transition(
                name="try_again",
                label=_l("Try again"),
                sources=(S.failed,),
                target=S.waiting,
                icon="arrow-clockwise",
                tone="primary",
                guard=_leaves_nothing,
                effect=_begin_anew,
            ),
            Transition(
                name="resend",
                label=_l("Send once more"),
                sources=(S.sent,),
                target=None,
                icon="send",
                guard=_leaves_nothing,
                effect=_queue_again,
                confirm=_l("The same mail is queued again. A link in it will be a new one."),
            ),
            Transition(
                name="cancel",
                label=_lp("mail", "Do not send"),
                sources=(S.waiting, S.held, S.failed),
                target=S.cancelled,
                icon="slash-circle",
                tone="danger",
                confirm=_l("The mail will not be sent any more."),
            ),
        ),
    )
)
