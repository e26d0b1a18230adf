"""The request in hand: who asks, what was found, what was decided, what comes next, what has happened."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import selectinload

from backoffice.access import joined
from backoffice.actors import Action, Actor
from backoffice.database import RecordSession
from backoffice.errors import NotFound
from backoffice.lifecycles import transitions_open
from backoffice.operations.activation_letters import is_known
from backoffice.operations.activation_mails import answer_around
from backoffice.records import mails, show, subjects, timeline
from models.activation_request import ActivationRequest, RequestState
from models.activation_request_item import ActivationRequestItem
from models.attachment import Attachment
from models.catalogue import fields
from models.company import Company
from views import addresses
from views.desk.activation_deeds import Deed, deed_url, next_deed, undecided
from views.desk.activation_services import services
from views.generated.listing import dressed
from views.generated.record_mails import mail_list

#: Stands for what people write, while the letter around it is made.
_MARK = "\N{OBJECT REPLACEMENT CHARACTER}"
_ENDED = (RequestState.answered, RequestState.closed, RequestState.withdrawn)
_FACTS = (
    "vat_number",
    "phone",
    "language",
    "account",
    "account_name",
    "account_email",
    "assignee",
    "note",
    "question",
    "answer",
    "accepted_by",
    "acceptance_evidence",
    "refusal",
)


def read_request(session: RecordSession, pk: int) -> ActivationRequest:
    """Return a request with the rows around it that its page names, as far as the actor sees them.

    :raises NotFound: there is none, or not for this actor.
    """
    company, *others = joined(session, ActivationRequest.company, ActivationRequest.assignee, ActivationRequest.account)
    parts = joined(
        session,
        ActivationRequestItem.online_service,
        ActivationRequestItem.business_unit,
        ActivationRequestItem.decided_by,
    )
    wanted = sa.select(ActivationRequest).where(ActivationRequest.id == pk)
    wanted = wanted.options(company.options(*joined(session, Company.account_manager)), *others)
    wanted = wanted.options(selectinload(ActivationRequest.items).options(*parts))
    found = session.scalars(wanted).one_or_none() if pk < 2**31 else None
    if found is None:
        raise NotFound
    return found


def request_page(session: RecordSession, record: ActivationRequest, actor: Actor, deed: Deed | None) -> dict[str, Any]:
    """Return what ``_activation_request.html`` shows; ``deed`` is the verb whose form is open, else the next is."""
    subjects.look_up(session, [record], actor)
    deed = deed or next_deed(session, actor, record)
    asked, known = services(session, record, actor), is_known(session, record)
    pending = undecided(session, record) if deed is None else []
    mine = [one["code"] for one in asked if one["code"] in pending and one["decision"]["verbs"]]
    return {
        "title": _heading(record),
        "number": record.number,
        "state": _cell(record, "state", actor),
        "due": _cell(record, "answer_by", actor),
        "came": _cell(record, "created_at", actor),
        "channel": _cell(record, "channel", actor),
        "url": addresses.record_url(record),
        "verbs": _verbs(record, actor, deed),
        "who": _who(record, actor, known=known),
        "services": asked,
        "deed": deed.page() if deed is not None else None,
        "letter": _letter(session, record, known=known)
        if deed is not None and deed.transition.name == "answer"
        else None,
        # What has to be decided on before anything comes next: by whoever looks, and by others.
        "waits": mine,
        "others": [code for code in pending if code not in mine],
        "open": record.state not in _ENDED,
        "proposal": record.proposal,
        "timeline": _timeline(session, record, actor),
    }


def _heading(record: ActivationRequest) -> str:
    company = record.company_name or record.number
    asked = ", ".join(item.online_service.code for item in record.items)
    if not asked:
        return f"{company}: {show.in_sentence(record.kind.label)}"
    return _("%(company)s asks for %(services)s", company=company, services=asked)


def _cell(record: ActivationRequest, name: str, actor: Actor) -> show.Cell:
    return dressed(show.cell(record, fields(ActivationRequest)[name], actor))


def _verbs(record: ActivationRequest, actor: Actor, deed: Deed | None) -> list[dict[str, Any]]:
    """Return the verbs beside the one whose form is open, and the way to the files."""
    shown = deed.transition.name if deed is not None and deed.record is record else None
    found = [
        {"label": t.label, "icon": t.icon, "url": deed_url(record, record, t.name) + "#next"}
        for t in transitions_open(record, actor)
        if t.name not in (shown, "verify")
    ]
    if actor.may(Action.read, Attachment):
        files = addresses.record_url(record, tab="attachment.activation_request")
        found.append({"label": Attachment.__admin__.plural, "icon": Attachment.__admin__.icon, "url": files})
    return found


def _who(record: ActivationRequest, actor: Actor, *, known: bool) -> dict[str, Any]:
    company = record.company
    verify = next((t for t in transitions_open(record, actor) if t.name == "verify"), None)
    shown = ((fields(ActivationRequest)[name], _cell(record, name, actor)) for name in _FACTS)
    return {
        "name": _cell(record, "requester_name", actor),
        "email": _cell(record, "email", actor),
        "known": known,
        "verified": record.verified_how if record.verified_at is not None else None,
        "verify_url": deed_url(record, record, "verify") + "#next" if verify and record.company_id else None,
        "company": _cell(record, "company", actor),
        "written": record.company_name if company is None or company.legal_name != record.company_name else None,
        "matched": record.company_id is not None,
        "facts": _company_facts(company, actor) if company is not None else [],
        "rows": [{"label": field.label, "cell": cell} for field, cell in shown if not cell.empty],
    }


def _company_facts(company: Company, actor: Actor) -> list[show.Cell]:
    if not actor.may(Action.read, Company):
        return []
    known = fields(Company)
    cells = [dressed(show.cell(company, known[name], actor)) for name in ("state", "size_class", "account_manager")]
    return [cell for cell in cells if not cell.empty]


def _letter(session: RecordSession, record: ActivationRequest, *, known: bool) -> dict[str, Any]:
    """Return the letter around the answer, so that people read the whole while they change its middle."""
    letter = answer_around(session, record, _MARK)
    before, _sep, after = letter.text.partition(_MARK)
    return {
        "subject": letter.subject,
        "before": before.strip(),
        "after": after.strip(),
        "neutral": not known,
    }


def _timeline(session: RecordSession, record: ActivationRequest, actor: Actor) -> list[dict[str, Any]]:
    """Return what has happened and what was written, newest first."""
    entries = timeline.find_entries(session, record, actor)[: timeline.SIZE]
    # A step that writes its record twice, such as fulfilling and then drafting the answer, happened once.
    entries = [
        next(same) for _step, same in groupby(entries, lambda entry: (entry.who, entry.sentence, show.when(entry.at)))
    ]
    found: list[dict[str, Any]] = [
        {
            "at": entry.at,
            "icon": "plus-lg" if entry.event == "created" else "lightning",
            "who": entry.who,
            "sentence": entry.sentence,
            "when": show.when(entry.at),
            "when_iso": entry.at.isoformat(),
        }
        for entry in entries
    ]
    if mails.may_read_mails(record, actor):
        found += [{**mail, "icon": "envelope", "mail": True} for mail in mail_list(record, actor, session)]
    return sorted(found, key=lambda entry: entry["at"], reverse=True)
