"""Request bodies: JSON in UTF-8 and nothing that another reader could understand differently."""

import json
import math
import re
from collections.abc import Iterator
from typing import Any, NoReturn
from urllib.parse import unquote_to_bytes

from django.http import HttpRequest, QueryDict
from ninja.parser import Parser

from consult.core.errors import Refused

DEEPEST = 32
# More digits than any number here has; Python itself refuses 4,300.
_DIGITS = 400
_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_NOTHING: Any = object()


class Strict(Parser):
    """What ninja is given: the body as `read` has understood it."""

    def parse_body(self, request: HttpRequest) -> Any:
        return read(request)


def read(request: HttpRequest) -> Any:
    """Return the body's value, None without a body. Raise Refused, RequestDataTooBig."""
    found = getattr(request, "api_body", _NOTHING)
    if found is _NOTHING:
        found = _parsed(request)
        request.api_body = found  # type: ignore[attr-defined]
    return found


def _parsed(request: HttpRequest) -> Any:
    raw = request.body
    if not raw:
        return None
    if (request.content_type or "").lower() != "application/json":
        raise Refused("unsupported_media_type")
    if (request.content_params or {}).get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        raise Refused("unsupported_media_type", "JSON is UTF-8.")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("malformed_json", "The body is not UTF-8.") from None
    if _depth(text) > DEEPEST:
        raise Refused("malformed_json", f"The body is nested more than {DEEPEST} deep.")
    try:
        value = json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_float, parse_int=_int
        )
    except (ValueError, RecursionError):
        raise Refused("malformed_json", "The body is not JSON.") from None
    if errors := list(_unstorable(value, "")):
        raise Refused("invalid", errors=errors[:20])
    return value


def _depth(text: str) -> int:
    deepest = depth = 0
    for sign in _STRINGS.sub("", text):
        if sign in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif sign in "]}":
            depth -= 1
    return deepest


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Refused("malformed_json", "An object names the same key twice.")
    return found


def _constant(name: str) -> NoReturn:
    raise Refused("malformed_json", "NaN and Infinity are not JSON.")


def _float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise Refused("malformed_json", "A number is too large.")
    return value


def _int(digits: str) -> int:
    if len(digits) > _DIGITS:
        raise Refused("malformed_json", "A number is too large.")
    return int(digits)


def _unstorable(value: Any, pointer: str) -> Iterator[dict[str, str]]:
    """Yield an error for each text that no database text can hold: with NUL, or with half a surrogate pair."""
    if isinstance(value, str):
        if not storable(value):
            yield {"pointer": pointer, "code": "text", "detail": UNSTORABLE}
    elif isinstance(value, dict):
        for key, item in value.items():
            if storable(key):
                yield from _unstorable(item, f"{pointer}/{escape(key)}")
            else:
                yield {"pointer": pointer, "code": "text", "detail": UNSTORABLE}
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _unstorable(item, f"{pointer}/{number}")


UNSTORABLE = "A text may not hold the character U+0000, nor half of a surrogate pair."


def storable(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= sign <= "\udfff" for sign in text)


def escape(part: str) -> str:
    """Return a key as a part of a JSON pointer (RFC 6901)."""
    return part.replace("~", "~0").replace("/", "~1")


def parameters(request: HttpRequest, known: frozenset[str]) -> QueryDict:
    """Return the query's parameters: each of them known, given once, in UTF-8. Raise Refused."""
    raw = request.META.get("QUERY_STRING", "")
    try:
        # A � in the place of what is no UTF-8 would be another value than was sent.
        unquote_to_bytes(raw.encode("latin-1")).decode("utf-8")
        found = QueryDict(raw.encode("latin-1"), encoding="utf-8")
    except UnicodeError:
        raise Refused("bad_request", "The query is not percent-encoded UTF-8.") from None
    errors = []
    for name in found:
        if name not in known:
            # The name is the caller's own text: not repeated.
            errors.append({"pointer": "?", "code": "unknown", "detail": "There is a parameter that is not known here."})
        elif len(found.getlist(name)) > 1:
            errors.append({"pointer": f"?{name}", "code": "repeated", "detail": "Give this parameter once."})
        elif not storable(found[name]):
            errors.append({"pointer": f"?{name}", "code": "text", "detail": UNSTORABLE})
    if errors:
        raise Refused("invalid", errors=errors)
    return found
