"""Invented contracts with lines, orders with licenses, in every state."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import cycle

from backoffice.working_time import add_months
from models.company import CompanyState
from models.contact_role import ContactRole, ContactRoleKind
from models.contract import Contract, ContractState
from models.contract_line import ContractLine, LineState, RemunerationMode, WithdrawalMode
from models.customer_order import CustomerOrder, OrderState
from models.license import License, LicenseState
from models.order_line import OrderLine
from models.service import Service, ServiceState
from models.support_team import SupportTeam
from seed.invented.clients import Client
from seed.invented.world import World

C = ContractState
L = LicenseState
#: In which states the contracts of a client, a former client and a prospect may be, and how many there are.
CONTRACTS = {
    CompanyState.client: {
        C.active: 62, C.expiring: 10, C.signed: 6, C.draft: 5, C.suspended: 4, C.withdrawal_notified: 5,
        C.restarted: 4, C.expired: 6,
    },
    CompanyState.former: {C.expired: 8, C.withdrawn: 6},
    CompanyState.prospect: {C.draft: 4, C.cancelled: 4, C.signed: 2},
}  # fmt: skip


@dataclass(frozen=True)
class Span:
    """When a contract in some state was signed, began and ends, in days from today; a range each."""

    signed: tuple[int, int] | None
    starts: tuple[int, int]
    ends: tuple[int, int] | None


SPANS = {
    C.draft: Span(None, (10, 90), (375, 800)),
    C.signed: Span((-30, -2), (5, 60), (370, 1100)),
    C.active: Span((-800, -400), (-390, -60), (120, 900)),
    C.expiring: Span((-760, -740), (-730, -340), (5, 55)),
    C.suspended: Span((-700, -420), (-410, -90), (100, 500)),
    C.withdrawal_notified: Span((-700, -420), (-410, -100), (150, 400)),
    C.withdrawn: Span((-1500, -1200), (-1190, -800), (-300, -30)),
    C.expired: Span((-1500, -1200), (-1190, -800), (-400, -5)),
    C.restarted: Span((-1500, -1200), (-1190, -800), (-500, -200)),
    C.cancelled: Span(None, (-200, -20), None),
}
WITHDRAWING = {C.withdrawn: (-300, -30), C.withdrawal_notified: (10, 90)}


def invent_services(world: World) -> None:
    """Make services in every state, two of each."""
    company = world.all_of(Service)[0].group_company
    rows = (
        ("DEMO-INTELLIGENZA-ARTIFICIALE", "Formazione sull’uso dell’intelligenza artificiale", ServiceState.proposed),
        ("DEMO-SOSTENIBILITA", "Rendiconto di sostenibilità per piccole imprese", ServiceState.proposed),
        ("DEMO-CENTRALINO", "Noleggio di centralini telefonici", ServiceState.retired),
        ("DEMO-ARCHIVIO-CARTACEO", "Deposito di archivi cartacei", ServiceState.retired),
        ("DEMO-CYBER", "Verifica della sicurezza informatica", ServiceState.offered),
        ("DEMO-DIGITALE", "Affiancamento alla transizione digitale", ServiceState.offered),
    )
    for code, name, state in rows:
        price = Decimal(world.rng.randrange(4, 40) * 50)
        world.add(Service(code=code, name=name, state=state, group_company=company, list_price=price))
    world.session.flush()


def invent_contracts(world: World, clients: Sequence[Client]) -> list[Contract]:
    """Make contracts that fit what each company is: only clients have some in force."""
    contracts: list[Contract] = []
    for state, weights in CONTRACTS.items():
        matching = [client for client in clients if client.company.state is state]
        for number, contract_state in enumerate(world.deck(weights)):
            contracts.append(_contract(world, matching[number % len(matching)], contract_state))
    for contract in [contract for contract in contracts if contract.state is C.restarted]:
        contracts.append(_successor(world, contract))
    world.session.flush()
    return contracts


def _contract(world: World, client: Client, state: ContractState) -> Contract:
    span = SPANS[state]
    services = _services(world)
    contract = Contract(
        company=client.company,
        group_company=services[0].group_company,
        business_unit=services[0].business_unit or client.company.business_unit,
        number=f"C-{world.day(span.starts[0]).year}-{next(world.serials):05d}",
        subject=services[0].name if len(services) == 1 else f"{services[0].name} e altri servizi",
        state=state,
        signed_on=world.day(world.rng.randint(*span.signed)) if span.signed else None,
        starts_on=world.day(world.rng.randint(*span.starts)),
        ends_on=world.day(world.rng.randint(*span.ends)) if span.ends else None,
        notice_days=60 if state is C.expiring else world.rng.choice((30, 60, 60, 90)),
        renews_itself=state is not C.expiring and world.chance(0.3),
    )
    if state is C.active and world.chance(0.2):
        contract.ends_on = None
    if state in WITHDRAWING:
        contract.withdrawal_on = world.day(world.rng.randint(*WITHDRAWING[state]))
    if state is C.withdrawn:
        contract.ends_on = contract.withdrawal_on
    if client.is_public:
        contract.cig, contract.cup = _tender_codes(world)
    teams = world.all_of(SupportTeam)
    contract.support_team = world.rng.choice(teams) if teams and world.chance(0.7) else None
    contract.created_at = world.instant(min(span.starts[0], -1))
    world.add(contract)
    _add_lines(world, contract, services)
    if client.is_public and len(client.contacts) > 1:
        world.add(ContactRole(contact=client.contacts[1], contract=contract, role=ContactRoleKind.execution_director))
    return contract


def _services(world: World) -> list[Service]:
    """Choose services of one company of the group, which signs the contract."""
    offered = [row for row in world.all_of(Service) if row.state is ServiceState.offered and not row.is_third_party]
    first = world.rng.choice(offered)
    others = [row for row in offered if row.group_company is first.group_company and row is not first]
    return [first, *world.rng.sample(others, min(len(others), world.rng.choice((0, 1, 1, 2, 3))))]


def _add_lines(world: World, contract: Contract, services: Sequence[Service]) -> None:
    for position, service in enumerate(services):
        mode = world.rng.choice((RemunerationMode.fee,) * 5 + tuple(RemunerationMode))
        line = ContractLine(contract=contract, service=service, position=position, remuneration_mode=mode)
        line.quantity = world.rng.choice((1, 1, 1, 2, 5, 10))
        _price(world, line, services)
        if position and contract.state is C.active and world.chance(0.1):
            line.withdrawal_on = world.day(world.rng.randint(-50, 60))
            line.withdrawal_mode = world.rng.choice(tuple(WithdrawalMode))
            line.state = LineState.withdrawn if line.withdrawal_on <= world.today else LineState.withdrawal_notified
        world.add(line)


def _price(world: World, line: ContractLine, services: Sequence[Service]) -> None:
    """Say how a line is paid for, as its mode asks; the first service of a contract can be included in no other."""
    if line.remuneration_mode is RemunerationMode.included:
        if line.service is services[0]:
            line.remuneration_mode = RemunerationMode.free
        else:
            line.included_in = services[0]
    if line.remuneration_mode is RemunerationMode.fee:
        line.yearly_fee = Decimal(world.rng.randrange(4, 120) * 25)
    if line.remuneration_mode is RemunerationMode.measured:
        line.unit, line.unit_price = world.rng.choice((("ora", Decimal(55)), ("chiamata", Decimal("4.80"))))


def _successor(world: World, old: Contract) -> Contract:
    """Make the contract that a restarted one goes on in (CT-05)."""
    assert old.ends_on is not None
    contract = Contract(
        company=old.company, group_company=old.group_company, business_unit=old.business_unit,
        support_team=old.support_team, number=f"{old.number}-R", subject=old.subject, state=C.active,
        signed_on=old.ends_on + timedelta(days=30), starts_on=old.ends_on + timedelta(days=45),
        ends_on=add_months(world.today, 10), previous_contract=old,
    )  # fmt: skip
    contract.created_at = world.instant(-100)
    world.add(contract)
    _add_lines(world, contract, [line.service for line in old.lines])
    return contract


def _tender_codes(world: World) -> tuple[str, str | None]:
    letters = string.ascii_uppercase + string.digits
    cig = f"Z{world.rng.randrange(10**5, 10**6)}{''.join(world.rng.choices(letters, k=3))}"
    cup = f"Z99Z{world.rng.randrange(10**10, 10**11)}"
    return cig, cup if world.chance(0.5) else None


#: States of orders, and of the licenses of completed and confirmed ones.
ORDERS = {OrderState.draft: 5, OrderState.confirmed: 20, OrderState.completed: 18, OrderState.cancelled: 4}
LICENSES = {L.used: 60, L.sent: 34, L.generated: 22, L.expired: 24, L.revoked: 10}
REASONS = (
    "Referente non più in azienda",
    "Codice inviato per errore",
    "Ordine ridotto dal cliente",
    "Codice comunicato a terzi",
)


def invent_orders(world: World, clients: Sequence[Client]) -> list[CustomerOrder]:
    """Make orders with lines, and licenses for those of licensed services, never more than ordered."""
    buyers = [client for client in clients if client.company.state is CompanyState.client and client.contacts]
    licensed = [row for row in world.all_of(Service) if row.is_licensed]
    states = cycle(world.deck(LICENSES))
    orders = []
    for number, state in enumerate(world.deck(ORDERS)):
        order = make_order(world, buyers[number % len(buyers)], state)
        orders.append(order)
        for position, service in enumerate(licensed[: world.rng.choice((1, 1, 2))]):
            line = make_order_line(world, order, service, position)
            wanted = line.quantity if state is OrderState.completed else line.quantity // 2
            if state in (OrderState.confirmed, OrderState.completed):
                for _ in range(wanted):
                    _license(world, line, next(states))
    world.session.flush()
    return orders


def make_order(world: World, client: Client, state: OrderState) -> CustomerOrder:
    """Make an order without lines."""
    ordered_on = world.day(-world.rng.randint(3, 700))
    order = CustomerOrder(
        company=client.company, number=f"ORD-{ordered_on.year}-{next(world.serials):05d}", ordered_on=ordered_on,
        state=state, referent=client.contacts[0] if state is not OrderState.draft else None,
        account_manager=client.company.account_manager,
    )  # fmt: skip
    order.created_at = world.instant((ordered_on - world.today).days)
    return world.add(order)  # type: ignore[no-any-return]


def make_order_line(world: World, order: CustomerOrder, service: Service, position: int) -> OrderLine:
    """Make a line of an order, of which no license has been generated."""
    line = OrderLine(order=order, service=service, position=position, generated=0)
    line.quantity = world.rng.choice((2, 4, 5, 6, 8, 10))
    line.unit_price = Decimal(world.rng.randrange(20, 160))
    if world.chance(0.5):
        line.license_months = 12
    else:
        line.license_expires_on = date(order.ordered_on.year + 1, 12, 31)
    return world.add(line)  # type: ignore[no-any-return]


def _license(world: World, line: OrderLine, state: LicenseState) -> None:
    """Make one license whose dates tell the same story as its state."""
    ordered = (line.order.ordered_on - world.today).days
    alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
    code = "-".join("".join(world.rng.choices(alphabet, k=4)) for _ in range(4))
    row = License(order_line=line, contact=line.order.referent, code=code, state=state)
    row.created_at = world.instant(min(ordered + 2, 0))
    days = (max(ordered + 2, -200), -1) if state is L.expired else (4, 500)
    row.expires_on = world.day(world.rng.randint(*days))
    if state is not L.generated:
        row.sent_at = row.created_at + timedelta(hours=1)
        row.sent_to = line.order.referent.email if line.order.referent else None
    if state is L.used or (state is L.expired and world.chance(0.5)):
        used_at = row.created_at + timedelta(days=world.rng.randint(1, 20), hours=2)
        last = datetime.combine(row.expires_on, time(18), UTC)
        row.first_used_at = min(used_at, world.now, max(last, row.created_at + timedelta(hours=1)))
        row.used_by_email = row.sent_to
    if state is L.revoked:
        row.revoked_at = max(world.instant(-world.rng.randint(0, 3)), row.created_at)
        row.revocation_reason = world.rng.choice(REASONS)
    line.generated += 1
    world.add(row)
