"""What the command palette finds."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from consult.accounts import queries as accounts
from consult.thread import queries


@require_GET
def palette(request: HttpRequest) -> HttpResponse:
    """The options for what is typed, as parts of the list that the page has open."""
    here = accounts.here(request)
    text = request.GET.get("q", "")
    context = {"places": queries.places(here.agency_id, here.slug, text), "text": text.strip()[:200]}
    return render(request, "thread/palette.html", context)
