"""What visitors ask for on the sign-in page: the activation of online services, without an account (AR-05, AR-06)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import context_of
from backoffice.errors import DomainError, InvalidRecord, NotFound
from backoffice.operations.activation import NothingRequested
from backoffice.operations.cleaning import REQUIRED
from backoffice.operations.plain import create_record
from backoffice.texts import in_language
from models.account import Account
from models.activation_request import ActivationRequest, RequestChannel, RequestKind, RequestOrigin
from models.codes import TaxCode, VatNumber
from models.online_service import OnlineService
from models.outbox_mail import MailLanguage
from models.portal import Portal
from models.portal_service import PortalService
from models.reading import BadValue

#: What a visitor types, in the order of the form.
TYPED = ("company_name", "vat_number", "requester_name", "email", "phone", "note")
_REQUIRED = ("company_name", "vat_number", "requester_name", "email")


#: What is asked for services, and so for at least one.
_OF_SERVICES = (RequestKind.service, RequestKind.additional_account)


class RequestsClosed(DomainError):
    template = _l("Services cannot be asked for here: ask whoever looks after you.")
    status = 404


class ConsentMissing(DomainError):
    """AC-33: nothing personal is stored without it."""

    template = _l("We cannot answer without your consent: tick the box.")


@dataclass(frozen=True)
class Offer:
    """An online service that visitors of a portal may ask for."""

    id: int
    code: str
    name: str
    description: str
    charge: str


def offers_of(session: Session, portal: Portal) -> list[Offer]:
    """Return what visitors of a portal may ask for, in its order; needs a session in which the system acts."""
    shown = (
        sa.select(OnlineService)
        .join(PortalService, PortalService.online_service_id == OnlineService.id)
        .where(PortalService.portal_id == portal.id)
        .order_by(PortalService.position, PortalService.id)
    )
    return [
        Offer(
            one.id,
            one.code,
            in_language(one, "name") or "",
            in_language(one, "public_description") or "",
            one.default_charge.value,
        )
        for one in session.scalars(shown)
    ]


def receive_request(
    session: Session,
    portal: Portal,
    typed: Mapping[str, str],
    services: Sequence[int],
    *,
    consents: bool,
    language: MailLanguage,
) -> ActivationRequest:
    """Write down what a visitor asks for. The answer is the same whoever it is that asks (AR-24).

    Needs a session in which the system acts, on behalf of the visitor.

    :raises RequestsClosed: the portal takes none.
    :raises InvalidRecord: some values are refused, with a sentence per field.
    """
    if not portal.requests_open:
        raise RequestsClosed
    offered = {offer.id for offer in offers_of(session, portal)}
    wanted = [key for key in dict.fromkeys(services) if key in offered]
    values, problems = _read(typed)
    if not wanted:
        problems["services"] = str(NothingRequested())
    if not consents:
        problems["consent"] = str(ConsentMissing())
    if problems:
        raise InvalidRecord(problems)
    values |= {
        "kind": RequestKind.service.value,
        "origin": RequestOrigin.client_request.value,
        "channel": RequestChannel.login_page.value,
        "language": language.value,
        "items": [{"online_service": key} for key in wanted],
    }
    actor, known = context_of(session).actor, {"consent_at": clock.now(), "portal": portal}
    return cast("ActivationRequest", create_record(session, ActivationRequest, values, actor=actor, known=known))


def ask_as_client(
    session: Session,
    account: Account,
    portal: Portal,
    kind: RequestKind,
    *,
    language: MailLanguage,
    services: Sequence[int] = (),
    note: str = "",
    name: str = "",
    email: str = "",
    about: Account | None = None,
) -> ActivationRequest:
    """Write down what a referent asks for from within: services, an account for a colleague, other access, or its end.

    Needs a session in which the system acts, on behalf of the referent, who has been asked for the right already.

    :raises InvalidRecord: some values are refused, with a sentence per field.
    :raises NotFound: the account to end is of another company.
    """
    if about is not None and about.company_id != account.company_id:
        raise NotFound
    chosen = [key for key in dict.fromkeys(services) if key in {offer.id for offer in offers_of(session, portal)}]
    if not chosen and kind in _OF_SERVICES:
        raise InvalidRecord({"services": str(NothingRequested())})
    if kind is RequestKind.scope_change and not note.strip():
        raise InvalidRecord({"note": REQUIRED})
    values: dict[str, Any] = {
        "kind": kind.value,
        "origin": RequestOrigin.client_request.value,
        "channel": RequestChannel.portal.value,
        "company": account.company_id,
        "requester_name": account.full_name,
        "email": account.email,
        "language": language.value,
        "note": note,
        "items": [{"online_service": key} for key in chosen],
    }
    if kind is RequestKind.additional_account:
        values |= {"account_name": name, "account_email": email}
        missing = {field: REQUIRED for field in ("account_name", "account_email") if not values[field].strip()}
        if missing:
            raise InvalidRecord(missing)
    elif about is not None:
        values["account"] = about.id
    elif kind is RequestKind.service:
        values["account"] = account.id
    actor, known = context_of(session).actor, {"portal": portal}
    return cast("ActivationRequest", create_record(session, ActivationRequest, values, actor=actor, known=known))


def _read(typed: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the values of a form, and what is wrong with them: only what can be told without looking anything up."""
    values: dict[str, Any] = {name: typed.get(name, "").strip() for name in TYPED}
    problems = {name: REQUIRED for name in _REQUIRED if not values[name]}
    if values["vat_number"]:
        try:
            VatNumber(20).parse(values["vat_number"])
        except BadValue as refused:
            # Public bodies, associations and sole traders have a tax code instead: staff match the company by it.
            if not _is_tax_code(values["vat_number"]):
                problems["vat_number"] = str(refused)
            else:
                code = TaxCode(20).parse(values.pop("vat_number"))
                values["note"] = f"{_TAX_CODE} {code}\n{values['note']}".strip()
    return values, problems


_TAX_CODE = "Codice fiscale:"


def _is_tax_code(text: str) -> bool:
    try:
        TaxCode(20).parse(text)
    except BadValue:
        return False
    return True


__all__ = ["TYPED", "Offer", "RequestsClosed", "ask_as_client", "offers_of", "receive_request"]
