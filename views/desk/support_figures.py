"""How assistance stands: what is open and late, which promises were kept, what hours are left, what lateness costs.

Every number is a count of rows that the list behind its link shows, within the reader's row scope; beside a sum or a
median stands how many rows it is made of. There is no figure for a person: whoever works is not measured here, but on a
page of its own that is closed unless a setting opens it (art. 4 L. 300/1970).
"""

from __future__ import annotations

from typing import Any

from flask import render_template, request, url_for
from flask_appbuilder import BaseView, expose
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from flask_login import current_user

from backoffice.actors import Action, Actor
from backoffice.database import RecordSession
from backoffice.errors import Forbidden, NotFound
from backoffice.records.pages import find_counts, read_query
from backoffice.setting_keys import OPERATOR_FIGURES
from backoffice.settings import setting_value
from models.base import Category
from models.catalogue import fields
from models.penalty import Penalty
from models.setting import Setting
from models.support_package import PackageState, SupportPackage
from models.ticket import Ticket
from views import interrupted
from views.desk.support_choices import Choices, read_choices
from views.desk.support_sections import (
    NOW,
    Count,
    breakdown,
    number,
    promises,
    times,
)
from views.desk.support_sums import sums
from views.door import close_session, current_actor, current_session
from views.frame import OwnPage, add_page, set_place
from views.generated.exporting import keep_entry
from views.generated.guarding import require_same_group

#: What is counted besides the tickets.
ONES = (
    Count(Penalty, _l("Penalties to decide on"), ("state:in:proposed",), "wait"),
    Count(SupportPackage, _l("Packages in use"), (f"state:in:{PackageState.active}",)),
    Count(SupportPackage, _l("Packages used up"), (f"state:in:{PackageState.exhausted}",)),
)


def may_look(actor: Actor) -> bool:
    """Say whether somebody sees how assistance stands."""
    return actor.may(Action.read, Ticket)


def may_measure(session: RecordSession, actor: Actor) -> bool:
    """Say whether the figures of single operators are open: the setting is ticked, and the reader answers for it."""
    answers = actor.may(Action.export, Ticket) and actor.may(Action.read, Setting)
    return answers and setting_value(session, OPERATOR_FIGURES, actor.group_id)


class SupportFiguresView(BaseView):
    """Numbers of tickets, promises, hours and penalties."""

    route_base = "/support-figures"
    default_view = "show"

    @expose("/")
    def show(self) -> Any:
        """Show all numbers, by what the address chooses, for the time it chooses."""
        if (refused := _refused()) is not None:
            return refused
        session, actor = current_session(), current_actor()
        return render_template("support_figures.html", page=_page(session, actor, read_choices(actor)))

    @expose("/operators")
    def operators(self) -> Any:
        """Show the same numbers of tickets by who works on them, where that is allowed; each look is written down."""
        if (refused := _refused()) is not None:
            return refused
        session, actor = current_session(), current_actor()
        if not may_measure(session, actor):
            raise NotFound
        page = _measured(session, actor)
        close_session()  # one writes at a time on SQLite
        asked = request.query_string.decode("utf-8", "replace")[:4_000]
        columns = [fields(Ticket)[name] for name in ("assignee", "state", "due_at")]
        keep_entry(
            Ticket, columns, "page", conditions=asked, row_count=len(page["breakdown"]["rows"]), is_complete=True
        )
        return render_template("operator_figures.html", page=page)


def _refused() -> Any:
    if not current_user.is_authenticated:
        return interrupted.sign_in_first()
    if not may_look(current_actor()):
        raise Forbidden
    require_same_group()
    return None


def _page(session: RecordSession, actor: Actor, chosen: Choices) -> dict[str, Any]:
    counts = [*NOW, *(count for count in ONES if actor.may(Action.read, count.entity))]
    found = find_counts(session, [read_query(c.entity, actor, filters=list(c.filters)) for c in counts])
    return {
        "chosen": chosen.page(),
        "tiles": [number(count, many) for count, many in zip(counts, found, strict=True)],
        "breakdown": breakdown(session, actor, chosen),
        "promises": promises(session, actor, chosen.period),
        "times": times(session, actor, chosen.period),
        **sums(session, actor, chosen.period),
        "operators_url": url_for("SupportFiguresView.operators") if may_measure(session, actor) else None,
    }


def _measured(session: RecordSession, actor: Actor) -> dict[str, Any]:
    chosen = read_choices(actor, ("assignee",))
    set_place(str(_lp("figures", "By operator")), url_for("SupportFiguresView.operators"))
    return {
        "chosen": chosen.page(),
        "breakdown": breakdown(session, actor, chosen),
        "back_url": url_for("SupportFiguresView.show"),
    }


add_page(
    OwnPage("support-figures", _l("How assistance stands"), "bar-chart", "SupportFiguresView.show", may_look,
            Category.support, rank=2)
)  # fmt: skip
