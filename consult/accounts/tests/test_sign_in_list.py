"""Where one is signed in, and signing out there."""

from django.test import Client

from conftest import PASSWORD, Cast, Database
from consult.accounts.tests.extension import refresh, sign_in, works

URL = "/accounts/sessions/"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1 Version/19.0 Mobile Safari/604.1"


def browser(address: str, user_agent: str, email: str = "bob@example.com") -> Client:
    client = Client(REMOTE_ADDR=address, headers={"User-Agent": user_agent})
    assert client.post("/accounts/login/", {"login": email, "password": PASSWORD}).status_code == 302
    return client


def is_in(client: Client) -> bool:
    return client.get("/accounts/").status_code == 200


def ids(database: Database) -> dict[str, int]:
    return dict(database.ask("SELECT host(ip), id FROM usersessions_usersession"))


def test_it_shows_each_browser(cast: Cast) -> None:
    here = browser("198.51.100.7", FIREFOX)
    browser("203.0.113.9", SAFARI)
    browser("192.0.2.1", SAFARI, "alice@example.com")
    page = here.get(URL).content.decode()
    assert "Firefox 140, Windows" in page
    assert "Safari 19, iOS" in page
    assert "198.51.100.7" in page
    assert "203.0.113.9" in page
    assert "192.0.2.1" not in page
    assert page.count("this browser") == 1


def test_one_is_signed_out(database: Database, cast: Cast) -> None:
    here, there, third = browser("198.51.100.7", FIREFOX), browser("203.0.113.9", SAFARI), browser("192.0.2.3", "")
    found = ids(database)
    assert here.post(f"{URL}{found['203.0.113.9']}/end/")["Location"] == URL
    assert [is_in(each) for each in (here, there, third)] == [True, False, True]
    assert here.post(f"{URL}{found['203.0.113.9']}/end/").status_code == 404


def test_everywhere_else(cast: Cast) -> None:
    here, there, third = browser("198.51.100.7", FIREFOX), browser("203.0.113.9", SAFARI), browser("192.0.2.3", "")
    alice = browser("192.0.2.1", SAFARI, "alice@example.com")
    assert here.post(f"{URL}end-others/")["Location"] == URL
    assert [is_in(each) for each in (here, there, third, alice)] == [True, False, False, True]
    assert "end-others" not in here.get(URL).content.decode()


def test_programs_are_signed_out_too(database: Database, cast: Cast) -> None:
    """Everywhere else, and with each new password: whoever knew the old one may have signed one in."""
    here = browser("198.51.100.7", FIREFOX)
    alices = sign_in(cast.alice.client)
    program = sign_in(here)
    assert works(program.access_token)
    here.post(f"{URL}end-others/")
    assert not works(program.access_token)
    assert refresh(program.refresh_token).status_code == 400
    program = sign_in(here)
    new = "another pass phrase altogether"
    asked = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert here.post("/accounts/password/change/", asked).status_code == 302
    assert not works(program.access_token)
    assert works(alices.access_token)


def test_nobody_ends_what_is_not_theirs(database: Database, cast: Cast) -> None:
    bob = browser("198.51.100.7", FIREFOX)
    alice = browser("192.0.2.1", SAFARI, "alice@example.com")
    mine = ids(database)["198.51.100.7"]
    assert alice.post(f"{URL}{mine}/end/").status_code == 404
    assert Client().post(f"{URL}{mine}/end/").status_code == 302
    assert Client().post(f"{URL}end-others/").status_code == 302
    assert bob.get(f"{URL}{mine}/end/").status_code == 405
    assert is_in(bob)


def test_a_new_password_ends_the_others_and_they_are_not_listed(cast: Cast) -> None:
    here, there = browser("198.51.100.7", FIREFOX), browser("203.0.113.9", SAFARI)
    new = "another horse battery staple"
    answer = here.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert answer["Location"] == "/accounts/"
    assert [is_in(here), is_in(there)] == [True, False]
    page = here.get(URL).content.decode()
    assert "198.51.100.7" in page
    assert "203.0.113.9" not in page


def test_the_address_is_the_one_that_a_trusted_proxy_tells(cast: Cast) -> None:
    client = Client(REMOTE_ADDR="198.51.100.7", headers={"X-Forwarded-For": "6.6.6.6", "User-Agent": FIREFOX})
    client.post("/accounts/login/", {"login": "bob@example.com", "password": PASSWORD})
    page = client.get(URL).content.decode()
    assert "198.51.100.7" in page
    assert "6.6.6.6" not in page
