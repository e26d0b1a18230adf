"""Links by which whoever made an activation request follows it, answers a question, and accepts or declines a proposal.

It may be used until the request is closed, or some months have passed: each mail about the request brings one.
"""

from __future__ import annotations

from datetime import timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import context_of
from backoffice.errors import DomainError
from backoffice.operations.client_links import client_path
from backoffice.operations.links import NoSuchLink, check_link, find_link, make_link
from backoffice.operations.verbs import perform
from models.activation_request import ActivationRequest
from models.client_link import ClientLink, LinkPurpose
from models.outbox_mail import OutboxMail
from models.values import UtcInstant

#: How long a link is good.
_GOOD_FOR = timedelta(days=180)


class NoRequesterToWriteTo(DomainError):
    """Said in the outbox: between queueing and sending the request got another address."""

    template = _l("The request is gone or has another address by now.")


def mint_request_link(session: Session, mail: OutboxMail) -> str:
    """Make a token for whoever made the request the mail is about, and return the path that takes it."""
    request = session.get(ActivationRequest, mail.cause_id)
    if request is None or request.email != mail.recipient:
        raise NoRequesterToWriteTo
    purpose = LinkPurpose.request
    token = make_link(session, ClientLink, good_for=_GOOD_FOR, purpose=purpose, request_id=request.id)
    return client_path(session, mail, f"follow/{token}")


def find_request_by_link(session: Session, token: str) -> ActivationRequest:
    """Return which request a link shows; needs a session in which the product itself acts.

    :raises NoSuchLink: nobody made such a link.
    :raises LinkExpired: its time is over.
    """
    link = find_link(session, ClientLink, token)
    request = session.get(ActivationRequest, link.request_id) if link.request_id else None
    if request is None:
        raise NoSuchLink
    check_link(link)
    return request


def answer_by_link(session: Session, request: ActivationRequest, text: str) -> None:
    """Write down what the requester answers to the question that was asked back."""
    perform(session, request, "record_answer", {"answer": text}, actor=context_of(session).actor)


def accept_by_link(session: Session, request: ActivationRequest) -> None:
    """Write down that the requester accepts the proposal as it was sent; who, when and how is kept (AR-09)."""
    values = {"accepted_by": request.requester_name, "acceptance_evidence": _evidence(request)}
    perform(session, request, "accept", values, actor=context_of(session).actor)


def decline_by_link(session: Session, request: ActivationRequest, reason: str) -> None:
    """Write down that the requester declines: nothing that would have to be paid is activated."""
    values = {
        "refusal": reason.strip() or str(_DECLINED),
        "accepted_by": request.requester_name,
        "acceptance_evidence": _evidence(request),
    }
    perform(session, request, "decline", values, actor=context_of(session).actor)


def _evidence(request: ActivationRequest) -> str:
    return str(_BY_LINK) % {"address": request.email, "when": UtcInstant().show(clock.now())}


_BY_LINK = _l("By the link sent to %(address)s, on %(when)s.")
_DECLINED = _l("Declined by the client.")

__all__ = ["accept_by_link", "answer_by_link", "decline_by_link", "find_request_by_link", "mint_request_link"]
