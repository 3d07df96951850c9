"""Codes from an app and recovery codes: asked for at every sign-in by password, code, link; sealed in the database."""

import re
import time
from unittest import mock

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from cryptography.fernet import Fernet
from django.core import mail
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from conftest import PASSWORD, Cast, Database
from consult.accounts import models, services
from consult.core import encryption

ACTIVATE = "/accounts/2fa/totp/activate/"
ASKED = "/accounts/2fa/authenticate/"


def now_code(secret: str, later: int = 0) -> str:
    """The code of RFC 6238 that an app shows now, or some periods of 30 seconds later."""
    return totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30 + later))


def reauthenticate(client: Client) -> None:
    assert client.post("/accounts/reauthenticate/", {"password": PASSWORD}).status_code == 302


def set_up(client: Client) -> tuple[str, list[str]]:
    """Turn the app on as a person does, half a minute ago; return its secret and the recovery codes."""
    secret, _code, codes = turn_on(client)
    cache.clear()
    return secret, codes


def turn_on(client: Client) -> tuple[str, str, list[str]]:
    """The secret, the code that turned it on, and the recovery codes."""
    reauthenticate(client)
    page = client.get(ACTIVATE).content.decode()
    found = re.search(r'id="totp-key">([A-Z2-7]+)<', page)
    assert found
    assert "data:image/svg+xml" in page
    code = now_code(found[1])
    assert client.post(ACTIVATE, {"code": code})["Location"] == "/accounts/2fa/recovery-codes/"
    codes = client.get("/accounts/2fa/recovery-codes/").content.decode()
    return found[1], code, re.findall(r'<li class="select-all">(\d{8})</li>', codes)


def by_password(client: Client) -> str:
    return str(client.post("/accounts/login/", {"login": "bob@example.com", "password": PASSWORD})["Location"])


def is_in(client: Client) -> bool:
    return client.get("/a/inbox/").status_code == 200


def test_it_is_asked_for_whatever_way_one_comes(cast: Cast) -> None:
    secret, _codes = set_up(cast.bob.client)
    password, code, link = Client(), Client(), Client()
    assert by_password(password) == ASKED
    code.post("/accounts/login/code/", {"email": "bob@example.com"})
    mailed = re.search(r"^([A-Z0-9-]{6,})$", str(mail.outbox[-1].body), re.MULTILINE)
    assert mailed
    assert code.post("/accounts/login/code/confirm/", {"code": mailed[1]})["Location"] == ASKED
    assert link.get(services.create_sign_in_link(email="bob@example.com"))["Location"] == ASKED
    for client in (password, code, link):
        assert not is_in(client)
        assert "is not the code" in client.post(ASKED, {"code": "000000"}).content.decode()
        assert not is_in(client)
    assert password.post(ASKED, {"code": now_code(secret)}).status_code == 302
    assert is_in(password)


def test_a_code_counts_once(cast: Cast) -> None:
    secret, _codes = set_up(cast.bob.client)
    first, second = Client(), Client()
    by_password(first)
    by_password(second)
    code = now_code(secret)
    assert first.post(ASKED, {"code": code}).status_code == 302
    assert second.post(ASKED, {"code": code}).status_code == 200
    assert not is_in(second)


def test_the_code_that_turns_it_on_is_spent(cast: Cast) -> None:
    secret, code, _codes = turn_on(cast.bob.client)
    assert secret
    other = Client()
    by_password(other)
    assert other.post(ASKED, {"code": code}).status_code == 200
    assert not is_in(other)


def test_each_recovery_code_lets_in_once(cast: Cast) -> None:
    _secret, codes = set_up(cast.bob.client)
    assert len(set(codes)) == 10
    for code, lets_in in ((codes[0], True), (codes[0], False), (codes[1], True)):
        client = Client()
        by_password(client)
        client.post(ASKED, {"code": code})
        assert is_in(client) is lets_in
    reauthenticate(cast.bob.client)
    left = cast.bob.client.get("/accounts/2fa/recovery-codes/").content.decode()
    assert codes[0] not in left
    assert codes[2] in left
    assert cast.bob.client.get("/accounts/2fa/recovery-codes/download/")["Content-Disposition"].startswith("attachment")


