"""What every answer of the office carries, whoever made it: pages, errors, static files and probes alike (ADR 036).

The content security policy and X-Frame-Options come from their own middleware, HSTS from Django's SecurityMiddleware.
"""

import re
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed

from consult.core import errors

# What no page of ours asks for, so that nothing that gets into one can. Passkeys are the exception.
_UNUSED = (
    "accelerometer",
    "autoplay",
    "browsing-topics",
    "camera",
    "display-capture",
    "encrypted-media",
    "fullscreen",
    "geolocation",
    "gyroscope",
    "hid",
    "idle-detection",
    "local-fonts",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "picture-in-picture",
    "screen-wake-lock",
    "serial",
    "usb",
    "xr-spatial-tracking",
)
PERMISSIONS_POLICY = ", ".join(
    [
        *(f"{feature}=()" for feature in _UNUSED),
        "publickey-credentials-create=(self)",
        "publickey-credentials-get=(self)",
    ]
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": PERMISSIONS_POLICY,
    # Nothing that a signed-in person sees may stay on the disk of a shared machine. Static files say otherwise.
    "Cache-Control": "private, no-store",
    # In the place of the server's own, which names the program; it cannot be told to say nothing.
    "Server": "consult",
}


class Baseline:
    """Put the headers on whatever comes back."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in HEADERS.items():
            response.setdefault(name, value)
        return response


class Refusals:
    """Refuse what is too large before anybody reads it, and answer a wrong method with a page of ours."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if declared(request) > limit(request.path_info):
            return errors.too_large(request)
        if "HTTP_TRANSFER_ENCODING" in request.META and not request.META.get("CONTENT_LENGTH"):
            # Django would read none of it.
            return errors.answer(request, 411)
        if not declared(request):
            # Django would take more digits than any body has for a length.
            request.META["CONTENT_LENGTH"] = ""
        response = self.get_response(request)
        if isinstance(response, HttpResponseNotAllowed) and not response.content:
            page = errors.answer(request, 405)
            page["Allow"] = response["Allow"]
            return page
        return response


# Where CSV files come in to be imported, by pages and by programs.
_IMPORTS = re.compile(r"/[^/]+/(contacts|companies)/import/|/api/v1/imports")
# What stands around a file in a form.
_AROUND_BYTES = 64 * 1024


def limit(path: str) -> int:
    """Return how many bytes a body may have at this address."""
    # Whole mails come to the hooks, with their attachments in base64.
    if path.startswith("/hooks/"):
        return settings.CONSULT_MAIL_LIMIT_BYTES
    if _IMPORTS.fullmatch(path):
        return settings.CONSULT_IMPORT_LIMIT_BYTES + _AROUND_BYTES
    return settings.CONSULT_BODY_LIMIT_BYTES


def declared(request: HttpRequest) -> int:
    """Return how many bytes the body says it has; 0 when it does not say so in digits, as Django then reads none."""
    length = str(request.META.get("CONTENT_LENGTH") or "")
    return int(length) if length.isascii() and length.isdigit() and len(length) < 19 else 0
