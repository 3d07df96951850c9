"""Lists in pages: keyset cursors, so that what is added meanwhile moves nothing."""

import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from django.core import signing
from django.http import HttpRequest, HttpResponse
from pydantic import BaseModel, ConfigDict, Field

from consult.core.api.shapes import Shape
from consult.core.errors import Refused

MOST = 100
DEFAULT = 50


class Paging(BaseModel):
    """The two parameters that every list takes; those of a list of its own come with a subclass."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    limit: Annotated[int, Field(ge=1, le=MOST, description="How many at most.")] = DEFAULT
    cursor: Annotated[
        str, Field(max_length=1000, description="`next` of the page before; empty for the first page.")
    ] = ""


class Listed[Item](Shape):
    """A page of a list. `next` is null on the last one."""

    items: list[Item]
    next: str | None


def _signer(request: HttpRequest) -> signing.Signer:
    # A cursor belongs to its list: an address with its filters.
    filters = sorted((name, value) for name, value in request.GET.items() if name not in ("cursor", "limit"))
    return signing.Signer(salt=f"consult.api.cursor:{request.path_info}:{json.dumps(filters)}")


def cursor(request: HttpRequest, paging: Paging, *kinds: Callable[[str], Any]) -> list[Any] | None:
    """Return the place after which the page begins, one value for each of `kinds`; None for the first page.

    Signed: only what `listed` gave out is taken. Raise Refused.
    """
    if not paging.cursor:
        return None
    try:
        values = _signer(request).unsign_object(paging.cursor)
        return [kind(value) for kind, value in zip(kinds, values, strict=True)]
    except (signing.BadSignature, ValueError, TypeError):
        raise Refused("bad_cursor") from None


def listed[Row](
    request: HttpRequest,
    rows: Sequence[Row],
    paging: Paging,
    *,
    shape: Callable[[Row], Shape],
    place: Callable[[Row], tuple[object, ...]],
) -> HttpResponse:
    """Answer with a page of `rows`, one more than `paging.limit` at most. `place`: where a row stands in the order."""
    shown = rows[: paging.limit]
    after = None
    if len(rows) > paging.limit:
        after = _signer(request).sign_object([str(value) for value in place(shown[-1])])
    page = Listed(items=[shape(row) for row in shown], next=after)
    return HttpResponse(page.model_dump_json(), content_type="application/json")