def test_secrets_are_sealed(database: Database, cast: Cast, settings: Settings) -> None:
    secret, codes = set_up(cast.bob.client)
    [(everything,)] = database.ask("SELECT string_agg(data::text, ' ') FROM mfa_authenticator")
    assert everything.count("enc:v1:") == 2
    assert secret not in everything
    assert all(code not in everything for code in codes)
    # They go under a new key with the rest, and the old one can be dropped.
    new = Fernet.generate_key().decode()
    settings.CONSULT_ENCRYPTION_KEYS = [new, *settings.CONSULT_ENCRYPTION_KEYS]
    [place] = [place for place in encryption.PLACES if place.table == "mfa_authenticator"]
    assert encryption.reseal(place) == 2
    settings.CONSULT_ENCRYPTION_KEYS = [new]
    client = Client()
    by_password(client)
    assert client.post(ASKED, {"code": codes[3]}).status_code == 302
    # Where they lie, they open nothing else.
    with pytest.raises(encryption.CannotOpen):
        encryption.open_sealed(everything.split('"')[3], bound_to="core_kv/x")


def test_turning_it_on_and_off_wants_to_know_that_it_is_oneself(cast: Cast) -> None:
    for address in (ACTIVATE, "/accounts/2fa/recovery-codes/generate/", "/accounts/passkeys/add/"):
        assert cast.bob.client.get(address)["Location"].startswith("/accounts/reauthenticate/"), address
    set_up(cast.bob.client)
    assert mail.outbox[-1].to == ["bob@example.com"]
    # Five minutes on, once more.
    with mock.patch("time.time", return_value=time.time() + 301):
        assert "reauthenticate" in cast.bob.client.get("/accounts/2fa/totp/deactivate/")["Location"]
        assert "reauthenticate" in cast.bob.client.post("/accounts/2fa/totp/deactivate/")["Location"]
        page = cast.bob.client.get("/accounts/2fa/recovery-codes/")
        assert page.status_code == 302 or "****" in page.content.decode()
    assert Authenticator.objects.filter(user_id=cast.bob.user_id).count() == 2
    assert cast.bob.client.post("/accounts/2fa/totp/deactivate/")["Location"] == "/accounts/2fa/"
    assert Authenticator.objects.count() == 0
    assert by_password(Client()) == "/accounts/agencies/"


def test_a_wrong_code_turns_nothing_on(cast: Cast) -> None:
    reauthenticate(cast.bob.client)
    page = cast.bob.client.get(ACTIVATE).content.decode()
    answer = cast.bob.client.post(ACTIVATE, {"code": "000000"})
    assert "is not the code" in answer.content.decode()
    key = re.search(r'id="totp-key">([A-Z2-7]+)<', page)
    # The key stays the one that was scanned.
    assert key
    assert key[1] in answer.content.decode()
    assert Authenticator.objects.count() == 0


def test_guessing_is_stopped(cast: Cast) -> None:
    set_up(cast.bob.client)
    client = Client()
    by_password(client)
    statuses = [client.post(ASKED, {"code": f"{number:06}"}).status_code for number in range(7)]
    assert statuses == [200] * 5 + [429] * 2


def test_a_stranger_sees_nothing_of_it(cast: Cast) -> None:
    set_up(cast.bob.client)
    for address in (ASKED, "/accounts/2fa/recovery-codes/", "/accounts/2fa/", "/accounts/2fa/recovery-codes/download/"):
        assert Client().get(address).status_code in (302, 404), address
    reauthenticate(cast.alice.client)
    assert cast.alice.client.get("/accounts/2fa/recovery-codes/").status_code == 404
    # Somebody else's passkey is not there.
    key = Authenticator.objects.create(
        user_id=cast.bob.user_id, type="webauthn", data={"name": "Bob's", "credential": {}}
    )
    for action in ("edit", "remove"):
        assert cast.alice.client.get(f"/accounts/passkeys/{key.pk}/{action}/").status_code == 404
        assert cast.alice.client.post(f"/accounts/passkeys/{key.pk}/{action}/", {"name": "x"}).status_code == 404


def test_the_operator_helps_who_has_lost_everything(database: Database, cast: Cast) -> None:
    set_up(cast.bob.client)
    cast.bob.client.post("/accounts/logout/")
    client = Client()
    by_password(client)
    assert services.remove_second_factors(email="BOB@example.com") == 2
    assert by_password(Client()) == "/accounts/agencies/"
    with pytest.raises(models.User.DoesNotExist):
        services.remove_second_factors(email="nobody@example.com")
