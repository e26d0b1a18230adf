"""Whether assistance is due for a ticket, with the reasons: one function for every channel (PK-02, TK-36, CT-03)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL, as_product
from backoffice.actors import Actor
from backoffice.errors import Text
from backoffice.operations.package_ledger import left_on
from backoffice.operations.plain import after_create
from models.company import Company, CompanyState
from models.consent import Consent
from models.contract import IN_FORCE, Contract
from models.contract_line import ContractLine, LineState
from models.customer_order import CustomerOrder
from models.license import License, LicenseState
from models.order_line import OrderLine
from models.ticket import Ticket
from models.values import Minutes


@dataclass(frozen=True)
class Reason:
    """One thing looked at: what it is about, whether it speaks for assistance, and with which figure or name."""

    code: str
    holds: bool
    detail: str = ""

    @property
    def sentence(self) -> str:
        """What to say of it, in the language of the request."""
        return str(_SENTENCES[self.code, self.holds]) % {"detail": self.detail}


_SENTENCES: dict[tuple[str, bool], Text] = {
    ("company", True): _l("The company is a client"),
    ("company", False): _l("The company is not a client, or nobody knows yet whose request it is"),
    ("contract", True): _l("Contract %(detail)s is in force"),
    ("contract", False): _l("No contract in force covers it"),
    ("license", True): _l("There are licenses for the service"),
    ("license", False): _l("There is no license in use for the service"),
    ("quote", True): _l("A quote covers it"),
    ("package", True): _l("%(detail)s are left on the packages"),
    ("package", False): _l("The packages do not cover it: %(detail)s are left"),
    ("consent", True): _l("The consent is there"),
    ("consent", False): _l("The requester has not consented, or has withdrawn the consent"),
}


def judge(session: Session, ticket: Ticket, day: date | None = None) -> list[Reason]:
    """Return what speaks for and against assistance on ``day``; it is due where nothing speaks against it.

    At most one statement.
    """
    asked = questions(ticket, day or clock.today())
    answers = session.execute(sa.select(*asked.values()), execution_options=INTERNAL).one() if asked else ()
    return weigh(ticket, dict(zip(asked, answers, strict=True)))


def questions(ticket: Ticket, day: date) -> dict[str, sa.ScalarSelect[Any]]:
    """Return by reason what has to be asked of the database, for a statement that is made anyway."""
    found: dict[str, sa.ScalarSelect[Any]] = {}
    if ticket.company_id is None:
        return found
    # Of the rows themselves, which whoever works on the ticket need not see.
    found["company"] = _state_of(Company, ticket.company_id)
    if ticket.queue.requires_consent and ticket.account_id is not None:
        found["consent"] = _open_consent_of(ticket.account_id)
    if not ticket.covered_by_quote and ticket.queue.requires_package:
        found["package"] = left_on(ticket.company_id, day)
    elif not ticket.covered_by_quote:
        found["contract"] = _contract_in_force(ticket, day)
    if ticket.service is not None and ticket.service.is_licensed:
        found["license"] = _has_licenses(ticket)
    return found


def weigh(ticket: Ticket, answers: Mapping[str, Any]) -> list[Reason]:
    """Return what speaks for and against assistance, with the answers to ``questions``."""
    return list(_reasons(ticket, answers))


@after_create(Ticket)
def _note(session: Session, ticket: Ticket, *, actor: Actor) -> None:
    """Keep with the ticket what was found when it came in, whatever becomes of contracts and packages later."""
    with as_product(session):
        reasons = judge(session, ticket)
        ticket.entitled = is_due(reasons)
        ticket.entitlement_found = " ".join(f"{reason.code}{'+' if reason.holds else '-'}" for reason in reasons)


def is_due(reasons: list[Reason]) -> bool:
    """Say whether assistance is due."""
    return all(reason.holds for reason in reasons)


def _reasons(ticket: Ticket, answers: Mapping[str, Any]) -> Iterator[Reason]:
    yield Reason("company", answers.get("company") is CompanyState.client)
    if ticket.company_id is None:
        return
    queue = ticket.queue
    if ticket.covered_by_quote:
        yield Reason("quote", True)
    elif queue.requires_package:
        left, needed = int(answers["package"]), ticket.estimated_minutes or 1
        yield Reason("package", left >= needed, Minutes().show(left))
    else:
        number = answers["contract"]
        yield Reason("contract", number is not None, number or "")
    if ticket.service is not None and ticket.service.is_licensed:
        yield Reason("license", answers["license"] is not None)
    if "consent" in answers:
        yield Reason("consent", answers["consent"] is not None)


def _open_consent_of(account_id: int) -> sa.ScalarSelect[Any]:
    table = Consent.__table__
    open_ = sa.and_(table.c.account_id == account_id, table.c.revoked_at.is_(None))
    return sa.select(sa.func.min(table.c.id)).where(open_).scalar_subquery()


def _state_of(entity: type[Any], key: int) -> sa.ScalarSelect[Any]:
    table = entity.__table__
    return sa.select(table.c.state).where(table.c.id == key).scalar_subquery()


def _contract_in_force(ticket: Ticket, day: date) -> sa.ScalarSelect[Any]:
    """Build the number of a contract of the company that is in force: the ticket's, or one with its service."""
    contract, line = Contract.__table__, ContractLine.__table__
    in_force = sa.and_(
        contract.c.company_id == ticket.company_id,
        contract.c.state.in_(IN_FORCE),
        contract.c.starts_on <= day,
        sa.or_(contract.c.ends_on.is_(None), contract.c.ends_on >= day),
    )
    wanted = sa.select(contract.c.number).where(in_force).order_by(contract.c.ends_on.desc(), contract.c.id)
    if ticket.contract_id is not None:
        wanted = wanted.where(contract.c.id == ticket.contract_id)
    elif ticket.service_id is not None:
        has_line = sa.exists().where(
            line.c.contract_id == contract.c.id,
            line.c.service_id == ticket.service_id,
            line.c.state != LineState.withdrawn,
        )
        wanted = wanted.where(has_line)
    return wanted.limit(1).correlate(None).scalar_subquery()


def _has_licenses(ticket: Ticket) -> sa.ScalarSelect[Any]:
    """Build whether there are licenses in use for the service: one, or nothing."""
    table, line, order = License.__table__, OrderLine.__table__, CustomerOrder.__table__
    usable = (LicenseState.generated, LicenseState.sent, LicenseState.used)
    wanted = (
        sa.select(sa.literal(1))
        .select_from(table.join(line, line.c.id == table.c.order_line_id).join(order, order.c.id == line.c.order_id))
        .where(order.c.company_id == ticket.company_id, line.c.service_id == ticket.service_id)
        .where(table.c.state.in_(usable))
    )
    return wanted.limit(1).correlate(None).scalar_subquery()
