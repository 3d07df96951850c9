"""What speaks against a person having sent this, or for it. What is not there says nothing."""

import time
from collections.abc import Callable

from edge import challenge, forms, http, payload

HONEYPOT = "honeypot"
FOREIGN_ORIGIN = "foreign_origin"
TOO_FAST = "too_fast"

# Quicker than anybody reads and types.
_FAST_SECONDS = 3.0


def of(
    request: http.Request,
    form: forms.Form,
    sent: payload.Payload,
    *,
    is_own: Callable[[forms.Form, str], bool],
    proofs: challenge.Proofs,
) -> list[str]:
    """The signals of one submission. `is_own` says whether an origin is the form's or ours."""
    found: list[str] = []
    for name, value in sent.fields:
        if (name == form.honeypot or name == "_gotcha") and value.strip():
            found.append(HONEYPOT)
            break
    origin = "" if request.origin == "null" else request.origin
    if not origin and (referrer := request.header("referer")):
        origin = forms.origin_of(referrer)
    if origin and not is_own(form, origin):
        found.append(FOREIGN_ORIGIN)
    controls = sent.controls
    if controls:
        if _too_fast(sent):
            found.append(TOO_FAST)
        solution = controls.get("altcha") or controls.get("_proof")
        if solution and form.proof_of_work:
            verdict = proofs.check(form, solution, time.time(), controls.get("_key", ""))
            if verdict is not None:
                found.append(verdict)
    return found


def _too_fast(sent: payload.Payload) -> bool:
    """By a script that measured it, or by the moment that our own page was made."""
    elapsed = sent.number("_elapsed")
    if elapsed is not None:
        return elapsed < _FAST_SECONDS * 1000
    rendered = sent.number("_rendered", digits=11)
    return rendered is not None and 0 <= time.time() - rendered < _FAST_SECONDS
