"""The API driven by the description it serves: each operation, with values that fit it and values that do not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, CheckContext, GenerationMode, Response
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import FailureGroup
from schemathesis.core.parameters import ParameterLocation as Part
from schemathesis.schemas import APIOperation
from werkzeug.test import Client

from models.base import ENTITIES, Recorded
from models.catalogue import Kind, fields, slug
from tests.clients import DESK
from tests.views.programs import PROBLEM
from tests.visitors import INSIDES

API = f"{DESK}/api/v1"
About = type[Recorded] | None
load_all_checks()
#: What the library itself looks at. It is not asked whether all that fits the description is accepted: rules of
#: business are more than shapes.
CONFORMING = CHECKS.get_by_names(
    [
        *("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance"),
        *("response_schema_conformance", "negative_data_rejection", "missing_required_header", "unsupported_method"),
    ]
)


def refusals_are_problems(_context: CheckContext, answer: Response, _case: Case) -> None:
    """Every refusal is a problem document that says what is wrong in a sentence, and nothing of the inside."""
    if answer.status_code < 400:
        return
    assert answer.headers["content-type"] == [PROBLEM]
    told = answer.json()
    assert told["status"] == answer.status_code
    assert len(told["detail"].split()) > 2
    assert not [word for word in INSIDES if word in (answer.text or "")]


def records_carry_their_tag(_context: CheckContext, answer: Response, _case: Case) -> None:
    """A record comes with the tag that a change of it must send back, and a new one with its address."""
    is_json = answer.headers.get("content-type") == ["application/json"]
    found = answer.json() if is_json and answer.status_code in (200, 201) else {}
    if not {"id", "version"} <= set(found):
        return
    assert found["version"] is None or answer.headers["etag"] == [f'"{found["version"]}"']
    if answer.status_code == 201:
        assert answer.headers["location"][0].endswith(f"/{found['id']}")


class Driver:
    """Somebody with a token who tries what the description offers, on rows that are there and on others."""

    def __init__(self, application: Any, token: str) -> None:
        self.headers = {"Authorization": f"Bearer {token}"}
        self._client = Client(application)
        self._application = application
        self._keys: dict[str, list[int]] = {}
        self._last = "none yet"
        #: How often each answer was given, by method.
        self.answers: Counter[tuple[str, int]] = Counter()

    def operations(self, entities: Iterable[About]) -> Iterator[tuple[About, APIOperation]]:
        """Yield the operations of the description that are about ``entities``; None stands for those about none."""
        schema = schemathesis.openapi.from_wsgi(f"{API}/_openapi", self._application, headers=self.headers)
        known = {entity.__name__: entity for entity in ENTITIES.values()}
        wanted = set(entities)
        for found in schema.get_all_operations():
            operation = found.ok()
            entity = known.get(operation.tags[0])
            if entity in wanted:
                yield entity, operation

    def drive(self, entity: About, operation: APIOperation, examples: int) -> list[str]:
        """Try the operation with values that fit and with others; return what was wrong with the answers."""
        faults = []
        for mode in GenerationMode:
            try:
                self._drive(entity, operation.as_strategy(mode), examples)
            except (Exception, FailureGroup) as error:  # noqa: BLE001  # one fault hides none of another operation
                faults.append(f"{operation.label}, {mode.value}: {error}\nThe last answer: {self._last}")
        return faults

    def _drive(self, entity: About, cases: st.SearchStrategy[Case], examples: int) -> None:
        @settings(
            max_examples=examples,
            derandomize=True,
            deadline=None,
            database=None,
            # A request that failed is told as it was: to make it smaller takes hundreds more.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(cases, st.booleans(), st.integers(0, 19))
        def send(case: Case, real: bool, which: int) -> None:
            if real and entity:
                self._aim(entity, case, which)
            answer = case.call(app=self._application, headers=self.headers)
            self.answers[case.method, answer.status_code] += 1
            path, kind = case.formatted_path, answer.headers.get("content-type")
            self._last = f"{case.method} {path}: {answer.status_code}, {kind}, {answer.content[:200]!r}"
            checks = [*CONFORMING, refusals_are_problems, records_carry_their_tag]
            case.validate_response(answer, checks=checks, headers=self.headers)

        send()

    def _aim(self, entity: type[Recorded], case: Case, which: int) -> None:
        """Let a request speak of rows that are there, in the version they have; what does not fit stays as it is."""
        fitting = {part for part, found in case.meta.components.items() if found.mode.is_positive}
        if "pk" in case.path_parameters and Part.PATH in fitting:
            case.path_parameters["pk"] = key = self._some(entity, which)
            if Part.HEADER in fitting and "If-Match" in case.headers:
                tag = self._get(f"/{slug(entity)}/{key}").headers.get("ETag")
                case.headers["If-Match"] = tag or case.headers["If-Match"]
        if Part.BODY in fitting and isinstance(case.body, dict):
            for name, field in fields(entity).items():
                if field.kind is Kind.relation and type(case.body.get(name)) is int:
                    case.body[name] = self._some(field.target, which)

    def _some(self, entity: type[Recorded], which: int) -> int:
        """Return the key of a row that this person may see, or of one that nobody has."""
        name = slug(entity)
        if name not in self._keys:
            found = self._get(f"/{name}/?n=20")
            self._keys[name] = [row["id"] for row in found.json["result"]] if found.status_code == 200 else []
        keys = self._keys[name]
        return keys[which % len(keys)] if keys else 2_000_000_000

    def _get(self, path: str) -> Any:
        return self._client.get(API + path, headers=self.headers)
