"""The people page: everybody of the agency sees it, and each what they may do."""

from conftest import Cast, Database

PATH = "/a/settings/people/"


def test_everybody_looks_and_managers_act(database: Database, cast: Cast) -> None:
    database.ask("UPDATE accounts_user SET last_active_at = now() WHERE email = 'alice@example.com'")
    for person in (cast.alice, cast.bob, cast.vera):
        page = person.client.get(PATH).content.decode()
        for told in ("alice@example.com", "bob@example.com", "vera@example.com", "Active now"):
            assert told in page
        assert "charlie@example.com" not in page
        assert ("Invite somebody" in page) == (person is cast.alice)
        assert ("/role/" in page) == (person is cast.alice)
        assert ("/remove/" in page) == (person is cast.alice)
        assert ("/transfer/" in page) == (person is cast.alice)
        # The only owner is told why there is no way out.
        assert ('people/leave/"' in page) == (person is not cast.alice)
        assert ("You are the only owner" in page) == (person is cast.alice)
        assert person.client.get("/a/inbox/").content.decode().count('data-go=","') == 1


def test_when_each_was_here_last(database: Database, cast: Cast) -> None:
    database.ask("UPDATE accounts_user SET last_active_at = now() - interval '3 days' WHERE email = 'bob@example.com'")
    page = cast.alice.client.get(PATH).content.decode()
    assert "3\xa0days ago" in page
    assert "Not active yet" in page
    # Looking is being here.
    cast.bob.client.get(PATH)
    assert "3\xa0days ago" not in cast.alice.client.get(PATH).content.decode()


def test_an_admin_is_offered_nothing_with_owners(database: Database, cast: Cast) -> None:
    database.ask("UPDATE accounts_member SET role = 'admin' WHERE id = %s", [cast.bob.member_id])
    page = cast.bob.client.get(PATH).content.decode()
    assert f"{cast.vera.member_id}/role/" in page
    assert f"{cast.alice.member_id}/" not in page
    assert 'value="owner"' not in page
    assert "/transfer/" not in page


def test_who_has_left_is_not_on_it(database: Database, cast: Cast) -> None:
    database.ask("UPDATE accounts_member SET left_at = now() WHERE id = %s", [cast.bob.member_id])
    assert "bob@example.com" not in cast.alice.client.get(PATH).content.decode()
