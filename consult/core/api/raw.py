"""Bytes in and out: what is no JSON. A route says it with one of these as its `openapi_extra`."""

from typing import Any

from django.http import HttpRequest
from ninja.operation import Operation

from consult.core.errors import Refused

# The one type that is taken: what it really is, is looked at by its content, whatever a header says.
MEDIA_TYPE = "application/octet-stream"
_BYTES = {"schema": {"type": "string", "format": "binary"}}
TAKES_BYTES: dict[str, Any] = {"requestBody": {"required": True, "content": {MEDIA_TYPE: _BYTES}}}


def gives_bytes(*media_types: str, versioned: bool = False) -> dict[str, Any]:
    """Return what the document says of a route that answers with bytes; `versioned`: with an ETag."""
    responses: dict[int, Any] = {200: {"content": dict.fromkeys(media_types or [MEDIA_TYPE], _BYTES)}}
    if versioned:
        responses[304] = {}
    return {"responses": responses}


def takes_bytes(operation: Operation) -> bool:
    """Whether the body of this operation is bytes, which no parser has looked at."""
    return "requestBody" in (operation.openapi_extra or {})


def read(request: HttpRequest) -> bytes:
    """Return a body as it was sent. Raise Refused, RequestDataTooBig."""
    expect(request)
    return request.body


def expect(request: HttpRequest) -> None:
    """Raise Refused for a body that does not say that it is bytes; whoever takes a large one reads it in pieces."""
    if (request.content_type or "").lower() != MEDIA_TYPE:
        raise Refused("unsupported_media_type", f"Send the bytes as {MEDIA_TYPE}.")
