"""Everything that can go wrong for a sender: one registry, one exception, one document (RFC 9457)."""

import msgspec


class Kind(msgspec.Struct, frozen=True):
    status: int
    title: str


# Codes never change their meaning: scripts compare them.
KINDS = {
    "malformed": Kind(400, "The request could not be read"),
    "invalid_token": Kind(401, "The token is not valid"),
    "not_found": Kind(404, "There is nothing here"),
    "unknown_form": Kind(404, "There is no such form"),
    "method_not_allowed": Kind(405, "This address does not take that method"),
    "too_slow": Kind(408, "The request took too long to arrive"),
    "length_required": Kind(411, "The request does not say how long it is"),
    "too_large": Kind(413, "The request is too large"),
    "wrong_type": Kind(415, "This kind of content is not accepted"),
    "invalid_fields": Kind(422, "Some fields need another look"),
    "refused": Kind(422, "The content cannot be stored"),
    "internal": Kind(500, "Something went wrong here"),
    "unavailable": Kind(503, "We cannot store anything at this moment"),
    "too_many_streams": Kind(503, "Too many live streams are open"),
}


class FieldError(msgspec.Struct, frozen=True):
    code: str
    field: str
    message: str


class Problem(Exception):
    """Ends a request with this answer. `detail` is shown to the sender."""

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        errors: tuple[FieldError, ...] = (),
        headers: tuple[tuple[str, str], ...] = (),
        retry_after: int | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.kind = KINDS[code]
        self.detail = detail
        self.errors = errors
        self.retry_after = retry_after
        retry = (("retry-after", str(retry_after)),) if retry_after is not None else ()
        self.headers = headers + retry


def document(problem: Problem, request_id: str) -> bytes:
    """The JSON of `application/problem+json`."""
    content: dict[str, object] = {
        "type": f"urn:consult:problem:{problem.code}",
        "title": problem.kind.title,
        "status": problem.kind.status,
        "detail": problem.detail,
        "ok": False,
        "code": problem.code,
        "request_id": request_id,
    }
    if problem.retry_after is not None:
        content["retry_after"] = problem.retry_after
    if problem.errors:
        content["errors"] = problem.errors
    return msgspec.json.encode(content)
