"""What every page inside an agency shows of intake."""

from typing import Any

from django.http import HttpRequest

from consult.accounts import queries as accounts
from consult.intake import reports


def attention(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `attention_count`, asked for when a page shows it."""
    if getattr(request, "agency", None) is None:
        return {}
    agency_id = accounts.here(request).agency_id
    return {"attention_count": lambda: reports.attention_count(agency_id)}
