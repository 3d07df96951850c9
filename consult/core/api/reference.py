"""The documentation page: the same document, rendered here. No script and no third party is needed to read it."""

import functools
import json
from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe
from ninja import NinjaAPI

from consult.core import errors
from consult.core.api import document, raw

DEEPEST = 3


def view(api: NinjaAPI) -> Callable[[HttpRequest], HttpResponse]:
    """Return the view of the page. It tells nothing of anybody: everybody may read it."""

    @functools.cache
    def content() -> dict[str, Any]:
        found = document.build(api)
        return {"groups": _groups(found), "problems": errors.KINDS, "office": settings.CONSULT_OFFICE_URL}

    # Nothing secret is in it, so its length may tell what is.
    @gzip_page
    @require_safe
    def show_reference(request: HttpRequest) -> HttpResponse:
        return render(request, "api/reference.html", content())

    return show_reference


def _groups(found: dict[str, Any]) -> list[dict[str, Any]]:
    groups = [{**tag, "id": tag["name"].lower(), "operations": []} for tag in found["tags"]]
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            group = next(group for group in groups if group["name"] in operation["tags"])
            group["operations"].append(_operation(path, method, operation, found["components"]["schemas"]))
    return groups


def _operation(path: str, method: str, operation: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    sent = operation.get("requestBody", {}).get("content", {})
    body = sent.get("application/json")
    success = next(status for status in operation["responses"] if status.startswith("2"))
    given = operation["responses"][success].get("content", {})
    answered = given.get("application/json", {}).get("schema")
    return {
        "id": operation["operationId"],
        "method": method.upper(),
        "path": path,
        "summary": operation["summary"],
        "description": operation.get("description", ""),
        "parameters": [
            {
                "name": parameter["name"],
                "where": parameter["in"],
                "type": _type(parameter["schema"], schemas),
                "required": parameter["required"],
                "words": parameter.get("description", ""),
            }
            for parameter in operation["parameters"]
        ],
        "body": list(_fields(body["schema"], schemas)) if body else [],
        "curl": _curl(path, method, body, takes_bytes=raw.MEDIA_TYPE in sent),
        "success": success,
        "gives_bytes": bool(given) and not answered,
        "answer": list(_fields(answered, schemas)) if answered else [],
        "problems": [status for status in operation["responses"] if status.startswith(("4", "5"))],
    }


def _curl(path: str, method: str, body: dict[str, Any] | None, *, takes_bytes: bool) -> str:
    lines = [f"curl {settings.CONSULT_OFFICE_URL}{path}", '-H "Authorization: Bearer $CONSULT_TOKEN"']
    if method != "get":
        lines.insert(1, f"-X {method.upper()}")
    if body:
        sent = json.dumps(body["example"], ensure_ascii=False)
        lines += ["-H 'Content-Type: application/json'", f"-d '{sent}'"]
    if takes_bytes:
        lines += [f"-H 'Content-Type: {raw.MEDIA_TYPE}'", "--data-binary @file"]
    return " \\\n  ".join(lines)


def _fields(
    schema: dict[str, Any], schemas: dict[str, Any], prefix: str = "", depth: int = 1
) -> Iterator[dict[str, Any]]:
    """Yield name, type, required, words of each property, those of what it holds with a dot."""
    schema = document.resolve(schema, schemas)
    for name, each in schema.get("properties", {}).items():
        yield {
            "name": prefix + name,
            "type": _type(each, schemas),
            "required": name in schema.get("required", []),
            "words": each.get("description", ""),
        }
        inner = _inner(each, schemas)
        if inner and depth < DEEPEST:
            yield from _fields(inner[0], schemas, f"{prefix}{name}{inner[1]}.", depth + 1)


def _inner(schema: dict[str, Any], schemas: dict[str, Any]) -> tuple[dict[str, Any], str] | None:
    for kind in [schema, *schema.get("anyOf", [])]:
        found = document.resolve(kind, schemas)
        if "properties" in found:
            return found, ""
        if found.get("type") == "array" and "properties" in document.resolve(found["items"], schemas):
            return found["items"], "[]"
    return None


def _type(schema: dict[str, Any], schemas: dict[str, Any]) -> str:
    """Return a schema's type in a few words: text up to 200, one of open, closed, list of …"""
    schema = document.resolve(schema, schemas)
    if "anyOf" in schema:
        return " or ".join(_type(kind, schemas) for kind in schema["anyOf"])
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    if "const" in schema:
        return str(schema["const"])
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {_type(schema['items'], schemas)}"
    if kind == "string":
        words = {"uuid": "id", "date-time": "time"}.get(schema.get("format", ""), "text")
        return f"{words} up to {schema['maxLength']}" if "maxLength" in schema else words
    if kind == "integer" and "maximum" in schema:
        return f"number from {schema.get('minimum', 0)} to {schema['maximum']}"
    return {"integer": "number", "boolean": "yes or no", "null": "null", "object": "object"}.get(kind, str(kind))
