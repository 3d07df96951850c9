"""API tokens: one's own and the agency's."""

import datetime as dt
from typing import Annotated, Any, Literal
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from ninja import Query
from pydantic import AwareDatetime, BeforeValidator, Field

from consult.accounts import queries as accounts
from consult.accounts import rules, services
from consult.accounts.api.door import caller, covers
from consult.core import api
from consult.core.errors import Refused

router = api.Router(tags=["Tokens"])

type Scope = Literal["read", "write", "manage"]
LONGEST_LIFE = dt.timedelta(days=3660)


class Token(api.Shape):
    id: UUID
    name: str
    # The last characters of the secret.
    hint: str
    member_id: Annotated[UUID | None, Field(description="Whose it is; null: the agency's own.")]
    role: Annotated[str | None, Field(description="Of the agency's own token. A member's has the member's role.")]
    scopes: list[Scope]
    made_by_id: UUID | None
    created_at: dt.datetime
    expires_at: dt.datetime | None
    last_used_at: dt.datetime | None
    revoked_at: dt.datetime | None


class NewToken(Token):
    secret: Annotated[str, Field(description="Shown this one time.")]


def _text(value: object) -> object:
    # pydantic would take a number for seconds since 1970.
    if not isinstance(value, str | None):
        raise ValueError("This is a text, such as 2027-01-31T12:00:00Z.")
    return value


class TokenInput(api.Input):
    name: Annotated[api.Line, Field(max_length=100, examples=["Nightly report"])]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=3, examples=[["read"]])]
    owner: Annotated[
        Literal["me", "agency"], Field(description="`agency`: with a role of its own; it outlives whoever made it.")
    ] = "me"
    role: Annotated[
        Literal["admin", "member", "viewer"] | None, Field(description="Only of the agency's own token.")
    ] = None
    expires_at: Annotated[
        Annotated[AwareDatetime, BeforeValidator(_text)] | None,
        Field(description="At most ten years ahead; null: never."),
    ] = None


def _token(row: accounts.TokenRecord) -> Token:
    return Token(**_values(row))


def _values(row: accounts.TokenRecord) -> dict[str, Any]:
    return {**vars(row), "role": row.role or None}


def _found(request: HttpRequest, token_id: UUID) -> accounts.TokenRecord:
    """Return the token, if the caller may know of it: their own, or any for who manages them."""
    me = caller(request)
    row = accounts.api_token(me.here.agency_id, token_id)
    own = row is not None and (row.id == me.token_id or (row.member_id and row.member_id == me.here.member_id))
    if row is None or not (own or covers(request, "tokens.manage")):
        raise Http404
    return row


@router.get("", response=api.Listed[Token], summary="List API tokens")
def list_api_tokens(request: HttpRequest, paging: Query[api.Paging]) -> HttpResponse:
    """One's own tokens; for who manages the agency's tokens, all of them. Revoked ones stay listed."""
    here = accounts.permit(request, "records.read")
    after = api.cursor(request, paging, UUID)
    start = after[0] if after else None
    if covers(request, "tokens.manage"):
        rows = accounts.api_tokens_after(here.agency_id, start, paging.limit + 1)
    elif here.member_id:
        rows = accounts.api_tokens_after(here.agency_id, start, paging.limit + 1, member_id=here.member_id)
    else:
        rows = []
    return api.listed(request, rows, paging, shape=_token, place=lambda row: (row.id,))


@router.get("/{uuid:token_id}", response=Token, summary="Show an API token")
def show_api_token(request: HttpRequest, token_id: UUID) -> HttpResponse:
    accounts.permit(request, "records.read")
    return api.answer(request, _token(_found(request, token_id)))


@router.post("", response={201: NewToken}, summary="Make an API token")
def create_api_token(request: HttpRequest, body: TokenInput) -> HttpResponse:
    """Needs the scope `manage`; the new token has no scope that the calling one lacks. The secret is shown once."""
    me = caller(request)
    here = accounts.permit(request, "tokens.manage") if body.owner == "agency" else me.here
    if not rules.within(me.scopes, "tokens.manage") or not set(body.scopes) <= me.scopes:
        raise PermissionDenied("A token makes no other with more scopes than it has, and needs “manage” for it.")
    now = dt.datetime.now(dt.UTC)
    if body.expires_at and not now < body.expires_at <= now + LONGEST_LIFE:
        raise _wrong("/expires_at", "This is in the past, or more than ten years ahead.")
    if (body.owner == "agency") != (body.role is not None):
        raise _wrong("/role", "A token of the agency has a role, a member's own has the member's.")
    if body.owner == "me" and here.member_id is None:
        raise _wrong("/owner", "The calling token belongs to the agency; there is no member to make a token for.")
    with api.refusing({services.BadScopes: ("invalid", "/scopes")}):
        token_id, secret = services.create_api_token(
            agency_id=here.agency_id,
            name=body.name,
            scopes=body.scopes,
            by=here.member_id,
            member_id=here.member_id if body.owner == "me" else None,
            role=body.role or "",
            expires_at=body.expires_at,
        )
    made = NewToken(**_values(_found(request, token_id)), secret=secret)
    return api.answer(request, made, status=201, location=f"/api/v1/tokens/{token_id}")


def _wrong(pointer: str, words: str) -> Refused:
    return Refused("invalid", errors=[{"pointer": pointer, "code": "invalid", "detail": words}])


@router.delete("/{uuid:token_id}", response={204: None}, summary="Revoke an API token")
def revoke_api_token(request: HttpRequest, token_id: UUID) -> HttpResponse:
    """It opens nothing from this moment on. A token may always revoke itself, others need the scope `manage`."""
    me = caller(request)
    row = _found(request, token_id)
    if row.id != me.token_id and not rules.within(me.scopes, "tokens.manage"):
        raise PermissionDenied("This token's scopes do not cover it.")
    api.expect(request, _token(row))
    services.revoke_api_token(
        agency_id=me.here.agency_id, token_id=token_id, by=me.here.member_id, now=dt.datetime.now(dt.UTC)
    )
    return HttpResponse(status=204)
