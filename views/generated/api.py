"""The REST API of every entity, generated from its declaration: JSON in and out, problems for refusals.

It is entered with tokens and keys only. No session cookie ever counts here (M2): the API is exempt from the CSRF check,
so a page of somebody else could otherwise write through a signed-in browser. Rights, row scope and masks are those of
the person whom the token or key names.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any, ClassVar

from apispec import APISpec
from flask import Blueprint, Response, current_app, g, request
from flask_appbuilder import AppBuilder
from flask_appbuilder.api import BaseApi, expose
from flask_appbuilder.api.manager import OpenApi, SwaggerView
from flask_appbuilder.security.decorators import permission_name
from flask_babel import lazy_gettext as _l
from flask_jwt_extended import get_current_user, verify_jwt_in_request

from backoffice.actors import Action, Actor, Door
from backoffice.database import time_limited
from backoffice.errors import Conflict, Forbidden, NotFound
from backoffice.lifecycles import get_transition, may_perform
from backoffice.operations.api_keys import MARK, TooManyRequests
from backoffice.operations.plain import create_record, delete_record, update_record
from backoffice.operations.verbs import perform
from backoffice.records.lookup import get_record, relations_of
from backoffice.records.pages import find_page, read_query
from models.base import ENTITIES, Recorded
from models.catalogue import slug
from views.api_keys import actor_of_key
from views.door import commit, current_actor, current_session, fresh_session
from views.generated import documents, openapi, schemas
from views.generated.api_requests import json_object, link, list_arguments, load, submitted_version
from views.problems import answer_with_problems, problem_of

Endpoint = Callable[..., Response]


class PasswordExpired(Forbidden):
    template = _l("Choose a new password first: sign in at the desk.")


def by_token(endpoint: Endpoint) -> Endpoint:
    """Let ``endpoint`` be reached with a valid token or key in the Authorization header, and by nothing else."""

    @functools.wraps(endpoint)
    def enter(self: RecordApi, *args: Any, **kwargs: Any) -> Response:
        g.door = Door.api
        try:
            g.actor = _who_asks()
        except TooManyRequests as error:
            refusal = problem_of(error)
            refusal.headers["Retry-After"] = str(error.seconds)
            return refusal
        fresh_session()  # whatever a cookie of the same request has opened
        if g.actor.must_change_password:
            raise PasswordExpired
        return endpoint(self, *args, **kwargs)

    return enter


def _who_asks() -> Actor:
    """Return whose token or key this request carries; raise what a wrong one raises."""
    _scheme, _space, sent = request.headers.get("Authorization", "").partition(" ")
    if sent.startswith(MARK):
        return actor_of_key(sent)
    verify_jwt_in_request(locations=["headers"])
    return get_current_user().actor  # type: ignore[no-any-return]


class RecordApi(BaseApi):
    """Lists, reads, writes and moves the records of one entity; subclasses name it."""

    entity: ClassVar[type[Recorded]]
    allow_browser_login = False
    method_permission_name = {
        "get_list": "list",
        "get": "show",
        "post": "add",
        "put": "edit",
        "delete": "delete",
        "info": "list",
        "do": "transition",
    }

    def create_blueprint(
        self, appbuilder: AppBuilder, endpoint: str | None = None, static_folder: str | None = None
    ) -> Blueprint:
        blueprint: Blueprint = super().create_blueprint(appbuilder, endpoint, static_folder)
        answer_with_problems(blueprint)
        return blueprint

    def add_api_spec(self, api_spec: APISpec) -> None:
        """Describe this API in OpenAPI, from the same declaration."""
        openapi.describe(api_spec, self)

    @expose("/")
    @permission_name("list")
    @by_token
    def get_list(self) -> Response:
        """Return one page, in the same grammar as the lists of the desk."""
        actor = _may(Action.read, self.entity)
        query = read_query(self.entity, actor, **list_arguments())
        names = schemas.shown_fields(self.entity)
        with time_limited(current_session(), current_app.config["STATEMENT_TIMEOUT_MS"]):
            page = find_page(current_session(), query, relations=relations_of(self.entity, list(names)))
        found = [documents.document(row, actor, lines=False) for row in page.rows]
        body = {"result": found, "count": page.count, "count_is_capped": page.capped}
        return answer(body | {"next": link(page.next), "previous": link(page.previous)})

    @expose("/_info")
    @permission_name("list")
    @by_token
    def info(self) -> Response:
        """Return what the entity consists of and what the caller may do with it."""
        return answer(documents.description(self.entity, _may(Action.read, self.entity)))

    @expose("/<pk>")
    @permission_name("show")
    @by_token
    def get(self, pk: str) -> Response:
        """Return one record; its ETag is what a change must send back."""
        _may(Action.read, self.entity)
        return self._record(pk)

    @expose("/", methods=("POST",))
    @permission_name("add")
    @by_token
    def post(self) -> Response:
        """Create a record."""
        actor = _may(Action.create, self.entity)
        values = load(schemas.written_schema(self.entity), json_object())
        record = create_record(current_session(), self.entity, values, actor=actor)
        commit()
        return self._record(record.id, 201, {"Location": f"{request.script_root}{self.route_base}/{record.id}"})

    @expose("/<pk>", methods=("PUT", "PATCH"))
    @permission_name("edit")
    @by_token
    def put(self, pk: str) -> Response:
        """Change a record; what the request leaves out stays as it is."""
        actor = _may(Action.update, self.entity)
        body = json_object()
        values = load(schemas.changed_schema(self.entity), body)

        def change(record: Recorded, version: int) -> None:
            update_record(current_session(), record, values, version=version, actor=actor)

        return self._change(pk, change, body) or self._record(pk)

    @expose("/<pk>", methods=("DELETE",))
    @permission_name("delete")
    @by_token
    def delete(self, pk: str) -> Response:
        """Delete a record that nothing refers to."""
        actor = _may(Action.delete, self.entity)

        def remove(record: Recorded, version: int) -> None:
            delete_record(current_session(), record, version=version, actor=actor)

        return self._change(pk, remove) or Response(status=204)

    @expose("/<pk>/do/<verb>", methods=("POST",))
    @permission_name("transition")
    @by_token
    def do(self, pk: str, verb: str) -> Response:
        """Perform a verb of the entity's lifecycle."""
        actor = _may(Action.read, self.entity)
        transition = get_transition(self.entity, verb)
        if not may_perform(transition, self.entity, actor) or transition.automatic:
            raise Forbidden
        body = json_object(default={})
        values = load(schemas.inputs_schema(self.entity, transition), body)

        def move(record: Recorded, version: int) -> None:
            perform(current_session(), record, verb, values, actor=actor, version=version)

        conflict = self._change(pk, move, body)
        if conflict is not None:
            return conflict
        try:
            return self._record(pk)
        except NotFound:  # the verb moved it to other hands
            return Response(status=204)

    def _record(self, pk: str | int, status: int = 200, headers: dict[str, str] | None = None) -> Response:
        names = list(schemas.shown_fields(self.entity))
        record = get_record(fresh_session(), self.entity, pk, relations=relations_of(self.entity, names))
        return answer(documents.document(record, current_actor()), status, tag_of(record) | (headers or {}))

    def _change(self, pk: str, work: Callable[[Recorded, int], None], body: Any = None) -> Response | None:
        """Do ``work`` on the version of the record that the request names, and commit; return the conflict, if any."""
        version = submitted_version()
        record = get_record(current_session(), self.entity, pk)
        try:
            if record.version != version:
                raise Conflict
            work(record, version)
            commit()
        except Conflict as error:
            current = get_record(fresh_session(), self.entity, pk)
            both = {"current": documents.document(current, current_actor()), "submitted": body}
            refusal = problem_of(error, **both)
            refusal.headers.update(tag_of(current))
            return refusal
        return None


