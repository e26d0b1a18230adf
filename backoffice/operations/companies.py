"""What may happen to a company: it becomes a client, ceases to be one, comes back (CT-01, CT-05)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.actors import Action, Actor
from backoffice.lifecycles import Machine, Opening, Transition, register
from models.company import Company
from models.company import CompanyState as S


def become_client(company: Company, on: date) -> None:
    """Make the company a client from ``on``, unless it is one; the first such day is kept. Does not flush."""
    company.state = S.client
    company.client_since = company.client_since or on


def _from_today(_session: Session, company: Company, _values: Mapping[str, Any], _actor: Actor) -> None:
    become_client(company, clock.today())


COMPANIES = register(
    Machine(
        Company,
        "state",
        (
            Transition(
                name="become_client",
                label=_l("Make it a client"),
                sources=(S.prospect, S.former),
                target=S.client,
                icon="check-circle",
                tone="primary",
                effect=_from_today,
                confirm=_l("It counts as a client from today; a contract that comes into force does the same."),
                right=Action.update,
            ),
            Transition(
                name="become_former",
                label=_l("No longer a client"),
                sources=(S.client,),
                target=S.former,
                icon="archive",
                confirm=_l("Contracts and services are not touched: withdraw from them on their own pages."),
                right=Action.update,
            ),
        ),
        Opening(states={S.prospect: (), S.client: (), S.former: ()}),
    )
)
