"""Making a pseudonym of a person, everywhere: what follows from the declarations, and what texts say (PR-12).

What is personal in the person's own rows is overwritten, and its history erased. In everything else of their company
whatever names them is replaced, and elsewhere in the corporate group their addresses and numbers: a name alone may be
somebody else's there. Data that a client keeps in its own name, such as training records, are not the account's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL, context_of
from backoffice.operations import bell
from backoffice.operations.identities import Identity
from backoffice.operations.sign_in import DESK
from backoffice.operations.tickets import archive_anew
from models.account import Account
from models.account_session import AccountSession
from models.activation_request import ActivationRequest
from models.base import ENTITIES, Category, Model, Recorded
from models.catalogue import Field, Kind, fields
from models.client_link import ClientLink
from models.columns import Choice
from models.company import Company
from models.contact import Contact
from models.history_entry import HistoryEntry, HistoryErasure, HistoryPersonal
from models.import_batch import ImportBatch
from models.import_row import ImportKey, ImportRow
from models.inbound_mail import InboundMail, InboundMailSource
from models.job import Job
from models.outbox_mail import MailState, OutboxMail
from models.reading import fold
from models.sign_in_failure import SignInFailure

#: Looked at apart, or nobody's but the staff's: the toolkit's own tables and the ledgers.
_APART = ("ab_", "history_", "sign_in_", "export_entry", "alembic")
#: Rows that say nothing but who somebody is: of these the whole history goes, not only the names.
_NOTHING_BUT_THE_PERSON = (Account, AccountSession, Contact)
#: Tables whose rows are people: theirs are overwritten, the others are somebody else.
_PEOPLE = frozenset({Account.__tablename__, Contact.__tablename__})
#: Rows deleted at once.
_STEP = 500


def make_pseudonym(session: Session, account: Account, *, but: Sequence[Recorded] = ()) -> Identity:
    """Overwrite who an account was, wherever that stands; return by what it was recognised. Flushes.

    ``but``: rows that stay as they are, because a claim rests on them. Needs a session in which the system acts.
    """
    rows = list(_own_rows(session, account))
    who = _identity(session, account, rows)
    spared = {(row.__table__.name, row.id) for row in but}
    _stop_mails(session, account.email)
    for row in rows:
        if (row.__table__.name, row.id) not in spared:
            _overwrite(row, who)
    session.flush()
    _forget_doors(session, account, who)
    _forget_imports(session, rows)
    changed = _redact_texts(session, account, who, spared)
    _redact_mails(session, account, who)
    about_person = {(row.__table__.name, row.id) for row in rows if isinstance(row, _NOTHING_BUT_THE_PERSON)}
    for row in rows:
        # What was written of them before the account had a company names none.
        changed.setdefault(row.__table__.name, []).append(row.id)
    _redact_history(session, account, who, about_person, spared, changed)
    _drop_files(session, account)
    archive_anew(session, account)
    return who


def settle_claim(session: Session, account: Account, row: ActivationRequest) -> None:
    """Overwrite a row that was spared for a claim, once that is settled; ``account`` is a pseudonym. Flushes."""
    row.restricted = False
    _overwrite(row, Identity(account.username, frozenset(), frozenset(), frozenset()))
    session.flush()
    record = (row.__table__.name, row.id)
    wanted = sa.select(HistoryEntry.id).where(HistoryEntry.entity == record[0], HistoryEntry.record_id == record[1])
    _prove_erasure(session, account, {record})
    gone = sa.delete(HistoryPersonal).where(HistoryPersonal.entry_id.in_(wanted))
    session.execute(gone, execution_options=INTERNAL)


def _own_rows(session: Session, account: Account) -> Iterator[Recorded]:
    """Yield what is the person's by its declaration, and the contacts who they are."""
    for entity in ENTITIES.values():
        if entity.__admin__.scope.account is not None:
            yield from session.scalars(sa.select(entity).where(entity.account_scope() == account.id))
    same = sa.and_(Contact.company_id == account.company_id, Contact.email == account.email)
    wanted = sa.or_(Contact.id == account.contact_id, same) if account.company_id else Contact.id == account.contact_id
    yield from session.scalars(sa.select(Contact).where(wanted), execution_options={"include_deleted": True})


