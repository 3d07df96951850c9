"""The error contract: RFC 9457 problem documents for programs, pages in the product's own look for people."""

from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template import loader

log = structlog.get_logger("consult.errors")

# What happened, in words for the page; `code` is what programs may rely on.
CODES = {
    400: "bad_request",
    401: "not_signed_in",
    403: "not_allowed",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "too_large",
    429: "too_many_requests",
    500: "internal_error",
    503: "unavailable",
}


def problem(status: int, *, code: str = "", detail: str = "", **extra: Any) -> JsonResponse:
    """Return an RFC 9457 document: type, title, status, code, detail and what else the caller gives."""
    code = code or CODES.get(status, "error")
    document = {
        "type": f"urn:consult:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        **({"detail": detail} if detail else {}),
        **extra,
    }
    return JsonResponse(document, status=status, content_type="application/problem+json")


def wants_json(request: HttpRequest) -> bool:
    accepted = request.get_preferred_type(["text/html", "application/json", "application/problem+json"])
    return accepted is not None and accepted != "text/html"


def answer(request: HttpRequest, status: int, *, code: str = "", detail: str = "", template: str = "") -> HttpResponse:
    """Answer an error in the form that the caller reads."""
    request_id = getattr(request, "request_id", "")
    if wants_json(request):
        return problem(status, code=code, detail=detail, request_id=request_id)
    # Rendered without a request: an error page must not need the database, the session or the agency.
    page = loader.get_template(template or f"{status}.html").render({"request_id": request_id, "detail": detail})
    return HttpResponse(page, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    # Django answers 400 for these as well.
    if isinstance(exception, RequestDataTooBig | TooManyFieldsSent | TooManyFilesSent):
        return too_large(request)
    # What our own views say. The texts of SuspiciousOperation are for the log.
    return answer(request, 400, detail=str(exception) if isinstance(exception, BadRequest) else "")


def too_large(request: HttpRequest) -> HttpResponse:
    return answer(request, 413)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, 403, detail=str(exception))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    return answer(request, 500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return answer(
        request,
        403,
        code="csrf",
        template="403_csrf.html",
    )


def too_many_requests(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return answer(request, 429)


def on_exception(request: HttpRequest, exception: Exception) -> HttpResponse | None:
    """Log an unexpected exception; answer 503 when it says that the database is away, else leave it to Django."""
    if isinstance(exception, Http404 | PermissionDenied | SuspiciousOperation | BadRequest):
        return None
    log.exception("unhandled", exc_info=exception)
    if isinstance(exception, OperationalError | InterfaceError):
        response = answer(request, 503, code="database_away")
        response["Retry-After"] = "5"
        return response
    return None
