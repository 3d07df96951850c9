"""The whole document, fuzzed in every role: no 5xx, and no answer that the document does not describe.

Short here, with the same cases in every run; `make fuzz` runs for long, with other cases each time.
"""

import os
from collections.abc import Iterator
from pathlib import Path
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

from conftest import Cast, Database, Enquiry
from tests import api

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


@pytest.fixture
def unlimited(tmp_path: Path) -> Iterator[None]:
    """Nobody is refused for calling often; files are written where they are thrown away."""
    limit = "9999999/second"
    with override_settings(
        CONSULT_API_LIMIT=limit, CONSULT_API_MEMBER_LIMIT=limit, CONSULT_FILES_URL=tmp_path.as_uri()
    ):
        yield


@pytest.mark.parametrize("who", WHO)
def test_the_document_is_kept(who: str, database: Database, cast: Cast, enquiry: Enquiry, unlimited: None) -> None:
    program = api.everybody(cast)[who]
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", get_wsgi_application())
    failures: list[str] = []
    tried = 0
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), "the document itself is wrong"
        operation = result.ok()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            found = _fuzz(operation, mode, program.token)
            tried += found[0]
            failures += found[1]
    assert failures == [], "\n\n".join(failures)
    assert tried > 30 * EXAMPLES


def _fuzz(operation: Any, mode: GenerationMode, token: str) -> tuple[int, list[str]]:
    """Return how many cases were tried, and each kind of failure once: all are looked at, none ends the run."""
    found: dict[str, str] = {}
    tried = 0

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
        nonlocal tried
        tried += 1
        headers = {"Authorization": f"Bearer {token}"}
        response = case.call(headers=headers)
        try:
            case.validate_response(response, checks=CHECKS, headers=headers)
        except FailureGroup as group:
            for failure in group.exceptions:
                found.setdefault(
                    type(failure).__name__, f"{operation.label} {mode.value}: {failure}\n{case.as_curl_command()}"
                )

    run()
    return tried, list(found.values())
