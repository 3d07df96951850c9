"""The token for live pages."""

import datetime as dt

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from consult.accounts import queries, services


@never_cache
@require_GET
def live_token(request: HttpRequest) -> HttpResponse:
    """A token for the edge's event stream, for this member and agency."""
    here = queries.here(request)
    now = dt.datetime.now(dt.UTC)
    token = services.live_token(agency_id=here.agency_id, member_id=queries.person_here(here), now=now)
    life = int(services.LIVE_TOKEN_LIFE.total_seconds())
    return JsonResponse({"url": f"{settings.CONSULT_EDGE_URL}/live", "token": token, "expires_in": life})
