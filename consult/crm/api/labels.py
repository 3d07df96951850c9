"""Labels: words that the agency sorts its people, companies and deals by."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Query

from consult.accounts import queries as accounts
from consult.core import api
from consult.crm import queries

router = api.Router(tags=["Labels"])


class Label(api.Shape):
    """A word. It is made by whoever gives it to a contact, a company or a deal first."""

    id: UUID
    name: str


@router.get("", response=api.Listed[Label], summary="List labels")
def list_labels(request: HttpRequest, paging: Query[api.Paging]) -> HttpResponse:
    """The agency's labels in the order in which they were made."""
    here = accounts.permit(request, "records.read")
    after = api.cursor(request, paging, UUID)
    rows = queries.labels_after(here.agency_id, after[0] if after else None, paging.limit + 1)
    return api.listed(
        request, rows, paging, shape=lambda row: Label(id=row[0], name=row[1]), place=lambda row: (row[0],)
    )
