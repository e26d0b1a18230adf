"""The desk's pages on which records that are there twice are found, compared and merged, and a merge is undone."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, request
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _
from markupsafe import Markup

from backoffice.actors import Action, Actor
from backoffice.errors import BadRequest, DomainError, Forbidden, NotFound
from backoffice.operations import merging
from backoffice.operations.merge_undo import get_merge, undo_merge
from backoffice.records import show
from backoffice.records.lookup import get_record, parse_key
from models.base import Recorded
from models.catalogue import fields
from views import addresses, interrupted
from views.door import commit, current_actor, current_session, read_again
from views.frame import set_place
from views.generated import merging as shown
from views.generated.guarding import guarded
from views.generated.pages import add_link, set_record


class MergePages(BaseView):
    """The pages of one entity that says what its duplicates have in common."""

    entity: type[Recorded]

    @expose("/duplicates")
    @guarded(Action.delete)
    def duplicates(self) -> Any:
        self._require_right()
        set_place(_("Duplicates"), "")
        page = shown.list_page(current_session(), self.entity, current_actor())
        return self.render_template("duplicates.html", page=page)

    @expose("/<pk>/merge")
    @guarded(Action.delete)
    def merge_with(self, pk: str) -> Any:
        self._require_right()
        record = get_record(current_session(), self.entity, pk)
        set_record(record, _("Merge"))
        term = request.args.get("q", "").strip()
        page = shown.choose_page(current_session(), record, term, current_actor())
        return self.render_template("merge_with.html", page=page)

    @expose("/merge", methods=["GET", "POST"])
    @guarded(Action.delete)
    def merge(self) -> Any:
        self._require_right()
        if request.method != "POST" or interrupted.resumed():
            return self._compare()
        keep, drop = self._both()
        names = {"kept": show.label(keep, current_actor()), "dropped": show.label(drop, current_actor())}
        try:
            versions = _version("keep_version"), _version("drop_version")
            choices, actor = self._choices(), current_actor()
            done = merging.merge_records(current_session(), keep, drop, choices, versions=versions, actor=actor)
            merge_id = done.id
            commit()
        except (NotFound, Forbidden, BadRequest):
            raise
        except DomainError as error:
            read_again()
            # Whoever has seen the other version by now may go on from it.
            return self._compare(error), error.status
        text = _("“%(dropped)s” is part of “%(kept)s” now.", **names)
        undo = shown.undo_url(self.entity, merge_id)
        flash(Markup('{} <a href="{}">{}</a>').format(text, undo, _("Undo")), "good")
        return redirect(addresses.record_url(keep), 303)

    def _compare(self, problem: DomainError | None = None) -> Any:
        keep, drop = self._both()
        set_record(keep, _("Merge"))
        try:
            merging.require_pair(keep, drop)
        except merging.OtherOwner as error:
            return self.render_template("merge.html", page=_other_owner(keep, drop, error))
        taken = self._choices() if request.method == "POST" else None
        page = shown.compare_page(current_session(), keep, drop, current_actor(), taken=taken, problem=problem)
        return self.render_template("merge.html", page=page)

    def _both(self) -> tuple[Any, Any]:
        keys = [request.args.get(name, "") for name in ("keep", "drop")]
        keep, drop = (get_record(current_session(), self.entity, key) for key in keys)
        return keep, drop

    def _choices(self) -> list[str]:
        """Return the fields whose value the form takes from the record that goes."""
        return [name for name in fields(self.entity) if request.form.get(f"take.{name}") == "drop"]

    @expose("/merges/<pk>/undo", methods=["GET", "POST"])
    @guarded(Action.delete)
    def undo_merge(self, pk: str) -> Any:
        self._require_right()
        merge = self._merge(pk)
        set_place(_("Undo a merge"), "")
        if request.method == "POST" and not interrupted.resumed():
            try:
                record = undo_merge(current_session(), merge, actor=current_actor())
                commit()
            except (NotFound, Forbidden):
                raise
            except DomainError as error:
                read_again()
                page = self._undo_page(pk) | {"problem": str(error), "blocked": True}
                return self.render_template("confirm.html", page=page), error.status
            flash(
                _("The merge is undone: “%(name)s” is there again.", name=show.label(record, current_actor())), "good"
            )
            return redirect(addresses.record_url(record), 303)
        return self.render_template("confirm.html", page=self._undo_page(pk))

    def _undo_page(self, pk: str) -> dict[str, Any]:
        return shown.undo_page(current_session(), self.entity, self._merge(pk), current_actor())

    def _merge(self, pk: str) -> Any:
        key = parse_key(pk)
        if key is None:
            raise NotFound
        return get_merge(current_session(), self.entity, key, actor=current_actor())

    def _require_right(self) -> None:
        if not merging.may_merge(self.entity, current_actor()):
            raise Forbidden


def _version(name: str) -> int:
    text = request.form.get(name, "")
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise BadRequest(reason=_("the form does not say which version of the record it was made from."))
    return int(text)


def _other_owner(keep: Any, drop: Any, problem: DomainError) -> dict[str, Any]:
    """Return what ``merge.html`` shows of two records whose owners must be merged first."""
    rule = type(keep).__admin__.duplicates
    owners = [getattr(record, rule.within) for record in (keep, drop)] if rule is not None else []
    actor = current_actor()
    open_to = all(owner is not None and merging.may_merge(type(owner), actor) for owner in owners)
    return {
        "heading": _("Merge two records: %(entities)s", entities=show.in_sentence(type(keep).__admin__.plural)),
        "keep": shown.row_of(keep, actor),
        "drop": shown.row_of(drop, actor),
        "problems": [str(problem)],
        "blocked": True,
        "owners_url": shown.merge_url(*owners) if open_to else None,
        "cancel_url": f"{shown.root(type(keep))}/duplicates",
    }


def _link(record: Any, actor: Actor) -> dict[str, Any] | None:
    """Offer merging on the page of a record, to those who may."""
    if not merging.may_merge(type(record), actor):
        return None
    return {"label": _("Merge with another…"), "icon": "union", "url": addresses.action_url(record, "merge")}


add_link(Recorded, _link)
