"""The audit: who did what."""

import datetime as dt
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Query
from pydantic import Field

from consult.accounts import queries as accounts
from consult.core import api

router = api.Router(tags=["Audit"])


class Audited(api.Shape):
    id: UUID
    action: str
    by_id: Annotated[UUID | None, Field(description="A member; null: the program itself, or the agency's own token.")]
    token_id: UUID | None
    origin: Annotated[str, Field(description="Where from: an address, or a part of the program.")]
    subject_id: UUID | None
    data: dict[str, Any]
    created_at: dt.datetime


class Wanted(api.Paging):
    action: Annotated[str, Field(max_length=80, description="Such as `inbox.close_enquiry`.")] = ""
    by_id: UUID | None = None
    subject_id: UUID | None = None


@router.get("", response=api.Listed[Audited], summary="List the audit")
def list_audit(request: HttpRequest, wanted: Query[Wanted]) -> HttpResponse:
    """What was done in the agency, the latest first. People are named by their member ids."""
    here = accounts.permit(request, "audit.read")
    found = api.cursor(request, wanted, dt.datetime.fromisoformat, UUID)
    rows = accounts.audit_before(
        here.agency_id,
        (found[0], found[1]) if found else None,
        wanted.limit + 1,
        action=wanted.action,
        by_id=wanted.by_id,
        subject_id=wanted.subject_id,
    )
    return api.listed(
        request, rows, wanted, shape=lambda row: Audited(**vars(row)), place=lambda row: (row.created_at, row.id)
    )
