"""The attacks on an access token, one by one."""

import base64
import datetime as dt
import json
import uuid
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from conftest import Cast, Database
from consult.accounts import models, queries, services
from consult.accounts.services import access_tokens, keys
from consult.accounts.tests.extension import SignedIn, sign_in
from consult.core import encryption, tenancy

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
SECONDS = int(NOW.timestamp())
Sign = Callable[..., str]


@pytest.fixture
def program(cast: Cast) -> SignedIn:
    return sign_in(cast.bob.client)


@pytest.fixture
def sign(program: SignedIn) -> Sign:
    """Sign like the office does, but for the changes; None takes a claim or header out."""
    whole = jwt.decode(program.access_token, options={"verify_signature": False})

    def with_changes(header: dict[str, object] | None = None, /, key: object = None, **changes: object) -> str:
        claims = {name: value for name, value in (whole | changes).items() if value is not None}
        kid, private = _current()
        headers: dict[str, Any] = {"kid": kid, "typ": "at+jwt"} | (header or {})
        algorithm = str(headers.pop("alg", "ES256"))
        return jwt.encode(claims, private if key is None else key, algorithm=algorithm, headers=headers)  # type: ignore[arg-type]

    return with_changes


def _current() -> tuple[str, ec.EllipticCurvePrivateKey]:
    key = models.SigningKey.objects.get(state="current")
    pem = encryption.open_sealed(key.private_key_sealed, bound_to=keys._bound_to(key.kid))
    private = serialization.load_pem_private_key(pem, None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    return key.kid, private


def refused(token: str, now: dt.datetime | None = None) -> None:
    with pytest.raises(services.BadToken):
        access_tokens.verify(token, now=now or dt.datetime.now(dt.UTC))
    with pytest.raises(services.BadToken):
        services.believe(token, now=now or dt.datetime.now(dt.UTC))


def part(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def test_a_good_one(cast: Cast, program: SignedIn, sign: Sign) -> None:
    caller = services.believe(program.access_token, now=dt.datetime.now(dt.UTC))
    assert (caller.here.agency_id, caller.here.slug, caller.here.member_id) == (cast.a, "a", cast.bob.member_id)
    assert (caller.here.role, caller.user_id, caller.scopes) == (
        "member",
        cast.bob.user_id,
        frozenset({"read", "write"}),
    )
    claims = jwt.decode(program.access_token, options={"verify_signature": False})
    assert str(caller.token_id) == claims["sid"]
    assert claims["exp"] - claims["iat"] == 600
    assert set(claims) == {"iss", "aud", "sub", "agency", "sid", "jti", "scope", "iat", "exp", "client_id"}
    assert jwt.get_unverified_header(program.access_token)["typ"] == "at+jwt"
    # What the attacks below change one thing of.
    assert services.believe(sign(), now=dt.datetime.now(dt.UTC)) == caller


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://other.example"}, {"iss": None}, {"aud": "consult-live"}, {"aud": None},
        {"aud": ["consult-api"]}, {"aud": ["consult-api", "other"]},
        {"sub": None}, {"sub": ""}, {"sub": 5}, {"sub": "not-a-uuid"}, {"jti": None},
        {"sid": None}, {"sid": ""}, {"sid": 7}, {"sid": "x" * 50}, {"sid": str(uuid.uuid4()) + "\0"},
        {"scope": None}, {"scope": ["read"]}, {"scope": 1},
        {"exp": None}, {"exp": SECONDS - 60}, {"exp": "soon"}, {"exp": SECONDS + 86_400}, {"exp": True},
        {"exp": 1e400}, {"exp": 10**30}, {"exp": SECONDS + 300.5},
        {"iat": None}, {"iat": SECONDS + 86_400}, {"iat": SECONDS - 86_400}, {"iat": "now"}, {"nbf": SECONDS + 3_600},
        {"agency": None}, {"agency": "1"}, {"agency": True}, {"agency": 1.0}, {"agency": 0}, {"agency": -1},
        {"agency": 2**70},
    ],
    ids=lambda changes: next(iter(changes)),
)  # fmt: skip
def test_claims(sign: Sign, changes: dict[str, object]) -> None:
    refused(sign(**changes))


