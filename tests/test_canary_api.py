"""Canaries in every input of every operation of the API: both are read from its own document."""

import uuid
from typing import Any

import pytest
import pytest_django

from conftest import Cast, Database
from consult.core.tests.lines import captured
from tests import api, worker
from tests.api_rows import body_of, operations
from tests.canaries import SECRET, Nest, afterwards


def replaced(nest: Nest, value: Any, where: str) -> Any:
    """An example with a canary in the place of every text; addresses stay such."""
    if isinstance(value, dict):
        return {name: replaced(nest, each, f"{where} {name}") for name, each in value.items()}
    if isinstance(value, list):
        return [replaced(nest, each, where) for each in value]
    if not isinstance(value, str):
        return value
    name = where.rpartition(" ")[2]
    canary = nest.plant("secret" if SECRET.search(name) else "typed", where)
    return f"{canary}@new.example" if "@" in value else f"https://{canary}.example" if "://" in value else canary


@pytest.fixture
def unlimited(settings: pytest_django.Settings) -> None:
    settings.CONSULT_API_LIMIT = settings.CONSULT_API_MEMBER_LIMIT = "9999999/second"


def call(nest: Nest, program: api.Program, name: str, operation: tuple[str, str, Any], ids: dict[str, Any]) -> None:
    """Plant in every input of one operation, deepest last: what takes away is done in the end."""
    method, route, example = operation
    address = route.format(**ids)
    headers = {key: value for key, value in nest.headers(name).items() if key != "Authorization"}
    parameters = "&".join(f"{key}={value}" for key, value in nest.query(name).items())
    stranger = api.Program(f"cst_{nest.plant('secret', f'{name} token')}")
    nest.answer(stranger.call(method, f"{address}?{parameters}", **headers), name)
    nest.answer(program.call(method, address, Host=nest.plant("header Host", name)), name)
    put = {key: nest.plant("segment", f"{name} {key}") for key in ids}
    nest.answer(program.call(method, route.format(**{key: uuid.UUID(value) for key, value in put.items()})), name)
    nest.answer(program.call(method, route.format(**put)), name)
    nest.answer(program.call(method, f"{address}?{parameters}", **headers), name)
    broken = api.Raw(b'{"' + nest.plant("typed", name).encode())
    nest.answer(program.call(method, address, broken, Content_Type="application/json"), name)
    if example:
        known = body_of(name, example, "canary", ids)
        whole = replaced(nest, example, name)
        for body in (
            whole,
            {**whole, nest.plant("typed", f"{name} unknown"): nest.plant("secret", f"{name} value of an unknown")},
            # What names a row or a choice stays, what is free is a canary.
            known | {key: whole[key] for key in whole if key in ("name", "body", "title", "note", "message")},
        ):
            again = headers | {"If-Match": "*", "Idempotency-Key": nest.plant("header Idempotency-Key", name)}
            nest.answer(program.call(method, address, body, **again), name)


def test_no_operation_lets_a_canary_out(
    database: Database, cast: Cast, document: dict[str, Any], ids: dict[str, Any], unlimited: None
) -> None:
    nest = Nest()
    program = api.of_member(cast.a, cast.alice.member_id)
    with captured("json") as read:
        for name, operation in sorted(operations(document).items(), key=lambda each: each[1][0] == "DELETE"):
            call(nest, program, name, operation, ids)
            nest.look("log", read(), name)
        worker.run_jobs(database)
        nest.look("log", read(), "jobs")
    other = api.of_member(cast.b, cast.charlie.member_id)
    for name, (method, route, _) in operations(document).items():
        if method == "GET":
            nest.look("another's page", other.get(route.format(**ids)).content.decode(errors="replace"), name)
    afterwards(nest, database)
    assert len(nest.planted) > 30 * len(operations(document))
    assert not nest.leaks, "\n".join(sorted(nest.leaks))
