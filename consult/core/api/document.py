"""The OpenAPI 3.1 document: what ninja knows of the routes, and what holds for all of them."""

import functools
import json
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe
from ninja import NinjaAPI

from consult.core import errors
from consult.core.api.versions import etag

ABOUT = """\
Call it with `Authorization: Bearer <token>`; cookies are not looked at. The token says which agency it is: nothing of
another one can be reached. Every answer that is not 2xx or 304 is a problem document (RFC 9457) whose `code` never
changes its meaning.
"""
TAGS = {
    "Members": "Who calls, and who belongs to the agency.",
    "Invitations": "Places in the agency that are offered by e-mail.",
    "Agency": "The agency's settings and its logo.",
    "Clients": "Companies that the agency works for.",
    "Contacts": "People whom the agency knows.",
    "Companies": "Companies that the agency knows.",
    "Deals": "Work that may be won, and the stages that it passes.",
    "Projects": "Work for a client, and the states that its tasks pass.",
    "Tasks": "Pieces of a person's work, what was changed of them and what was said.",
    "Imports": "CSV files of contacts and companies: uploaded, checked, imported by a job, taken back as a whole.",
    "Labels": "Words that contacts, companies, deals and enquiries are sorted by.",
    "Fields": "What the agency adds to contacts, companies and deals.",
    "Sites": "Websites of clients, or of the agency itself.",
    "Forms": "Forms on sites: their fields, rules and settings.",
    "Submissions": "What arrived, as it arrived. Never changed.",
    "Files": "What visitors sent along, as bytes.",
    "Attention": "What was accepted and could not be stored: its bytes, until somebody has looked.",
    "Reports": "What came, what is owed an answer, how soon answers come, how far deals get.",
    "Blocked senders": "Whose messages are held.",
    "Enquiries": "What staff work on, opened from submissions.",
    "Messages": "E-mails between the agency and the senders of enquiries, and those that were set aside.",
    "Templates": "Replies that are written often.",
    "Notifications": "What the caller is told of, and how.",
    "Jobs": "Work in the background that failed for good.",
    "People": "What is held of a person, handed out or erased.",
    "Tokens": "What programs sign in with.",
    "Programs": "Programs that members have signed in, such as the browser extension.",
    "Audit": "Who did what.",
}
PROBLEM = {
    "type": "object",
    "description": "RFC 9457. `errors` comes with the code `invalid`.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "enum": list(errors.KINDS)},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {
                        "type": "string",
                        "description": "A JSON pointer into the body (RFC 6901), or `?name` of a parameter.",
                    },
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
                "required": ["pointer", "code", "detail"],
                "additionalProperties": False,
            },
        },
        "request_id": {"type": "string"},
    },
    "required": ["type", "title", "status", "code", "request_id"],
    "additionalProperties": False,
}
LIMITS = {
    "RateLimit-Policy": "The limits: name, quota `q` in `w` seconds.",
    "RateLimit": "What is left of each: `r` calls; `t` seconds until more.",
}
HEADERS = {
    **{name: {"description": words, "schema": {"type": "string"}} for name, words in LIMITS.items()},
    "ETag": {"description": "Changes with the resource; for If-Match and If-None-Match.", "schema": {"type": "string"}},
    "Location": {"description": "Where the new resource is.", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 0}},
    "WWW-Authenticate": {"description": "RFC 6750.", "schema": {"type": "string"}},
    "Allow": {"description": "The methods that there are.", "schema": {"type": "string"}},
}
# What no route of the API answers.
NOT_HERE = {"csrf", "migrations_missing"}
# What each problem's answer carries besides.
OF_STATUS = {401: ["WWW-Authenticate"], 405: ["Allow"], 429: ["Retry-After", *LIMITS], 503: ["Retry-After"]}


def _parameter(name: str, words: str, **schema: Any) -> dict[str, Any]:
    return {
        "in": "header",
        "name": name,
        "required": False,
        "description": words,
        "schema": {"type": "string", **schema},
    }


IF_MATCH = _parameter("If-Match", "Do it only if the resource still has this ETag; 412 otherwise.")
IF_NONE_MATCH = _parameter("If-None-Match", "Answer 304 if the resource still has this ETag.")
IDEMPOTENCY_KEY = _parameter(
    "Idempotency-Key",
    "A request that is sent again with the same key within 24 hours is answered as the first time, and done once.",
    pattern="^[ -~]{1,255}$",
)


