"""Peer (d): Django Ninja on Granian (WSGI)."""

from typing import Any

import django_peer
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest
from django.urls import path
from ninja import Body, NinjaAPI
from ninja.errors import HttpError
from ninja.responses import Status

api = NinjaAPI(openapi_url=None)


@api.post("/f/{key}", response={201: dict[str, Any]})
def submit(request: HttpRequest, key: str, sent: Body[dict[str, Any]]) -> Status[dict[str, Any]]:
    form = django_peer.find_form(key)
    if form is None:
        raise HttpError(404, "unknown_form")
    row = django_peer.store(request, form, sent)
    return Status(201, {"ok": True, "id": str(row.id), "receipt": row.receipt})


urlpatterns = [path("", api.urls)]
application = get_wsgi_application()
