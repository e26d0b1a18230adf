"""From the outbox to the mail server: take a mail, send it, say what came of it, with a commit after each step.

A process that dies in between leaves the mail taken until its lease ends; then it is sent again, under the same
Message-ID. SMTP cannot promise more: whether a server took what it did not answer for, nobody knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.actors import SYSTEM, Context, Door
from backoffice.database import RecordSession, begin_writing, open_session
from backoffice.errors import DomainError, Text
from backoffice.mail.rendering import TEMPLATES, Letter, TemplateError
from backoffice.mail.sending import Answer, Envelope, MailServer, Outcome, Post, open_post
from backoffice.operations.addresses import mark_refused, mark_taken
from backoffice.operations.mails import (
    PAUSES,
    find_taken,
    hold_waiting,
    mark_failed,
    mark_postponed,
    mark_sent,
    take_next_mail,
)
from backoffice.outbox import has_demonstration, letter_of, portal_of
from models.corporate_group import CorporateGroup
from models.outbox_mail import OutboxMail

#: Longer than any attempt may take, its time-outs added up.
LEASE = timedelta(minutes=10)
_UNKNOWN_TEMPLATE: Text = _l("There is no template of this name any more.")
_TALLY: Text = _l("Sent: %(sent)s, postponed: %(postponed)s, failed: %(failed)s, held: %(held)s")
_TOO_OFTEN: Text = _l("No attempt came to its end.")


@dataclass(frozen=True)
class Roots:
    """Where the two applications are reached from outside; links in mails begin with it."""

    desk: str
    client_area: str


@dataclass
class Tally:
    """What one round of sending came to."""

    sent: int = 0
    postponed: int = 0
    failed: int = 0
    held: int = 0

    def __str__(self) -> str:
        return str(_TALLY) % vars(self)


def send_due(
    engine: sa.Engine,
    server: MailServer,
    roots: Roots,
    *,
    lease: timedelta = LEASE,
    stopped: Callable[[], bool] = lambda: False,
) -> Tally:
    """Send what is due, one mail after the other, until nothing is, the server is away, or ``stopped`` says so.

    ``roots``: the addresses with which links begin. Any number of processes may do this at once.
    """
    tally = Tally(held=_hold_all(engine))
    with open_post(server) as post:
        while not stopped():
            taken = _take(engine, lease)
            if taken is None:
                break
            answer, shown = _attempt(engine, post, taken, roots)
            _conclude(engine, taken, answer, shown, tally)
            if answer.unreachable:
                break
    return tally


def _take(engine: sa.Engine, lease: timedelta) -> OutboxMail | None:
    """Return the next mail as it was when it was taken; nobody else takes it before the lease ends."""
    with _working(engine) as session:
        return None if has_demonstration(session) else take_next_mail(session, clock.now(), lease)


def _attempt(engine: sa.Engine, post: Post, mail: OutboxMail, roots: Roots) -> tuple[Answer, Letter | None]:
    """Make the text and hand it in; what cannot be made is refused, like what the server refuses.

    Returns the answer, and the text as everybody but the recipient may see it.
    """
    if mail.attempts > len(PAUSES) + 1:
        return Answer(Outcome.refused, post.say(_TOO_OFTEN)), None
    try:
        letters = _written(engine, mail, roots)
    except (DomainError, TemplateError) as error:
        return Answer(Outcome.refused, post.say(error)), None
    if letters is None:
        return Answer(Outcome.refused, post.say(_UNKNOWN_TEMPLATE)), None
    letter, shown, name = letters
    return post.send(Envelope(mail.recipient, mail.message_id, mail.sender, mail.reply_to, name), letter), shown


def _written(engine: sa.Engine, mail: OutboxMail, roots: Roots) -> tuple[Letter, Letter, str] | None:
    """Return the text of a mail with a link made just now, and without, and the name it comes under.

    Only the link's digest is stored, first.
    """
    template = TEMPLATES.get(mail.template)
    if template is None:
        return None
    with _working(engine) as session:
        root, name = _origin(session, mail, roots)
        link = root + template.mint(session, mail) if template.mint is not None else ""
        return letter_of(session, mail, link=link), letter_of(session, mail), name


def _origin(session: RecordSession, mail: OutboxMail, roots: Roots) -> tuple[str, str]:
    """Return the address with which the link of a mail begins, and the name that the mail comes under.

    For clients they are those of their portal, for colleagues those of the desk and of their corporate group.
    """
    if TEMPLATES[mail.template].for_clients:
        portal = portal_of(session, mail.cause_entity, mail.cause_id, mail.group_id)
        root = portal.public_url.rstrip("/") if portal is not None and portal.public_url else roots.client_area
        return root, portal.name if portal is not None else ""
    name = sa.select(CorporateGroup.name).where(CorporateGroup.id == mail.group_id)
    return roots.desk, session.scalar(name, execution_options=INTERNAL) or ""


def _conclude(engine: sa.Engine, taken: OutboxMail, answer: Answer, shown: Letter | None, tally: Tally) -> None:
    with _working(engine) as session:
        mail = find_taken(session, taken.id, taken.lease_token or "")
        if mail is None:
            return  # the lease ended first: whoever has it now will say
        if answer.outcome is Outcome.sent:
            assert shown is not None
            mark_taken(session, mail)
            mark_sent(session, mail, answer.text, shown)
            tally.sent += 1
        elif answer.outcome is Outcome.postponed:
            mark_postponed(session, mail, answer.text)
            tally.postponed += 1
        else:
            if answer.address_refused:
                mark_refused(session, mail)
            mark_failed(session, mail, answer.text)
            tally.failed += 1


def _hold_all(engine: sa.Engine) -> int:
    """Hold everything back while demonstration data is loaded; return how many mails that concerned."""
    held = more = 0
    while True:
        with _working(engine) as session:
            more = hold_waiting(session) if has_demonstration(session) else 0
        held += more
        if not more:
            return held


@contextmanager
def _working(engine: sa.Engine) -> Iterator[RecordSession]:
    with begin_writing(), open_session(engine, Context(SYSTEM, Door.job)) as session, session.begin():
        yield session


__all__ = ["LEASE", "Roots", "Tally", "send_due"]
