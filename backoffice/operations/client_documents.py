"""Documents for clients: published with their file, replaced by a later one, withdrawn (chapter 4.10, ED-05)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.actors import SYSTEM, Actor
from backoffice.errors import DomainError, Text
from backoffice.lifecycles import Machine, Transition, register
from backoffice.operations.admission import Draft, Refusal, admits
from backoffice.operations.verbs import perform
from models.attachment import Attachment
from models.base import Recorded
from models.client_document import ClientDocument
from models.client_document import DocumentState as S

_NOT_PUBLISHED: Text = _l("Only a published document is replaced.")


class NoFile(DomainError):
    """What clients are to find has a file that is meant for them."""

    template = _l("Attach the file first, and tick that it is for the client.")


def files_for_client(session: Session, parent: Recorded) -> list[str]:
    """Return the digests of the files of a record that its client may open, the oldest first."""
    table = Attachment.__table__
    key = table.c[f"{parent.__table__.name}_id"]
    statement = sa.select(table.c.sha256).where(key == parent.id, table.c.client_visible).order_by(table.c.id)
    return list(session.scalars(statement, execution_options=INTERNAL))


@admits(ClientDocument)
def _refuse_replaced(_session: Session, drafts: Sequence[Draft]) -> Iterator[Refusal]:
    for draft in drafts:
        replaced = draft.value("replaces")
        if replaced is not None and draft.changes("replaces") and replaced.state is not S.published:
            yield draft, "replaces", _NOT_PUBLISHED


def _has_file(session: Session, document: ClientDocument, _values: Mapping[str, Any], _actor: Actor) -> None:
    if not files_for_client(session, document):
        raise NoFile


def _publish(session: Session, document: ClientDocument, _values: Mapping[str, Any], _actor: Actor) -> None:
    document.published_at = clock.now()
    if document.replaces is not None and document.replaces.state is S.published:
        perform(session, document.replaces, "replace", actor=SYSTEM)


DOCUMENTS = register(
    Machine(
        ClientDocument,
        "state",
        (
            Transition(
                name="publish",
                label=_l("Publish"),
                sources=(S.uploaded,),
                target=S.published,
                icon="send",
                tone="primary",
                guard=_has_file,
                effect=_publish,
                confirm=_l("The client finds it from now on, and neither it nor its files change any more."),
            ),
            Transition(
                name="withdraw",
                label=_l("Withdraw"),
                sources=(S.published,),
                target=S.withdrawn,
                icon="x-circle",
                tone="danger",
                inputs=("withdrawn_because",),
                confirm=_l("The client does not find it any more; here it stays."),
            ),
            Transition(
                name="replace",
                label=_l("Replace by a later document"),
                sources=(S.published,),
                target=S.replaced,
                automatic=True,
            ),
        ),
    )
)
