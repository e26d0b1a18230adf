"""The desk's pages of any entity: list, record, form, delete, verbs, options. One Flask-AppBuilder view each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, flash, jsonify, redirect, request
from flask_appbuilder import AppBuilder, expose
from flask_babel import gettext as _
from markupsafe import Markup

from backoffice.actors import Action
from backoffice.database import UNREACHABLE, refusal_of
from backoffice.errors import (
    BadRequest,
    Conflict,
    DomainError,
    Forbidden,
    InvalidRecord,
    NotFound,
    Text,
)
from backoffice.lifecycles import Transition, get_transition, may_perform
from backoffice.operations import plain, restoring, verbs
from backoffice.operations.attachments import attach_file
from backoffice.records import show
from backoffice.records.lookup import find_options, find_successor, get_record, hint, parse_key, relations_of
from backoffice.records.timeline import find_latest_save
from models.base import ENTITIES, Recorded
from models.catalogue import Kind, fields, slug
from views import addresses, interrupted
from views.door import commit, current_actor, current_session, read_again
from views.generated import exporting, form_pages, pages
from views.generated.bulk_pages import BulkPages
from views.generated.figures import figures_page
from views.generated.form_pages import form_version
from views.generated.forms import LineForms, RecordForm
from views.generated.guarding import guarded
from views.generated.list_addresses import canonical_filter
from views.generated.listing import Listing
from views.generated.merge_pages import MergePages
from views.generated.pages import set_record
from views.generated.removal_pages import RemovalPages
from views.generated.view_pages import ViewPages
from views.uploads import sent_files, storing

#: The inline children of a form; the view itself has a page called list.
Lines = list[LineForms]


class DeskView(BulkPages, ViewPages, RemovalPages):
    """All pages of one entity. Subclasses say only which: they are made, never written."""

    default_view = "list"

    @expose("/")
    @guarded(Action.read)
    def list(self) -> Any:
        if "f_field" in request.args:
            return redirect(canonical_filter(), 302)
        return self.shown_list()

    @expose("/figures")
    @guarded(Action.read)
    def figures(self) -> Any:
        page = figures_page(Listing(self.entity, current_actor()), current_session())
        return self.render_template("figures.html", page=page)

    @expose("/<pk>")
    @guarded(Action.read)
    def show(self, pk: str) -> Any:
        admin = self.entity.__admin__
        names = [*admin.facts, *admin.subtitle]
        names += admin.form_columns if request.args.get("tab", "details") == "details" else ()
        try:
            record = get_record(current_session(), self.entity, pk, relations=relations_of(self.entity, names))
        except NotFound:
            return self._merged(pk)
        set_record(record)
        return self.render_template("record.html", page=pages.record_page(record, current_actor(), current_session()))

    def _merged(self, pk: str) -> Any:
        """Go on to the record that this one was merged into: links to it lie in mails and bookmarks."""
        record = find_successor(current_session(), self.entity, pk, current_actor())
        if record is None:
            raise NotFound
        flash(_("What the link led to is part of this record now."), "good")
        return redirect(addresses.record_url(record), 302)

    @expose("/new", methods=["GET", "POST"])
    @guarded(Action.create)
    def add(self) -> Any:
        if addresses.add_url(self.entity) is None:
            raise Forbidden
        return self._form("")

    @expose("/<pk>/edit", methods=["GET", "POST"])
    @guarded(Action.update)
    def edit(self, pk: str) -> Any:
        if self.entity.__admin__.append_only or self.entity.__admin__.written_by_verbs:
            raise Forbidden
        return self._form(pk)

    def _form(self, pk: str) -> Any:
        if request.method != "POST" or interrupted.resumed():
            page = form_pages.form_page(*self._bound(pk)) | {"resumed": interrupted.resumed()}
            page["earlier"] = bool(pk) and "earlier" in request.args
            return self.render_template("form.html", page=page)
        if not pk and (question := pages.question(self.entity, current_actor(), current_session())) is not None:
            return self.render_template("form.html", page=form_pages.form_page(*self._bound("")) | question)
        try:
            record = self._save(pk)
        except InvalidRecord as error:
            return self._refused(pk, error.problems), 422
        except Conflict:
            return self._in_conflict(pk)
        except NotFound:
            return self._gone()
        except (Forbidden, BadRequest):
            raise
        except DomainError as error:
            return self._refused(pk, {error.field or "": str(error)}), error.status
        except UNREACHABLE as error:
            refusal = refusal_of(error)
            return self._refused(pk, {"": str(refusal)}, title=_("Not saved")), refusal.status
        return _saved(record, is_new=not pk)

    def _bound(self, pk: str) -> tuple[RecordForm, Lines]:
        """Return the form of a record, or of a new one, with what was typed into it if it was sent."""
        session = current_session()
        record = get_record(session, self.entity, pk) if pk else None
        set_record(record)
        sent = request.form if request.method == "POST" else None
        initial = self._initial() if record is None else self._earlier(record)
        form = RecordForm(self.entity, current_actor(), session, record=record, sent=sent, initial=initial)
        return form, [LineForms(form, name, sent) for name in self.entity.__admin__.inline]

    def _save(self, pk: str) -> Any:
        form, lines = self._bound(pk)
        values = form.values() | {line.name: line.values() for line in lines}
        if form.record is None:
            record = plain.create_record(current_session(), self.entity, values, actor=current_actor())
        else:
            record = form.record
            plain.update_record(current_session(), record, values, version=form_version(), actor=current_actor())
        commit()
        return record

    def _initial(self) -> dict[str, Any]:
        """Return what a link to the form fills in beforehand, such as the company whose page it was on."""
        known = fields(self.entity)
        given = {
            name: request.args[name] for name in request.args if name in known and known[name].kind is Kind.relation
        }
        return {name: key for name, raw in given.items() if (key := parse_key(raw)) is not None}

    def _earlier(self, record: Recorded) -> dict[str, Any]:
        """Return the values from before that a link in the record's history asks to put back."""
        key = parse_key(request.args.get("earlier", ""))
        if key is None:
            return {}
        return restoring.find_earlier(current_session(), record, key, actor=current_actor())

    def _refused(self, pk: str, problems: Mapping[str, Text], title: str | None = None) -> str:
        """Show the form again as it was typed, beside what is stored: nothing of what was tried remains."""
        read_again()
        form, lines = self._bound(pk)
        form.refuse(problems)
        for line in lines:
            start = f"{line.name}."
            line.refuse({key[len(start) :]: text for key, text in problems.items() if key.startswith(start)})
        page = form_pages.form_page(form, lines, problems=problems) | {"problems_title": title}
        return self.render_template("form.html", page=page)

    def _gone(self) -> Any:
        """Show what was typed into the form of a record that is no longer there, ready to become a new one."""
        action = addresses.add_url(self.entity)
        if action is None or not current_actor().may(Action.create, self.entity):
            raise NotFound
        read_again()
        form, lines = self._bound("")
        problems = {"": _("The record no longer exists, or you may not see it. Saved now, this becomes a new one.")}
        page = form_pages.form_page(form, lines, problems=problems) | {"action": action}
        return self.render_template("form.html", page=page), 404

    def _in_conflict(self, pk: str) -> Any:
        """Show both versions: what was typed stays in the form, whose version becomes the stored one."""
        read_again()
        form, lines = self._bound(pk)
        assert form.record is not None
        saves = form.record.version - form_version()
        latest = find_latest_save(current_session(), form.record, saves=saves)
        clashes = form_pages.conflict(form, lines, latest.fields if latest and saves > 0 else None)
        if not clashes:  # sent twice, by a double click perhaps: all of it is stored
            return _saved(form.record)
        page = form_pages.form_page(form, lines) | {"version": form.record.version, "conflict": clashes}
        page["saved"] = {"who": latest.who, "when": show.when(latest.at)} if latest else None
        return self.render_template("form.html", page=page), 409

    @expose("/<pk>/do/<verb>", methods=["GET", "POST"])
    @guarded(Action.read)
    def do(self, pk: str, verb: str) -> Any:
        transition = get_transition(self.entity, verb)
        if not may_perform(transition, self.entity, current_actor()) or transition.automatic:
            raise Forbidden
        if request.method != "POST" or interrupted.resumed():
            record, _transition, form = self._asked(pk, transition)
            obstacle = verbs.obstacle(current_session(), record, transition, actor=current_actor())
            page = form_pages.verb_page(record, transition, form, problem=obstacle)
            page |= {"resumed": interrupted.resumed(), "blocked": obstacle is not None}
            return self.render_template("confirm.html", page=page)
        try:
            record = self._perform(pk, transition)
        except (NotFound, Forbidden):
            raise
        except DomainError as error:
            return self._not_done(pk, transition, error), error.status
        except UNREACHABLE as error:
            refusal = refusal_of(error)
            return self._not_done(pk, transition, refusal), refusal.status
        flash(_("“%(verb)s”: done.", verb=transition.label), "good")
        return redirect(addresses.record_url(record), 303)

    def _asked(self, pk: str, transition: Transition) -> tuple[Recorded, Transition, RecordForm]:
        """Return the record, its verb, and the form of what that asks for, with what was typed into it."""
        record: Recorded = get_record(current_session(), self.entity, pk)
        set_record(record, transition.label)
        sent = request.form if request.method == "POST" else None
        asked, shown = transition.asks or self.entity, None if transition.asks else record
        form = RecordForm(
            asked,
            current_actor(),
            current_session(),
            record=shown,
            sent=sent,
            names=transition.inputs,
            initial=form_pages.proposal(current_session(), record, transition),
        )
        for name, bound in form.fields.items():
            bound.required = name not in transition.optional
        return record, transition, form

    def _perform(self, pk: str, transition: Transition) -> Recorded:
        record, _transition, form = self._asked(pk, transition)
        values, actor = form.values(), current_actor()
        verbs.perform(current_session(), record, transition.name, values, actor=actor, version=form_version())
        for name, content in sent_files("file") if transition.takes_files else ():
            attach_file(current_session(), record, name, content, actor=actor, **storing())
        commit()
        return record

    def _not_done(self, pk: str, transition: Transition, problem: DomainError) -> str:
        read_again()
        record, _transition, form = self._asked(pk, transition)
        if isinstance(problem, InvalidRecord):
            form.refuse(problem.problems)
        page = form_pages.verb_page(record, transition, form, problem=problem)
        return self.render_template("confirm.html", page=page)

    @expose("/options/<name>")
    @guarded(Action.read)
    def options(self, name: str) -> Response:
        """Answer a relation field: the rows it may point at, for what was typed."""
        field = fields(self.entity).get(name)
        if field is None or field.kind is not Kind.relation or field.name in current_actor().masked(self.entity):
            raise NotFound
        assert field.target is not None
        actor = current_actor()
        found = find_options(current_session(), field.target, request.args.get("q", ""), actor)
        options = [{"id": r.id, "label": show.label(r, actor), "hint": hint(r, actor)} for r in found]
        return jsonify(options)

    @expose("/export.<kind>")
    @guarded(Action.export)
    def export(self, kind: str) -> Any:
        """Send the list as a spreadsheet: its columns or all, its filters, its order."""
        listing = Listing(self.entity, current_actor())
        return exporting.respond(listing, kind)


