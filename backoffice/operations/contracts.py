"""The lifecycle of contracts and their lines: signed, in force, withdrawn from, expired, restarted (chapter 4.7)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.actors import Actor
from backoffice.errors import DomainError
from backoffice.lifecycles import Machine, Transition, register
from backoffice.operations.companies import become_client
from backoffice.operations.contract_opening import OPENING
from backoffice.operations.grants import end_access
from backoffice.operations.handovers import open_handover
from backoffice.working_time import add_months
from models.contract import IN_FORCE, Contract, ContractState
from models.contract_line import ContractLine, LineState

S = ContractState


class NotYet(DomainError):
    """A verb that waits for a day is asked for before that day."""

    template = _l("Not before %(day)s.")


class BeforeTheStart(DomainError):
    template = _l("The withdrawal cannot take effect before the contract starts.")


class NotInForce(DomainError):
    template = _l("The contract of this line is not in force.")


def _has_started(_session: Session, contract: Contract, _values: Mapping[str, Any], actor: Actor) -> None:
    _wait_for(contract.starts_on, actor)


def _company_is_client(_session: Session, contract: Contract, _values: Mapping[str, Any], _actor: Actor) -> None:
    become_client(contract.company, clock.today())


def _withdrawal_is_due(
    _session: Session, row: Contract | ContractLine, _values: Mapping[str, Any], actor: Actor
) -> None:
    assert row.withdrawal_on is not None
    _wait_for(row.withdrawal_on, actor)


def _wait_for(day: date, actor: Actor) -> None:
    """Raise ``NotYet`` before ``day``; what the product does by itself was chosen by its day already."""
    if not actor.is_system and day > clock.today():
        raise NotYet(field=None, day=f"{day:%d/%m/%Y}")


def _withdrawal_follows_start(_session: Session, contract: Contract, values: Mapping[str, Any], _actor: Actor) -> None:
    if values["withdrawal_on"] < contract.starts_on:
        raise BeforeTheStart(field="withdrawal_on")


def _line_is_in_force(session: Session, line: ContractLine, values: Mapping[str, Any], actor: Actor) -> None:
    if line.contract.state not in IN_FORCE:
        raise NotInForce
    _withdrawal_follows_start(session, line.contract, values, actor)


def _forget_signature(_session: Session, contract: Contract, _values: Mapping[str, Any], _actor: Actor) -> None:
    contract.signed_on = None


def _forget_withdrawal(_session: Session, row: Any, _values: Mapping[str, Any], _actor: Actor) -> None:
    row.withdrawal_on = None
    if isinstance(row, ContractLine):
        row.withdrawal_mode = None


def _end_access(session: Session, row: Contract | ContractLine, _values: Mapping[str, Any], _actor: Actor) -> None:
    """Let the online services that were contracted end as each line says (AC-18)."""
    assert row.withdrawal_on is not None
    session.flush()  # what covers a service is asked of the database
    for line in row.lines if isinstance(row, Contract) else [row]:
        end_access(session, line, row.withdrawal_on)


def _end_is_near(session: Session, contract: Contract, _values: Mapping[str, Any], _actor: Actor) -> None:
    open_handover(session, contract, contract.withdrawal_on or contract.ends_on)


def _renew(_session: Session, contract: Contract, _values: Mapping[str, Any], _actor: Actor) -> None:
    assert contract.ends_on is not None
    contract.ends_on = add_months(contract.ends_on, 12)


def _start_again(session: Session, contract: Contract, values: Mapping[str, Any], _actor: Actor) -> None:
    """Draft the contract that continues an ended one, with its terms and the lines nobody withdrew from (CT-05)."""
    successor = Contract(
        **values,
        company=contract.company,
        group_company=contract.group_company,
        subject=contract.subject,
        notice_days=contract.notice_days,
        renews_itself=contract.renews_itself,
        business_unit=contract.business_unit,
        support_team=contract.support_team,
        previous_contract=contract,
        is_demo=contract.is_demo,
    )
    kept = {line.id: _line_again(line) for line in contract.lines if line.state is not LineState.withdrawn}
    for line in contract.lines:
        if line.id in kept and line.part_of_id in kept:
            kept[line.id].part_of = kept[line.part_of_id]
    successor.lines = list(kept.values())
    session.add(successor)


def _line_again(line: ContractLine) -> ContractLine:
    return ContractLine(
        position=line.position,
        service=line.service,
        component=line.component,
        quantity=line.quantity,
        yearly_fee=line.yearly_fee,
        remuneration_mode=line.remuneration_mode,
        unit=line.unit,
        unit_price=line.unit_price,
        included_in=line.included_in,
        is_demo=line.is_demo,
    )


CONTRACTS = register(
    Machine(
        Contract,
        "state",
        (
            Transition(
                name="sign",
                label=_l("Record the signature"),
                sources=(S.draft,),
                target=S.signed,
                icon="vector-pen",
                tone="primary",
                inputs=("signed_on",),
            ),
            Transition(
                name="reopen_draft",
                label=_l("Back to the draft"),
                sources=(S.signed,),
                target=S.draft,
                icon="arrow-counterclockwise",
                effect=_forget_signature,
                confirm=_l("For a signature recorded by mistake: its day is forgotten, the history keeps it."),
            ),
            Transition(
                name="activate",
                label=_l("Activate the contract"),
                sources=(S.signed,),
                target=S.active,
                icon="play-circle",
                tone="primary",
                guard=_has_started,
                effect=_company_is_client,
                confirm=_l("The contract is in force from today: assistance is due to the client."),
            ),
            Transition(
                name="announce_end",
                label=_l("Announce the end"),
                sources=(S.active,),
                target=S.expiring,
                effect=_end_is_near,
                automatic=True,
            ),
            Transition(
                name="renew",
                label=_l("Renew by a year"),
                sources=(S.active, S.expiring),
                target=S.active,
                effect=_renew,
                automatic=True,
            ),
            Transition(
                name="expire",
                label=_l("Expire"),
                sources=(S.active, S.expiring, S.suspended),
                target=S.expired,
                automatic=True,
            ),
            Transition(
                name="suspend",
                label=_l("Suspend the contract"),
                sources=(S.active, S.expiring),
                target=S.suspended,
                icon="pause-circle",
                confirm=_l("No assistance is due until it is resumed."),
            ),
            Transition(
                name="resume",
                label=_l("Resume the contract"),
                sources=(S.suspended,),
                target=S.active,
                icon="play-circle",
                tone="primary",
            ),
            Transition(
                name="notify_withdrawal",
                label=_l("Record a withdrawal"),
                sources=(S.active, S.expiring),
                target=S.withdrawal_notified,
                icon="box-arrow-right",
                inputs=("withdrawal_on",),
                guard=_withdrawal_follows_start,
                effect=_end_is_near,
                confirm=_l("The contract stays in force until the day you give."),
            ),
            Transition(
                name="take_back_withdrawal",
                label=_l("Take the withdrawal back"),
                sources=(S.withdrawal_notified,),
                target=S.active,
                icon="arrow-counterclockwise",
                effect=_forget_withdrawal,
            ),
            Transition(
                name="withdraw",
                label=_l("Complete the withdrawal"),
                sources=(S.withdrawal_notified,),
                target=S.withdrawn,
                icon="box-arrow-right",
                tone="danger",
                guard=_withdrawal_is_due,
                effect=_end_access,
                confirm=_l("The contract ends; its data are kept, access to online services ends as each line says."),
            ),
            Transition(
                name="restart",
                label=_l("Restart with a new contract"),
                sources=(S.expired, S.withdrawn),
                target=S.restarted,
                icon="arrow-repeat",
                tone="primary",
                asks=Contract,
                inputs=("number", "starts_on", "ends_on"),
                optional=("ends_on",),
                effect=_start_again,
                confirm=_l("A new draft with the same lines is made and linked to this contract."),
            ),
            Transition(
                name="cancel",
                label=_l("Cancel the contract"),
                sources=(S.draft,),
                target=S.cancelled,
                icon="x-circle",
                tone="danger",
                confirm=_l("The draft is given up."),
            ),
        ),
        OPENING,
    )
)

LINES = register(
    Machine(
        ContractLine,
        "state",
        (
            Transition(
                name="notify_withdrawal",
                label=_l("Record a withdrawal"),
                sources=(LineState.in_force,),
                target=LineState.withdrawal_notified,
                icon="box-arrow-right",
                inputs=("withdrawal_on", "withdrawal_mode"),
                guard=_line_is_in_force,
                confirm=_l("Only this service ends; the other lines go on."),
            ),
            Transition(
                name="take_back_withdrawal",
                label=_l("Take the withdrawal back"),
                sources=(LineState.withdrawal_notified,),
                target=LineState.in_force,
                icon="arrow-counterclockwise",
                effect=_forget_withdrawal,
            ),
            Transition(
                name="withdraw",
                label=_l("Complete the withdrawal"),
                sources=(LineState.withdrawal_notified,),
                target=LineState.withdrawn,
                icon="box-arrow-right",
                tone="danger",
                guard=_withdrawal_is_due,
                effect=_end_access,
                confirm=_l("The service ends; access to it in the client area ends as the line says."),
            ),
        ),
    )
)
