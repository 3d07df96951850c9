"""Programs that call the API, in each role."""

import dataclasses
import datetime as dt
import json
import uuid
from collections.abc import Collection
from typing import Any

from django.http import HttpResponse
from django.test import Client

from conftest import Cast, Database
from consult.accounts import queries, rules, services
from consult.accounts.tests import extension
from consult.core import tenancy

SCOPES = ("read", "write", "manage")


def _read(answer: Any) -> HttpResponse:
    """What is streamed, read to its end, which closes it."""
    if not answer.streaming:
        return answer  # type: ignore[no-any-return]
    return HttpResponse(answer.getvalue(), status=answer.status_code, headers=dict(answer.items()))


class Raw(bytes):
    """A body that is no JSON: bytes as they are."""


@dataclasses.dataclass(frozen=True)
class Program:
    """Calls with one token, as curl would: nothing is sent that is not said."""

    token: str

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> HttpResponse:
        """`body` is sent as JSON; headers with _ for -."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        client = Client(raise_request_exception=False)
        if body is None:
            return _read(client.generic(method, path, headers=sent))
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        usual = "application/octet-stream" if isinstance(body, Raw) else "application/json"
        content_type = sent.pop("Content-Type", usual)
        return _read(client.generic(method, path, data, content_type, headers=sent))

    def get(self, path: str, **headers: str) -> HttpResponse:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> HttpResponse:
        return self.call("POST", path, body, **headers)

    def put(self, path: str, body: Any = None, **headers: str) -> HttpResponse:
        return self.call("PUT", path, body, **headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> HttpResponse:
        return self.call("PATCH", path, body, **headers)

    def delete(self, path: str, **headers: str) -> HttpResponse:
        return self.call("DELETE", path, **headers)


ANONYMOUS = Program("")


def of_member(agency_id: int, member_id: Any, scopes: Collection[str] = ()) -> Program:
    """A member's own token; with every scope that their role may have unless some are named."""
    if not scopes:
        with tenancy.agency(agency_id):
            person = queries.person(agency_id, member_id)
        assert person
        scopes = rules.scopes_of(person.role)
    _id, secret = services.create_api_token(
        agency_id=agency_id, name="Test", scopes=scopes, by=member_id, member_id=member_id
    )
    return Program(secret)


def of_agency(cast: Cast, role: str = "admin", scopes: Collection[str] = SCOPES) -> Program:
    """A token of agency A itself."""
    _id, secret = services.create_api_token(agency_id=cast.a, name="Test", scopes=scopes, by=None, role=role)
    return Program(secret)


def fail_jobs(database: Database) -> list[int]:
    """Let every job that waits fail for good, as a worker would say it; return their ids."""
    ids = [id for (id,) in database.ask("UPDATE procrastinate_jobs SET status = 'doing' RETURNING id")]
    database.ask("UPDATE procrastinate_jobs SET status = 'failed'")
    return sorted(ids)


def sign_in_program(cast: Cast, member_id: Any) -> uuid.UUID:
    """Let a member of agency A sign a browser extension in; return the grant's id."""
    now = dt.datetime.now(dt.UTC)
    asked = {"client_id": extension.ID, "redirect_uri": extension.REDIRECT}
    code = services.authorize(
        agency_id=cast.a,
        member_id=member_id,
        challenge=extension.CHALLENGE,
        scopes=["read", "write"],
        now=now,
        **asked,
    )
    device = services.Device("Mozilla/5.0 (X11; Linux x86_64) Chrome/143.0", "203.0.113.7")
    services.exchange_code(code=code, verifier=extension.VERIFIER, device=device, now=now, **asked)
    with tenancy.agency(cast.a):
        return queries.grants(cast.a, now=now, member_id=member_id)[0].id


def everybody(cast: Cast) -> dict[str, Program]:
    """Anonymous, a stranger (agency B's owner), and in agency A a viewer, a member, an admin and the agency itself."""
    user_id = services.create_user(email="ada@example.com", name="Ada")
    ada = services.add_member(agency_id=cast.a, user_id=user_id, role="admin")
    return {
        "anonymous": ANONYMOUS,
        "stranger": of_member(cast.b, cast.charlie.member_id),
        "viewer": of_member(cast.a, cast.vera.member_id),
        "member": of_member(cast.a, cast.bob.member_id),
        "admin": of_member(cast.a, ada),
        "agency": of_agency(cast),
    }


def told(answer: HttpResponse) -> Any:
    """Return what an answer's JSON says."""
    return json.loads(answer.content)