def _saved(record: Recorded, *, is_new: bool = False) -> Any:
    flash(_("“%(name)s” is saved.", name=show.label(record, current_actor())), "good")
    for step in pages.first_steps(record, current_actor()) if is_new else ():
        flash(Markup('{} <a href="{}">{}</a>').format(step["first"], step["url"], step["label"]), "info")
    return redirect(addresses.record_url(record), 303)


def make_view(entity: type[Recorded]) -> type[DeskView]:
    """Return the desk view of ``entity``."""
    name = f"desk_{slug(entity)}"
    attributes = {
        "entity": entity,
        "route_base": f"/{slug(entity)}",
        "class_permission_name": entity.__table__.name,
        "__doc__": f"The pages of {entity.__name__}.",
    }
    bases = (DeskView,) if entity.__admin__.duplicates is None else (MergePages, DeskView)
    return type(name, bases, attributes)


def register(appbuilder: AppBuilder) -> None:
    """Give every entity its desk pages and, where it has one, its place in the menu."""
    for entity in ENTITIES.values():
        admin = entity.__admin__
        view = make_view(entity)
        if admin.menu:
            appbuilder.add_view(
                view,
                entity.__table__.name,
                label=admin.plural,
                icon=admin.icon,
                category=admin.category.value,
                category_label=admin.category.label,
            )
        else:
            appbuilder.add_view_no_menu(view)
