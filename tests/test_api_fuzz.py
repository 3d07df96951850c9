"""The whole document, fuzzed in every role: no 5xx, and no answer that the document does not describe.

Short here, with the same cases in every run; `make fuzz` runs for long, with other cases each time.
Each operation is called with its own example in every role and with made-up bodies, both on rows that are there,
and with everything made up, rightly and wrongly: short here, one role after the other.
"""

import contextlib
import itertools
import os
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from django.test import override_settings
from schemathesis import checks
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks as openapi_checks

from conftest import Cast, Database
from tests import api, api_rows
from tests.test_api_matrix import OPERATIONS
from tests.test_api_matrix import WHO as CALLERS

LONG = os.environ.get("CONSULT_TEST_FUZZ") == "long"
EXAMPLES = 300 if LONG else 3
WHO = ("viewer", "member", "admin", "agency")
CHECKS: list[Any] = [
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.response_schema_conformance,
    openapi_checks.negative_data_rejection,
]
# What the matrix, whose rows are others', does not refuse to a role and yet is never done: the answer, and why.
_OWN = "who may not manage has no token with the scope for it, and takes their own back in the office"
NEVER_DONE: dict[tuple[str, str], tuple[int, str]] = {
    ("revoke_api_token", "viewer"): (403, _OWN),
    ("revoke_api_token", "member"): (403, _OWN),
    ("revoke_grant", "viewer"): (403, _OWN),
    ("revoke_grant", "member"): (403, _OWN),
    **{
        ("retry_reply", who): (409, "only what a mail server refused is sent again")
        for who in ("member", "admin", "agency")
    },
}
NEVER_DONE |= {("undo_import", who): (409, "nothing of it was imported yet") for who in ("member", "admin", "agency")}
NEVER_DONE |= {
    **{("set_states", who): (409, "states that hold tasks must stay, by ids") for who in ("member", "admin", "agency")},
    **{("check_mailbox", who): (404, "none is connected when it is asked for") for who in ("admin", "agency")},
    **{("show_person", who): (404, "a made-up address is nobody's") for who in ("admin", "agency")},
    **{
        (name, "agency"): (404, "the agency's own token is no person's")
        for name in ("read_notifications", "show_notification_choices", "choose_notifications")
    },
}
# No made-up value of these means anything: a version of a row, a place in a list.
MEANINGLESS = {"If-Match", "cursor"}


@pytest.fixture
def unlimited() -> Iterator[None]:
    """Nobody is refused for calling often."""
    limit = "9999999/second"
    with override_settings(CONSULT_API_LIMIT=limit, CONSULT_API_MEMBER_LIMIT=limit):
        yield


class Fuzz:
    """Calls as everybody, and what came of it: each kind of failure once; none ends the run."""

    def __init__(self, tokens: dict[str, str], ids: dict[str, dict[str, Any]], document: dict[str, Any]) -> None:
        self.tokens = tokens
        self.ids = ids
        self.examples = {name: each[2] for name, each in api_rows.operations(document).items()}
        self.failures: dict[tuple[str, ...], str] = {}
        self.seen: set[tuple[str, str]] = set()
        self.turns = itertools.cycle(WHO)
        self.tried = 0
        self.examples_answered: dict[tuple[str, str], int] = {}

    def example(self, operation: Any, name: str) -> None:
        """Call with the document's own example, on what is there."""
        for who, ids in self.ids.items():
            body = api_rows.body_of(name, self.examples[name], who if who != "agency" else "admin", ids)
            if (name, who) == ("create_api_token", "agency"):
                # It is nobody that a token could be of.
                body |= {"scopes": ["read"], "owner": "agency", "role": "viewer"}
            told = {} if body is None else {"body": body, "media_type": _media_type(operation)}
            case = operation.Case(path_parameters=_there(operation, ids), **told)
            with api_rows.undone():
                self.examples_answered[name, who] = self._call(name, who, case, f"{name} example")

    def made_up(self, operation: Any, name: str, mode: GenerationMode, *, there: bool) -> None:
        """Call with what hypothesis makes up; `there`: its references name rows that are there, and all is undone."""

        @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
        @hypothesis.settings(
            max_examples=EXAMPLES,
            derandomize=not LONG,
            database=None,
            deadline=None,
            phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        def run(case: Any) -> None:
            for who in WHO if LONG else (next(self.turns),):
                ids = self.ids[who]
                if there:
                    _point(case, operation, name, ids)
                with api_rows.undone() if there else contextlib.nullcontext():
                    self._call(name, who, case, f"{name} {mode.value}")

        run()

    def _call(self, name: str, who: str, case: Any, what: str) -> int:
        self.tried += 1
        headers = {"Authorization": f"Bearer {self.tokens[who]}"}
        response = case.call(headers=headers)
        if 200 <= response.status_code < 300:
            self.seen.add((name, who))
        try:
            case.validate_response(response, checks=CHECKS, headers=headers)
        except FailureGroup as group:
            for failure in group.exceptions:
                self.failures.setdefault(
                    (what, type(failure).__name__), f"{what} {who}: {failure}\n{case.as_curl_command()}"
                )
        status: int = response.status_code
        return status


def _media_type(operation: Any) -> str:
    media_type: str = next(iter(operation.body)).media_type
    return media_type


def _there(operation: Any, ids: dict[str, Any]) -> dict[str, Any]:
    return {each.name: str(ids[each.name]) for each in operation.path_parameters}


def _point(case: Any, operation: Any, name: str, ids: dict[str, Any]) -> None:
    case.path_parameters = _there(operation, ids)
    case.query = {key: each for key, each in api_rows.real(name, case.query, ids).items() if key not in MEANINGLESS}
    case.headers = {key: each for key, each in case.headers.items() if key not in MEANINGLESS}
    case.body = api_rows.real(name, case.body, ids)


@pytest.fixture
def fuzz(cast: Cast, ids: dict[str, Any], database: Database, document: dict[str, Any], unlimited: None) -> Fuzz:
    programs = api.everybody(cast)
    # A viewer and a member manage tokens and programs of their own alone.
    own = {
        who: ids | api_rows.programs_of(cast, database, person.member_id)
        for who, person in (("viewer", cast.vera), ("member", cast.bob))
    }
    return Fuzz({who: programs[who].token for who in WHO}, {who: own.get(who, ids) for who in WHO}, document)


def test_the_document_is_kept(fuzz: Fuzz) -> None:
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", get_wsgi_application())
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), "the document itself is wrong"
        operation = result.ok()
        name = operation.definition.raw["operationId"]
        fuzz.example(operation, name)
        fuzz.made_up(operation, name, GenerationMode.POSITIVE, there=True)
        fuzz.made_up(operation, name, GenerationMode.POSITIVE, there=False)
        fuzz.made_up(operation, name, GenerationMode.NEGATIVE, there=False)
    failures = list(fuzz.failures.values())
    assert failures == [], "\n\n".join(failures)
    assert fuzz.tried > 200 * EXAMPLES
    never = {each: fuzz.examples_answered[each] for each in _allowed() if each not in fuzz.seen}
    assert never == {each: status for each, (status, _why) in NEVER_DONE.items()}


def _allowed() -> Iterator[tuple[str, str]]:
    """Yield (operation, role) of all that the matrix does not refuse to the role."""
    for name, answers in OPERATIONS.items():
        for who, status in zip(CALLERS, answers.split(), strict=True):
            if who in WHO and status != "403":
                yield name, who