def _identity(session: Session, account: Account, rows: Sequence[Recorded]) -> Identity:
    """Return all by which the person is known: what their rows say, and what the history says they said before."""
    names, addresses, phones, usernames = set(), set(), set(), set()
    for row, values in _past_and_present(session, [row for row in rows if isinstance(row, Account | Contact)]):
        known = fields(type(row))
        for name, value in values.items():
            if not isinstance(value, str) or not value or name not in known:
                continue
            if known[name].kind is Kind.email:
                addresses.add(value)
            elif known[name].kind is Kind.phone:
                phones.add(value)
        names.add(str(values.get("full_name") or ""))
        names.add(f"{values.get('first_name') or ''} {values.get('last_name') or ''}")
        usernames.add(str(values.get("username") or ""))
    others = _known_of_others(session, account, rows)
    found = (frozenset(words - others) for words in (names, addresses, phones, usernames))
    return Identity(f"deleted-{account.id}", next(found), next(found), next(found), next(found))


def _known_of_others(session: Session, account: Account, rows: Sequence[Recorded]) -> set[str]:
    """Return what other people and the company itself are known by: an account passes from hand to hand, and a
    switchboard is nobody's.
    """
    own = {(type(row), row.id) for row in rows}
    others: list[Recorded] = [account.company] if account.company is not None else []
    for entity in (Account, Contact):
        same = entity.company_id == account.company_id if account.company_id else entity.id == account.id
        others += [row for row in session.scalars(sa.select(entity).where(same)) if (entity, row.id) not in own]
    known = {
        getattr(row, field.name)
        for row in others
        for field in fields(type(row)).values()
        if field.kind in (Kind.email, Kind.phone) and not (field.personal and isinstance(row, Company))
    }
    return known | {str(row) for row in others} | {row.username for row in others if isinstance(row, Account)}


def _past_and_present(session: Session, rows: Sequence[Recorded]) -> Iterator[tuple[Recorded, dict[str, Any]]]:
    for row in rows:
        now = {name: getattr(row, name) for name, field in fields(type(row)).items() if _is_text(field)}
        yield row, now
        for changes in _personal_history(session, row.__table__.name, row.id):
            pairs = {name: pair for name, pair in changes.items() if pair is not None}
            for side in (0, 1):
                yield row, now | {name: pair[side] for name, pair in pairs.items() if pair[side] is not None}


def _is_text(field: Field) -> bool:
    return field.kind in (Kind.text, Kind.email, Kind.phone)


def _personal_history(session: Session, table: str, key: int) -> list[dict[str, Any]]:
    wanted = (
        sa.select(HistoryPersonal.changes)
        .join(HistoryEntry, HistoryEntry.id == HistoryPersonal.entry_id)
        .where(HistoryEntry.entity == table, HistoryEntry.record_id == key)
    )
    return [changes or {} for changes in session.scalars(wanted, execution_options=INTERNAL)]


def _overwrite(row: Recorded, who: Identity) -> None:
    """Leave nothing personal in a row of the person's; what they wrote at length stays, without their name."""
    for field in fields(type(row)).values():
        value = getattr(row, field.column or field.name, None) if field.personal else None
        if value is None or isinstance(value, Choice):
            continue
        if field.kind is Kind.long_text:
            setattr(row, field.name, who.redact(value))
        elif field.nullable:
            setattr(row, field.column or field.name, None)
        else:
            setattr(row, field.name, who.address if field.kind is Kind.email else who.pseudonym)
    if isinstance(row, Contact) and row.deleted_at is None:
        row.deleted_at = clock.now()


def _stop_mails(session: Session, address: str) -> None:
    """Let no mail leave that waits for the person: it would speak to nobody."""
    table = cast("sa.Table", OutboxMail.__table__)
    open_ = (MailState.waiting, MailState.held, MailState.failed)
    stopped = sa.update(table).where(table.c.recipient == address, table.c.state.in_(open_))
    session.execute(stopped.values(state=MailState.cancelled, held_because=None), execution_options=INTERNAL)


def _forget_doors(session: Session, account: Account, who: Identity) -> None:
    """Take away the links the person was sent, their bell, and what was counted about their signing in."""
    bell.forget(session, account)
    session.execute(sa.delete(ClientLink).where(ClientLink.account_id == account.id), execution_options=INTERNAL)
    known = {fold(word)[:128] for word in (*who.usernames, *who.addresses)}
    counted = sa.delete(SignInFailure).where(SignInFailure.realm != DESK.code, SignInFailure.account.in_(known))
    session.execute(counted, execution_options=INTERNAL)
    tried = sa.delete(ImportKey).where(sa.func.lower(ImportKey.value).in_(who.telling))
    session.execute(tried, execution_options=INTERNAL)


