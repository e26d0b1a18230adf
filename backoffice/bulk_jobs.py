"""Doing something to many records as a job: the same steps as on the page, each kept before the next."""

from __future__ import annotations

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from backoffice.background import Work, job_kind
from backoffice.errors import Text
from backoffice.operations.bulk import get_run
from backoffice.operations.bulk_deeds import MANY, carry_out
from backoffice.operations.bulk_results import count_outcomes
from models.base import ENTITIES
from models.bulk_run import BulkOutcome
from models.values import show_number

_DONE: Text = _l("%(done)s done, %(changed)s changed by others in the meantime, %(refused)s not possible")


@job_kind(MANY)
def do_run(work: Work) -> str:
    """Do what a confirmed run asks to the records that still wait."""
    with work.session() as session:
        run = get_run(session, ENTITIES[work.arguments["entity"]], work.arguments["run"], actor=work.actor)
        sa.orm.make_transient(run)  # plain values: it is read once, whatever the session lets go of
        for done in carry_out(session, run, actor=work.actor):
            work.keep(session, done, run.row_count)
            session.expunge_all()  # the next ones are seen as they are stored by then
        counts = count_outcomes(session, run)
    return str(_DONE) % {str(outcome): show_number(counts.get(outcome, 0)) for outcome in BulkOutcome}
