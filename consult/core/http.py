"""What every request passes: who really sent it, its id, and one log line."""

import ipaddress
import re
import time
import uuid
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from consult.core import origin

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
    """Believe X-Forwarded-For and X-Forwarded-Proto only when the peer is a proxy that the operator listed.

    What follows knows where the request comes from (`consult.core.origin`). Other forwarding headers are believed of
    nobody: the host is the one in Host, which ALLOWED_HOSTS checks.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.networks = [ipaddress.ip_network(network) for network in settings.CONSULT_TRUSTED_PROXIES]

    def __call__(self, request: HttpRequest) -> HttpResponse:
        proto = request.META.pop("HTTP_X_FORWARDED_PROTO", "")
        forwarded = request.META.pop("HTTP_X_FORWARDED_FOR", "")
        for name in UNBELIEVED:
            request.META.pop(name, None)
        if self.trusts(request.META.get("REMOTE_ADDR", "")):
            if proto == "https":
                request.META["wsgi.url_scheme"] = "https"
                request.environ["wsgi.url_scheme"] = "https"  # type: ignore[attr-defined]
            # The nearest address that is no proxy of ours: what stands left of it may be invented.
            for part in reversed([part.strip() for part in forwarded.split(",") if part.strip()]):
                address = _address(part)
                if address is None:
                    break
                request.META["REMOTE_ADDR"] = str(address)
                if not self.trusts(part):
                    break
        with origin.bound(origin.network(request.META.get("REMOTE_ADDR", ""))):
            return self.get_response(request)

    def trusts(self, text: str) -> bool:
        address = _address(text)
        return address is not None and any(address in network for network in self.networks)


# Forwarded (RFC 7239) and the rest of the family: nothing here reads them, and nothing may begin to by accident.
UNBELIEVED = (
    "HTTP_FORWARDED",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_SERVER",
    "HTTP_X_FORWARDED_PREFIX",
    "HTTP_X_REAL_IP",
    "HTTP_X_ORIGINAL_URL",
    "HTTP_X_REWRITE_URL",
    "HTTP_X_HTTP_METHOD_OVERRIDE",
)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address that a text is, an IPv4 one in IPv6's clothes as itself; None for anything else."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