def _forget_imports(session: Session, rows: Sequence[Recorded]) -> None:
    """Empty the rows of spreadsheets that became the person's: there first and last name stand apart."""
    for row in rows:
        batches = sa.select(ImportBatch.id).where(ImportBatch.entity == row.__table__.name)
        came_in = sa.select(ImportRow).where(ImportRow.record_id == row.id, ImportRow.batch_id.in_(batches))
        for cells in session.scalars(came_in).all():
            cells.cells, cells.findings = [""] * len(cells.cells), []
    session.flush()


def _redact_texts(
    session: Session, account: Account, who: Identity, spared: set[tuple[str, int]]
) -> dict[str, list[int]]:
    """Replace what names the person in every table; return the keys of what changed, of each table whose rows do not
    say themselves whose they are.
    """
    changed: dict[str, list[int]] = {}
    for table in Model.metadata.tables.values():
        if table.name in _PEOPLE:
            continue
        columns = [column for column in table.c if _holds_text(column)]
        if not columns or table.name.startswith(_APART) or _is_the_clients(table.name):
            continue
        where = _where_to_look(table, columns, account, who)
        if where is None:
            continue
        keys = list(table.primary_key.columns)
        found = session.execute(sa.select(*keys, *columns).where(where), execution_options=INTERNAL).all()
        for row in found:
            key = row[: len(keys)]
            if (table.name, key[0]) in spared:
                continue
            values = _redacted(columns, row[len(keys) :], who)
            if not values:
                continue
            if "version" in table.c:
                values["version"] = table.c.version + 1
            same = sa.and_(*(column == value for column, value in zip(keys, key, strict=True)))
            session.execute(sa.update(table).where(same).values(values), execution_options=INTERNAL)
            _drop_source(session, table, key[0])
            if not _says_whose(table.name):
                changed.setdefault(table.name, []).append(key[0])
    session.expire_all()
    return changed


def _redact_mails(session: Session, account: Account, who: Identity) -> None:
    """Take the user name out of the mails about the account, where it is one, even if it is a word like any other."""
    mails, whose = OutboxMail.__table__, replace(who, any_username=True)
    columns = [column for column in mails.c if _holds_text(column)]
    about = sa.and_(mails.c.cause_entity == Account.__tablename__, mails.c.cause_id == account.id)
    for key, *told in session.execute(sa.select(mails.c.id, *columns).where(about), execution_options=INTERNAL).all():
        values = _redacted(columns, told, whose)
        if values:
            session.execute(sa.update(mails).where(mails.c.id == key).values(values), execution_options=INTERNAL)


def _drop_source(session: Session, table: sa.Table, mail_id: int) -> None:
    """Let go of a mail as it came: in its headers and its parts the person is named beyond what can be replaced."""
    source: Any = InboundMailSource.__table__
    if table is not InboundMail.__table__:
        return
    session.execute(sa.delete(source).where(source.c.mail_id == mail_id), execution_options=INTERNAL)


def _says_whose(table: str) -> bool:
    """Say whether a row, and so each entry of its history, names the company it belongs to."""
    return table in ENTITIES and bool(ENTITIES[table].__admin__.scope.company)


def _is_the_clients(table: str) -> bool:
    """Say whether rows are data that a client keeps in its own name, or a ledger that nothing changes."""
    admin = ENTITIES[table].__admin__ if table in ENTITIES else None
    return admin is not None and (admin.category is Category.client_data or admin.append_only)


def _holds_text(column: sa.Column[Any]) -> bool:
    kind = getattr(column.type, "impl_instance", column.type)
    return isinstance(kind, sa.String | sa.JSON) and not isinstance(kind, sa.Enum) and not column.primary_key


def _where_to_look(
    table: sa.Table, columns: Sequence[sa.Column[Any]], account: Account, who: Identity
) -> sa.ColumnElement[bool] | None:
    """Return the condition that a row may name the person: all of their company, elsewhere where their address is.

    In what the product keeps of its own work, such as jobs, their full name is enough: nobody misses it there.
    """
    entity = ENTITIES.get(table.name)
    is_work = entity is None or entity.__admin__.category is Category.system
    words = (*who.telling, *(who.spelled if is_work else ()))
    found: list[sa.ColumnElement[bool]] = []
    for column in columns:
        text = sa.func.lower(sa.cast(column, sa.Text))
        found += [text.contains(word, autoescape=True) for word in words]
    if account.company_id is not None:
        found += _of_company(table, account.company_id)
    if not found:
        return None
    if "group_id" not in table.c:
        return sa.or_(*found)
    return sa.and_(sa.or_(*found), sa.or_(table.c.group_id.is_(None), table.c.group_id == account.group_id))


