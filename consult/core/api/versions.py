"""Single resources with their ETag: unchanged ones are not sent again, changed ones are not overwritten."""

import base64
import hashlib

from django.http import HttpRequest, HttpResponse
from django.utils.http import parse_etags

from consult.core.api.shapes import Shape
from consult.core.errors import Refused


def etag(content: bytes) -> str:
    """Return a strong ETag: the same for the same bytes alone."""
    return f'"{base64.urlsafe_b64encode(hashlib.sha256(content).digest()[:18]).decode()}"'


def answer(request: HttpRequest, shape: Shape, *, status: int = 200, location: str = "") -> HttpResponse:
    """Answer with one resource and its ETag; 304 when the caller of a GET has that already."""
    content = shape.model_dump_json().encode()
    tag = etag(content)
    if unchanged := not_modified(request, tag):
        return unchanged
    response = HttpResponse(content, status=status, content_type="application/json", headers={"ETag": tag})
    if location:
        response["Location"] = location
    return response


def not_modified(request: HttpRequest, tag: str) -> HttpResponse | None:
    """Return a 304 when the caller of a GET has what this ETag stands for."""
    known = request.headers.get("If-None-Match") if request.method in ("GET", "HEAD") else None
    tags = [each.removeprefix("W/") for each in parse_etags(known or "")]
    return HttpResponse(status=304, headers={"ETag": tag}) if tag in tags or "*" in tags else None


def expect(request: HttpRequest, now: Shape | bytes) -> None:
    """Raise Refused (412) when the request has an If-Match and this is not what it names.

    `now` is the resource as it is, read after its row was locked: nobody changes it until the request is done. Of what
    is no JSON it is what its ETag was made of; empty: there is none.
    """
    wanted = request.headers.get("If-Match")
    if wanted is None:
        return
    tags = parse_etags(wanted)
    content = now.model_dump_json().encode() if isinstance(now, Shape) else now
    # A weak tag never matches here, and * stands for whatever there is (RFC 9110, 13.1.1).
    if not content or ("*" not in tags and etag(content) not in tags):
        raise Refused("precondition_failed")
