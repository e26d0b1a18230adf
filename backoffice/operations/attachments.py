"""Attachments: put to a record, removed with a reason, and the sweeping of contents that nobody refers to any more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock, history
from backoffice.access import INTERNAL, hold, leaving, prove_scope
from backoffice.actors import Action, Actor
from backoffice.errors import DomainError, Forbidden, InvalidRecord, NotFound
from backoffice.files.kinds import recognise
from backoffice.files.store import FileStore, digest, get_content
from backoffice.operations.cleaning import clean_value
from backoffice.operations.plain import flush
from models.attachment import PARENTS, Attachment
from models.base import Recorded
from models.catalogue import fields
from models.history_entry import EventName
from models.job import Job
from models.reading import BadValue
from models.ticket_archive import TicketArchive

#: What lies there without a row may be somebody's who is just about to commit; after this it is left over.
GRACE = timedelta(days=1)

EventName.words["attachment.add"] = _l("Attach a file")
EventName.words["attachment.remove"] = _l("Delete an attachment")


class ReasonMissing(DomainError):
    template = _l("Say why the attachment is deleted.")


class FilesFixed(DomainError):
    """AN-09: what was published or issued keeps the files it had."""

    template = _l("The files are fixed while the state is “%(state)s”: make a record that replaces this one.")
    status = 409


def files_fixed(parent: Recorded) -> bool:
    """Say whether the record is in a state in which its files stay as they are."""
    states = parent.__admin__.files_in
    return states is not None and parent.state not in states  # type: ignore[attr-defined]  # those have one


def _require_open(session: Session, parent: Recorded) -> None:
    if parent.__admin__.files_in is None:
        return
    # Whoever issues it meanwhile waits, or has done so.
    hold(session, parent)
    if files_fixed(parent):
        raise FilesFixed(state=parent.state.label)  # type: ignore[attr-defined]  # see above


def may_attach(actor: Actor, parent: Recorded) -> bool:
    """Say whether the actor's roles allow adding a file to records of this kind: whoever creates or changes them."""
    return actor.may(Action.create, Attachment) and _working_right(actor, type(parent)) is not None


def may_remove(actor: Actor, parent: type[Recorded]) -> bool:
    """Say whether the actor's roles allow removing files from records of this kind: whoever changes them."""
    return actor.may(Action.delete, Attachment) and actor.may(Action.update, parent)


def _working_right(actor: Actor, parent: type[Recorded]) -> Action | None:
    return next((action for action in (Action.update, Action.create) if actor.may(action, parent)), None)


def attach_file(
    session: Session,
    parent: Recorded,
    name: str,
    content: bytes,
    *,
    store: FileStore,
    limit_mb: int,
    actor: Actor,
    description: str = "",
    client_visible: bool = False,
) -> Attachment:
    """Add a file to ``parent``; its content is in the store when this returns, its row once the caller commits.

    Flushes; the parent's history records ``attachment.add``. If the caller does not commit, the content is swept.

    :raises Forbidden: the actor may not add files, or not work on such records.
    :raises NotFound: the parent is not one the actor may work on.
    :raises FilesFixed: the parent is in a state in which its files stay as they are.
    :raises EmptyFile, FileTooLarge, KindNotTaken, NotWhatItSays: the file is refused.
    :raises InvalidRecord: the description is refused.
    :raises StoreUnavailable: the content could not be stored.
    """
    if not may_attach(actor, parent) or parent.__table__.name not in PARENTS:
        raise Forbidden
    prove_scope(session, _working_right(actor, type(parent)) or Action.update, [parent])
    _require_open(session, parent)
    shown, media_type = recognise(name, content, limit_mb=limit_mb)
    attachment = Attachment(
        name=shown,
        description=_described(session, description),
        media_type=media_type,
        size_bytes=len(content),
        sha256=digest(content),
        client_visible=client_visible,
        group_id=parent.group_id,  # type: ignore[attr-defined]  # all that may have attachments belong to one
        is_demo=parent.is_demo,
    )
    setattr(attachment, str(parent.__table__.name), parent)
    session.add(attachment)
    # The parent was proven above, by the right that counts: that to work on it.
    with leaving(session, Attachment):
        flush(session, attachment)
    # After the row, so that whoever sweeps, and keeps new rows out meanwhile, never meets content on its way.
    store.put(attachment.sha256, content)
    history.note(session, parent, "attachment.add", {"attachment.name": [None, shown]})
    return attachment


