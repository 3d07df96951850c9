"""What every request passes: who really sent it, its id, and one log line."""

import ipaddress
import re
import time
import uuid
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse

log = structlog.get_logger("consult.request")

GetResponse = Callable[[HttpRequest], HttpResponse]
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def request_id(given: str | None) -> str:
    """Return the caller's request id when it is harmless text, else a new one."""
    return given if given and _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


class RequestLog:
    """Bind a request id to everything logged meanwhile, answer with it, write one line per request."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        id = request_id(request.headers.get("X-Request-ID"))
        request.request_id = id  # type: ignore[attr-defined]
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=id)
        response = self.get_response(request)
        response["X-Request-ID"] = id
        match = request.resolver_match
        inside = getattr(request, "agency", None)
        log.info(
            "request",
            method=request.method,
            # The route, not the path: a path may carry a one-time secret.
            route=f"/{match.route}" if match else "(no route)",
            status=response.status_code,
            duration_ms=round((time.perf_counter() - started) * 1000, 1),
            agency=inside.agency_id if inside else None,
            member=str(inside.member_id) if inside else None,
        )
        structlog.contextvars.clear_contextvars()
        return response


class TrustedProxies:
    """Believe X-Forwarded-For and X-Forwarded-Proto only when the peer is a proxy that the operator listed."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.networks = [ipaddress.ip_network(network) for network in settings.CONSULT_TRUSTED_PROXIES]

    def __call__(self, request: HttpRequest) -> HttpResponse:
        proto = request.META.pop("HTTP_X_FORWARDED_PROTO", "")
        forwarded = request.META.pop("HTTP_X_FORWARDED_FOR", "")
        if self.trusts(request.META.get("REMOTE_ADDR", "")):
            if proto == "https":
                request.META["wsgi.url_scheme"] = "https"
                request.environ["wsgi.url_scheme"] = "https"  # type: ignore[attr-defined]
            # The nearest address that is no proxy of ours: what stands left of it may be invented.
            for address in reversed([part.strip() for part in forwarded.split(",") if part.strip()]):
                if not _is_address(address):
                    break
                request.META["REMOTE_ADDR"] = address
                if not self.trusts(address):
                    break
        return self.get_response(request)

    def trusts(self, address: str) -> bool:
        return _is_address(address) and any(ipaddress.ip_address(address) in network for network in self.networks)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