def api_classes() -> list[type[RecordApi]]:
    """Return one API class per entity; what nobody may write has no writing endpoints."""
    return [_api_class(name, entity) for name, entity in ENTITIES.items()]


class Description(openapi.RefusesWithProblems, OpenApi):
    """What all endpoints are, as OpenAPI has it; the toolkit's own, with its refusals as they are."""

    class_permission_name = OpenApi.__name__


def register_api(appbuilder: AppBuilder) -> None:
    """Add the API of every entity to the application, and its description in OpenAPI with the page that shows it."""
    for api in api_classes():
        appbuilder.add_api(api)
    appbuilder.add_api(Description)
    appbuilder.add_view_no_menu(SwaggerView)


def _api_class(name: str, entity: type[Recorded]) -> type[RecordApi]:
    admin = entity.__admin__
    closed = {"post", "put", "delete"} if admin.written_by_verbs else set()
    if admin.append_only:
        closed = {"post", "put", "delete", "do"}
    members = {
        "entity": entity,
        "resource_name": slug(entity),
        "class_permission_name": name,
        "openapi_spec_tag": entity.__name__,
        "exclude_route_methods": closed,
    }
    return type(f"{entity.__name__}Api", (RecordApi,), members)


def _may(action: Action, entity: type[Recorded]) -> Actor:
    actor = current_actor()
    actor.require(action, entity)
    return actor


def tag_of(record: Any) -> dict[str, str]:
    """Return the header that names the version of a record, for If-Match; none where nothing ever changes."""
    return {} if record.version is None else {"ETag": f'"{record.version}"'}


def answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return ``body`` as JSON that nobody keeps."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(text, status, {"Cache-Control": "no-store", **(headers or {})}, "application/json")
