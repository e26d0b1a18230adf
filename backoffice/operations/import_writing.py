"""Judged rows into records: together where possible, one by one where one of them fails."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

import sqlalchemy as sa
from flask_babel import gettext as _

from backoffice.access import acting
from backoffice.errors import DomainError, InvalidRecord
from backoffice.history import recording
from backoffice.operations.external_codes import keep_codes
from backoffice.operations.import_judging import WRITTEN, Judge
from backoffice.operations.import_mapping import adding
from backoffice.operations.import_rows import Finding, Verdict
from backoffice.operations.openings import open_record
from backoffice.operations.plain import add_record, alter_record, change_record, flush, follow_up
from models.base import Recorded
from models.import_batch import ImportOutcome


def write_chunk(judge: Judge, verdicts: Sequence[Verdict]) -> None:
    """Write a chunk in one flush; where that fails, row by row, so that only the guilty ones are left out."""
    for verdict in verdicts:
        if verdict.outcome not in WRITTEN:
            verdict.note()
    wanted = [verdict for verdict in verdicts if verdict.outcome in WRITTEN]
    if _written_together(judge, wanted):
        return
    for verdict in wanted:
        (again,) = judge.judge([verdict.row], remember=False)
        if again.outcome not in WRITTEN or not _written_together(judge, [again]):
            again.outcome = ImportOutcome.refused
            again.note()


def try_chunk(judge: Judge, verdicts: Sequence[Verdict]) -> None:
    """Refuse in a trial what would fail as it is written: what is in doubt is written, and taken back."""
    doubtful = judge.doubtful(verdicts)
    if doubtful and not _would_be_written(judge, doubtful):
        for verdict in doubtful:
            verdict.reasons.clear()
            if not _would_be_written(judge, [verdict]):
                verdict.outcome = ImportOutcome.refused
    for verdict in verdicts:
        verdict.note()


def _would_be_written(judge: Judge, verdicts: Sequence[Verdict]) -> bool:
    attempt = judge.session.begin_nested()
    try:
        return _written_together(judge, verdicts)
    finally:
        attempt.rollback()
        for verdict in verdicts:
            verdict.record = None


def _written_together(judge: Judge, verdicts: Sequence[Verdict]) -> bool:
    """Say whether all of ``verdicts`` could be written; otherwise nothing of them was."""
    session = judge.session
    try:
        with session.begin_nested(), ExitStack() as stack:
            if judge.columns.entity.__admin__.configuration:
                stack.enter_context(acting(session, adding(judge.columns.entity)))
            for verdict in verdicts:
                _put(judge, verdict)
                if judge.batch.restores or verdict.brings_past:
                    stack.enter_context(recording(session, _record(verdict), "imported"))
            if verdicts:
                flush(session, _record(verdicts[0]))
            if not judge.batch.restores:
                follow_up(session, [_record(verdict) for verdict in verdicts], actor=judge.actor)
            codes = {verdict.code: _record(verdict).id for verdict in verdicts if verdict.code is not None}
            if codes:
                keep_codes(session, judge.columns.entity, str(judge.batch.source_system), codes, judge.actor)
    except (DomainError, sa.exc.IntegrityError, sa.exc.DataError) as error:
        for verdict in verdicts:
            verdict.record = None if verdict.outcome is ImportOutcome.new else verdict.record
            verdict.reasons.extend(_reasons(judge, verdict, error))
        return False
    for verdict in verdicts:
        record = _record(verdict)
        verdict.row.record_id, verdict.row.written_version, verdict.row.applied = record.id, record.version, True
    return True


def _put(judge: Judge, verdict: Verdict) -> None:
    if verdict.record is None:
        entity, is_whole = judge.columns.entity, judge.batch.restores
        verdict.record = add_record(judge.session, entity, verdict.cleaned, actor=judge.actor, is_whole=is_whole)
        if entity.__admin__.scope.groupless:
            # Others of its kind count for the whole installation; this one is of the group whose file it is in.
            verdict.record.group_id = judge.actor.group_id  # type: ignore[attr-defined]
        if verdict.brings_past:
            open_record(judge.session, verdict.record, verdict.cleaned, actor=judge.actor)
    elif judge.batch.restores:
        change_record(verdict.record, verdict.cleaned)
    else:
        alter_record(judge.session, verdict.record, verdict.cleaned, actor=judge.actor)


def _record(verdict: Verdict) -> Recorded:
    assert verdict.record is not None
    return verdict.record


def _reasons(judge: Judge, verdict: Verdict, error: Exception) -> list[Finding]:
    if isinstance(error, InvalidRecord):
        return [judge.columns.finding(verdict.row, name, str(sentence)) for name, sentence in error.problems.items()]
    return [("", "", str(error) if isinstance(error, DomainError) else _("The database refuses one of the values."))]
