"""Work in the background on the demonstration set."""

from __future__ import annotations

from flask_babel import ngettext

from backoffice.actors import SYSTEM, Context, Door
from backoffice.background import Work, job_kind
from backoffice.database import begin_writing, open_session
from backoffice.errors import Forbidden
from backoffice.operations.demonstration import REMOVAL, may_remove_demonstration
from models.values import show_number
from seed.demo import remove_demo


@job_kind(REMOVAL)
def remove_demonstration(work: Work) -> str:
    """Delete exactly the demonstration rows and users, all or none.

    :raises DemoStillUsed: real rows refer to them; they are named.
    """
    if not may_remove_demonstration(work.actor):
        raise Forbidden
    context = Context(SYSTEM, Door.job, on_behalf_of=work.actor.name)
    with begin_writing(), open_session(work.engine, context) as session, session.begin():
        count = remove_demo(session)
    return ngettext("%(count)s record deleted.", "%(count)s records deleted.", count, count=show_number(count))
