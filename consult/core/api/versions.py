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
    if request.method == "GET" and (known := request.headers.get("If-None-Match")):
        tags = [each.removeprefix("W/") for each in parse_etags(known)]
        if tag in tags or "*" in tags:
            return HttpResponse(status=304, headers={"ETag": tag})
    response = HttpResponse(content, status=status, content_type="application/json", headers={"ETag": tag})
    if location:
        response["Location"] = location
    return response


def expect(request: HttpRequest, shape: Shape) -> None:
    """Raise Refused (412) when the request has an If-Match and this is not what it names.

    `shape` is the resource as it is now, read after its row was locked: nobody changes it until the request is done.
    """
    wanted = request.headers.get("If-Match")
    if wanted is None:
        return
    tags = parse_etags(wanted)
    # A weak tag never matches here (RFC 9110, 13.1.1).
    if "*" not in tags and etag(shape.model_dump_json().encode()) not in tags:
        raise Refused("precondition_failed")
