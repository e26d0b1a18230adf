"""The OpenAPI description of one entity's endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from apispec import APISpec
from apispec.exceptions import DuplicateComponentNameError

from backoffice.lifecycles import offered
from views.generated import schemas
from views.generated.api_requests import TAG
from views.problems import PROBLEM_TYPE

if TYPE_CHECKING:
    from views.generated.api import RecordApi

_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "One sentence for people, in the language of the request."},
        "code": {"type": "string", "description": "The kind of refusal, for programs."},
        "errors": {"type": "object", "additionalProperties": {"type": "string"}},
        "reference": {"type": "string", "description": "Under which the log has the details of a crash."},
        "current": {"type": "object", "description": "After a conflict: the record as it is stored now."},
        "submitted": {"type": "object", "description": "After a conflict: what this request wanted."},
    },
}
_PROBLEM_ANSWER = {
    "description": "A refusal, as RFC 9457 describes it",
    "content": {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_REFUSALS = {"default": {"$ref": "#/components/responses/Problem"}}
_TOKEN = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "An API key of the person, or an access token of /security/login.",
}
ID = {"name": "pk", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1}}
_VERSION = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "schema": {"type": "string", "pattern": TAG},
    "description": "The ETag of the record as it was read; without it the answer is 428.",
}
_ETAG = {"ETag": {"schema": {"type": "string"}, "description": "The version of the record."}}
_LIST = [
    ("q", "Text that the record contains", {"type": "string", "maxLength": 200}),
    ("f", "Filters, each field:operator:value", {"type": "array", "items": {"type": "string"}, "maxItems": 20}),
    ("s", "Field to sort by, with a minus for descending", {"type": "string"}),
    ("n", "Records a page", {"type": "integer", "minimum": 1, "maximum": 100}),
    ("k", "Place in the list, as next and previous give it", {"type": "string"}),
]


class RefusesWithProblems:
    """For the toolkit's own endpoints: their refusals become problems as they leave, whatever the toolkit says."""

    responses: ClassVar[dict[str, Any]] = {}

    def operation_helper(self, operations: dict[str, Any], **options: Any) -> None:
        """Describe the toolkit's answers where it does what was asked, and ours where it does not."""
        super().operation_helper(operations=operations, **options)  # type: ignore[misc]
        for described in operations.values():
            done = {status: answer for status, answer in described["responses"].items() if int(status) < 400}
            described["responses"] = {**done, **_REFUSALS}


def describe(spec: APISpec, api: RecordApi) -> None:
    """Add the schemas and the paths of ``api`` to ``spec``."""
    _add_components(spec, api)
    base = str(api.route_base)
    excluded = api.exclude_route_methods
    name = api.entity.__name__
    operations = {
        "get_list": (f"{base}/", "get", operation("List", _list_parameters(), {"200": _page(name)})),
        "post": (f"{base}/", "post", operation("Create", [], {"201": record(name)}, f"{name}Values")),
        "info": (f"{base}/_info", "get", operation("Describe", [], {"200": _answer("What it consists of")})),
        "get": (f"{base}/{{pk}}", "get", operation("Read", [ID], {"200": record(name)})),
        "delete": (f"{base}/{{pk}}", "delete", operation("Delete", [ID, _VERSION], {"204": {"description": "Gone"}})),
    }
    found = {method: described for method, described in operations.items() if method not in excluded}
    for path, http_method, described in found.values():
        spec.path(path=path, operations={http_method: {**described, "tags": [api.openapi_spec_tag]}})
    if "put" not in excluded:
        for http_method in ("put", "patch"):
            change = operation("Change", [ID, _VERSION], {"200": record(name)}, f"{name}Changes")
            spec.path(path=f"{base}/{{pk}}", operations={http_method: {**change, "tags": [api.openapi_spec_tag]}})
    if "do" not in excluded:
        _describe_verbs(spec, api)


def _describe_verbs(spec: APISpec, api: RecordApi) -> None:
    """Add a path for each verb that programs may ask for, with what it asks of them."""
    name = api.entity.__name__
    for transition in offered(api.entity):
        body = f"{name}_{transition.name}"
        _once(spec.components.schema, body, schema=schemas.inputs_schema(api.entity, transition))
        answers = {"200": record(name), "204": {"description": "Done; it is in other hands now"}}
        described = operation(str(transition.label), [ID, _VERSION], answers, body)
        described["requestBody"]["required"] = bool(set(transition.inputs) - set(transition.optional))
        path = f"{api.route_base}/{{pk}}/do/{transition.name}"
        spec.path(path=path, operations={"post": {**described, "tags": [api.openapi_spec_tag]}})


def _add_components(spec: APISpec, api: RecordApi) -> None:
    entity = api.entity
    made = [schemas.shown_schema(entity)]
    if not api.exclude_route_methods & {"put"}:
        made += [schemas.written_schema(entity), schemas.changed_schema(entity)]
    for schema in made:
        _once(spec.components.schema, schema.__name__, schema=schema)
    _once(spec.components.schema, "Problem", _PROBLEM)
    _once(spec.components.response, "Problem", _PROBLEM_ANSWER)
    _once(spec.components.security_scheme, "jwt", _TOKEN)


def _once(add: Any, *arguments: Any, **options: Any) -> None:
    try:
        add(*arguments, **options)
    except DuplicateComponentNameError:
        return  # every entity brings the shared ones


def operation(summary: str, parameters: list[Any], answers: dict[str, Any], body: str | None = None) -> dict[str, Any]:
    """Return one operation with its answers, refusals included."""
    found: dict[str, Any] = {
        "summary": summary,
        "parameters": parameters,
        "responses": {**answers, **_REFUSALS},
        "security": [{"jwt": []}],
    }
    if body:
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": _ref(body)}}}
    return found


def _list_parameters() -> list[dict[str, Any]]:
    return [{"name": name, "in": "query", "description": text, "schema": schema} for name, text, schema in _LIST]


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _answer(description: str, schema: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema or {"type": "object"}}}}


def record(name: str) -> dict[str, Any]:
    """Return the answer that holds one record of an entity."""
    return {**_answer("The record", _ref(name)), "headers": _ETAG}


def _page(name: str) -> dict[str, Any]:
    members = {
        "result": {"type": "array", "items": _ref(name)},
        "count": {"type": "integer", "description": "How many there are, counted up to a cap."},
        "count_is_capped": {"type": "boolean"},
        "next": {"type": "string", "nullable": True},
        "previous": {"type": "string", "nullable": True},
    }
    return _answer("One page", {"type": "object", "required": list(members), "properties": members})
