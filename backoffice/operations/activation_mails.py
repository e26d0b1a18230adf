"""The mails around an activation request: to the requester, and to who evaluates it (N-02 to N-06b)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask_babel import force_locale
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice.access import INTERNAL
from backoffice.mail.rendering import Audience, Letter, register_template, render
from backoffice.operations.activation_letters import draft_facts, outcomes
from backoffice.operations.bell import reader_at, ring
from backoffice.operations.notices import Recipient, colleague, evaluators, group_name, tell
from backoffice.operations.request_links import mint_request_link
from backoffice.outbox import find_wording, queue_mail
from backoffice.setting_keys import ACTIVATION_ADDRESS
from backoffice.settings import setting_value
from models.activation_request import ActivationRequest
from models.business_unit import BusinessUnit
from models.company import Company
from models.outbox_mail import OutboxMail

#: The page of a request at the desk, counted from the desk's root.
PAGE = "/activation/"


def tell_of_arrival(session: Session, request: ActivationRequest) -> None:
    """Confirm the request to who made it (N-02), and tell who is to take it up (N-06)."""
    services = _services(session, request)
    values = {"number": request.number, "services": services, "group": group_name(session, request.group_id)}
    requester = Recipient(request.requester_name, request.email, request.language)
    tell(session, "activation_received", requester, values, about=request, reply_to=_reply_to(session, request))
    tell(session, "activation_to_evaluate", _taker(session, request), _facts(request, services), about=request)


def tell_unit(session: Session, request: ActivationRequest, unit: BusinessUnit) -> None:
    """Tell the evaluators of a unit that it is their turn (N-06b)."""
    values = _facts(request, _services(session, request, unit.id)) | {
        "unit": unit.name,
        "facts": draft_facts(session, request, unit.id),
    }
    for person in evaluators(session, unit.id):
        tell(session, "activation_unit_to_evaluate", person, values, about=request)


def send_question(session: Session, request: ActivationRequest) -> None:
    """Ask the requester what is written in the request (N-02b).

    :raises NoAddress: their address cannot receive mail.
    """
    _send(session, request, "activation_question", {"question": request.question or ""})


def send_proposal(session: Session, request: ActivationRequest) -> None:
    """Send the requester what they are to accept, word for word as it is stored (N-04).

    The link in it leads to the page where they accept or decline; who answers the mail instead is recorded by staff.

    :raises NoAddress: their address cannot receive mail.
    """
    _send(session, request, "activation_proposal", {"text": request.proposal or ""})


def send_answer(session: Session, request: ActivationRequest) -> None:
    """Send the requester the answer as it is stored, and the account manager of the client a copy (N-03 to N-05).

    :raises NoAddress: their address cannot receive mail.
    """
    _send(session, request, "activation_answer", {"text": request.answer_text or ""})
    requester = reader_at(session, request.email, request)
    if requester is not None:
        ring(session, "activation_answer", requester, about=request)
    copy = colleague(session, _manager_id(session, request))
    if copy is not None:
        in_copy = Recipient(request.requester_name, copy.email, request.language, copy.staff_id)
        values = _of(session, request) | {"text": request.answer_text or ""}
        tell(session, "activation_answer", in_copy, values, about=request)


def answer_around(session: Session, request: ActivationRequest, text: str) -> Letter:
    """Return the letter that an answer of these words would become, in the words of today."""
    wording = find_wording(session, request.group_id, "activation_answer", request.language, None)
    values = _of(session, request) | {"name": request.requester_name, "text": text}
    return render("activation_answer", request.language.value, values, wording=wording)


def _send(session: Session, request: ActivationRequest, event: str, values: dict[str, Any]) -> None:
    queue_mail(
        session,
        event,
        {"name": request.requester_name, **_of(session, request), **values},
        to=request.email,
        about=request,
        language=request.language,
        reply_to=_reply_to(session, request),
    )


def _of(session: Session, request: ActivationRequest) -> dict[str, Any]:
    return {"number": request.number, "group": group_name(session, request.group_id)}


def _reply_to(session: Session, request: ActivationRequest) -> str | None:
    """Return whom the requester's reply reaches: whoever evaluates, else where such requests are announced."""
    person = colleague(session, request.assignee_id)
    return person.email if person is not None else _pool(session, request)


def _manager_id(session: Session, request: ActivationRequest) -> int | None:
    table = Company.__table__
    statement = sa.select(table.c.account_manager_id).where(table.c.id == request.company_id)
    return session.scalar(statement, execution_options=INTERNAL)


def _taker(session: Session, request: ActivationRequest) -> Recipient | None:
    person, pool = colleague(session, request.assignee_id), _pool(session, request)
    return person or (Recipient(group_name(session, request.group_id), pool) if pool else None)


def _pool(session: Session, request: ActivationRequest) -> str | None:
    return setting_value(session, ACTIVATION_ADDRESS, request.group_id) or None if request.group_id else None


def _services(session: Session, request: ActivationRequest, unit_id: int | None = None) -> str:
    named = "\n".join(f"{item.code}, {item.name}" for item in outcomes(session, request, unit_id))
    with force_locale(request.language.value):
        return named or str(request.kind.label)


def _facts(request: ActivationRequest, services: str) -> dict[str, Any]:
    return {
        "number": request.number,
        "company": request.company_name or "",
        "requester": request.requester_name,
        "services": services,
    }


def _to_request(_session: Session, mail: OutboxMail) -> str:
    return f"{PAGE}{mail.cause_id}"


_EXAMPLE = {"name": "Beatrice Togni", "number": "RA-318", "group": "Gruppo Ecoopera"}
_ANNOUNCED = {
    "name": "Davide",
    "number": "RA-318",
    "company": "Galvanica Orobica S.p.A.",
    "requester": "Beatrice Togni",
    "services": "EDUPLAN, Formazione, scadenze, documenti",
}
register_template(
    "activation_received",
    _l("Activation request received"),
    _EXAMPLE | {"services": "EDUPLAN, Formazione"},
    mint=mint_request_link,
    for_clients=True,
)
register_template(
    "activation_question",
    _l("Question on an activation request"),
    _EXAMPLE | {"question": "Per quali sedi?"},
    mint=mint_request_link,
    for_clients=True,
)
register_template(
    "activation_proposal",
    _l("Proposal of a contribution"),
    _EXAMPLE | {"text": "EDUPLAN: contributo annuale di € 480,00 oltre IVA."},
    mint=mint_request_link,
    for_clients=True,
)
register_template(
    "activation_answer",
    _l("Answer to an activation request"),
    _EXAMPLE | {"text": "EDUPLAN: attivato gratuitamente."},
    bell=Audience.clients,
    always_mailed=True,
)
register_template(
    "activation_to_evaluate",
    _l("Activation request to evaluate"),
    _ANNOUNCED,
    mint=_to_request,
    bell=Audience.staff,
)
register_template(
    "activation_unit_to_evaluate",
    _l("Activation request for a business unit"),
    _ANNOUNCED | {"unit": "Gestione rifiuti", "facts": "Grande cliente."},
    mint=_to_request,
    bell=Audience.staff,
)

__all__ = ["answer_around", "send_answer", "send_proposal", "send_question", "tell_of_arrival", "tell_unit"]
