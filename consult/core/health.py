"""Is the process alive, and is what it needs there."""

from collections.abc import Callable

from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import resolve

from consult.core import errors


class Probes:
    """Answer /health/ and /ready/ before anything asks for a host's name or HTTPS: probes come by address."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info not in ("/health/", "/ready/"):
            return self.get_response(request)
        request.resolver_match = resolve(request.path_info)
        return health(request) if request.path_info == "/health/" else ready(request)


def health(request: HttpRequest) -> JsonResponse:
    """Say that the process answers: no database, no session, no agency."""
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> JsonResponse:
    """Say whether the database answers and knows every migration of this version; 503 with a reason if not."""
    try:
        connection.ensure_connection()
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except Error as error:
        return errors.problem(
            503, code="database_away", detail=f"The database does not answer ({type(error).__name__})."
        )
    if missing:
        return errors.problem(
            503,
            code="migrations_missing",
            detail=f"{len(missing)} migrations are missing; run `manage.py migrate`.",
        )
    return JsonResponse({"status": "ok"})
