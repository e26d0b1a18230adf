"""Time worked on tickets, charged to the client's packages: earliest expiry first, the rest to the next (PK-03, PK-14).

How much of an entry is charged stands on the entry. Whatever changes it, the difference is charged or given back; what
no package can take stays uncharged and is taken from the next one that is activated.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from backoffice import clock
from backoffice.access import INTERNAL, as_product, context_of
from backoffice.actors import SYSTEM, Actor, Door
from backoffice.mail.rendering import Audience, register_template
from backoffice.operations.client_links import client_path
from backoffice.operations.notices import referent_of, tell
from backoffice.operations.package_ledger import add_movement, settle_state, usable
from backoffice.operations.plain import after_write
from backoffice.operations.verbs import perform
from backoffice.setting_keys import PACKAGE_WARNING_PERCENT
from backoffice.settings import setting_value
from models.company import Company
from models.outbox_mail import OutboxMail
from models.package_movement import MovementKind, PackageMovement
from models.support_package import SupportPackage
from models.support_queue import SupportQueue
from models.ticket import Ticket, TicketState
from models.time_entry import TimeEntry
from models.values import Minutes

#: So many characters of what was done stand in the ledger too.
_NOTE = 250
#: Time that takes hours from a package, and that none has paid for yet.
_UNPAID = sa.and_(TimeEntry.billable, TimeEntry.charged_minutes < TimeEntry.minutes)
#: Rows as they are stored now, whatever was read of them before they were locked.
_AFRESH = {"populate_existing": True}


@after_write(TimeEntry)
def _settle(session: Session, entries: Sequence[TimeEntry], *, actor: Actor) -> None:
    """Charge what was worked, or give back what was not."""
    if context_of(session).door is Door.spreadsheet:
        for entry in entries:  # worked, and charged, before it came here
            _note_charged(session, entry, owed(entry))
        return
    for entry in entries:
        settle_entry(session, entry)
        session.expire(entry, ["ticket"])  # what the product looked up, the actor may not see


def owed(entry: TimeEntry) -> int:
    """Return the minutes that packages pay for an entry: what its contract rounds up to, or nothing (PK-05)."""
    ticket = entry.ticket
    if not entry.billable or ticket.covered_by_quote or not ticket.queue.requires_package or ticket.company_id is None:
        return 0
    step = (ticket.contract.charge_step_minutes if ticket.contract is not None else None) or 1
    return -(-entry.minutes // step) * step


def settle_entry(session: Session, entry: TimeEntry) -> None:
    """Bring what is charged for an entry in line with what is owed; a ticket that nothing is left for waits (PK-03)."""
    with as_product(session):
        gap = owed(entry) - _charged_by_now(session, entry)
        if gap == 0:
            return
        done = _take(session, entry, gap) if gap > 0 else -_give_back(session, entry, -gap)
        _note_charged(session, entry, entry.charged_minutes + done)
        if done < gap and entry.ticket.state is TicketState.in_progress:
            perform(session, entry.ticket, "wait_for_package", actor=SYSTEM)


def go_on_with(session: Session, company: Company) -> None:
    """Charge what no package could take so far, and take up the tickets that waited for one."""
    with as_product(session):
        _hold_tickets(session, company)
        open_entries = (
            sa.select(TimeEntry)
            .join(Ticket, Ticket.id == TimeEntry.ticket_id)
            .join(SupportQueue, SupportQueue.id == Ticket.queue_id)
            .where(Ticket.company_id == company.id, SupportQueue.requires_package, _UNPAID)
            .order_by(TimeEntry.day, TimeEntry.id)
        )
        for entry in session.scalars(open_entries, execution_options=_AFRESH).all():
            settle_entry(session, entry)
        waiting = sa.select(Ticket).where(Ticket.company_id == company.id, Ticket.state == TicketState.waiting_package)
        for ticket in session.scalars(waiting.order_by(Ticket.id)).all():
            perform(session, ticket, "qualify", actor=SYSTEM)


def _hold_tickets(session: Session, company: Company) -> None:
    """Lock the company's tickets that wait for a package or for their time to be paid.

    Whoever enters time locks the ticket before anything else, and so does this: of two packages that are activated at
    once the second finds what the first has paid, and neither waits for the other in a circle.
    """
    owing = sa.exists().where(TimeEntry.ticket_id == Ticket.id, _UNPAID)
    concerned = sa.or_(owing, Ticket.state == TicketState.waiting_package)
    wanted = sa.select(Ticket).where(Ticket.company_id == company.id, concerned).order_by(Ticket.id)
    session.scalars(wanted.with_for_update(), execution_options=_AFRESH).all()


def _take(session: Session, entry: TimeEntry, minutes: int) -> int:
    """Charge as many of ``minutes`` as the packages hold; return how many. They stay locked until the end."""
    rest = minutes
    for package in _packages(session, entry):
        part = min(rest, package.residual_minutes)
        if part <= 0:
            break
        before = package.residual_minutes
        _move(session, entry, package, MovementKind.charge, -part)
        _warn(session, package, before)
        rest -= part
    return minutes - rest


def _packages(session: Session, entry: TimeEntry) -> Sequence[SupportPackage]:
    """Return the packages that may pay, the one that ends first in front, as they are stored now."""
    company_id = entry.ticket.company_id
    return _hold_packages(session, usable(company_id, clock.today()))


def _hold_packages(session: Session, condition: sa.ColumnElement[bool]) -> Sequence[SupportPackage]:
    """Lock packages and return them as they are stored now: always in the order of their expiry, so that nobody waits
    in a circle."""
    by_expiry = (SupportPackage.valid_to.is_(None), SupportPackage.valid_to, SupportPackage.id)
    wanted = sa.select(SupportPackage).where(condition).order_by(*by_expiry).with_for_update()
    return session.scalars(wanted, execution_options=_AFRESH).all()


def _give_back(session: Session, entry: TimeEntry, minutes: int) -> int:
    """Put minutes back on the packages they were taken from, the last one first; return how many."""
    taken = (
        sa.select(PackageMovement.package_id, -sa.func.sum(PackageMovement.minutes))
        .where(PackageMovement.time_entry_id == entry.id)
        .group_by(PackageMovement.package_id)
        .order_by(sa.func.max(PackageMovement.id).desc())
    )
    rest, parts = minutes, [tuple(row) for row in session.execute(taken)]
    held = {row.id: row for row in _hold_packages(session, SupportPackage.id.in_([key for key, _part in parts]))}
    for package_id, part in parts:
        if (back := min(rest, part)) <= 0:
            continue
        _move(session, entry, held[package_id], MovementKind.correction, back)
        rest -= back
    return minutes - rest


def _move(session: Session, entry: TimeEntry, package: SupportPackage, kind: MovementKind, minutes: int) -> None:
    note = (entry.activity or str(entry))[:_NOTE]
    add_movement(session, package, kind, minutes, ticket=entry.ticket, time_entry=entry, note=note)
    settle_state(package)
    session.flush()


def _charged_by_now(session: Session, entry: TimeEntry) -> int:
    """Return how much of an entry packages have paid for: a package may have been activated since it was read."""
    table = TimeEntry.__table__
    stored = sa.select(table.c.charged_minutes).where(table.c.id == entry.id).with_for_update()
    minutes = int(session.execute(stored, execution_options=INTERNAL).scalar_one())
    set_committed_value(entry, "charged_minutes", minutes)
    return minutes


def _note_charged(session: Session, entry: TimeEntry, minutes: int) -> None:
    """Say on the entry how much of it is charged: the movements tell the story, so the history needs no line."""
    table = TimeEntry.__table__
    statement = sa.update(table).where(table.c.id == entry.id).values(charged_minutes=minutes)
    session.execute(statement, execution_options=INTERNAL)
    set_committed_value(entry, "charged_minutes", minutes)


def _warn(session: Session, package: SupportPackage, before: int) -> None:
    """Tell the client's referent when a package passes the mark at which people should think of the next (N-54)."""
    percent = setting_value(session, PACKAGE_WARNING_PERCENT, package.company.group_id)
    mark = package.purchased_minutes * (100 - percent) // 100
    if before > mark >= package.residual_minutes:
        tell_of_package(session, package, "package_low")


def tell_of_package(session: Session, package: SupportPackage, event: str) -> None:
    """Tell the client's referent what is left of a package, and until when."""
    values = {
        "number": package.number,
        "company": package.company.legal_name,
        "left": Minutes().show(package.residual_minutes),
        "until": f"{package.valid_to:%d/%m/%Y}" if package.valid_to else "–",
    }
    tell(session, event, referent_of(session, package.company_id), values, about=package)


def _to_package(session: Session, mail: OutboxMail) -> str:
    return client_path(session, mail, f"support_package/{mail.cause_id}")


_EXAMPLE = {
    "name": "Beatrice Togni",
    "number": "PK-12",
    "company": "Rossi S.r.l.",
    "left": "1:30",
    "until": "31/12/2026",
}
for _event, _label in (("package_low", _l("Package almost used up")), ("package_ends", _l("Package about to end"))):
    register_template(_event, _label, _EXAMPLE, mint=_to_package, for_clients=True, bell=Audience.clients)

__all__ = ["go_on_with", "owed", "settle_entry", "tell_of_package"]
