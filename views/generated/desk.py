"""The desk's pages of any entity: list, record, form, delete, verbs, options. One Flask-AppBuilder view each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from flask import Response, flash, jsonify, redirect, render_template, request
from flask_appbuilder import AppBuilder, BaseView, expose
from flask_babel import gettext as _
from flask_login import current_user

from backoffice.actors import Action
from backoffice.database import UNREACHABLE, refusal_of
from backoffice.errors import BadRequest, Conflict, DomainError, Forbidden, InvalidRecord, NotFound, StillReferred, Text
from backoffice.lifecycles import Transition, get_transition, may_perform
from backoffice.operations import plain, verbs
from backoffice.records import show
from backoffice.records.lookup import find_options, get_record, hint, relations_of
from models.base import ENTITIES, Recorded
from models.catalogue import Kind, fields, slug
from views import addresses, interrupted
from views.door import commit, current_actor, current_session, read_again
from views.generated import exporting, form_pages, pages
from views.generated.forms import LineForms, RecordForm
from views.generated.listing import Listing, here

#: The inline children of a form; the view itself has a page called list.
Lines = list[LineForms]
#: What Flask-AppBuilder calls our actions.
PERMISSIONS = {
    Action.read: "list",
    Action.create: "add",
    Action.update: "edit",
    Action.delete: "delete",
    Action.transition: "transition",
    Action.export: "export",
}


def guarded(action: Action) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let only staff whose roles allow ``action`` on the view's entity come in; others sign in or get a 403."""

    def wrap(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def inner(self: DeskView, *args: Any, **kwargs: Any) -> Any:
            if not current_user.is_authenticated:
                return interrupted.sign_in_first()
            if not self.appbuilder.sm.has_access(f"can_{PERMISSIONS[action]}", self.class_permission_name):
                raise Forbidden
            # What all groups share has rights beyond the toolkit's names.
            current_actor().require(action, self.entity)
            return view(self, *args, **kwargs)

        inner._permission_name = PERMISSIONS[action]  # type: ignore[attr-defined]  # where FAB looks for it
        return inner

    return wrap


class DeskView(BaseView):
    """All pages of one entity. Subclasses say only which: they are made, never written."""

    entity: type[Recorded]
    default_view = "list"

    @expose("/")
    @guarded(Action.read)
    def list(self) -> Any:
        if "f_field" in request.args:
            return redirect(_canonical_filter(), 302)
        page = Listing(self.entity, current_actor()).page(current_session())
        page |= pages.list_actions(self.entity, current_actor())
        return self.render_template("list.html", page=page)

    @expose("/<pk>")
    @guarded(Action.read)
    def show(self, pk: str) -> Any:
        admin = self.entity.__admin__
        names = [*admin.facts, *(admin.form_columns if request.args.get("tab", "details") == "details" else ())]
        record = get_record(current_session(), self.entity, pk, relations=relations_of(self.entity, names))
        return self.render_template("record.html", page=pages.record_page(record, current_actor(), current_session()))

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
        if request.method == "GET" or interrupted.is_resumed():
            page = form_pages.form_page(*self._bound(pk)) | {"resumed": interrupted.is_resumed()}
            return self.render_template("form.html", page=page)
        try:
            record = self._save(pk)
        except InvalidRecord as error:
            return self._refused(pk, error.problems), 422
        except Conflict:
            return self._in_conflict(pk)
        except UNREACHABLE as error:
            refusal = refusal_of(error)
            return self._refused(pk, {"": str(refusal)}, title=_("Not saved")), refusal.status
        return _saved(record)

    def _bound(self, pk: str) -> tuple[RecordForm, Lines]:
        """Return the form of a record, or of a new one, with what was typed into it if it was sent."""
        session = current_session()
        record = get_record(session, self.entity, pk) if pk else None
        sent = request.form if request.method == "POST" else None
        form = RecordForm(self.entity, current_actor(), session, record=record, sent=sent, initial=self._initial())
        return form, [LineForms(form, name, sent) for name in self.entity.__admin__.inline]

    def _save(self, pk: str) -> Any:
        form, lines = self._bound(pk)
        values = form.values() | {line.name: line.values() for line in lines}
        if form.record is None:
            record = plain.create_record(current_session(), self.entity, values, actor=current_actor())
        else:
            record = form.record
            plain.update_record(current_session(), record, values, version=_version(), actor=current_actor())
        commit()
        return record

    def _initial(self) -> dict[str, Any]:
        """Return what a link to the form fills in beforehand, such as the company whose page it was on."""
        known = fields(self.entity)
        given = {
            name: request.args[name] for name in request.args if name in known and known[name].kind is Kind.relation
        }
        return {name: int(key) for name, key in given.items() if key.isascii() and key.isdigit() and len(key) < 10}

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

    def _in_conflict(self, pk: str) -> Any:
        """Show both versions: what was typed stays in the form, whose version becomes the stored one."""
        read_again()
        form, lines = self._bound(pk)
        assert form.record is not None
        clashes = form_pages.conflict(form, lines)
        if not clashes:  # sent twice, by a double click perhaps: all of it is stored
            return _saved(form.record)
        page = form_pages.form_page(form, lines) | {"version": form.record.version, "conflict": clashes}
        return self.render_template("form.html", page=page), 409

    @expose("/<pk>/delete", methods=["GET", "POST"])
    @guarded(Action.delete)
    def delete(self, pk: str) -> Any:
        record = get_record(current_session(), self.entity, pk)
        if self.entity.__admin__.append_only:
            raise Forbidden
        if request.method == "GET" or interrupted.is_resumed():
            return self.render_template("confirm.html", page=form_pages.delete_page(record, current_actor()))
        name = show.label(record, current_actor())
        try:
            plain.delete_record(current_session(), record, version=_version(), actor=current_actor())
            commit()
        except (StillReferred, Conflict) as error:
            stored = get_record(read_again(), self.entity, pk)
            page = form_pages.delete_page(stored, current_actor(), refused=error, session=current_session())
            return self.render_template("confirm.html", page=page), error.status
        flash(_("“%(name)s” is deleted.", name=name), "good")
        return redirect(addresses.list_url(self.entity), 303)

    @expose("/<pk>/do/<verb>", methods=["GET", "POST"])
    @guarded(Action.read)
    def do(self, pk: str, verb: str) -> Any:
        transition = get_transition(self.entity, verb)
        if not may_perform(transition, self.entity, current_actor()) or transition.automatic:
            raise Forbidden
        if request.method == "GET" or interrupted.is_resumed():
            page = form_pages.verb_page(*self._asked(pk, transition)) | {"resumed": interrupted.is_resumed()}
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
        sent = request.form if request.method == "POST" else None
        asked, shown = transition.asks or self.entity, None if transition.asks else record
        form = RecordForm(asked, current_actor(), current_session(), record=shown, sent=sent, names=transition.inputs)
        for name, bound in form.fields.items():
            bound.required = name not in transition.optional
        return record, transition, form

    def _perform(self, pk: str, transition: Transition) -> Recorded:
        record, _transition, form = self._asked(pk, transition)
        values, actor = form.values(), current_actor()
        verbs.perform(current_session(), record, transition.name, values, actor=actor, version=_version())
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
        options = [
            {"id": r.id, "label": show.label(r, actor), "hint": "" if actor.masked(type(r)) else hint(r)} for r in found
        ]
        return jsonify(options)

    @expose("/export.<kind>")
    @guarded(Action.export)
    def export(self, kind: str) -> Any:
        """Send the list as a spreadsheet: its columns or all, its filters, its order."""
        listing = Listing(self.entity, current_actor())
        return exporting.respond(listing, kind)

    def render_template(self, template: str, **context: Any) -> str:
        return render_template(template, **context)


def _saved(record: Recorded) -> Any:
    flash(_("“%(name)s” is saved.", name=show.label(record, current_actor())), "good")
    return redirect(addresses.record_url(record), 303)


def _version() -> int:
    """Return the version the sent form was made from; a form of ours always carries it."""
    text = request.form.get("version", "")
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise BadRequest(reason=_("the form does not say which version of the record it was made from."))
    return int(text)


def _canonical_filter() -> str:
    """Return the list's address with the filter just added to it, in the form addresses have."""
    values = [value for value in request.args.getlist("f_value") if value.strip()]
    operator = request.args.get("f_op", "")
    joined = "..".join(request.args.getlist("f_value")) if operator == "between" else ",".join(values)
    kept = [(k, v) for k, v in request.args.items(multi=True) if not k.startswith("f_") and k != "k"]
    added = f"{request.args['f_field']}:{operator}:{joined}"
    return here([*kept, ("f", added)])


def make_view(entity: type[Recorded]) -> type[DeskView]:
    """Return the desk view of ``entity``."""
    name = f"desk_{slug(entity)}"
    attributes = {
        "entity": entity,
        "route_base": f"/{slug(entity)}",
        "class_permission_name": entity.__table__.name,
        "__doc__": f"The pages of {entity.__name__}.",
    }
    return type(name, (DeskView,), attributes)


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