@pytest.mark.parametrize(
    "header",
    [
        {"kid": "0123456789abcdef"}, {"kid": None}, {"kid": ""}, {"kid": "../../etc/passwd"}, {"kid": "x" * 1000},
        {"kid": "' OR 1=1"}, {"typ": "JWT"}, {"typ": "live+jwt"}, {"typ": None}, {"typ": "AT+JWT"},
        {"crit": ["exp"]}, {"crit": []}, {"jku": "https://thief.example/jwks.json", "kid": "thief"},
    ],
    ids=lambda header: str(header)[:40],
)  # fmt: skip
def test_header(sign: Sign, header: dict[str, object]) -> None:
    claims = jwt.decode(sign(), options={"verify_signature": False})
    kid, private = _current()
    headers = {name: value for name, value in ({"kid": kid, "typ": "at+jwt"} | header).items() if value is not None}
    if header.get("typ", "") is None:
        headers["typ"] = None
    if "kid" in header and not isinstance(headers.get("kid", ""), str):
        headers.pop("kid")
    refused(jwt.encode(claims, private, algorithm="ES256", headers=headers))


def test_a_kid_that_is_no_text(sign: Sign) -> None:
    _head, body, signature = sign().split(".")
    no_texts: tuple[object, ...] = (1, None, [], {}, True)
    for kid in no_texts:
        refused(f"{part({'alg': 'ES256', 'typ': 'at+jwt', 'kid': kid})}.{body}.{signature}")


def test_other_algorithms(sign: Sign) -> None:
    _head, body, signature = sign().split(".")
    kid, private = _current()
    headers = {"kid": kid, "typ": "at+jwt"}
    claims = jwt.decode(sign(), options={"verify_signature": False})
    for none in ("none", "None", "NONE", ""):
        refused(f"{part({'alg': none, **headers})}.{body}.")
        refused(f"{part({'alg': none, **headers})}.{body}.{signature}")
    refused(jwt.encode(claims, "", algorithm="none", headers=headers))
    # The public key taken as a shared secret.
    pem = private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    forged = f"{part({'alg': 'HS256', **headers})}.{body}"
    for secret in (pem, pem.strip(), kid.encode()):
        mac = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(forged.encode(), secret)
        refused(f"{forged}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}")
    # Signed as we sign, but the header says something else.
    for algorithm in ("none", "HS256", "ES384", "", None):
        head = part({"alg": algorithm, **headers})
        raw = access_tokens._ES256.sign(f"{head}.{body}".encode(), private)
        refused(f"{head}.{body}.{base64.urlsafe_b64encode(raw).rstrip(b'=').decode()}")
    for algorithm in ("ES384", "RS256", "EdDSA"):
        refused(f"{part({'alg': algorithm, **headers})}.{body}.{signature}")


def test_signature(sign: Sign) -> None:
    head, body, signature = sign().split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    for forged in (
        sign(key=ec.generate_private_key(ec.SECP256R1())),
        f"{head}.{body}.",
        f"{head}.{body}",
        f"{head}.{body}.{signature[::-1]}",
        f"{head}.{body}.{'A' * 86}",
        f"{head}.{part(claims | {'agency': 2})}.{signature}",
        f"{head}.{part(claims | {'scope': 'read write manage'})}.{signature}",
        f"{head}.{body}.{signature}.{signature}",
        f"{part({**json.loads(base64.urlsafe_b64decode(head + '==')), 'x': 1})}.{body}.{signature}",
    ):
        refused(forged)


def test_there_is_one_way_to_write_it(program: SignedIn) -> None:
    """Base64 has several for the same bytes. (ECDSA itself has two signatures: nothing here goes by a token's text.)"""
    head, body, signature = program.access_token.split(".")
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".index(signature[-1])
    other = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[last + 1]
    for same in (signature[:-1] + other, signature + "==", signature[:10] + "\n" + signature[10:], signature + "!"):
        refused(f"{head}.{body}.{same}")
    for same in (f" {program.access_token}", f"{program.access_token}\n", f"{head}=.{body}.{signature}"):
        refused(same)


