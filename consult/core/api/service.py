"""The API itself: one way in for every route, one way out for every refusal."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.operation import Operation, PathView
from ninja.utils import normalize_path, replace_path_param_notation

from consult.core import errors
from consult.core.api import bodies, raw
from consult.core.errors import Refused

type Go = Callable[[], HttpResponseBase]
# Lets a request in (who calls, how often, into which agency), or raises Refused; the second argument does the rest.
type Enter = Callable[[HttpRequest, Go], HttpResponseBase]


class Api(NinjaAPI):
    """ninja's routing, schemas and document, behind our own door and with our own problems."""

    def __init__(self, *, enter: Enter, **more: Any) -> None:
        super().__init__(parser=bodies.Strict(), openapi_url=None, docs_url=None, urls_namespace="api", **more)
        self.enter = enter
        self.add_exception_handler(ValidationError, _invalid)
        # Everything else leaves the agency's transaction as an exception, so that nothing of it is kept.
        for kind in (Exception, Http404, HttpError):
            self.add_exception_handler(kind, _raise)

    def get_openapi_operation_id(self, operation: Operation) -> str:
        # One action, one name: as the function, the service and the audit have it.
        return operation.view_func.__name__

    def _get_urls(self) -> list[Any]:
        found: list[URLPattern] = []
        for bound in self._get_bound_routers():
            for route, view in bound.path_operations.items():
                whole = "/".join(filter(None, (bound.prefix, route)))
                address = normalize_path(replace_path_param_notation(whole)).lstrip("/")
                found.append(path(address, self._view(view), name=view.operations[0].view_func.__name__))
        return found

    def get_root_path(self, path_params: Mapping[str, Any]) -> str:
        return "/api/"

    def _view(self, routed: PathView) -> Callable[..., HttpResponseBase]:
        operations = {method: operation for operation in routed.operations for method in operation.methods}
        known = {method: _query_names(operation) for method, operation in operations.items()}
        allow = ", ".join(sorted([*operations, *(["HEAD"] if "GET" in operations else [])]))

        @csrf_exempt
        def view(request: HttpRequest, **parts: Any) -> HttpResponseBase:
            method = "GET" if request.method == "HEAD" else str(request.method)

            def go() -> HttpResponseBase:
                if method not in operations:
                    raise Refused("method_not_allowed", headers={"Allow": allow})
                request.GET = bodies.parameters(request, known[method])  # type: ignore[assignment]
                # Also where no body is asked for: what is sent is looked at.
                if not raw.takes_bytes(operations[method]):
                    bodies.read(request)
                return operations[method].run(request, **parts)

            return self._answered(request, go)

        return view

    def _answered(self, request: HttpRequest, go: Go) -> HttpResponseBase:
        response: HttpResponseBase
        with translation.override("en"):
            try:
                response = self.enter(request, go)
            except Refused as refused:
                response = problem(request, refused)
            except (Http404, PermissionDenied, BadRequest, SuspiciousOperation) as error:
                response = problem(request, _refused(error))
        for name, value in getattr(request, "api_headers", {}).items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Cache-Control", "private, no-cache" if "ETag" in response else "no-store")
        return _headers_alone(response) if request.method == "HEAD" else response


def _headers_alone(response: HttpResponseBase) -> HttpResponse:
    """Return what a HEAD is answered: what a GET would be, but for the body."""
    if isinstance(response, HttpResponse):
        response["Content-Length"] = str(len(response.content))
        response.content = b""
        return response
    # A stream says its length itself, and its file is closed here: nobody will read it.
    response.close()
    return HttpResponse(status=response.status_code, headers=dict(response.items()))


def _query_names(operation: Operation) -> frozenset[str]:
    return frozenset(
        name
        for model in operation.models
        if model.__ninja_param_source__ == "query"
        for name in getattr(model, "__ninja_flatten_map__", {})
    )


def problem(request: HttpRequest, refused: Refused) -> HttpResponse:
    """Return the document of a refusal, with the id under which the request stands in the log."""
    response = errors.problem(
        errors.KINDS[refused.code].status,
        code=refused.code,
        detail=refused.detail,
        **refused.extra,
        request_id=getattr(request, "request_id", ""),
    )
    for name, value in refused.headers.items():
        response[name] = value
    return response


def _refused(error: Exception) -> Refused:
    match error:
        case Http404():
            return Refused("not_found")
        case PermissionDenied():
            return Refused("not_allowed", str(error))
        case RequestDataTooBig():
            return Refused("too_large")
        case BadRequest():
            return Refused("bad_request", str(error))
        case _:
            # The texts of SuspiciousOperation are for the log.
            return Refused("bad_request")


def _raise(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    # A body's own refusal, which ninja wraps.
    if isinstance(error, HttpError) and isinstance(error.__cause__, Refused):
        raise error.__cause__
    raise error


def _invalid(request: HttpRequest, error: ValidationError | type[ValidationError]) -> HttpResponse:
    found: list[dict[str, Any]] = error.errors if isinstance(error, ValidationError) else []
    raise Refused("invalid", errors=[_fault(each) for each in found])


def _fault(error: Mapping[str, Any]) -> dict[str, str]:
    """Return {pointer, code, detail} of one of pydantic's errors. Nothing of what was sent is repeated."""
    source, *location = error["loc"]
    if source == "body":
        # The first part is the name of the function's argument.
        pointer = "".join(f"/{bodies.escape(str(part))}" for part in location[1:])
        if error["type"] == "extra_forbidden":
            pointer = pointer.rpartition("/")[0]
    else:
        pointer = f"?{location[-1]}" if location else "?"
    if error["type"] == "extra_forbidden":
        return {"pointer": pointer, "code": "unknown", "detail": "There is a name that is not known here."}
    if error["type"] == "value_error":
        return {"pointer": pointer, "code": "invalid", "detail": unquoted(str(error["msg"]).partition(", ")[2])}
    # A text whose length is looked at after it was trimmed is a “value” with “items” to pydantic.
    if error["type"] == "too_long" and str(error["msg"]).startswith("Value"):
        most = error.get("ctx", {}).get("max_length")
        return {"pointer": pointer, "code": "too_long", "detail": f"This may have at most {most} characters."}
    if error["type"] in ("missing", "model_attributes_type") and not pointer:
        return {"pointer": pointer, "code": "missing", "detail": "A JSON object is needed."}
    if error["type"] in ("model_type", "model_attributes_type"):
        # pydantic names the class.
        return {"pointer": pointer, "code": "object_type", "detail": "A JSON object is needed."}
    return {"pointer": pointer, "code": str(error["type"]), "detail": f"{str(error['msg']).rstrip('.')}."}


def unquoted(text: str) -> str:
    """Return the rules' own words without the values that they quote."""
    return re.sub("“.*”", "“…”", text, flags=re.DOTALL)


REFUSED = "There is no such thing, or it does not go together with the rest."


@contextmanager
def refusing(mapping: Mapping[type[Exception], tuple[str, str]]) -> Iterator[None]:
    """Translate what a service raises: exception → (code, pointer of the value at fault or an empty text)."""
    try:
        yield
    except tuple(mapping) as error:
        code, pointer = next(found for kind, found in mapping.items() if isinstance(error, kind))
        if code != "invalid":
            raise Refused(code) from error
        # Of our own rules the text is for people; others carry what was sent.
        said = error.args[0] if error.args else ""
        words = unquoted(said) if isinstance(error, ValueError) and isinstance(said, str) and said else REFUSED
        raise Refused("invalid", errors=[{"pointer": pointer, "code": "invalid", "detail": words}]) from error
