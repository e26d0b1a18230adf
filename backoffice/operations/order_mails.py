"""The mails from an order to licenses in the hands of its referent (N-14 to N-18)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice.mail.rendering import Audience, register_template
from backoffice.operations.notices import colleague, group_name, person_of, tell
from backoffice.outbox import queue_mail
from backoffice.setting_keys import REFERENT_ADDRESS
from backoffice.settings import setting_value
from models.customer_order import CustomerOrder
from models.license import License
from models.onboarding import Onboarding
from models.outbox_mail import MailLanguage, OutboxMail
from models.platform import Platform


def ask_for_data(session: Session, onboarding: Onboarding) -> None:
    """Ask the account manager of the order for what it lacks (N-14)."""
    order = onboarding.order
    values = {**_order(order), "missing": (onboarding.missing or "").replace(", ", "\n")}
    tell(session, "order_data_missing", colleague(session, order.account_manager_id), values, about=onboarding)


def invite_referent(session: Session, onboarding: Onboarding) -> None:
    """Ask the referent to register on the platform, and say how (N-15)."""
    order, platform = onboarding.order, _platform(onboarding.order)
    values = {**_signed(session, order), "platform": _name(platform), "address": _address(platform)}
    reply_to = _reply_to(session, order)
    tell(session, "referent_invited", person_of(order.referent), values, about=onboarding, reply_to=reply_to)


def announce_registration(session: Session, onboarding: Onboarding) -> None:
    """Tell the referent to look for the platform’s own registration mail and to confirm it (N-16)."""
    order = onboarding.order
    values = {**_signed(session, order), "platform": _name(_platform(order))}
    reply_to = _reply_to(session, order)
    tell(session, "referent_to_confirm", person_of(order.referent), values, about=onboarding, reply_to=reply_to)


def announce_address(session: Session, onboarding: Onboarding) -> None:
    """Tell the address in the settings with which one the referent has registered (N-17)."""
    order = onboarding.order
    to = setting_value(session, REFERENT_ADDRESS, order.group_id) if order.group_id else ""
    if to:
        values = {**_order(order), "address": onboarding.received_address or ""}
        queue_mail(session, "referent_address", values, to=to, about=onboarding, language=MailLanguage.it)


def send_licenses(session: Session, licenses: Sequence[License]) -> None:
    """Send licenses to whom they are for, one mail to each person for each service (N-18)."""
    parcels: dict[Any, list[License]] = {}
    for record in licenses:
        parcels.setdefault((record.contact_id, record.order_line.service_id), []).append(record)
    for parcel in parcels.values():
        first = parcel[0]
        line = first.order_line
        values = {
            "company": str(first.company),
            "group": group_name(session, first.group_id),
            "service": line.service.name,
            "codes": "\n".join(_code(record) for record in parcel),
            "address": _address(line.service.platform),
        }
        reply_to = _reply_to(session, line.order)
        tell(session, "licenses", person_of(first.contact), values, about=first, reply_to=reply_to)


def _code(record: License) -> str:
    return f"{record.code} ({record.expires_on:%d/%m/%Y})" if record.expires_on else record.code


def _order(order: CustomerOrder) -> dict[str, Any]:
    return {"order": order.number, "company": str(order.company)}


def _signed(session: Session, order: CustomerOrder) -> dict[str, Any]:
    return {**_order(order), "group": group_name(session, order.group_id)}


def _reply_to(session: Session, order: CustomerOrder) -> str | None:
    person = colleague(session, order.account_manager_id)
    return person.email if person is not None else None


def _platform(order: CustomerOrder) -> Platform | None:
    return next((line.service.platform for line in order.lines if line.service.platform is not None), None)


def _name(platform: Platform | None) -> str:
    return platform.name if platform is not None else "GoPrivacy"


def _address(platform: Platform | None) -> str:
    return (platform.url if platform is not None else None) or ""


def _to_onboarding(_session: Session, mail: OutboxMail) -> str:
    return f"/onboarding/{mail.cause_id}"


_ORDER = {"order": "O-2026-118", "company": "Galvanica Orobica S.p.A."}
_SIGNED = {**_ORDER, "name": "Beatrice Togni", "group": "Gruppo Sistemi Torino"}
register_template(
    "order_data_missing",
    _l("Data of an order missing"),
    {**_ORDER, "name": "Davide", "missing": "Referente"},
    mint=_to_onboarding,
    bell=Audience.staff,
)
register_template(
    "referent_invited",
    _l("Invitation to register as referent"),
    {**_SIGNED, "platform": "GoPrivacy", "address": "https://tool.goprivacy.it"},
)
register_template("referent_to_confirm", _l("Registration to confirm"), {**_SIGNED, "platform": "GoPrivacy"})
register_template(
    "referent_address",
    _l("Address of a referent received"),
    {**_ORDER, "address": "b.togni@orobica.example"},
    mint=_to_onboarding,
)
register_template(
    "licenses",
    _l("Licenses"),
    {
        "name": "Beatrice Togni",
        "company": "Galvanica Orobica S.p.A.",
        "group": "Gruppo Sistemi Torino",
        "service": "GoPrivacy",
        "codes": "K7QM-2XWR-9FDA-HJ3T (31/12/2026)",
        "address": "https://tool.goprivacy.it",
    },
)

__all__ = ["announce_address", "announce_registration", "ask_for_data", "invite_referent", "send_licenses"]
