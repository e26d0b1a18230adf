"""The start page of a client, and what belongs to the account itself (AC-01, AC-10, AC-39)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from flask import redirect, render_template, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import selectinload

from backoffice import clock
from backoffice.actors import Action
from backoffice.operations.terms import find_terms
from backoffice.permissions import AREA_SERVICES
from backoffice.records import show
from backoffice.records.pages import Query, find_counts
from backoffice.texts import in_language
from models.account_service import AccountService
from models.activation_request import ActivationRequest
from models.company_service import CompanyService, GrantState
from models.online_service import OnlineService
from models.outbox_mail import MailLanguage
from models.terms_version import TermsKind
from models.ticket import Ticket
from models.values import show_date
from views import addresses
from views.client_area import door
from views.client_area.blueprint import area
from views.door import current_actor, current_session
from views.generated.section import sections

#: Signs for the online services whose sources we know; others have a common one.
_ICONS = {"EDUPLAN": "mortarboard", "ANALISI": "droplet-half", "WINSMART": "recycle", "GOPRIVACY": "shield-lock"}
#: So many tickets stand on the start page.
_LATEST = 3


@area.route("/")
def dashboard() -> Any:
    """Show what has been activated for the account, how its requests stand, and what else it may look at."""
    client = door.client()
    if client is None:
        return door.sign_in_first()
    if client.is_restricted:
        return redirect(url_for("clients.privacy"))
    actor = current_actor()
    # What belongs to an online service stands on its tile.
    shown = [entity for entity in sections(actor) if entity.__admin__.area not in AREA_SERVICES]
    counts = find_counts(current_session(), [Query(entity) for entity in shown], most=999)
    page = {
        "company": client.company_name,
        "tiles": [_tile(access) for access in _services()],
        "tickets": _tickets() if actor.may(Action.read, Ticket) else None,
        "tickets_url": addresses.list_url(Ticket),
        "sections": [
            {
                "label": entity.__admin__.plural,
                "icon": entity.__admin__.icon,
                "url": addresses.list_url(entity),
                "count": str(count) if count <= 999 else "999+",
            }
            for entity, count in zip(shown, counts, strict=True)
        ],
        "change_recommended": client.must_change_password,
        "profile_url": url_for("clients.profile"),
        "asking": _asking(),
    }
    return render_template("client_dashboard.html", page=page)


def _asking() -> list[dict[str, str]]:
    """Return what may be asked for from here: assistance, and by referents services and accounts."""
    found = []
    if current_actor().may(Action.create, Ticket) and door.portal().queue_id is not None:
        found = [{"label": _("Ask for assistance"), "icon": "headset", "url": url_for("clients.open_new_ticket")}]
    if not current_actor().may(Action.create, ActivationRequest):
        return found
    return [
        *found,
        {"label": _("Ask for a service"), "icon": "plus-lg", "url": url_for("clients.ask_service")},
        {"label": _("Ask for another account"), "icon": "person-plus", "url": url_for("clients.ask_account")},
    ]


def _services() -> Sequence[AccountService]:
    """Return what the account itself may use; what was removed is no longer shown."""
    path = selectinload(AccountService.company_service).selectinload(CompanyService.online_service)
    statement = (
        sa.select(AccountService)
        .where(AccountService.account_id == current_actor().account_id)
        .where(AccountService.state.in_((GrantState.active, GrantState.suspended)))
        .options(path.selectinload(OnlineService.platform))
        .order_by(AccountService.id)
    )
    return current_session().scalars(statement).all()


def _tile(access: AccountService) -> dict[str, Any]:
    granted, service = access.company_service, access.company_service.online_service
    usable = access.state is GrantState.active and granted.state is GrantState.active
    frozen = granted.frozen_from is not None and granted.frozen_from <= clock.today()
    return {
        "code": service.code,
        "name": in_language(service, "name"),
        "icon": _ICONS.get(service.code, "window-stack"),
        "usable": usable,
        "state": _state(usable, frozen),
        "fresh": _freshness(granted, usable, frozen),
        "gap": _gap(granted) if usable and not frozen else "",
        "url": service.url if usable else None,
        "lists": [
            {"label": entity.__admin__.plural, "url": addresses.list_url(entity)}
            for entity in sections(current_actor())
            if AREA_SERVICES.get(entity.__admin__.area) == service.code
        ],
    }


def _state(usable: bool, frozen: bool) -> dict[str, str]:
    if not usable:
        return {"text": _("Suspended"), "tone": "wait", "icon": "pause-circle"}
    if frozen:
        return {"text": _("Data stand still"), "tone": "info", "icon": "snow"}
    return {"text": _("Active"), "tone": "good", "icon": "check-circle"}


def _freshness(granted: CompanyService, usable: bool, frozen: bool) -> str:
    """Return in a sentence how far the data go."""
    if frozen and granted.frozen_from is not None:
        day = show_date(granted.frozen_from)
        if usable:
            return _("Not updated since %(day)s. You can still read and export what is there.", day=day)
        return _("Suspended since %(day)s. Nothing is lost: the data are kept.", day=day)
    if not usable:
        return _("The access is suspended. Nothing is lost: the data are kept.")
    if granted.last_data_at is None:
        return _("Active since %(day)s.", day=show_date(granted.active_from)) if granted.active_from else ""
    return _("Data as of %(when)s.", when=show.when(granted.last_data_at))


def _gap(granted: CompanyService) -> str:
    """Return between which days nothing was recorded, because access had ended and was brought back."""
    if granted.gap_from is None or granted.gap_to is None or granted.gap_from >= granted.gap_to:
        return ""
    days = {"first": show_date(granted.gap_from), "last": show_date(granted.gap_to)}
    return _("No data from %(first)s to %(last)s: the contract had ended.", **days)


def _tickets() -> list[dict[str, Any]]:
    latest = sa.select(Ticket).order_by(Ticket.created_at.desc(), Ticket.id.desc()).limit(_LATEST)
    return [
        {
            "subject": ticket.subject,
            "number": ticket.number,
            "state": {"text": ticket.state.label, "tone": ticket.state.tone, "icon": ticket.state.icon},
            "url": addresses.record_url(ticket),
        }
        for ticket in current_session().scalars(latest)
    ]


@area.route("/conditions/")
def conditions() -> str:
    """Show the conditions of service in force, to anybody (AC-24)."""
    return _terms(TermsKind.conditions)


@area.route("/privacy-notice/")
def privacy_notice() -> str:
    """Show the privacy notice in force, to anybody (PR-13)."""
    return _terms(TermsKind.privacy_notice)


def _terms(kind: TermsKind) -> str:
    wanted = [MailLanguage[door.language()], *MailLanguage]
    with door.as_product() as records:
        found = next(filter(None, (find_terms(records, door.portal().id, kind, language) for language in wanted)), None)
    page = {
        "heading": kind.label,
        "paragraphs": [part.strip() for part in found.body.split("\n\n") if part.strip()] if found else [],
        "language": found.language.value if found else None,
        "since": show_date(found.published_at.astimezone(clock.ROME).date()) if found and found.published_at else None,
        "version": found.number if found else None,
        "controller": door.portal().controller if kind is TermsKind.privacy_notice else None,
    }
    return render_template("client_terms.html", page=page)