def test_huge(sign: Sign) -> None:
    refused(sign(more="x" * 5_000))
    refused("x" * 10_000_000)
    refused("[" * 4_000 + ".x.x")
    refused(f"{part({'a': 1})}{'.' * 4_000}")


def test_times_by_the_clock_of_who_asks(program: SignedIn) -> None:
    claims = jwt.decode(program.access_token, options={"verify_signature": False})

    def at(seconds: int) -> dt.datetime:
        return dt.datetime.fromtimestamp(seconds, dt.UTC)

    leeway = access_tokens.LEEWAY_SECONDS
    assert leeway <= 30
    access_tokens.verify(program.access_token, now=at(claims["exp"] + leeway - 1))
    refused(program.access_token, at(claims["exp"] + leeway))
    access_tokens.verify(program.access_token, now=at(claims["iat"] - leeway))
    refused(program.access_token, at(claims["iat"] - leeway - 1))


def test_a_live_token_is_none_and_the_other_way_round(
    database: Database, cast: Cast, program: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edge import keys as edge_keys
    from edge import tokens as edge_tokens

    live = services.live_token(agency_id=cast.a, member_id=cast.bob.member_id, now=dt.datetime.now(dt.UTC))
    refused(live)
    known = edge_tokens.load_keys(
        dict(database.ask("SELECT kid, public_key FROM accounts_public_keys_v2()", role="consult_edge"))
    )
    assert edge_tokens.verify(live, known).member == str(cast.bob.member_id)
    with pytest.raises(edge_keys.Invalid):
        edge_tokens.verify(program.access_token, known)


def test_another_agencys(cast: Cast, sign: Sign) -> None:
    """Signed by us, but sign-in, member and agency do not belong together."""
    for changes in (
        {"agency": cast.b},
        {"sub": str(cast.charlie.member_id)},
        {"agency": cast.b, "sub": str(cast.charlie.member_id)},
        {"sid": str(uuid.uuid4())},
    ):
        with pytest.raises(services.BadToken):
            services.believe(sign(**changes), now=dt.datetime.now(dt.UTC))


def test_scopes_never_grow(database: Database, cast: Cast, sign: Sign) -> None:
    """Not by what a token claims, nor by what was granted later."""
    now = dt.datetime.now(dt.UTC)
    assert services.believe(sign(scope="read manage"), now=now).scopes == {"read"}
    database.ask("UPDATE accounts_grant SET scopes = '[\"read\"]'")
    assert services.believe(sign(), now=now).scopes == {"read"}
    assert services.believe(sign(scope=""), now=now).scopes == frozenset()


def test_the_role_is_that_of_now_and_who_left_is_refused(cast: Cast, program: SignedIn) -> None:
    now = dt.datetime.now(dt.UTC)
    bob = models.Member.objects.filter(id=cast.bob.member_id)
    with tenancy.agency(cast.a):
        bob.update(role="viewer")
    assert services.believe(program.access_token, now=now).here.role == "viewer"
    with tenancy.agency(cast.a):
        bob.update(left_at=now)
    with pytest.raises(services.BadToken):
        services.believe(program.access_token, now=now)
    with tenancy.agency(cast.a):
        bob.update(left_at=None)
    assert services.believe(program.access_token, now=now)
    models.User.objects.filter(pk=cast.bob.user_id).update(is_active=False)
    with pytest.raises(services.BadToken):
        services.believe(program.access_token, now=now)


def test_keys_are_asked_for_rarely(cast: Cast, program: SignedIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made-up kids are no way to load the database."""
    access_tokens.verify(program.access_token, now=dt.datetime.now(dt.UTC))
    asked = []
    real = queries.public_keys

    def counted() -> dict[str, str]:
        asked.append(1)
        return real()

    monkeypatch.setattr(queries, "public_keys", counted)
    _head, body, signature = program.access_token.split(".")
    for number in range(50):
        access_tokens.verify(program.access_token, now=dt.datetime.now(dt.UTC))
        refused(f"{part({'alg': 'ES256', 'typ': 'at+jwt', 'kid': f'made-up-{number}'})}.{body}.{signature}")
    assert len(asked) <= 1
