"""The invented demonstration set: loaded into an empty system, removed without a trace in any table but the history."""

from __future__ import annotations

from itertools import count
from random import Random
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.files.store import FileStore
from models.base import Recorded
from models.company import Company
from models.corporate_group import CorporateGroup
from models.service import Service
from seed.demo_removal import clear_traces, demo_entities, require_no_referrers
from seed.invented.accounts import invent_accounts, invent_deletions
from seed.invented.activation import invent_activation, invent_platforms
from seed.invented.attachments import invent_attachments, invent_client_files
from seed.invented.calls import invent_calls
from seed.invented.changes import invent_changes
from seed.invented.clients import invent_clients
from seed.invented.complaints import invent_complaints
from seed.invented.contract_ends import invent_contract_ends
from seed.invented.field import invent_field_work
from seed.invented.laboratory import content_of, invent_laboratory
from seed.invented.onboarding import invent_onboarding
from seed.invented.packages import invent_movements, invent_packages
from seed.invented.routing import invent_routing
from seed.invented.sales import invent_contracts, invent_orders, invent_services
from seed.invented.support import Askers, invent_tickets
from seed.invented.training import invent_training
from seed.invented.waste import invent_waste
from seed.invented.world import World
from seed.names import ECOOPERA_PLACES, TORINO_PLACES

#: The same set every day; only its dates move with the day it is loaded.
SEED = 20_240_503
#: Each group counts its codes from its own start, so that no two of the set are equal.
SERIALS_A_GROUP = 20_000


def load_demo(session: Session, store: FileStore | None = None) -> int:
    """Invent clients, sales and support for each corporate group, unless a demonstration set is there.

    Returns how many rows were added. Reference data and, so that records are entrusted to somebody, demonstration
    users come first. Without a file store there are no attachments. Flushes, never commits; the context's actor is the
    system.
    """
    if session.scalar(sa.select(Company.id).where(Company.is_demo).limit(1)):
        return 0
    before = _count(session)
    groups = session.scalars(sa.select(CorporateGroup).order_by(CorporateGroup.id).limit(2)).all()
    usernames: set[str] = set()
    for number, (group, places) in enumerate(zip(groups, (ECOOPERA_PLACES, TORINO_PLACES), strict=False)):
        if session.scalar(sa.select(Service.id).where(Service.group_id == group.id).limit(1)):
            serials = count(1 + number * SERIALS_A_GROUP)
            world = World(session, group, places, number, clock.now(), Random(SEED + number), serials, usernames)
            _invent(world, store)
    return _count(session) - before


def _invent(world: World, store: FileStore | None) -> None:
    with world.session.no_autoflush:
        invent_services(world)
        clients = invent_clients(world)
        contracts = invent_contracts(world, clients)
        orders = invent_orders(world, clients)
        accounts = invent_accounts(world, clients)
        packages = invent_packages(world, clients)
        tickets = invent_tickets(world, Askers(clients, contracts, accounts, packages))
        invent_movements(world, packages, tickets)
        invent_calls(world, clients, tickets)
        invent_contract_ends(world, contracts)
        invent_onboarding(world, clients, orders)
        invent_platforms(world)
        invent_activation(world, clients, contracts, accounts)
        invent_field_work(world, contracts, tickets)
        invent_routing(world)
        invent_complaints(world, tickets)
        invent_changes(world, tickets)
        documents = invent_training(world, contracts)
        certificates = invent_laboratory(world)
        movements = invent_waste(world)
        invent_deletions(world, accounts)
        if store is not None:
            invent_attachments(world, contracts, tickets, store)
            signed = [(certificate, content_of(certificate)) for certificate in certificates]
            invent_client_files(world, documents, signed, movements, store)


def _count(session: Session) -> int:
    options = {"include_deleted": True}
    counts = (
        session.scalar(_demo_rows(entity, sa.func.count()), execution_options=options) for entity in demo_entities()
    )
    return sum(count or 0 for count in counts)


def remove_demo(session: Session) -> int:
    """Delete exactly the demonstration rows, users included; return how many. The history stays and records it.

    Real rows written by demonstration users keep what they say, and lose only the link to who wrote them, which
    the history still knows. Flushes, never commits.

    :raises DemoStillUsed: real rows refer to demonstration rows; they are named and nothing is deleted.
    """
    require_no_referrers(session)
    clear_traces(session)
    removed = 0
    for entity in demo_entities():
        rows = session.scalars(_demo_rows(entity, entity), execution_options={"include_deleted": True}).all()
        for row in rows:
            session.delete(row)
        session.flush()
        removed += len(rows)
    return removed


def _demo_rows(entity: type[Recorded], what: Any) -> Any:
    return sa.select(what).select_from(entity).where(entity.is_demo)
