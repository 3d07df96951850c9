"""What is published for everybody: the public keys, and where everything is."""

import datetime as dt

import jwt
from django.test import Client

from conftest import Cast
from consult.accounts import services
from consult.accounts.tests.extension import sign_in


def test_another_program_can_check_our_tokens_with_it(cast: Cast) -> None:
    program = sign_in(cast.bob.client)
    document = Client().get("/.well-known/jwks.json").json()
    keys = jwt.PyJWKSet.from_dict(document)
    key = keys[jwt.get_unverified_header(program.access_token)["kid"]]
    claims = jwt.decode(
        program.access_token, key, algorithms=["ES256"], audience="consult-api", issuer="http://testserver"
    )
    assert claims["agency"] == cast.a
    assert len(document["keys"]) == 2
    for each in document["keys"]:
        assert set(each) == {"kty", "crv", "use", "alg", "kid", "x", "y"}
        assert (each["kty"], each["crv"], each["alg"], len(each["x"]), len(each["y"])) == (
            "EC",
            "P-256",
            "ES256",
            43,
            43,
        )


def test_revoked_keys_are_not_in_it(cast: Cast) -> None:
    sign_in(cast.bob.client)
    before = {key["kid"] for key in Client().get("/.well-known/jwks.json").json()["keys"]}
    kid = min(before)
    services.revoke_key(kid=kid, now=dt.datetime.now(dt.UTC))
    after = {key["kid"] for key in Client().get("/.well-known/jwks.json").json()["keys"]}
    assert kid not in after
    assert len(after) == 2


def test_no_key_yet(cast: Cast) -> None:
    assert Client().get("/.well-known/jwks.json").json() == {"keys": []}


def test_the_metadata(cast: Cast) -> None:
    answer = Client().get("/.well-known/oauth-authorization-server")
    told = answer.json()
    assert answer["Cache-Control"] == "public, max-age=300"
    assert told["issuer"] == "http://testserver"
    assert told["code_challenge_methods_supported"] == ["S256"]
    for name in ("token_endpoint", "revocation_endpoint"):
        path = told[name].removeprefix(told["issuer"])
        assert Client().post(path).status_code == 400
    for name in ("authorization_endpoint", "jwks_uri"):
        path = told[name].removeprefix(told["issuer"])
        assert Client().get(path).status_code in (200, 400)