def _of_company(table: sa.Table, company_id: int) -> Iterator[sa.ColumnElement[bool]]:
    """Yield the conditions that a row is the company's: by its own column, or by that of the record it belongs to."""
    if table.name == Company.__tablename__:
        yield table.c.id == company_id
    elif "company_id" in table.c:
        yield table.c.company_id == company_id
    entity = ENTITIES.get(table.name)
    for name in entity.__admin__.scope.parents if entity is not None else ():
        parent = ENTITIES[name]
        if parent.__admin__.scope.company and name != Company.__tablename__:
            theirs = sa.select(parent.id).where(parent.company_scope() == company_id)
            yield table.c[f"{name}_id"].in_(theirs)


def _redacted(columns: Sequence[sa.Column[Any]], values: Sequence[Any], who: Identity) -> dict[str, Any]:
    """Return the columns that named the person, with what they say now."""
    found = {}
    for column, value in zip(columns, values, strict=True):
        without = who.redact(value)
        if without == value:
            continue
        typed = getattr(column.type, "kind", "text")
        # A number that became a pseudonym is no number; an address is still one.
        found[column.name] = None if typed == Kind.phone and column.nullable else without
    return found


def _redact_history(
    session: Session,
    account: Account,
    who: Identity,
    about_person: set[tuple[str, int]],
    spared: set[tuple[str, int]],
    changed: dict[str, list[int]],
) -> None:
    """Take the person out of what the history keeps apart: all that their own rows said, and their name elsewhere."""
    entry, personal = HistoryEntry.__table__, HistoryPersonal.__table__
    told = sa.func.lower(sa.cast(personal.c.changes, sa.Text))
    title = sa.func.lower(personal.c.record_title)
    named = [text.contains(word, autoescape=True) for text in (told, title) for word in who.telling]
    about = [sa.and_(entry.c.entity == table, entry.c.record_id == key) for table, key in sorted(about_person)]
    about += [sa.and_(entry.c.entity == table, entry.c.record_id.in_(keys)) for table, keys in changed.items()]
    wanted = (
        sa.select(entry.c.entity, entry.c.record_id, personal)
        .join(entry, entry.c.id == personal.c.entry_id)
        .where(sa.or_(entry.c.company_id == account.company_id, *named, *about))
    )
    gone: list[int] = []
    instead: list[dict[str, Any]] = []
    records: set[tuple[str, int]] = set()
    for row in session.execute(wanted, execution_options=INTERNAL):
        record = (row.entity, row.record_id)
        if record in spared:
            continue
        if record in about_person:
            gone.append(row.entry_id)
            records.add(record)
            continue
        without = {"changes": who.redact(row.changes), "record_title": who.redact(row.record_title)}
        if (without["changes"], without["record_title"]) != (row.changes, row.record_title):
            gone.append(row.entry_id)
            instead.append({"entry_id": row.entry_id, **without})
            records.add(record)
    _prove_erasure(session, account, records)
    for start in range(0, len(gone), _STEP):
        some = sa.delete(HistoryPersonal).where(HistoryPersonal.entry_id.in_(gone[start : start + _STEP]))
        session.execute(some, execution_options=INTERNAL)
    if instead:
        session.execute(sa.insert(HistoryPersonal), instead, execution_options=INTERNAL)


def _prove_erasure(session: Session, account: Account, records: set[tuple[str, int]]) -> None:
    """Write down what is erased and why: only then does the database permit it."""
    if not records:
        return
    actor = context_of(session).actor
    common = {"at": clock.now(), "actor_id": actor.id, "actor_name": actor.name}
    why = f"Deletion of account {account.id}"
    proofs = [{**common, "entity": table, "record_id": key, "reason": why} for table, key in sorted(records)]
    session.execute(sa.insert(HistoryErasure), proofs, execution_options=INTERNAL)


def _drop_files(session: Session, account: Account) -> None:
    """Let go of the spreadsheets made of the group's records: they may name the person, and others can be made."""
    table = cast("sa.Table", Job.__table__)
    kept = sa.update(table).where(table.c.group_id == account.group_id, table.c.file_sha256.is_not(None))
    without = dict.fromkeys(("file_name", "file_sha256", "file_until"))
    session.execute(kept.values(without), execution_options=INTERNAL)


__all__ = ["make_pseudonym", "settle_claim"]
