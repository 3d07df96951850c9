"""Peer (c): Django REST framework on gunicorn."""

import django_peer
from django.core.wsgi import get_wsgi_application
from django.urls import path
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class Submit(APIView):
    def post(self, request: Request, key: str) -> Response:
        form = django_peer.find_form(key)
        if form is None:
            raise exceptions.NotFound("unknown_form")
        if not isinstance(request.data, dict):
            raise exceptions.ParseError("malformed")
        row = django_peer.store(request._request, form, request.data)
        return Response({"ok": True, "id": str(row.id), "receipt": row.receipt}, 201)


urlpatterns = [path("f/<str:key>", Submit.as_view())]
application = get_wsgi_application()
