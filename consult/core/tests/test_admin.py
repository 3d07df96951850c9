"""The admin: superusers, one chosen agency, read-only; changes go through services."""

import datetime as dt
import re

import pytest
from django.contrib import admin
from django.test import Client

from conftest import Cast, Database, Enquiry
from consult.accounts import models, services
from consult.core.admin import Records


@pytest.fixture
def root(cast: Cast) -> Client:
    user_id = services.create_user(email="root@example.com", name="Root", superuser=True)
    client = Client()
    client.force_login(models.User.objects.get(pk=user_id))
    return client


def choose(root: Client, agency_id: int) -> None:
    assert root.post("/admin/accounts/agency/choose/", {"agency": agency_id})["Location"] == "/admin/"


def pages() -> dict[str, type]:
    # The queue's pages are its library's own, read-only as well, and show ids alone.
    ours = [model for model in admin.site._registry if model._meta.app_label != "procrastinate"]
    return {f"/admin/{model._meta.app_label}/{model._meta.model_name}/": model for model in ours}


def test_only_superusers_and_only_by_the_one_sign_in(cast: Cast, root: Client) -> None:
    for client, status in ((cast.stranger, 302), (cast.alice.client, 302)):
        answer = client.get("/admin/inbox/enquiry/")
        assert answer.status_code == status
        assert answer["Location"].startswith("/admin/login/")
    answer = cast.stranger.get("/admin/login/?next=/admin/inbox/enquiry/")
    assert answer["Location"] == "/accounts/login/?next=/admin/inbox/enquiry/"
    # Django's own form would not count the tries.
    assert cast.stranger.post("/admin/login/", {"username": "root@example.com", "password": "x"}).status_code == 302
    assert cast.alice.client.get("/admin/login/").status_code == 403
    assert root.get("/admin/login/")["Location"] == "/admin/"


def test_an_agency_is_chosen_first(cast: Cast, root: Client) -> None:
    for path in ("/admin/", "/admin/inbox/enquiry/", "/admin/accounts/user/"):
        assert root.get(path)["Location"] == "/admin/accounts/agency/choose/"
    page = root.get("/admin/accounts/agency/choose/").content.decode()
    assert "Agency A (a)" in page
    assert "Agency B (b)" in page
    assert root.post("/admin/accounts/agency/choose/", {"agency": 4711}).status_code == 200
    assert root.get("/admin/")["Location"] == "/admin/accounts/agency/choose/"
    assert cast.alice.client.post("/admin/accounts/agency/choose/", {"agency": cast.a}).status_code == 302
    choose(root, cast.a)
    assert root.get("/admin/").status_code == 200


def test_every_record_is_shown_and_none_can_be_changed(
    database: Database, cast: Cast, enquiry: Enquiry, root: Client
) -> None:
    choose(root, cast.a)
    assert len(pages()) >= 13
    for path, model in pages().items():
        assert isinstance(admin.site._registry[model], Records)
        listed = root.get(path)
        assert listed.status_code == 200
        assert root.get(f"{path}add/").status_code == 403
        assert root.post(f"{path}add/", {}).status_code == 403
        for link in set(re.findall(rf"{path}[^/\"]+/change/", listed.content.decode())):
            shown = root.get(link)
            assert shown.status_code == 200, link
            assert 'name="_save"' not in shown.content.decode()
            assert root.post(link, {"name": "changed"}).status_code == 403
            delete = link.replace("/change/", "/delete/")
            assert root.get(delete).status_code == 403
            assert root.post(delete, {"post": "yes"}).status_code == 403
    assert database.ask("SELECT count(*) FROM inbox_enquiry") == [(1,)]


def test_secrets_are_not_shown(database: Database, cast: Cast, root: Client) -> None:
    services.live_token(agency_id=cast.a, member_id=cast.alice.member_id, now=dt.datetime.now(dt.UTC))
    services.create_sign_in_link(email="alice@example.com")
    choose(root, cast.a)
    [(password,)] = database.ask("SELECT password FROM accounts_user WHERE email = 'alice@example.com'")
    sealed = [row[0] for row in database.ask("SELECT private_key_sealed FROM accounts_signingkey")]
    for path in pages():
        page = root.get(path).content.decode()
        for link in set(re.findall(rf"{path}[^/\"]+/change/", page)):
            page += root.get(link).content.decode()
        assert password not in page
        assert password.split("$")[-1] not in page
        assert sealed
        assert not any(key in page for key in sealed)


def test_an_action_goes_through_the_service(database: Database, cast: Cast, enquiry: Enquiry, root: Client) -> None:
    choose(root, cast.a)
    [(id,)] = database.ask("SELECT id FROM inbox_enquiry")
    answer = root.post("/admin/inbox/enquiry/", {"action": "close_enquiries", "_selected_action": [id]})
    assert answer.status_code == 302
    assert database.ask("SELECT status FROM inbox_enquiry") == [("closed",)]
    assert database.ask("SELECT by_id FROM accounts_audit WHERE action = 'inbox.close_enquiry'") == [(None,)]
    assert database.ask("SELECT count(*) FROM django_admin_log") == [(0,)]
    # From inside another agency the same id is nobody's.
    database.ask("UPDATE inbox_enquiry SET status = 'open'")
    choose(root, cast.b)
    root.post("/admin/inbox/enquiry/", {"action": "close_enquiries", "_selected_action": [id]})
    assert database.ask("SELECT status FROM inbox_enquiry") == [("open",)]
