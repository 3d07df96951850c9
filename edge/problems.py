"""Everything that can go wrong for a sender: one registry, one exception, one document (RFC 9457)."""

import msgspec

from edge import words


class Kind(msgspec.Struct, frozen=True):
    status: int
    title: str


# Codes never change their meaning: scripts compare them. Their titles stand in edge/words/, by the code.
_STATUSES = {
    "malformed": 400,
    "invalid_token": 401,
    "not_found": 404,
    "unknown_form": 404,
    "method_not_allowed": 405,
    "too_slow": 408,
    "key_reused": 409,
    "length_required": 411,
    "too_large": 413,
    "wrong_type": 415,
    "invalid_fields": 422,
    "refused": 422,
    "too_many": 429,
    "internal": 500,
    "unavailable": 503,
    "too_many_streams": 503,
}
KINDS = {code: Kind(status, words.ENGLISH.title[code]) for code, status in _STATUSES.items()}


class FieldError(msgspec.Struct, frozen=True):
    """`message` is in the form's language."""

    code: str
    field: str
    message: str


class Problem(Exception):
    """Ends a request with this answer.

    `detail` is shown to the sender: a `words.text`, so that it can be said in the form's language.
    `retry_after` is seconds; `receipt`, as people see it, says that the content was kept nevertheless.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        errors: tuple[FieldError, ...] = (),
        headers: tuple[tuple[str, str], ...] = (),
        retry_after: int | None = None,
        receipt: str = "",
    ) -> None:
        super().__init__(code)
        self.code = code
        self.kind = KINDS[code]
        self.detail = detail
        self.errors = errors
        self.retry_after = retry_after
        self.receipt = receipt
        retry = (("retry-after", str(retry_after)),) if retry_after is not None else ()
        self.headers = headers + retry


def document(problem: Problem, request_id: str, language: str = words.DEFAULT, fallback: str = "") -> bytes:
    """The JSON of `application/problem+json`.

    `title` names the kind and is English; `detail`, `error` and the errors' messages are for a person, in the form's
    language. `fallback` is how else the site can be reached, told while nothing can be stored.
    """
    content: dict[str, object] = {
        "type": f"urn:consult:problem:{problem.code}",
        "title": problem.kind.title,
        "status": problem.kind.status,
        "detail": words.of(language).say(problem.detail),
        "ok": False,
        "code": problem.code,
        "request_id": request_id,
    }
    if problem.retry_after is not None:
        content["retry_after"] = problem.retry_after
    if problem.receipt:
        content["receipt"] = problem.receipt
    if problem.errors:
        content["errors"] = problem.errors
    else:
        # What clients of other form services look for: @formspree/core shows it as an error of the whole form.
        content["error"] = content["detail"]
    if fallback and offers_fallback(problem):
        content["fallback"] = fallback
    return msgspec.json.encode(content)


def offers_fallback(problem: Problem) -> bool:
    """Whether a visitor should be told how else to reach the site: it is not their doing and may last."""
    return problem.code in _NOT_NOW


_NOT_NOW = ("unavailable", "internal", "too_many")
