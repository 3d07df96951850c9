"""The error contract: RFC 9457 problem documents for programs, pages in the product's own look for people."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

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
from django.views.decorators.csrf import csrf_exempt

from consult.core import files

log = structlog.get_logger("consult.errors")


class Kind(NamedTuple):
    """What a code of a problem means: `title` never changes, `words` are its row in docs/api.md."""

    status: int
    title: str
    words: str


# The one registry of codes. Programs may rely on them; docs/api.md repeats it, and a test compares the two. The first
# code of a status is what an answer of that status says when nobody knows better.
KINDS: dict[str, Kind] = {
    "bad_request": Kind(400, "Bad request", "The request cannot be understood; `detail` says what is wrong."),
    "malformed_json": Kind(
        400, "Malformed JSON", "The body is not JSON in UTF-8, names a key twice, or is nested too deeply."
    ),
    "not_signed_in": Kind(
        401, "Not signed in", "No bearer token, or one that is not valid (any more). Cookies are not looked at."
    ),
    "not_allowed": Kind(403, "Not allowed", "The token's scopes or its role do not cover this; `detail` says which."),
    "csrf": Kind(403, "Page was open too long", "A page's form without its mark. The API never answers this."),
    "not_found": Kind(404, "Not found", "There is no such address, or nothing of this id in the token's agency."),
    "method_not_allowed": Kind(405, "Method not allowed", "The header `Allow` lists what this address takes."),
    "conflict": Kind(409, "Conflict", "What is there stands against it; `detail` says what."),
    "name_taken": Kind(409, "Name taken", "Another one of this name is there already."),
    "in_progress": Kind(
        409, "In progress", "A request with the same `Idempotency-Key` is still being worked on; see `Retry-After`."
    ),
    "length_required": Kind(411, "Length required", "Send the body whole, with `Content-Length`; not in chunks."),
    "precondition_failed": Kind(
        412, "Precondition failed", "It was changed since: the `ETag` is not the one in `If-Match`. Nothing was done."
    ),
    "too_large": Kind(413, "Too large", "The body is larger than the office takes."),
    "unsupported_media_type": Kind(
        415, "Unsupported media type", "A body must be `application/json`; a picture `application/octet-stream`."
    ),
    "invalid": Kind(
        422, "Invalid", "Values are missing or wrong: `errors` has a `pointer`, `code` and `detail` for each."
    ),
    "bad_cursor": Kind(422, "Bad cursor", "`cursor` is not the `next` of an earlier page of the same list."),
    "bad_idempotency_key": Kind(422, "Bad idempotency key", "`Idempotency-Key` is not 1 to 255 printable characters."),
    "idempotency_key_reused": Kind(
        422, "Idempotency key reused", "The key was used within 24 hours for another request."
    ),
    "too_many_requests": Kind(429, "Too many requests", "Beyond the limit; `Retry-After` says for how many seconds."),
    "internal_error": Kind(500, "Internal error", "Something broke on our side; it is logged under `request_id`."),
    "unavailable": Kind(503, "Unavailable", "The office cannot answer at this moment."),
    "migrations_missing": Kind(
        503, "Migrations missing", "The database has not the newest tables yet; only `/ready/` says so."
    ),
    "database_away": Kind(503, "Database away", "The database does not answer; `Retry-After` says when to come back."),
}
CODES = {kind.status: code for code, kind in reversed(KINDS.items())}


class Refused(Exception):
    """A request that is answered with a problem: a code of KINDS and what else the document carries."""

    def __init__(self, code: str, detail: str = "", *, headers: Mapping[str, str] | None = None, **extra: Any) -> None:
        super().__init__(code)
        self.code, self.detail, self.headers, self.extra = code, detail, dict(headers or {}), extra


def problem(status: int, *, code: str = "", detail: str = "", **extra: Any) -> JsonResponse:
    """Return an RFC 9457 document: type, title, status, code, detail and what else the caller gives."""
    code = code or CODES.get(status, "error")
    document = {
        "type": f"urn:consult:problem:{code}",
        "title": KINDS[code].title if code in KINDS else HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        **({"detail": detail} if detail else {}),
        **extra,
    }
    return JsonResponse(document, status=status, content_type="application/problem+json")


# Where no browser asks, whatever Accept says.
FOR_PROGRAMS = ("/api", "/oauth/token", "/oauth/revoke")


def wants_json(request: HttpRequest) -> bool:
    if request.path_info.startswith("/api/") or request.path_info in FOR_PROGRAMS:
        return True
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


@csrf_exempt
def no_such_route(request: HttpRequest) -> HttpResponse:
    """What is not there below /api/, whatever the method: a problem, also for who sends no Accept."""
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


# How long the count of failed sign-ins holds (ACCOUNT_RATE_LIMITS): then one more try is free at the latest.
RETRY_SECONDS = "300"


def too_many_requests(
    request: HttpRequest, exception: Exception | None = None, *, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    response = answer(request, 429)
    response["Retry-After"] = RETRY_SECONDS
    for name, value in (headers or {}).items():
        response[name] = value
    return response


def on_exception(request: HttpRequest, exception: Exception) -> HttpResponse | None:
    """Log an unexpected exception; answer 503 where database or storage is away, else leave it to Django."""
    if isinstance(exception, Http404 | PermissionDenied | SuspiciousOperation | BadRequest):
        return None
    log.exception("unhandled", exc_info=exception)
    if isinstance(exception, OperationalError | InterfaceError):
        response = answer(request, 503, code="database_away")
    elif isinstance(exception, files.Away):
        response = answer(request, 503, detail="The storage of files does not answer.")
    else:
        return None
    response["Retry-After"] = "5"
    return response
