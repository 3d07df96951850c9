"""The attacks on a live token, one by one."""

import base64
import json
import time

import jwt
import pytest

from edge import keys, tokens
from edge.tests.live_token import Signer

SIGNER = Signer()
KEYS = tokens.load_keys({SIGNER.kid: SIGNER.pem})
NOW = int(time.time())
# Further than any run of the tests: these are made when the file is read.
LATER = NOW + 86_400


def _part(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def test_good_token() -> None:
    claims = tokens.verify(SIGNER.token(agency=7, sub="m"), KEYS)
    assert (claims.agency, claims.member) == (7, "m")
    assert 590 < claims.expires_at - time.time() <= 600


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "other"}, {"iss": None}, {"aud": "consult-api"}, {"aud": None},
        {"aud": ["consult-live", "consult-api"]},
        {"sub": None}, {"sub": ""}, {"sub": 5}, {"jti": None},
        {"exp": None}, {"exp": NOW - 60}, {"exp": "soon"}, {"exp": NOW + 86_400}, {"exp": 1e400},
        {"iat": None}, {"iat": LATER}, {"iat": NOW - 86_400}, {"nbf": LATER},
        {"agency": None}, {"agency": "1"},
        {"agency": True}, {"agency": 1.0}, {"agency": 0}, {"agency": -1}, {"agency": 2**70},
    ],
    ids=lambda changes: next(iter(changes)),
)  # fmt: skip
def test_claims(changes: dict[str, object]) -> None:
    with pytest.raises(keys.Invalid):
        tokens.verify(SIGNER.token(**changes), KEYS)


@pytest.mark.parametrize(
    "header", [{"kid": "other"}, {"kid": "../x"}, {"typ": "JWT"}, {"typ": None}, {"crit": ["exp"]}], ids=str
)
def test_header(header: dict[str, object]) -> None:
    with pytest.raises(keys.Invalid):
        tokens.verify(SIGNER.token(header), KEYS)


def test_other_algorithms() -> None:
    head, body, signature = SIGNER.token().split(".")
    headers = {"kid": SIGNER.kid, "typ": "live+jwt"}
    claims = jwt.decode(f"{head}.{body}.{signature}", options={"verify_signature": False})
    for algorithm, key in (("none", ""), ("HS256", "k" * 32)):
        with pytest.raises(keys.Invalid):
            tokens.verify(jwt.encode(claims, key, algorithm=algorithm, headers=headers), KEYS)
    # The public key taken as a shared secret, by an encoder less careful than PyJWT.
    forged = _part({"alg": "HS256", **headers}) + "." + body + "." + signature
    with pytest.raises(keys.Invalid):
        tokens.verify(forged, KEYS)


def test_signature() -> None:
    head, body, signature = SIGNER.token().split(".")
    other = Signer()
    other.kid = SIGNER.kid
    for forged in (
        other.token(),
        f"{head}.{body}.",
        f"{head}.{body}",
        f"{head}.{body}.{signature[::-1]}",
        f"{head}.{_part({'agency': 2})}.{signature}",
        "", "a.b.c", "." * 5, "x" * 100_000, "é.é.é", f"{head}.{body}.{signature}.{signature}",
    ):  # fmt: skip
        with pytest.raises(keys.Invalid):
            tokens.verify(forged, KEYS)


def test_only_p256_keys_are_used() -> None:
    from cryptography.hazmat.primitives.asymmetric import ec

    wrong = Signer(ec.SECP384R1())
    assert tokens.load_keys({"a": wrong.pem, "b": "no key", "c": SIGNER.pem}).keys() == {"c"}