def build(api: NinjaAPI) -> dict[str, Any]:
    """Return the document."""
    found: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema(path_prefix="/api/"), default=str))
    found["info"]["description"] = ABOUT
    found["servers"] = [{"url": settings.CONSULT_OFFICE_URL}]
    found["security"] = [{"bearer": []}]
    found["tags"] = [{"name": name, "description": words} for name, words in TAGS.items()]
    components = found["components"]
    components["schemas"]["Problem"] = PROBLEM
    components["headers"] = HEADERS
    components["securitySchemes"] = {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "An API token (`cst_…`), or an access token of the browser extension.",
        }
    }
    statuses = sorted({kind.status for kind in errors.KINDS.values()} - {500})
    components["responses"] = {f"Problem{status}": _problem(status) for status in statuses}
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            _complete(operation, method, path, components["schemas"])
    return found


def _problem(status: int) -> dict[str, Any]:
    kinds = {code: kind for code, kind in errors.KINDS.items() if kind.status == status and code not in NOT_HERE}
    first = next(iter(kinds))
    return {
        "description": " ".join(f"`{code}`: {kind.words}" for code, kind in kinds.items()),
        "headers": _headers(*OF_STATUS.get(status, [])),
        "content": {
            "application/problem+json": {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "example": {
                    "type": f"urn:consult:problem:{first}",
                    "title": kinds[first].title,
                    "status": status,
                    "code": first,
                    "request_id": "4f6c0d3c5f1e4f0f9a3e2f6f1f0d7c1b",
                },
            }
        },
    }


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _complete(operation: dict[str, Any], method: str, path: str, schemas: dict[str, Any]) -> None:
    """Add what no route says itself: common headers, parameters and problems."""
    responses = operation["responses"]
    is_list = any("next" in _properties(each, schemas) for each in responses.values())
    given = responses.get("200", {}).get("content", {})
    is_json = not given or "application/json" in given
    is_versioned = is_json or "304" in responses
    changes = method in ("put", "patch", "delete") or (method == "post" and "{" in path and "201" not in responses)
    parameters = operation["parameters"]
    problems = [400, 401, 403, 404, 413, 415, 422, 429, 503]
    if method == "get" and not is_list and is_versioned:
        parameters.append(IF_NONE_MATCH)
        responses["304"] = {"description": "It still is as the caller has it.", "headers": _headers("ETag")}
    if changes:
        parameters.append(IF_MATCH)
        problems.append(412)
    if method == "post":
        parameters.append(IDEMPOTENCY_KEY)
        problems.append(409)
    if method in ("patch", "put"):
        problems.append(409)
    for status, response in list(responses.items()):
        own = [] if is_list or status in ("204", "304") or not is_versioned else ["ETag"]
        created = ["Location"] if status == "201" and "notes" not in path else []
        response["headers"] = {**response.get("headers", {}), **_headers(*LIMITS, *own, *created)}
    responses |= {str(status): {"$ref": f"#/components/responses/Problem{status}"} for status in sorted(problems)}
    for content in operation.get("requestBody", {}).get("content", {}).values():
        content["example"] = example(content["schema"], schemas)


def _properties(response: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    schema = response.get("content", {}).get("application/json", {}).get("schema", {})
    found: dict[str, Any] = resolve(schema, schemas).get("properties", {})
    return found


def resolve(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """Return the schema that a reference names, or the schema itself."""
    # A reference with a default beside it.
    if len(wrapped := schema.get("allOf", [])) == 1:
        return resolve(wrapped[0], schemas)
    name = schema.get("$ref", "").rpartition("/")[2]
    return schemas[name] if name else schema


def example(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """Return a value that a schema takes: its own example, or its required properties."""
    schema = resolve(schema, schemas)
    if "examples" in schema:
        return schema["examples"][0]
    if "enum" in schema:
        return schema["enum"][0]
    for kind in schema.get("anyOf", []):
        return example(kind, schemas)
    match schema.get("type"):
        case "object":
            needed = set(schema.get("required", [])) | {
                name for name, each in schema["properties"].items() if "examples" in each
            }
            return {name: example(each, schemas) for name, each in schema["properties"].items() if name in needed}
        case "array":
            return [example(schema["items"], schemas)]
        case "integer":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case "string" if schema.get("format") == "uuid":
            return "01970a3e-5d2c-7b1f-8f1e-3f5c9d2b7a41"
        case "string" if schema.get("format") == "date-time":
            return "2027-01-31T12:00:00Z"
        case _:
            return "text"


def view(api: NinjaAPI) -> Callable[[HttpRequest], HttpResponse]:
    """Return the view of the document. It tells nothing of anybody: everybody may read it."""

    @functools.cache
    def content() -> bytes:
        return json.dumps(build(api), ensure_ascii=False).encode()

    @csrf_exempt
    # Nothing secret is in it, so its length may tell what is.
    @gzip_page
    @require_safe
    def show_document(request: HttpRequest) -> HttpResponse:
        answer = HttpResponse(content(), content_type="application/json")
        answer["Cache-Control"] = "public, max-age=300"
        answer["ETag"] = etag(content())
        return answer

    return show_document
