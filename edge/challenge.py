"""Proof of work without a third party (ALTCHA, https://altcha.org/docs/v2/), for the forms that ask for it.

The challenge is signed with the form's secret, so nothing is stored until its solution comes back. Which solutions
were used is remembered by this process alone: another one believes a solution once more, for as long as it is valid.
"""

import base64
import collections
import secrets
import types
from typing import Literal

import msgspec

from edge import forms

LIFETIME_SECONDS = 20 * 60
# The solver tries about a thousand keys, each of a thousand rounds: half a second on a desktop, two on a phone, while
# somebody types. Making the challenge costs us one key (a third of a millisecond), checking none.
_ALGORITHM = "PBKDF2/SHA-256"
_ROUNDS = 1_000
_FEWEST_KEYS, _MOST_KEYS = 500, 1_500
_SOLUTION_CHARS = 4_000
_REMEMBERED = 20_000

type Verdict = Literal["proof_ok", "proof_bad"]


def create(form: forms.Form, now: float) -> bytes:
    """The JSON of a new challenge. `now` is unix seconds."""
    made = _altcha().create_challenge(
        _ALGORITHM,
        _ROUNDS,
        counter=_FEWEST_KEYS + secrets.randbelow(_MOST_KEYS - _FEWEST_KEYS),
        expires_at=int(now) + LIFETIME_SECONDS,
        hmac_secret=form.secret,
        hmac_key_secret=_key_secret(form),
    )
    return msgspec.json.encode(made.to_dict())


class Proofs:
    """Which solutions were used, and for what."""

    def __init__(self) -> None:
        # The challenge's signature: until when it must be remembered, and what it was used for.
        self._used: collections.OrderedDict[str, tuple[float, str]] = collections.OrderedDict()

    def check(self, form: forms.Form, solution: str, now: float, use: str = "") -> Verdict | None:
        """None when there is no solution; bad when it is forged, expired, of another form, or was used before.

        `use` says for what, such as the submission's idempotency key: the same solution may come again with a retry.
        """
        if not solution:
            return None
        found = _read(solution)
        if (
            found is None
            or found.challenge.parameters.expires_at <= now
            or not form.secret
            or not _right(form, solution)
        ):
            return "proof_bad"
        return "proof_ok" if self._first(found.challenge, use, now) else "proof_bad"

    def _first(self, solved: "_Challenge", use: str, now: float) -> bool:
        while self._used and (len(self._used) >= _REMEMBERED or next(iter(self._used.values()))[0] <= now):
            self._used.popitem(last=False)
        earlier = self._used.get(solved.signature)
        if earlier is not None:
            return bool(use) and earlier[1] == use
        self._used[solved.signature] = solved.parameters.expires_at, use
        return True


class _Parameters(msgspec.Struct, rename={"expires_at": "expiresAt"}):
    expires_at: int


class _Challenge(msgspec.Struct):
    parameters: _Parameters
    signature: str


class _Solved(msgspec.Struct):
    challenge: _Challenge


_decode = msgspec.json.Decoder(_Solved).decode


def _read(solution: str) -> _Solved | None:
    """What we need of the base64 JSON before the library looks at the rest."""
    if len(solution) > _SOLUTION_CHARS:
        return None
    try:
        return _decode(base64.b64decode(solution))
    except ValueError:  # msgspec's and binascii's errors are among them
        return None


def _right(form: forms.Form, solution: str) -> bool:
    try:
        result = _altcha().verify_solution(solution, form.secret, hmac_key_secret=_key_secret(form))
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return False  # what it is made of is the sender's
    return bool(result.verified)


def _key_secret(form: forms.Form) -> str:
    return f"{form.secret}/key"


def _altcha() -> types.ModuleType:
    # 2.4 MB that an edge without such forms does not need.
    import altcha

    return altcha