def copy_files(session: Session, source: Recorded, target: Recorded, *, client_visible: bool = False) -> None:
    """Give ``target`` the files of ``source`` too; their content is in the store once. Flushes.

    Needs a session in which the product itself acts.
    """
    name, other = (str(record.__table__.name) for record in (source, target))
    wanted = sa.select(Attachment).where(getattr(Attachment, f"{name}_id") == source.id).order_by(Attachment.id)
    for file in session.scalars(wanted).all():
        kept = ("name", "description", "media_type", "size_bytes", "sha256", "group_id")
        copy = Attachment(**{key: getattr(file, key) for key in kept}, client_visible=client_visible)
        copy.is_demo = target.is_demo
        setattr(copy, other, target)
        session.add(copy)
        history.note(session, target, "attachment.add", {"attachment.name": [None, file.name]})
    session.flush()


def _described(session: Session, text: str) -> str | None:
    try:
        return clean_value(session, fields(Attachment)["description"], text)  # type: ignore[no-any-return]
    except BadValue as error:
        raise InvalidRecord({"description": str(error)}) from error


def parent_of(attachment: Attachment) -> Recorded:
    """Return the record an attachment belongs to; raise ``NotFound`` where it is not the actor's to see."""
    for name in PARENTS:
        parent = getattr(attachment, name)
        if parent is not None:
            return parent  # type: ignore[no-any-return]
    raise NotFound


def remove_attachment(session: Session, attachment: Attachment, reason: str, *, actor: Actor) -> Recorded:
    """Delete an attachment, for a reason that its parent's history keeps; return the parent. Flushes.

    Its content is swept later, unless another row refers to it.

    :raises Forbidden: the actor may not remove files from such records.
    :raises NotFound: the parent is not one the actor may change.
    :raises FilesFixed: the parent is in a state in which its files stay as they are.
    :raises ReasonMissing: no reason is given.
    """
    parent = parent_of(attachment)
    if not may_remove(actor, type(parent)):
        raise Forbidden
    prove_scope(session, Action.update, [parent])
    _require_open(session, parent)
    why = " ".join(reason.split())[:500]
    if not why or not why.isprintable():
        raise ReasonMissing(field="reason")
    history.note(
        session, parent, "attachment.remove", {"attachment.name": [attachment.name, None], "reason": [None, why]}
    )
    session.delete(attachment)
    with leaving(session, Attachment):
        flush(session, attachment)
    return parent


def files_in_sight(session: Session, store: FileStore) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each file that the session's actor sees; two files may have one name, but not here."""
    for attachment in session.scalars(sa.select(Attachment).order_by(Attachment.id)):
        yield f"{attachment.id}-{attachment.name}", get_content(store, attachment.sha256)


def left_over(session: Session, store: FileStore, now: datetime, *, limit: int = 500) -> list[str]:
    """Return the names of contents older than a day that no row refers to, as far as can be told without a lock."""
    old = [kept.key for kept in store.kept() if kept.put_at < now - GRACE]
    return [key for start in range(0, len(old), limit) for key in _unused(session, old[start : start + limit])]


def sweep(session: Session, store: FileStore, keys: list[str]) -> int:
    """Delete those of the contents that still no row refers to; return how many. The caller ends the transaction soon.

    Whoever attaches a file waits meanwhile: on SQLite for the writer, on PostgreSQL for this lock. So content that is
    here on behalf of a row has that row committed, and what has no row is nobody's.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text("LOCK TABLE attachment, job, ticket_archive IN SHARE MODE"), execution_options=INTERNAL)
    gone = _unused(session, keys)
    for key in gone:
        store.delete(key)
    return len(gone)


def contents_in_use(now: datetime, keys: Sequence[str] | None = None) -> sa.CompoundSelect[Any]:
    """Select as ``sha256`` what some row speaks of, so that it must be in the store: of ``keys``, where given."""
    attachment, job, archive = (cast("sa.Table", of.__table__) for of in (Attachment, Job, TicketArchive))
    arms = [
        sa.select(attachment.c.sha256),
        sa.select(job.c.file_sha256).where(job.c.file_sha256.is_not(None), job.c.file_until > now),
        sa.select(archive.c.sha256),
    ]
    if keys is not None:  # within each, so that its index serves
        arms = [arm.where(arm.selected_columns[0].in_(keys)) for arm in arms]
    return sa.union(*arms)


def _unused(session: Session, keys: list[str]) -> list[str]:
    found = set(session.scalars(contents_in_use(clock.now(), keys), execution_options=INTERNAL))
    return [key for key in keys if key not in found]
